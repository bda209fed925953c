//! The settings of a topic that have an effect here.
//!
//! Source: `org.apache.kafka.storage.internals.log.LogConfig`; each default is Apache Kafka's unless said otherwise.

use std::collections::BTreeMap;

use crate::time::Millis;

/// A setting of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    CleanupPolicy,
    MaxMessageBytes,
    TimestampAfterMax,
    TimestampBeforeMax,
    TimestampType,
    MinInsyncReplicas,
    RetentionBytes,
    RetentionMs,
}

/// How a value is written. The numbers are those of `DescribeConfigsResponse.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    List = 7,
}

impl Key {
    /// All of them, in the order of their names.
    pub(crate) const ALL: [Self; 8] = [
        Self::CleanupPolicy,
        Self::MaxMessageBytes,
        Self::TimestampAfterMax,
        Self::TimestampBeforeMax,
        Self::TimestampType,
        Self::MinInsyncReplicas,
        Self::RetentionBytes,
        Self::RetentionMs,
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CleanupPolicy => "cleanup.policy",
            Self::MaxMessageBytes => "max.message.bytes",
            Self::TimestampAfterMax => "message.timestamp.after.max.ms",
            Self::TimestampBeforeMax => "message.timestamp.before.max.ms",
            Self::TimestampType => "message.timestamp.type",
            Self::MinInsyncReplicas => "min.insync.replicas",
            Self::RetentionBytes => "retention.bytes",
            Self::RetentionMs => "retention.ms",
        }
    }

    /// The setting of the broker from which a topic has it.
    pub(crate) fn broker_name(self) -> &'static str {
        match self {
            Self::CleanupPolicy => "log.cleanup.policy",
            Self::MaxMessageBytes => "message.max.bytes",
            Self::TimestampAfterMax => "log.message.timestamp.after.max.ms",
            Self::TimestampBeforeMax => "log.message.timestamp.before.max.ms",
            Self::TimestampType => "log.message.timestamp.type",
            Self::MinInsyncReplicas => "min.insync.replicas",
            Self::RetentionBytes => "log.retention.bytes",
            Self::RetentionMs => "log.retention.ms",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::CleanupPolicy => Kind::List,
            Self::TimestampType => Kind::String,
            Self::MaxMessageBytes | Self::MinInsyncReplicas => Kind::Int,
            Self::TimestampAfterMax | Self::TimestampBeforeMax | Self::RetentionBytes | Self::RetentionMs => Kind::Long,
        }
    }
}

/// Settings that a topic may have in Apache Kafka, and that would change nothing here: they are refused, so that nobody
/// relies on them.
const WITHOUT_EFFECT: &[&str] = &[
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "delete.retention.ms",
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "follower.replication.throttled.replicas",
    "index.interval.bytes",
    "leader.replication.throttled.replicas",
    "local.retention.bytes",
    "local.retention.ms",
    "max.compaction.lag.ms",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "preallocate",
    "remote.storage.enable",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// Why a setting was not taken: a sentence for the user.
pub(crate) type Complaint = String;

/// The settings of a topic: defaults, and what was set.
#[derive(Debug, Clone)]
pub(crate) struct TopicConfig {
    set: BTreeMap<Key, String>,
    /// Bytes of the largest batch, header included.
    pub(crate) max_message_bytes: i32,
    /// Whether records get the time of the append.
    pub(crate) append_time: bool,
    /// How far a record's timestamp may be behind and ahead of the broker's time.
    pub(crate) before_max: Millis,
    pub(crate) after_max: Millis,
    /// How many replicas must be in sync for acks=all. There is one.
    pub(crate) min_insync_replicas: i32,
    /// Whether the newest record of each key is to stay: then each needs one. Nothing is ever compacted here, and Apache
    /// Kafka makes no promise when it does.
    pub(crate) compact: bool,
    /// As it was written.
    cleanup_policy: String,
    /// Milliseconds that records are kept; `None`: for ever.
    pub(crate) retention_time: Option<Millis>,
    /// Bytes that a partition keeps; `None`: as many as the broker allows.
    pub(crate) retention: Option<usize>,
}

impl Default for TopicConfig {
    fn default() -> Self {
        Self {
            set: BTreeMap::new(),
            max_message_bytes: 1_048_588,
            append_time: false,
            before_max: Millis::MAX,
            after_max: 3_600_000,
            min_insync_replicas: 1,
            compact: false,
            cleanup_policy: "delete".into(),
            retention_time: Some(604_800_000),
            retention: None,
        }
    }
}

impl TopicConfig {
    /// What was set, as it was written.
    pub(crate) fn written(&self, key: Key) -> Option<&str> {
        self.set.get(&key).map(String::as_str)
    }

    /// The value in effect, as it would be written.
    pub(crate) fn value(&self, key: Key) -> String {
        match key {
            Key::CleanupPolicy => self.cleanup_policy.clone(),
            Key::MaxMessageBytes => self.max_message_bytes.to_string(),
            Key::TimestampAfterMax => self.after_max.to_string(),
            Key::TimestampBeforeMax => self.before_max.to_string(),
            Key::TimestampType => if self.append_time { "LogAppendTime" } else { "CreateTime" }.into(),
            Key::MinInsyncReplicas => self.min_insync_replicas.to_string(),
            Key::RetentionMs => self.retention_time.unwrap_or(-1).to_string(),
            Key::RetentionBytes => self.retention.map_or_else(|| "-1".into(), |bytes| bytes.to_string()),
        }
    }

    /// Sets a value.
    ///
    /// # Errors
    /// Tells what is wrong with the name or the value.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Complaint> {
        let Some(key) = Key::from_name(name) else {
            return Err(if WITHOUT_EFFECT.contains(&name) {
                format!("{name} has no effect on this broker, which keeps everything in memory: leave it out")
            } else {
                format!("Unknown topic config name: {name}")
            });
        };
        self.apply(key, value).map_err(|why| format!("Invalid value {value} for configuration {name}: {why}"))?;
        self.set.insert(key, value.to_owned());
        Ok(())
    }

    /// Goes back to the default.
    ///
    /// # Errors
    /// As [`TopicConfig::set`], for the name.
    pub(crate) fn unset(&mut self, name: &str) -> Result<(), Complaint> {
        let Some(key) = Key::from_name(name) else {
            // Nothing can have been set: asking for the default of a setting without effect changes nothing.
            return if WITHOUT_EFFECT.contains(&name) {
                Ok(())
            } else {
                Err(format!("Unknown topic config name: {name}"))
            };
        };
        self.set.remove(&key);
        let default = Self::default().value(key);
        self.apply(key, &default)
    }

    /// Adds values to a list.
    ///
    /// # Errors
    /// As [`TopicConfig::set`]; and where the setting is no list.
    pub(crate) fn append(&mut self, name: &str, values: &str) -> Result<(), Complaint> {
        let mut all = self.list_of(name)?;
        all.extend(list(values).map(str::to_owned));
        let mut seen = std::collections::HashSet::new();
        all.retain(|value| seen.insert(value.clone()));
        self.set(name, &all.join(","))
    }

    /// Takes values out of a list.
    ///
    /// # Errors
    /// As [`TopicConfig::append`].
    pub(crate) fn subtract(&mut self, name: &str, values: &str) -> Result<(), Complaint> {
        let mut all = self.list_of(name)?;
        all.retain(|value| !list(values).any(|gone| gone == value));
        self.set(name, &all.join(","))
    }

    fn list_of(&self, name: &str) -> Result<Vec<String>, Complaint> {
        match Key::from_name(name) {
            Some(key) if key.kind() == Kind::List => Ok(list(&self.value(key)).map(str::to_owned).collect()),
            _ => Err(format!("Can't append or subtract to config key {name} because its type is not LIST.")),
        }
    }

    fn apply(&mut self, key: Key, value: &str) -> Result<(), Complaint> {
        match key {
            Key::CleanupPolicy => {
                let policies: Vec<_> = list(value).collect();
                if policies.is_empty() || policies.iter().any(|policy| !matches!(*policy, "delete" | "compact")) {
                    return Err("String must be one of: compact, delete".into());
                }
                self.compact = policies.contains(&"compact");
                self.cleanup_policy = policies.join(",");
            }
            Key::MaxMessageBytes => self.max_message_bytes = number(value, 0)?,
            Key::TimestampAfterMax => self.after_max = number(value, 0)?,
            Key::TimestampBeforeMax => self.before_max = number(value, 0)?,
            Key::TimestampType => {
                self.append_time = match value {
                    "CreateTime" => false,
                    "LogAppendTime" => true,
                    _ => return Err("String must be one of: CreateTime, LogAppendTime".into()),
                }
            }
            Key::MinInsyncReplicas => self.min_insync_replicas = number(value, 1)?,
            Key::RetentionMs => {
                let time: i64 = number(value, -1)?;
                self.retention_time = (time >= 0).then_some(time);
            }
            Key::RetentionBytes => {
                let bytes: i64 = number(value, -1)?;
                // -1: no limit of its own.
                self.retention = usize::try_from(bytes).ok();
            }
        }
        Ok(())
    }
}

fn number<N: std::str::FromStr + PartialOrd + From<i8> + std::fmt::Display>(
    value: &str,
    least: i8,
) -> Result<N, Complaint> {
    let number: N = value.trim().parse().map_err(|_| "Not a number of type INT or LONG".to_owned())?;
    if number < N::from(least) { Err(format!("Value must be at least {least}")) } else { Ok(number) }
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|value| !value.is_empty())
}
