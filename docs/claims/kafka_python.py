"""A transaction with kafka-python, which the course says it does not have.

    pip install kafka-python && python3 docs/claims/kafka_python.py
"""

import os
import uuid

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

SERVERS = os.environ.get("BOOTSTRAP_SERVERS", "localhost:9092")
NAME = f"claims-{uuid.uuid4()}"

print(f"kafka-python {kafka.__version__}")
producer = KafkaProducer(bootstrap_servers=SERVERS, transactional_id=NAME)
producer.init_transactions()
for value, commit in [(b"aborted", False), (b"committed", True)]:
    producer.begin_transaction()
    producer.send(NAME, value, partition=0)
    if commit:
        producer.send_offsets_to_transaction({TopicPartition(NAME, 0): OffsetAndMetadata(1, "", -1)}, NAME)
        producer.commit_transaction()
    else:
        producer.flush()
        producer.abort_transaction()
producer.close()

for level in "read_committed", "read_uncommitted":
    reader = KafkaConsumer(bootstrap_servers=SERVERS, isolation_level=level, group_id=NAME, enable_auto_commit=False, consumer_timeout_ms=10_000)
    partition = TopicPartition(NAME, 0)
    reader.assign([partition])
    reader.seek(partition, 0)
    values = [next(reader).value.decode() for _ in range(1 if level == "read_committed" else 2)]
    print(f"{level}: {values}")
print(f"offset committed in the transaction: {reader.committed(partition)}")
print(f"enable_idempotence, by default: {KafkaProducer.DEFAULT_CONFIG['enable_idempotence']}; acks: {KafkaProducer.DEFAULT_CONFIG['acks']}")
