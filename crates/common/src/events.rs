//! What librdkafka tells about its connections, for the log and for the one line that ends a program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The events of one client. Silent until a broker has answered: until then, [`connect`](crate::connect) says in one
/// line what librdkafka says in many.
pub struct ClientEvents {
    /// In the log; a program may have a producer and a consumer.
    client: &'static str,
    connected: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl ClientEvents {
    pub(crate) fn of(client: &'static str) -> Self {
        Self { client, connected: AtomicBool::new(false), last_error: Mutex::default() }
    }

    pub(crate) fn broker_answered(&self) {
        self.connected.store(true, Ordering::Relaxed);
    }

    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let told_as_error = matches!(facility, "FAIL" | "ERROR");
        // "X is a producer property": -X goes to both clients of a program.
        let harmless = facility == "CONFWARN" && message.contains("property and will be ignored");
        let level = match level {
            _ if told_as_error || harmless || !self.connected.load(Ordering::Relaxed) => log::Level::Debug,
            RDKafkaLogLevel::Debug => log::Level::Debug,
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => log::Level::Info,
            _ => log::Level::Warn,
        };
        log::log!(level, "librdkafka {}: {facility} {message}", self.client);
        if told_as_error {
            self.note(message.split_once("]: ").map_or(message, |(_thread, text)| text));
        }
    }

    pub(crate) fn error(&self, error: &KafkaError, reason: &str) {
        // "2/2 brokers are down" follows the error that says why, and must not hide it.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            log::debug!("librdkafka {}: {reason}", self.client);
            return;
        }
        // rust-rdkafka 0.39 calls this twice for each error of a producer.
        let told = self.last_error().as_deref() == Some(brief(reason));
        let level = if told || !self.connected.load(Ordering::Relaxed) { log::Level::Debug } else { log::Level::Warn };
        log::log!(level, "librdkafka {}: {reason}", self.client);
        self.note(reason);
    }

    fn note(&self, reason: &str) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(brief(reason).to_owned());
    }

    /// What librdkafka has complained about last.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// librdkafka's reason without what our own line says already: of "HOST:PORT/bootstrap: what happened (after 3ms in
/// state CONNECT)", what happened.
pub fn brief(reason: &str) -> &str {
    let reason = reason.split_once("/bootstrap: ").map_or(reason, |(_address, text)| text);
    reason.split_once(" (after ").map_or(reason, |(text, _state)| text)
}

/// Makes a type with a field `events` the context of a client.
macro_rules! client_context {
    ($context:ty) => {
        impl rdkafka::client::ClientContext for $context {
            fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
                self.events.log(level, facility, message);
            }

            fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
                self.events.error(&error, reason);
            }
        }
    };
}
pub(crate) use client_context;
