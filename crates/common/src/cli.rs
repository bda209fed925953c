//! Flags that all programs share, each with its environment variable.

use std::fmt::{self, Write};
use std::time::Duration;

use clap::Args;
use rdkafka::ClientConfig;

/// Which Kafka, and under which names.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kafka")]
pub struct Broker {
    /// Where Kafka listens; several addresses are separated by commas
    #[arg(long, env = "BOOTSTRAP_SERVERS", value_name = "HOST:PORT", default_value = "localhost:9092", value_parser = addresses)]
    pub bootstrap_servers: String,

    /// Put NAME- before the topic, the group and the transactional id, so that a class can share one cluster
    #[arg(long, env = "NAMESPACE", value_name = "NAME", value_parser = topic_name)]
    pub namespace: Option<String>,

    /// Set any librdkafka property, over the program's own settings (repeat for more)
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = property)]
    pub property: Vec<Property>,

    /// Several -X at once, separated by semicolons
    #[arg(long, env = "KAFKA_PROPERTIES", value_name = "KEY=VALUE;…", value_delimiter = ';', value_parser = property, hide_env_values = true)]
    pub properties: Vec<Property>,

    /// Give up when no broker has answered, or the topic is not there, after this long
    #[arg(long, env = "CONNECT_TIMEOUT", value_name = "SECONDS", default_value = "10", value_parser = seconds, allow_negative_numbers = true)]
    pub connect_timeout: Duration,
}

impl Broker {
    /// The name of a topic, group or transactional id, in the namespace if there is one.
    pub fn name(&self, name: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}-{name}"),
            None => name.to_owned(),
        }
    }

    /// Sets the properties given with -X, over what the program has set; says which of its settings that changes.
    pub fn overrides(&self, config: &mut ClientConfig) {
        for Property { key, value } in self.properties.iter().chain(&self.property) {
            if let Some(before) = config.get(key).filter(|before| before != value) {
                log::warn!("{key}={before} is replaced by -X {key}={value}");
            }
            config.set(key, value);
        }
    }
}

/// How much a producer sends, and how fast.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub struct Produce {
    /// How many messages to send
    #[arg(long, env = "COUNT", value_name = "N", default_value = "10", value_parser = count, allow_negative_numbers = true)]
    pub count: u64,

    /// Pause between two messages, in milliseconds
    #[arg(long, env = "INTERVAL_MS", value_name = "MS", default_value = "0", value_parser = milliseconds, allow_negative_numbers = true)]
    pub interval_ms: Duration,

    /// Fill each value with dots to this many bytes
    #[arg(long, env = "SIZE", value_name = "BYTES", default_value = "0", value_parser = size, allow_negative_numbers = true)]
    pub size: usize,
}

impl Produce {
    /// The value, filled to `--size`.
    pub fn fill(&self, value: fmt::Arguments<'_>) -> String {
        const DOTS: &str = "................................................................";
        let mut filled = String::with_capacity(self.size.max(32));
        // Only memory is written to: that does not fail.
        let _ = filled.write_fmt(value);
        while filled.len() < self.size {
            filled.push_str(DOTS.get(..self.size - filled.len()).unwrap_or(DOTS));
        }
        filled
    }
}

/// When a consumer stops, and how long it works on a message.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub struct Consume {
    /// Stop after so many messages [default: run until Ctrl-C]
    #[arg(long, env = "COUNT", value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub count: Option<u64>,

    /// Pause between the two steps of the cycle (processing and commit), in milliseconds: the moment to kill it
    #[arg(long, env = "INTERVAL_MS", value_name = "MS", default_value = "0", value_parser = milliseconds, allow_negative_numbers = true)]
    pub interval_ms: Duration,

    /// Stop after so long without a message [default: run until Ctrl-C]
    #[arg(long, env = "IDLE_EXIT", value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub idle_exit: Option<Duration>,
}

/// A librdkafka property that librdkafka itself has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name, as in librdkafka's CONFIGURATION.md.
    pub key: String,
    /// Its value, as text.
    pub value: String,
}

/// `key=value`, checked by librdkafka alone: no client is created yet.
fn property(text: &str) -> Result<Property, String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE, for example linger.ms=50")?;
    let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
    match &*key {
        // A flag that checks the address, and whose value stands in the message when nobody answers there.
        "bootstrap.servers" | "metadata.broker.list" => return Err("write --bootstrap-servers HOST:PORT".into()),
        // librdkafka takes it for "not set", and says later in other words that something is missing.
        "group.id" | "transactional.id" if value.is_empty() => return Err("it must not be empty".into()),
        _ => {}
    }
    match ClientConfig::new().set(&key, &value).create_native_config() {
        Ok(_) => Ok(Property { key, value }),
        Err(rdkafka::error::KafkaError::ClientConfig(_, reason, ..)) => Err(property_advice(&reason)),
        Err(other) => Err(other.to_string()),
    }
}

/// librdkafka's reason, with what to do about it.
fn property_advice(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    ssl_advice(reason)
        .unwrap_or_else(|| format!("{reason} (librdkafka's CONFIGURATION.md lists all properties and their values)"))
}

/// What to do when librdkafka was built without OpenSSL and needs it; `None` when that is not the reason.
pub fn ssl_advice(reason: &str) -> Option<String> {
    ["at build time", "SSL support", "openssl support"]
        .iter()
        .any(|part| reason.contains(part))
        .then(|| format!("{reason}: run again with `cargo run --features ssl …`"))
}

/// One or more `HOST:PORT`; whether they resolve is found out when connecting.
fn addresses(text: &str) -> Result<String, String> {
    for address in text.split(',') {
        let (host, port) =
            address.trim().rsplit_once(':').ok_or(format!("'{address}' has no port: write HOST:PORT"))?;
        if host.is_empty() {
            return Err(format!("'{address}' has no host: write HOST:PORT"));
        }
        if !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(format!("'{port}' is not a port: a number from 1 to 65535"));
        }
    }
    Ok(text.to_owned())
}

/// A topic name that Kafka accepts.
///
/// # Errors
/// When it is empty, longer than 249 bytes, `.` or `..`, or holds anything but letters, digits, `.`, `_`, `-`
/// (Kafka's `Topic.validate`).
pub fn topic_name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match text {
        "" => Err("the name is empty".into()),
        "." | ".." => Err("Kafka does not allow the names . and ..".into()),
        _ if text.len() > 249 => Err(format!("{} characters, and Kafka allows 249", text.len())),
        _ => match text.chars().find(|&c| !legal(c)) {
            Some(c) => Err(format!("{c:?} is not allowed: use letters, digits, '.', '_' and '-'")),
            None => Ok(text.to_owned()),
        },
    }
}

/// A group or transactional id: anything but nothing.
///
/// # Errors
/// When it is empty.
pub fn identifier(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it must not be empty".into()) } else { Ok(text.to_owned()) }
}

/// A whole number, 1 or more.
///
/// # Errors
/// When it is not.
pub fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number is needed, 1 or more".into()),
        Ok(number) => Ok(number),
    }
}

/// Whole milliseconds.
///
/// # Errors
/// When it is negative or no whole number.
pub fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| "a whole number of milliseconds is needed, 0 or more".into())
}

/// Bytes of a message.
///
/// # Errors
/// When it is no whole number, or more than librdkafka can be told to send (message.max.bytes).
pub fn size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 0..=1_000_000_000) => Ok(bytes),
        _ => Err("a whole number of bytes is needed, from 0 to 1000000000".into()),
    }
}

/// Seconds, fractions allowed.
///
/// # Errors
/// When it is not a number above 0 and up to a year.
pub fn seconds(text: &str) -> Result<Duration, String> {
    const YEAR: f64 = 31_536_000.0;
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= YEAR => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds above 0 is needed".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn librdkafka_checks_the_properties() {
        assert!(property("linger.ms=50").is_ok());
        assert!(property("acks=many").is_err_and(|why| why.contains("required.acks")));
        assert!(property("no.such.thing=1").is_err_and(|why| why.contains("no.such.thing")));
        assert!(property("linger.ms").is_err_and(|why| why.contains("KEY=VALUE")));
        assert!(property("group.id=").is_err_and(|why| why.contains("empty")));
        assert!(property("bootstrap.servers=a:1").is_err_and(|why| why.contains("--bootstrap-servers")));
    }

    #[test]
    fn values_are_filled_with_dots() {
        for (size, length) in [(0, 5), (5, 5), (6, 6), (64, 64), (1000, 1000)] {
            let produce = Produce { count: 1, interval_ms: Duration::ZERO, size };
            let value = produce.fill(format_args!("msg-{}", 7));
            assert_eq!((value.len(), value.trim_end_matches('.')), (length, "msg-7"));
        }
    }

    #[test]
    fn topic_names_are_those_that_kafka_allows() {
        for good in ["mon_topic", "a.b-c", "A9"] {
            assert_eq!(topic_name(good).as_deref(), Ok(good));
        }
        for bad in ["", ".", "..", "été", "a b", "a/b", &"x".repeat(250)] {
            assert!(topic_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_need_a_host_and_a_port() {
        for good in ["localhost:9092", "a:1,b:65535", "[::1]:9092"] {
            assert!(addresses(good).is_ok(), "{good}");
        }
        for bad in ["localhost", ":9092", "a:0", "a:x", "a:70000", "a:1,", ""] {
            assert!(addresses(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for bad in ["0", "-1", "x", "1.5", ""] {
            assert!(count(bad).is_err(), "{bad}");
        }
        for bad in ["0", "-1", "nan", "inf", "1e300", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        for bad in ["-1", "1000000001", "1.5", "x", ""] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    }
}
