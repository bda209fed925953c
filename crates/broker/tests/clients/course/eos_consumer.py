from confluent_kafka import Producer, Consumer, TopicPartition
import uuid

BOOTSTRAP_SERVERS = "localhost:9092"
INPUT_TOPIC = "mon_topic"
GROUP_ID = "groupe_eos"

def process(msg):
    print(f"Traitement: clé={msg.key()} valeur={msg.value()} offset={msg.offset()}")

def main():
    consumer = Consumer({
        'bootstrap.servers': BOOTSTRAP_SERVERS,
        'group.id': GROUP_ID,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': False,
        'isolation.level': 'read_committed',
    })

    producer = Producer({
        'bootstrap.servers': BOOTSTRAP_SERVERS,
        'transactional.id': f"eos-consume-{uuid.uuid4()}"
    })

    producer.init_transactions()
    consumer.subscribe([INPUT_TOPIC])

    while True:
        records = consumer.consume(num_messages=10, timeout=1.0)
        if not records:
            continue

        producer.begin_transaction()

        for msg in records:
            process(msg)

        offsets = []
        for msg in records:
            topic = msg.topic()
            partition = msg.partition()
            offset = msg.offset() + 1
            tp = TopicPartition(topic, partition, offset)
            offsets.append(tp)

        producer.send_offsets_to_transaction(
            offsets,
            consumer.consumer_group_metadata()
        )
        producer.commit_transaction()

    consumer.close()

if __name__ == "__main__":
    main()
