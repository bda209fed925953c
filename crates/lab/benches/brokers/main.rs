//! How fast the embedded broker is, as ratios to Apache Kafka: the same client against both in turns, so that whatever else
//! the machine is doing hits both.
//!
//! ```text
//! cargo bench -p lab --bench brokers                                            some five minutes
//! cargo bench -p lab --bench brokers -- --pairs 3 --messages 1000000 produce
//! cargo bench -p lab --bench brokers -- --also kfake=127.0.0.1:9192
//! ```

mod costs;
mod jobs;
mod process;
#[path = "../shared/mod.rs"]
mod shared;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use common::{Error, app, cli};
use indicatif::ProgressBar;

use jobs::{Job, Kind};
use process::Process;
use shared::SIZE;
use shared::kafka::{Kafka, Topic};
use shared::programs::{self, Programs};
use shared::ratios::{Pair, Ratios, Speed, median};
use shared::show::{progress, thousands};

/// Speed and memory of the embedded broker, beside Apache Kafka's
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Args {
    /// An Apache Kafka that runs already [default: one is started by compose/kafka.sh]
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_servers: Option<String>,

    /// Port of the Apache Kafka that is started; it takes the next one as well
    #[arg(long, value_name = "N", default_value_t = 19092)]
    port: u16,

    /// A further broker to compare with, which runs already (may be repeated)
    #[arg(long, value_name = "NAME=HOST:PORT", value_parser = named)]
    also: Vec<(String, String)>,

    /// Messages in each run of a producer; slower ones get a fixed part of that
    #[arg(long, value_name = "N", default_value = "4000000", value_parser = cli::count)]
    messages: u64,

    /// How often the brokers take turns
    #[arg(long, value_name = "N", default_value = "5", value_parser = cli::count)]
    pairs: u64,

    /// Only the lines of the table that contain one of these words [default: all]
    #[arg(value_name = "WORD")]
    filter: Vec<String>,

    /// `cargo bench` says so
    #[arg(long, hide = true)]
    bench: bool,
}

const AFTER_HELP: &str = "\
Its topics are named bench-…, have one partition, and are deleted after each run.
Exit status: 0 measured, 1 a run failed, 2 bad usage or no Kafka";

/// A broker under measurement.
struct Rival {
    name: String,
    kafka: Kafka,
    /// Where it is known.
    process: Option<u32>,
}

impl Rival {
    fn new(name: &str, servers: &str, process: Option<u32>) -> Result<Self, Error> {
        Ok(Self { name: name.into(), kafka: Kafka::connect(servers)?, process })
    }

    /// Seconds of the processors so far.
    fn processor_time(&self) -> Option<f64> {
        self.process.and_then(process::processor_time)
    }
}

/// A run against one broker.
struct Run {
    speed: Speed,
    /// What the broker took of the processors, in microseconds a message.
    processor: Option<f64>,
}

/// All runs of one line: ours, and those of each rival in the same order.
struct Turns {
    ours: Vec<Run>,
    theirs: Vec<Vec<Run>>,
}

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let wanted = |title: &str| args.filter.is_empty() || args.filter.iter().any(|word| title.contains(word.as_str()));
    let jobs: Vec<_> = jobs::all(args.messages).into_iter().filter(|job| wanted(job.title)).collect();
    let costs = wanted("start memory");
    if jobs.is_empty() && !costs {
        return Err(Error::Usage(format!("nothing is measured about {}", args.filter.join(" or "))));
    }
    let mut programs = programs::build(&[], &[])?;
    programs.build_c().map_err(|why| Error::failed(format!("the clients are programs in C: {why}")))?;

    let apache = args.bootstrap_servers.is_none().then(|| Process::apache(args.port)).transpose()?;
    let idle = apache.as_ref().map(|apache| Ok::<_, Error>((apache.resident()?, apache.start))).transpose()?;
    let embedded = Process::embedded(programs.command("lab")?)?;
    let servers = apache.as_ref().map(|apache| &apache.servers).or(args.bootstrap_servers.as_ref());
    let mut rivals = vec![Rival::new(
        "Apache Kafka",
        servers.map(String::as_str).unwrap_or_default(),
        apache.as_ref().map(|apache| apache.id),
    )?];
    for (name, servers) in &args.also {
        rivals.push(Rival::new(name, servers, None)?);
    }
    let ours = Rival::new("embedded", &embedded.servers, Some(embedded.id))?;

    let header = [
        "per second",
        "embedded",
        "compared with",
        "",
        "ratio (least to most)",
        "wanted",
        "broker's processor time",
        "ratio",
    ];
    let mut speeds = table(&header, &[1, 3, 4, 5, 6, 7]);
    let progress = progress(args.pairs * jobs.len() as u64 * (1 + rivals.len() as u64));
    for job in &jobs {
        let turns = take_turns(job, &ours, &rivals, &programs, args.pairs, &progress)?;
        for (rival, theirs) in rivals.iter().zip(&turns.theirs) {
            let pair = |(ours, theirs): (&Run, &Run)| Pair { ours: ours.speed, theirs: theirs.speed };
            let ratios = Ratios::of(&turns.ours.iter().zip(theirs).map(pair).collect::<Vec<_>>());
            progress.suspend(|| log::info!("{} / {}: {:.2}", job.title, rival.name, ratios.median));
            // What is wanted is said of Apache Kafka.
            let wanted = rivals.first().is_some_and(|first| first.name == rival.name).then_some(job.wanted);
            speeds.add_row(row(job.title, &rival.name, &ratios, wanted, processors(&turns.ours, theirs)));
        }
    }
    progress.finish_and_clear();
    let mut text = if jobs.is_empty() { String::new() } else { format!("{speeds}\n\n{}\n", explanation(&args)) };
    if costs {
        let mut table = table(&["", "embedded", "wanted", "Apache Kafka"], &[3]);
        table.add_rows(costs::measure(&programs, idle.as_ref())?);
        text = format!("{text}\n{table}\n");
    }
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Error::failed(format!("standard output: {error}")))
}

/// So many turns of all brokers.
fn take_turns(
    job: &Job,
    ours: &Rival,
    rivals: &[Rival],
    programs: &Programs,
    turns: u64,
    progress: &ProgressBar,
) -> Result<Turns, Error> {
    let brokers = || std::iter::once(ours).chain(rivals);
    let mut filled: Vec<Topic<'_>> = Vec::new();
    if let Kind::Consume = job.kind {
        for broker in brokers() {
            progress.set_message(format!("{}: {} is filled", job.title, broker.name));
            let topic = broker.kafka.topic(&format!("bench-{}-input", std::process::id()), &[])?;
            jobs::fill(programs, &broker.kafka.servers, &topic.name, job.messages)?;
            filled.push(topic);
        }
    }
    let mut runs: Vec<Vec<Run>> = brokers().map(|_| Vec::new()).collect();
    for turn in 0..turns {
        for ((index, broker), runs) in brokers().enumerate().zip(&mut runs) {
            progress.set_message(format!("{}, turn {}: {}", job.title, turn + 1, broker.name));
            runs.push(one(job, broker, filled.get(index), programs, progress.position())?);
            progress.inc(1);
        }
    }
    let theirs = runs.split_off(1);
    Ok(Turns { ours: runs.pop().unwrap_or_default(), theirs })
}

/// One run, on a fresh topic unless there is one to read.
fn one(job: &Job, broker: &Rival, input: Option<&Topic<'_>>, programs: &Programs, number: u64) -> Result<Run, Error> {
    let fresh;
    let topic = match input {
        Some(input) => input,
        None => {
            fresh = broker.kafka.topic(&format!("bench-{}-{number}", std::process::id()), &[])?;
            &fresh
        }
    };
    let before = broker.processor_time();
    let speed = job.run(programs, &broker.kafka.servers, topic)?;
    let millions = job.all_messages() as f64 / 1e6;
    let processor = before.zip(broker.processor_time()).map(|(before, after)| (after - before) / millions);
    Ok(Run { speed, processor })
}

fn table(header: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// What the brokers took, and its ratio; nothing where it is not known.
fn processors(ours: &[Run], theirs: &[Run]) -> [String; 2] {
    let of = |runs: &[Run]| median(runs.iter().filter_map(|run| run.processor).collect());
    of(ours).zip(of(theirs)).map_or_else(Default::default, |(ours, theirs)| {
        [format!("{} against {} µs", brief(ours), brief(theirs)), format!("{:.1}", theirs / ours)]
    })
}

fn row(title: &str, rival: &str, ratios: &Ratios, wanted: Option<f64>, [took, ratio]: [String; 2]) -> [String; 8] {
    [
        title.to_owned(),
        thousands(ratios.ours),
        rival.to_owned(),
        thousands(ratios.theirs),
        format!("{:.2} ({:.2} to {:.2})", ratios.median, ratios.least, ratios.most),
        wanted.map_or_else(String::new, |wanted| {
            format!("{wanted}: {}", if ratios.median < wanted { "missed" } else { "met" })
        }),
        took,
        ratio,
    ]
}

/// 0.0712 → "0.07", 1615.4 → "1615".
fn brief(amount: f64) -> String {
    if amount < 10.0 { format!("{amount:.2}") } else { format!("{amount:.0}") }
}

fn explanation(args: &Args) -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{} messages of {SIZE} bytes in bulk, one partition, {} turns, {processors} processors. A ratio is the median of \
         those of the pairs.\n\
         The client is librdkafka: rdkafka_performance, and for transactions benches/c/transactions.c. It shares the \
         processors with the broker,\n\
         and is what limits a broker that needs less than the client. The broker's processor time, for each message, is \
         what neither the client nor\n\
         anything else on the machine has a share in.\n\
         A producer of librdkafka waits for 1 ms in each transaction before it registers the partition: with one, no broker \
         gets beyond some 800\n\
         transactions a second.\n\
         compose/kafka.sh starts Java for a quick start (-XX:TieredStopAtLevel=1 -XX:+UseSerialGC); _JAVA_OPTIONS \
         overrides that.",
        args.messages, args.pairs
    )
}

fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, servers)) if !name.is_empty() && !servers.is_empty() => Ok((name.into(), servers.into())),
        _ => Err("write it as NAME=HOST:PORT, for example kfake=127.0.0.1:9192".into()),
    }
}
