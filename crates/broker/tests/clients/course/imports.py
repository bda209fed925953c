from confluent_kafka import kafka
