//! Random histories, on this broker and on Apache Kafka.
