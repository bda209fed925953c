"""The consumer of eos.md, corrected: a stable transactional.id, one offset per partition, the three kinds of error, an end.

    pip install confluent-kafka && python3 docs/claims/eos_consumer.py

Its offsets move with their transaction or not at all. What process() does is done at least once. Without a
group.instance.id: when another member takes that over, consume() tells nothing of it (confluent-kafka 2.16) and waits.
Names come from the environment, as `lab run PROGRAM SCENARIO -- COMMAND` gives them.
"""

import os
import signal
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

TOPIC = os.environ.get("TOPIC", "mon_topic")
GROUP = os.environ.get("GROUP_ID", "groupe_eos")
# What the lab sets; a property of the other client is ignored.
EXTRA = dict(pair.split("=", 1) for pair in os.environ.get("KAFKA_PROPERTIES", "").split(";") if pair)
KAFKA = {"bootstrap.servers": os.environ.get("BOOTSTRAP_SERVERS", "localhost:9092"), **EXTRA}

consumer = Consumer({
    "group.id": GROUP,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    **KAFKA,
})
producer = Producer({
    "transactional.id": os.environ.get("TRANSACTIONAL_ID", "eos-consume-0"),  # stable: one per instance
    "retry.backoff.ms": 1,  # asks again at once while the last transaction's markers are being written
    **KAFKA,
})


def process(message):
    key, value = (part and part.decode() for part in (message.key(), message.value()))
    print(f"Traitement: clé={key} valeur={value} offset={message.offset()}", flush=True)


def until_answered(call, *arguments):
    """Retriable: the same call again, and nothing else."""
    while True:
        try:
            return call(*arguments, 10.0)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def commit(records):
    # A dictionary: of each partition, the last one counts.
    positions = {(m.topic(), m.partition()): TopicPartition(m.topic(), m.partition(), m.offset() + 1) for m in records}
    until_answered(producer.send_offsets_to_transaction, list(positions.values()), consumer.consumer_group_metadata())
    until_answered(producer.commit_transaction)


def rewind():
    """Back to the committed offsets: whatever was read since is read again."""
    for position in consumer.committed(consumer.assignment(), timeout=10.0):
        if position.offset < 0:
            position.offset = OFFSET_BEGINNING
        consumer.seek(position)


def stop(*_):
    global stopped
    stopped = True


stopped = False
signal.signal(signal.SIGINT, stop)
until_answered(producer.init_transactions)
consumer.subscribe([TOPIC])
try:
    while not stopped:
        records = [message for message in consumer.consume(num_messages=10, timeout=1.0) if not message.error()]
        if not records:
            continue
        producer.begin_transaction()
        for message in records:
            process(message)
        try:
            commit(records)
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                raise  # fatal: fenced by a successor, for instance
            print(error, file=sys.stderr)
            until_answered(producer.abort_transaction)
            rewind()
finally:
    consumer.close()
