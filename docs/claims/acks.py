"""What acks=all waits for where there is one replica, whatever min.insync.replicas says.

    pip install confluent-kafka && python3 docs/claims/acks.py
"""

import os
import uuid

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

KAFKA = {"bootstrap.servers": os.environ.get("BOOTSTRAP_SERVERS", "localhost:9092")}
ADMIN = AdminClient(KAFKA)


def topic(least):
    name = f"claims-{uuid.uuid4()}"
    new = NewTopic(name, num_partitions=1, replication_factor=1, config={"min.insync.replicas": str(least)})
    for created in ADMIN.create_topics([new]).values():
        created.result(30)
    return name


def send(least):
    outcome = []
    producer = Producer({**KAFKA, "acks": "all"})
    producer.produce(topic(least), on_delivery=lambda error, _: outcome.append(error.name() if error else "acknowledged"))
    producer.flush(30)
    print(f"one replica, min.insync.replicas={least}, acks=all: {outcome[0]}")


send(1)
send(2)
