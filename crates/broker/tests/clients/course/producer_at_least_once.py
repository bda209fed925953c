from confluent_kafka import Producer

topic = "mon_topic"

def delivery_report(err, msg):
    print(f"{err} {msg.topic()} {msg.offset()}")

conf = {
    "bootstrap.servers": "localhost:9092",
    "acks": "all",              # on attend l'accusé du leader + réplicas
    "retries": 5,               # on réessaye si une erreur survient
    "linger.ms": 5,             # petit délai de batch pour performance
    "enable.idempotence": False # pas d'idempotence → doublons possibles
}
p = Producer(conf)

for i in range(10):
    value = f"msg-{i}".encode()
    p.produce(topic, value=value, callback=delivery_report)

p.flush(5)
