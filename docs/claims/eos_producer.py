"""The example that eos.md leaves empty: a producer with one transaction for each message, exactly once.

    pip install confluent-kafka && python3 docs/claims/eos_producer.py

Names come from the environment, as `lab run PROGRAM SCENARIO -- COMMAND` gives them.
"""

import os
import sys

from confluent_kafka import KafkaError, KafkaException, Producer

TOPIC = os.environ.get("TOPIC", "mon_topic")
COUNT = int(os.environ.get("COUNT", "10"))
PREFIX = os.environ.get("VALUE_PREFIX", "eos-msg-")

conf = {
    "bootstrap.servers": os.environ.get("BOOTSTRAP_SERVERS", "localhost:9092"),
    "transactional.id": os.environ.get("TRANSACTIONAL_ID", "eos-producer"),  # stable, one per instance
    "acks": "all",  # implied by the transactional.id, as the next
    "enable.idempotence": True,
    "linger.ms": 0,  # one message per transaction: there is no second one to wait for
}
conf.update(pair.split("=", 1) for pair in os.environ.get("KAFKA_PROPERTIES", "").split(";") if pair)
producer = Producer(conf)


def until_answered(call):
    """Retriable: the same call again, and nothing else."""
    while True:
        try:
            return call(10.0)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def send(value):
    """One message, one transaction; returns where it stands."""
    places = []
    producer.begin_transaction()
    producer.produce(TOPIC, value, on_delivery=lambda _, message: places.append(message))
    until_answered(producer.commit_transaction)
    return places[0]


def send_until_committed(value):
    """Where it stands; None when each of five transactions had to be aborted."""
    for _ in range(5):
        try:
            return send(value)
        except KafkaException as error:
            reason = error.args[0]
            # _STATE: the transaction had failed before produce() was called.
            if not (reason.txn_requires_abort() or reason.code() == KafkaError._STATE):
                raise
            # An aborted attempt is visible to no read_committed reader: the next one is no duplicate.
            until_answered(producer.abort_transaction)
            print(reason, file=sys.stderr)
    return None


until_answered(producer.init_transactions)
failed = 0
for i in range(COUNT):
    value = f"{PREFIX}{i}"
    try:
        place = send_until_committed(value)
    except KafkaException as error:
        # Fatal: fenced by a successor, for instance.
        print(f"failed {value}: {error}", flush=True)
        sys.exit(1)
    if place is None:
        print(f"failed {value}: five transactions were aborted", flush=True)
        failed += 1
    else:
        print(f"committed {place.topic()}[{place.partition()}]@{place.offset()} {value}", flush=True)
sys.exit(failed > 0)
