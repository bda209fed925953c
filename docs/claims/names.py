"""Which of the names that the course uses confluent-kafka has. Needs no Kafka.

    pip install confluent-kafka && python3 docs/claims/names.py
"""

from confluent_kafka import Consumer, Producer

# Nobody listens there: nothing here is sent.
NOWHERE = {"bootstrap.servers": "localhost:1", "log_level": 0}
producer = Producer({**NOWHERE, "transactional.id": "names"})
consumer = Consumer({**NOWHERE, "group.id": "names"})


def attempt(what, action):
    try:
        action()
        print(f"{what}: accepted")
    except Exception as error:
        print(f"{what}: {type(error).__name__}")


def has(name, thing):
    print(f"{name}: {'there' if hasattr(thing, name.split('.')[1]) else 'not there'}")


for line in [
    "from confluent_kafka import kafka",
    "from confluent_kafka import Producer, Consumer, TopicPartition",
    "msg = consumer.poll(1.0).",
]:
    attempt(line, lambda: exec(line, {"consumer": consumer}))
has("Consumer.get_consumer_group_metadata", consumer)
has("Consumer.consumer_group_metadata", consumer)
has("Consumer.begin_transaction", consumer)
has("Producer.begin_transaction", producer)
attempt("init_transactions(timeout=0.1)", lambda: producer.init_transactions(timeout=0.1))
attempt("commit_transaction(timeout=0.1)", lambda: producer.commit_transaction(timeout=0.1))
plain = Producer(NOWHERE)
attempt("produce(…, callback=…)", lambda: plain.produce("names", b"", callback=print))
attempt("produce(…, on_delivery=…)", lambda: plain.produce("names", b"", on_delivery=print))
print(f"flush(0.1) returns how many messages are left: {plain.flush(0.1)}")
