//! The broker under test.

use std::{
    env,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use broker::Broker;

use super::wire::Client;

/// `host:port` of the broker under test: that of `KAFKA_BOOTSTRAP_SERVERS`, else an embedded one for this process, which
/// does not ask clients for the second transaction protocol where `KAFKA_TRANSACTION_VERSION` is 1.
pub(crate) fn bootstrap() -> &'static str {
    static EMBEDDED: OnceLock<Broker> = OnceLock::new();
    static BOOTSTRAP: OnceLock<String> = OnceLock::new();
    BOOTSTRAP.get_or_init(|| {
        env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_else(|_| {
            let first_protocol = env::var("KAFKA_TRANSACTION_VERSION").is_ok_and(|version| version == "1");
            let broker = EMBEDDED.get_or_init(|| {
                Broker::builder()
                    .settings(|settings| settings.transaction_version_2 = !first_protocol)
                    .start()
                    .expect("an embedded broker")
            });
            broker.address().to_string()
        })
    })
}

/// A connection to the broker under test.
pub(crate) fn connect() -> Client {
    Client::connect(bootstrap())
}

/// A name that no other test and no earlier run uses: topics, groups and transactional ids of a shared cluster.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static RUN: OnceLock<u32> = OnceLock::new();
    let run = RUN.get_or_init(rand::random);
    format!("{prefix}-{run:08x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
