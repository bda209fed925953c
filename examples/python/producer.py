"""A producer, at least once, that the lab can judge (docs/your-own-client.md):

    lab run --guarantee at-least-once -- python3 examples/python/producer.py
"""

import os
import signal
import sys

from confluent_kafka import Producer

config = {
    "bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"],
    # All in-sync replicas have a message before it counts.
    "acks": "all",
    # A retry may store a message twice, which at least once allows.
    "enable.idempotence": False,
}
# What the lab shortens or sets for its scenario.
for setting in filter(None, os.environ.get("KAFKA_PROPERTIES", "").split(";")):
    key, value = setting.split("=", 1)
    config[key] = value

topic = os.environ["TOPIC"]
pause = int(os.environ.get("INTERVAL_MS", "0")) / 1000
failed = 0


def report(error, message):
    """The delivery report: only now is it known what became of the message."""
    global failed
    value = message.value().decode()
    if error is None:
        print(f"delivered {message.topic()}[{message.partition()}]@{message.offset()} {value}", flush=True)
    else:
        failed += 1
        print(f"failed {value}: {error}", flush=True)


signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
producer = Producer(config)
for i in range(int(os.environ["COUNT"])):
    producer.produce(topic, f"{os.environ['VALUE_PREFIX']}{i}", on_delivery=report)
    producer.poll(pause)

# flush() may end before everything is delivered: what is left then has failed, and is reported as such.
if producer.flush(10) > 0:
    producer.purge()
    producer.flush(0)
sys.exit(1 if failed else 0)
