//! What is compared with what.

use std::process::Command;

use common::Error;
use indicatif::ProgressBar;
use proxy::Proxy;

use crate::measure::{Output, Run, run};
use crate::rate::BROKERS_CLOCK;
use crate::shared::SIZE;
use crate::shared::kafka::Kafka;
use crate::shared::programs::{PERFORMANCE, Programs, TRANSACTIONS};
use crate::shared::ratios::{Pair, Ratios, Speed, median};

/// The packages of the programs.
pub(crate) const PACKAGES: &[&str] = &[
    "consumer-exactly-once",
    "eos-pipeline",
    "eos-producer",
    "producer-at-least-once",
    "producer-at-most-once",
    "producer-exactly-once",
];

/// An example of the package lab.
pub(crate) const AT_LEAST_ONCE_PIPELINE: &str = "at-least-once-pipeline";

/// What one line of the table has to say.
pub(crate) struct Outcome<'a> {
    pub(crate) other: &'a Other,
    pub(crate) ratios: Ratios,
    /// Duration of the other process divided by that of ours, where both do the same amount of work.
    pub(crate) whole: Option<f64>,
}

/// One program, against one or more others: they take turns.
pub(crate) struct Comparison {
    pub(crate) title: &'static str,
    ours: Side,
    others: Vec<Other>,
    clock: Clock,
}

/// One line of the table.
pub(crate) struct Other {
    pub(crate) title: &'static str,
    /// The least ratio that is good enough.
    pub(crate) wanted: Option<f64>,
    side: Side,
}

/// A program, its flags, and how many messages it has to do.
struct Side {
    program: &'static str,
    kind: Kind,
    /// Separated by spaces.
    flags: String,
    messages: u64,
    output: Output,
    /// Behind the fault proxy, with no fault armed.
    proxied: bool,
}

/// How a program is told what to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A producer of the course.
    Producer,
    /// One with a transactional id.
    TransactionalProducer,
    /// librdkafka's.
    Performance,
    /// Ours in C, with so many messages in each transaction.
    Transactions(u64),
    /// It reads the input.
    Consumer,
    /// It reads the input, and writes.
    Pipeline,
}

/// What tells how fast a program is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// The times at which the broker has stored what it wrote.
    Broker,
    /// The times at which its lines came.
    Lines,
}

/// rdkafka_performance sets linger.ms, retries and retry.backoff.ms itself: here they are what the program has, which for
/// the last is librdkafka's default.
const AT_MOST_ONCE: &str = "-a 0 -X retries=0 -X linger.ms=0 -X enable.idempotence=false -X retry.backoff.ms=100";
const AT_LEAST_ONCE: &str = "-a all -X retries=5 -X linger.ms=5 -X enable.idempotence=false -X retry.backoff.ms=100";
const IDEMPOTENT: &str = "-a all -X retries=1000000 -X linger.ms=5 -X enable.idempotence=true -X retry.backoff.ms=100";
const ONE_TRANSACTION: &str = "acks=all enable.idempotence=true retries=1000000 linger.ms=5";
const ONE_MESSAGE_EACH: &str = "acks=all enable.idempotence=true linger.ms=0";

/// All comparisons, for so many messages in a run of a bulk producer.
pub(crate) fn all(messages: u64) -> Vec<Comparison> {
    // Some hundred transactions a second; about ten where each of them waits for 100 ms.
    let (one_by_one, slowly) = ((messages / 1500).max(20), (messages / 20_000).max(20));
    let side = |program, kind| {
        let (flags, output) = (String::new(), Output::Nowhere);
        Side { program, kind, flags, messages, output, proxied: false }
    };
    let producer = |program| side(program, Kind::Producer);
    let behind_the_proxy = |title, program, kind| Comparison {
        title,
        ours: Side { proxied: true, ..side(program, kind) },
        // 15 % more time.
        others: vec![Other { title: "the same without the proxy", wanted: Some(0.87), side: side(program, kind) }],
        clock: Clock::Broker,
    };
    let transactional = |program| side(program, Kind::TransactionalProducer);
    let performance = |flags: &str| Side { flags: flags.into(), ..side(PERFORMANCE, Kind::Performance) };
    let transactions = |flags: &str, messages, each| Side {
        flags: flags.into(),
        messages,
        ..side(TRANSACTIONS, Kind::Transactions(each))
    };
    let pipeline = |program| Side { messages: messages / 2, ..side(program, Kind::Pipeline) };
    let consumer = |flags: &str, messages| Side {
        flags: flags.into(),
        messages,
        output: Output::Counted,
        ..side("consumer-exactly-once", Kind::Consumer)
    };
    // With -S, rdkafka_performance numbers its messages, as the programs do, and so has to copy each. Without, it sends
    // one buffer over and over, by reference.
    let numbered = |title, flags| Other { title, wanted: Some(0.95), side: performance(&format!("-S 0 {flags}")) };
    let by_reference = |title, flags| Other { title, wanted: None, side: performance(flags) };

    vec![
        Comparison {
            title: "producer-at-most-once",
            ours: producer("producer-at-most-once"),
            others: vec![
                numbered("rdkafka_performance -S, acks=0", AT_MOST_ONCE),
                by_reference("one buffer by reference", AT_MOST_ONCE),
            ],
            clock: Clock::Broker,
        },
        Comparison {
            title: "producer-at-least-once",
            ours: producer("producer-at-least-once"),
            others: vec![
                numbered("rdkafka_performance -S, acks=all", AT_LEAST_ONCE),
                by_reference("one buffer by reference", AT_LEAST_ONCE),
            ],
            clock: Clock::Broker,
        },
        Comparison {
            title: "producer-at-least-once | wc -l",
            ours: Side { output: Output::Counted, ..producer("producer-at-least-once") },
            others: vec![Other { wanted: None, ..numbered("rdkafka_performance -S, acks=all", AT_LEAST_ONCE) }],
            clock: Clock::Broker,
        },
        Comparison {
            title: "producer-exactly-once",
            ours: transactional("producer-exactly-once"),
            others: vec![
                numbered("rdkafka_performance -S, idempotent", IDEMPOTENT),
                by_reference("one buffer by reference", IDEMPOTENT),
                Other {
                    title: "transactions.c, one transaction",
                    wanted: Some(0.95),
                    side: transactions(ONE_TRANSACTION, messages, messages),
                },
            ],
            clock: Clock::Broker,
        },
        Comparison {
            title: "eos-producer",
            ours: Side { messages: one_by_one, ..transactional("eos-producer") },
            others: vec![Other {
                title: "transactions.c, one message each",
                wanted: Some(0.95),
                side: transactions(ONE_MESSAGE_EACH, one_by_one, 1),
            }],
            clock: Clock::Broker,
        },
        Comparison {
            title: "eos-pipeline",
            ours: pipeline("eos-pipeline"),
            others: vec![Other {
                title: "at-least-once-pipeline, same batches",
                wanted: Some(0.8),
                side: pipeline(AT_LEAST_ONCE_PIPELINE),
            }],
            clock: Clock::Broker,
        },
        Comparison {
            title: "consumer-exactly-once",
            ours: consumer("", one_by_one),
            others: vec![Other {
                title: "the same, -X retry.backoff.ms=100",
                wanted: Some(20.0),
                side: consumer("-X retry.backoff.ms=100", slowly),
            }],
            clock: Clock::Lines,
        },
        behind_the_proxy("proxy: producer-at-least-once", "producer-at-least-once", Kind::Producer),
        behind_the_proxy("proxy: producer-exactly-once", "producer-exactly-once", Kind::TransactionalProducer),
    ]
}

impl Comparison {
    /// Without the lines that have none of these words; `None` when there is nothing left.
    pub(crate) fn filtered(mut self, words: &[String]) -> Option<Self> {
        self.others.retain(|other| {
            let line = format!("{} {}", self.title, other.title);
            words.is_empty() || words.iter().any(|word| line.contains(word.as_str()))
        });
        (!self.others.is_empty()).then_some(self)
    }

    /// Without what is compared with a program in C.
    pub(crate) fn without_c(mut self) -> Option<Self> {
        self.others.retain(|other| !other.side.is_c());
        (!self.others.is_empty()).then_some(self)
    }

    pub(crate) fn needs_c(&self) -> bool {
        self.others.iter().any(|other| other.side.is_c())
    }

    /// How many programs run in one turn.
    pub(crate) fn sides(&self) -> u64 {
        1 + self.others.len() as u64
    }

    /// So many turns.
    pub(crate) fn run(
        &self,
        kafka: &Kafka,
        programs: &Programs,
        turns: u64,
        progress: &ProgressBar,
    ) -> Result<Vec<Outcome<'_>>, Error> {
        let name = format!("bench-{}-input", std::process::id());
        let input = if matches!(self.ours.kind, Kind::Consumer | Kind::Pipeline) {
            progress.set_message(format!("{}: its input", self.title));
            let input = kafka.topic(&name, BROKERS_CLOCK)?;
            let mut fill = programs.command("producer-at-least-once")?;
            let count = self.others.iter().map(|other| other.side.messages).fold(self.ours.messages, u64::max);
            fill.args(["--bootstrap-servers", &kafka.servers, "--topic", &name, "--size", SIZE]);
            fill.args(["--count", &count.to_string()]);
            run(fill, Output::Nowhere)?;
            Some(input)
        } else {
            None
        };
        let mut all: Vec<(Vec<Pair>, Vec<f64>)> = self.others.iter().map(|_| Default::default()).collect();
        for turn in 0..turns {
            let (ours, our_run) = self.one(&self.ours, turn, kafka, programs, progress)?;
            for (other, (pairs, whole)) in self.others.iter().zip(&mut all) {
                let (theirs, their_run) = self.one(&other.side, turn, kafka, programs, progress)?;
                let same_work = self.ours.messages == other.side.messages;
                whole.extend(same_work.then(|| their_run.took.as_secs_f64() / our_run.took.as_secs_f64()));
                pairs.push(Pair { ours, theirs });
            }
        }
        // Until here: it is deleted with the last turn.
        drop(input);
        let outcome = |(other, (pairs, whole)): (_, (Vec<Pair>, _))| Outcome {
            other,
            ratios: Ratios::of(&pairs),
            whole: median(whole),
        };
        Ok(self.others.iter().zip(all).map(outcome).collect())
    }

    /// One run on a fresh topic, whose name is also that of the group and the transactional id.
    fn one(
        &self,
        side: &Side,
        turn: u64,
        kafka: &Kafka,
        programs: &Programs,
        progress: &ProgressBar,
    ) -> Result<(Speed, Run), Error> {
        progress.set_message(format!("{}, turn {}: {}", self.title, turn + 1, side.program));
        let topic = kafka.topic(&format!("bench-{}-{}", std::process::id(), progress.position()), BROKERS_CLOCK)?;
        let mut command = programs.command(side.program)?;
        let input = format!("bench-{}-input", std::process::id());
        let proxy = side.proxied.then(|| Proxy::builder(kafka.servers.clone()).start()).transpose();
        let proxy = proxy.map_err(Error::failed)?;
        let servers = match &proxy {
            Some(proxy) => proxy.client("bench").map_err(Error::failed)?.to_string(),
            None => kafka.servers.clone(),
        };
        side.arguments(&mut command, &servers, &topic.name, &input);
        let run = run(command, side.output)?;
        let speed = match self.clock {
            Clock::Broker => topic.rate(side.messages)?,
            Clock::Lines => run.rate()?,
        };
        progress.inc(1);
        Ok((speed, run))
    }
}

impl Side {
    fn is_c(&self) -> bool {
        matches!(self.kind, Kind::Performance | Kind::Transactions(_))
    }

    fn arguments(&self, command: &mut Command, servers: &str, topic: &str, input: &str) {
        let count = &*self.messages.to_string();
        match self.kind {
            Kind::Producer | Kind::TransactionalProducer => {
                command.args(["--bootstrap-servers", servers, "--topic", topic, "--count", count, "--size", SIZE]);
            }
            Kind::Consumer | Kind::Pipeline => {
                command.args(["--bootstrap-servers", servers, "--topic", input, "--group", topic, "--count", count]);
            }
            Kind::Performance => {
                command.args(["-P", "-q", "-b", servers, "-t", topic, "-c", count, "-s", SIZE]);
            }
            Kind::Transactions(each) => {
                command.args([servers, topic, count, SIZE, &each.to_string()]);
                command.arg(format!("transactional.id={topic}"));
            }
        }
        if self.kind == Kind::Pipeline {
            command.args(["--output-topic", topic]);
        }
        let transactional = matches!(self.kind, Kind::TransactionalProducer | Kind::Consumer | Kind::Pipeline);
        if transactional && self.program != AT_LEAST_ONCE_PIPELINE {
            command.args(["--transactional-id", topic]);
        }
        command.args(self.flags.split_whitespace());
    }
}
