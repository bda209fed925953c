//! What a Kafka broker does, as seen by a client: the same tests on the embedded broker and, with
//! `KAFKA_BOOTSTRAP_SERVERS`, on Apache Kafka.

mod conformance;
mod histories;
mod hostile;
mod support;
