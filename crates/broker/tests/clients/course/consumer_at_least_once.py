from confluent_kafka import Consumer

topic = "mon_topic"

def process(value):
    print(f"process: {value}")

conf = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "tp-at-least-once",
    "enable.auto.commit": False,     # on gère le commit nous-mêmes
    "auto.offset.reset": "earliest", # pour l'exemple
}

c = Consumer(conf)
c.subscribe([topic])

while True:
    msg = c.poll(1.0)
    if msg is None or msg.error():
        continue

    process(msg.value())                 # 1) traitement
    # on espère que ça n'a pas planté
    c.commit(message=msg, asynchronous=False)  # 2) commit

c.close()
