from confluent_kafka import Consumer

topic = "mon_topic"

conf = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "tp-at-most-once",
    "enable.auto.commit": False,     # on contrôle le commit nous-mêmes
    "auto.offset.reset": "earliest", # pour l'exemple
}

c = Consumer(conf)
c.subscribe([topic])

while True:
    msg = c.poll(1.0)
    if msg is None or msg.error():
        continue

    # --- AT MOST ONCE: COMMIT AVANT TRAITEMENT ---
    # Valide l'offset de ce message (=> le suivant sera délivré à la prochaine poll)
    c.commit(message=msg, asynchronous=False)

    # Puis seulement on traite (si ça plante ici, le msg est perdu)
    value = msg.value().decode("utf-8") if msg.value() else ""
    print(f"[{msg.topic()} p{msg.partition()}@{msg.offset()}] {value}")

c.close()
