"""A consumer, at least once, that the lab can judge (docs/your-own-client.md):

    lab run --guarantee at-least-once --role consumer -- python3 examples/python/consumer.py
"""

import os
import signal
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException

config = {
    "bootstrap.servers": os.environ["BOOTSTRAP_SERVERS"],
    "group.id": os.environ["GROUP_ID"],
    # A group without committed offsets begins at the beginning.
    "auto.offset.reset": "earliest",
    # Auto-commit counts a message as done when it is handed to the program.
    "enable.auto.commit": False,
}
# What the lab shortens or sets for its scenario.
for setting in filter(None, os.environ.get("KAFKA_PROPERTIES", "").split(";")):
    key, value = setting.split("=", 1)
    config[key] = value

running = True
fatal = None


def stop(*_):
    global running
    running = False


# The lab stops a consumer with Ctrl-C when everything is done.
signal.signal(signal.SIGINT, stop)

consumer = Consumer(config)
consumer.subscribe([os.environ["TOPIC"]])
while running:
    message = consumer.poll(0.2)
    if message is None:
        continue
    if message.error():
        # The others pass by themselves. (fatal() is false for a fatal error that comes in a message's place.)
        if message.error().code() == KafkaError._FATAL:
            # Another member has its group.instance.id, for instance: this one stops.
            fatal = message.error()
            break
        continue

    # 1) Processing: for the lab, the line is the effect.
    print(f"[{message.topic()} p{message.partition()}@{message.offset()}] {message.value().decode()}", flush=True)

    # 2) Commit of the offset after it. Refused (the partition is another member's now, or the broker is away), the
    # message is processed again: at least once.
    try:
        consumer.commit(message=message, asynchronous=False)
    except KafkaException as error:
        print(f"processed, and not committed: {error}", file=sys.stderr)
consumer.close()
sys.exit(f"error: {fatal}" if fatal else 0)
