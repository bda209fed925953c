from confluent_kafka import Producer

BOOTSTRAP = "localhost:9092"
TOPIC = "mon_topic"
TXN_ID = "txn-producer"

conf = {
    # retries très élevé + idempotence + acks=all = tolérance aux pannes sans doublons, jusqu’à expiration du timeout de livraison.

    "bootstrap.servers": BOOTSTRAP,
    "acks": "all",                  # confirmations complètes
    "enable.idempotence": True,     # requis pour EOS
    "retries": 1000000,             # ré-essais agressifs sans doublons
    "linger.ms": 5,                 # délai d’attente (côté producteur) avant d’envoyer un lot
    "transactional.id": TXN_ID      # active les transactions
}

p = Producer(conf)

# 1) Initialiser les transactions (une fois par process)
# Le cours écrit timeout=10.0 ; confluent-kafka n'accepte pas de nom ici : TypeError.
p.init_transactions(10.0)

# 2) Démarrer une transaction (typiquement par batch)
p.begin_transaction()

for i in range(10):
    p.produce(TOPIC, value=f"eos-msg-{i}".encode())
    p.poll(0)

p.commit_transaction(10.0)

p.flush(5)
