"""What the course says, or leaves out, of poll and commit in confluent-kafka.

    pip install confluent-kafka && python3 docs/claims/consumer.py
"""

import os
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

KAFKA = {"bootstrap.servers": os.environ.get("BOOTSTRAP_SERVERS", "localhost:9092")}
NAME = f"claims-{uuid.uuid4()}"
GROUP = {**KAFKA, "group.id": NAME, "enable.auto.commit": False, "auto.offset.reset": "earliest"}

producer = Producer(KAFKA)
for i in range(5):
    producer.produce(NAME, str(i))
producer.flush(10)


def poll(consumer):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            return message
    raise SystemExit("no message in 30 s")


consumer = Consumer(GROUP)
consumer.subscribe([NAME])
first = poll(consumer)
begin = time.monotonic()
rest = [poll(consumer).offset() for _ in range(4)]
print(f"four polls of 1.0 s took less than a second: {time.monotonic() - begin < 1}")
print(f"polled without any commit: {[first.offset()] + rest}")
message = consumer.poll(1.0)
print(f"poll, when nothing comes: {message}")
try:
    message.value()
except AttributeError:
    print("its value: AttributeError")
[committed] = consumer.commit(message=first, asynchronous=False)
print(f"commit(message=) of offset {first.offset()} commits {committed.offset}")
producer.produce(NAME, "5")
producer.flush(10)
print(f"the next poll after that commit: {poll(consumer).offset()}")
consumer.close()

consumer = Consumer(GROUP)
consumer.subscribe([NAME])
print(f"the first poll of the group's next consumer: {poll(consumer).offset()}")
consumer.close()

consumer = Consumer({**KAFKA, "group.id": f"{NAME}-new"})
consumer.subscribe([NAME])
end = time.monotonic() + 30
while not consumer.assignment() and time.monotonic() < end:
    consumer.poll(0.1)
print(f"a new group without auto.offset.reset gets: {consumer.poll(1.0)}")
consumer.close()

consumer = Consumer({**GROUP, "group.id": f"{NAME}-auto", "enable.auto.commit": True, "auto.commit.interval.ms": 10})
consumer.subscribe([NAME])
message = poll(consumer)
end = time.monotonic() + 30
while consumer.committed([TopicPartition(NAME, 0)])[0].offset < 0 and time.monotonic() < end:
    time.sleep(0.01)  # the message is still being processed
[committed] = consumer.committed([TopicPartition(NAME, 0)])
print(f"with auto-commit, while offset {message.offset()} is being processed: committed {committed.offset}")
consumer.close()
