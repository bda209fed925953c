from confluent_kafka import Producer

BOOTSTRAP = "localhost:9092"
TOPIC = "mon_topic"

def on_error(err, msg):
    if err is not None:
        print(f"erreur: {err}")

conf = {
    "bootstrap.servers": BOOTSTRAP,
    "acks": 0,
    "retries": 0,
    "linger.ms": 0,
    "enable.idempotence": False,
}
p = Producer(conf)

for i in range(10):
    value = f"msg-{i}".encode()
    p.produce(TOPIC, value=value, on_delivery=on_error)

p.flush(2.0)
