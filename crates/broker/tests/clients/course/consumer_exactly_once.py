from confluent_kafka import Consumer, Producer, TopicPartition

BOOTSTRAP = "localhost:9092"
TOPIC = "input"
GROUP_ID = "g-exactly-once"
TXN_ID = "txn-consumer-g-exactly-once"  # unique et stable pour cette appli

# Consumer: pas d'auto-commit, lecture des messages commités (transactions)
consumer = Consumer({
    "bootstrap.servers": BOOTSTRAP,
    "group.id": GROUP_ID,
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",      # on recommence au début du topic si on a pas d'autre offset encours pour ce groupe de consommateur.
    "isolation.level": "read_committed",  # pour ignorer les transactions avortées
})

# Producteur transactionnel : on l'utilise uniquement pour "commit" les offsets
producer = Producer({
    "bootstrap.servers": BOOTSTRAP,
    "transactional.id": TXN_ID,
    # enable.idempotence est implicite quand transactional.id est défini
})


producer.init_transactions()  # obligatoire avant toute transaction
consumer.subscribe([TOPIC])

while True:
    msg = consumer.poll(1.0)  # on s'abonne au topic pendant 1.0 seconde

    #si  msg valide on le traite par exemple
    if msg is not None and not msg.error():
        print(f"process: {msg.topic()}[{msg.partition()}]@{msg.offset()} -> {msg.value()}")

        # puis
        # --- Validation exactly-once : offset dans une transaction Kafka ---
        producer.begin_transaction()
        positions = [TopicPartition(msg.topic(), msg.partition(), msg.offset() + 1)]
        group_meta = consumer.consumer_group_metadata()
        producer.send_offsets_to_transaction(positions, group_meta)
        producer.commit_transaction()  # atomicité : commit offsets ou rien

consumer.close()
