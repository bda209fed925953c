//! The programs of the course: what each is, what feeds it, and what it promises.

use crate::value::{Transform, Value};

/// One program of the course.
#[derive(Debug)]
pub struct Program {
    /// The cargo package, and the name of its executable.
    pub package: &'static str,
    /// Under which delivery guarantee the course presents it.
    pub guarantee: Guarantee,
    /// Where it stands between its topics.
    pub role: Role,
}

/// The three delivery guarantees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Guarantee {
    /// No duplicate; what is lost is lost.
    AtMostOnce,
    /// No loss of what was acknowledged; duplicates may come.
    AtLeastOnce,
    /// Neither, as far as Kafka reaches.
    ExactlyOnce,
}

/// Where a program stands between its topics.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// Writes to a topic.
    Producer(Producer),
    /// Reads a topic as a member of a group; what it does is seen on its standard output only.
    Consumer {
        /// The package of the program whose topic it reads.
        fed_by: &'static str,
        /// Whether it has a `--transactional-id`.
        transactional: bool,
    },
    /// Reads a topic as a member of a group and writes a result for each message to another.
    Pipeline {
        /// The package of the program that fills its input.
        fed_by: &'static str,
        /// How many partitions its input and output have.
        partitions: i32,
        /// What it makes of a value.
        transform: Transform,
    },
}

/// What the lab has to know of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producer {
    /// Its values are this, followed by 0, 1, 2 …
    pub prefix: &'static str,
    /// Whether the broker acknowledges: with acks=0 it does not, and what was sent is all that the producer knows of.
    pub acknowledged: bool,
    /// Whether it sends in transactions (and has a `--transactional-id`).
    pub transactional: bool,
}

impl Producer {
    /// The values that it is to send, in this order.
    pub fn values(&self, messages: u64) -> Vec<Value> {
        (0..messages).map(|i| Value::from(format!("{}{i}", self.prefix).as_str())).collect()
    }
}

/// What must not happen, whatever fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// Nothing that was acknowledged, or whose offset was committed, is lost.
    pub no_loss: bool,
    /// Nothing is there twice.
    pub no_duplicate: bool,
    /// Each partition is in the order of sending.
    pub in_order: bool,
    /// Transactions are all or nothing, and what was aborted has no effect.
    pub atomic: bool,
}

impl Program {
    /// The producer whose values stand in the program's topic: itself, or the one that feeds it.
    pub fn feeder(&self) -> Option<Producer> {
        match self.role {
            Role::Producer(producer) => Some(producer),
            Role::Consumer { fed_by, .. } | Role::Pipeline { fed_by, .. } => find(fed_by)?.feeder(),
        }
    }

    /// What this program promises.
    pub fn promise(&self) -> Promise {
        self.guarantee.promise(self.role)
    }

    /// Whether it works in transactions.
    pub fn is_transactional(&self) -> bool {
        match self.role {
            Role::Producer(producer) => producer.transactional,
            Role::Consumer { transactional, .. } => transactional,
            Role::Pipeline { .. } => true,
        }
    }
}

impl Guarantee {
    /// What is promised under this guarantee by who stands there.
    pub fn promise(self, role: Role) -> Promise {
        let exactly_once = self == Self::ExactlyOnce;
        Promise {
            no_loss: self != Self::AtMostOnce,
            no_duplicate: match role {
                // A consumer's transaction holds its offset. What it prints is outside Kafka, and comes again after a
                // crash in mid-transaction: at least once, as far as the lines go.
                Role::Consumer { .. } => self == Self::AtMostOnce,
                _ => self != Self::AtLeastOnce,
            },
            // Sequence numbers keep the order of each partition; without them a retry may overtake. The order in which
            // a consumer works is its own business.
            in_order: exactly_once && !matches!(role, Role::Consumer { .. }),
            atomic: exactly_once,
        }
    }
}

/// The program with this package name.
pub fn find(package: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.package == package)
}

/// All programs, in the order of the course.
pub const PROGRAMS: &[Program] = &[
    Program {
        package: "producer-at-most-once",
        guarantee: Guarantee::AtMostOnce,
        role: Role::Producer(Producer { prefix: "msg-", acknowledged: false, transactional: false }),
    },
    Program {
        package: "producer-at-least-once",
        guarantee: Guarantee::AtLeastOnce,
        role: Role::Producer(Producer { prefix: "msg-", acknowledged: true, transactional: false }),
    },
    Program {
        package: "producer-exactly-once",
        guarantee: Guarantee::ExactlyOnce,
        role: Role::Producer(Producer { prefix: "eos-msg-", acknowledged: true, transactional: true }),
    },
    Program {
        package: "eos-producer",
        guarantee: Guarantee::ExactlyOnce,
        role: Role::Producer(Producer { prefix: "eos-msg-", acknowledged: true, transactional: true }),
    },
    Program {
        package: "consumer-at-most-once",
        guarantee: Guarantee::AtMostOnce,
        role: Role::Consumer { fed_by: "producer-at-most-once", transactional: false },
    },
    Program {
        package: "consumer-at-least-once",
        guarantee: Guarantee::AtLeastOnce,
        role: Role::Consumer { fed_by: "producer-at-least-once", transactional: false },
    },
    Program {
        package: "consumer-exactly-once",
        guarantee: Guarantee::ExactlyOnce,
        role: Role::Consumer { fed_by: "producer-exactly-once", transactional: true },
    },
    Program {
        package: "eos-consumer",
        guarantee: Guarantee::ExactlyOnce,
        role: Role::Consumer { fed_by: "eos-producer", transactional: true },
    },
    Program {
        package: "eos-pipeline",
        guarantee: Guarantee::ExactlyOnce,
        role: Role::Pipeline {
            fed_by: "producer-exactly-once",
            partitions: 3,
            transform: |value| value.to_ascii_uppercase(),
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consumer_is_fed_by_a_producer() {
        for program in PROGRAMS {
            if let Role::Consumer { fed_by, .. } | Role::Pipeline { fed_by, .. } = program.role {
                let feeder = find(fed_by).expect(fed_by);
                assert!(matches!(feeder.role, Role::Producer(_)), "{fed_by}");
            }
        }
    }

    #[test]
    fn every_program_is_a_package_of_this_workspace() {
        for program in PROGRAMS {
            let manifest = format!("{}/../{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"), program.package);
            let text = std::fs::read_to_string(&manifest).expect(&manifest);
            assert!(text.contains(&format!("name = \"{}\"", program.package)), "{manifest}");
        }
    }

    #[test]
    fn the_promises_are_those_of_the_course() {
        let promise = |package| find(package).expect(package).promise();
        let at_most_once = Promise { no_loss: false, no_duplicate: true, in_order: false, atomic: false };
        let at_least_once = Promise { no_loss: true, no_duplicate: false, in_order: false, atomic: false };
        let exactly_once = Promise { no_loss: true, no_duplicate: true, in_order: true, atomic: true };
        assert_eq!(promise("producer-at-most-once"), at_most_once);
        assert_eq!(promise("consumer-at-most-once"), at_most_once);
        assert_eq!(promise("producer-at-least-once"), at_least_once);
        assert_eq!(promise("consumer-at-least-once"), at_least_once);
        for package in ["producer-exactly-once", "eos-producer", "eos-pipeline"] {
            assert_eq!(promise(package), exactly_once, "{package}");
        }
        for package in ["consumer-exactly-once", "eos-consumer"] {
            let promise = promise(package);
            assert!(promise.no_loss && promise.atomic && !promise.no_duplicate, "{package}");
        }
    }
}
