"""What the course says, or leaves out, of producers in confluent-kafka.

    pip install confluent-kafka && python3 docs/claims/producer.py
"""

import os
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

KAFKA = {"bootstrap.servers": os.environ.get("BOOTSTRAP_SERVERS", "localhost:9092")}
NAME = f"claims-{uuid.uuid4()}"


def attempt(what, action):
    try:
        action()
        print(f"{what}: done")
    except BufferError:
        print(f"{what}: BufferError")
    except KafkaException as error:
        print(f"{what}: {error.args[0].name()}")


# The course's loops produce without poll. Here the queue holds 10 messages, where the default is 100,000.
producer = Producer({**KAFKA, "queue.buffering.max.messages": 10})
reader = Consumer({**KAFKA, "group.id": NAME})
for i in range(10):
    producer.produce(NAME, str(i))
end = time.monotonic() + 30
while time.monotonic() < end:
    try:
        if reader.get_watermark_offsets(TopicPartition(NAME, 0), timeout=5)[1] == 10:
            break
    except KafkaException:
        pass  # the topic is being created
    time.sleep(0.1)
print(f"stored: {reader.get_watermark_offsets(TopicPartition(NAME, 0), timeout=5)[1]}")
attempt("produce, one more", lambda: producer.produce(NAME, "10"))
producer.poll(0)
attempt("produce, after a poll", lambda: producer.produce(NAME, "10"))
producer.flush(10)

producer = Producer({**KAFKA, "transactional.id": NAME})
attempt("begin_transaction before init_transactions", producer.begin_transaction)
attempt("init_transactions", lambda: producer.init_transactions(10))
attempt("init_transactions a second time", lambda: producer.init_transactions(10))
producer.begin_transaction()
producer.produce(NAME, "11")
print(f"before the commit, in the queue: {len(producer)}")
producer.commit_transaction(10)
print(f"after the commit, in the queue: {len(producer)}; flush returns {producer.flush(5)}")

# The course's batch names each of its offsets, not only the last one of a partition.
for offsets in [1, 2, 3], [3, 2, 1]:
    producer.begin_transaction()
    positions = [TopicPartition(NAME, 0, offset) for offset in offsets]
    producer.send_offsets_to_transaction(positions, reader.consumer_group_metadata(), 10)
    producer.commit_transaction(10)
    [committed] = reader.committed([TopicPartition(NAME, 0)], timeout=10)
    print(f"offsets {offsets} in one transaction: committed {committed.offset}")
reader.close()
