//! How fast the programs are, as ratios: each against the nearest program in C that does the same on the same Kafka with
//! the same settings, taken in turns, so that whatever else the machine is doing hits both.
//!
//! ```text
//! compose/kafka.sh                                                              (in another terminal)
//! cargo bench -p lab --bench throughput                                         some ten minutes
//! cargo bench -p lab --bench throughput -- --pairs 3 --messages 1000000 producer
//! ```

mod comparisons;
mod measure;
mod rate;
#[path = "../shared/mod.rs"]
mod shared;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use common::{Error, app, cli};

use comparisons::{AT_LEAST_ONCE_PIPELINE, Comparison, Outcome, PACKAGES, all};
use shared::SIZE;
use shared::kafka::Kafka;
use shared::programs;
use shared::show::{progress, thousands};

/// Throughput of the programs, as ratios to the nearest program in C
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Args {
    /// Where Kafka listens [environment: BOOTSTRAP_SERVERS or KAFKA_BOOTSTRAP_SERVERS; default: localhost:9092]
    #[arg(long, value_name = "HOST:PORT", default_value_t = servers(), hide_default_value = true)]
    bootstrap_servers: String,

    /// Messages in each run of a bulk producer; slower programs get a fixed part of that
    #[arg(long, value_name = "N", default_value = "3000000", value_parser = cli::count)]
    messages: u64,

    /// How often the two sides of a comparison take turns
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

fn servers() -> String {
    ["BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|servers| !servers.is_empty()))
        .unwrap_or_else(|| "localhost:9092".into())
}

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let kafka = Kafka::connect(&args.bootstrap_servers)?;
    let mut comparisons: Vec<_> =
        all(args.messages).into_iter().filter_map(|comparison| comparison.filtered(&args.filter)).collect();
    if comparisons.is_empty() {
        return Err(Error::Usage(format!("no comparison is about {}", args.filter.join(" or "))));
    }
    let mut programs = programs::build(PACKAGES, &[AT_LEAST_ONCE_PIPELINE])?;
    if comparisons.iter().any(Comparison::needs_c)
        && let Err(why) = programs.build_c()
    {
        log::warn!("left out what is compared with a program in C: {why}");
        comparisons = comparisons.into_iter().filter_map(Comparison::without_c).collect();
    }

    let progress = progress(args.pairs * comparisons.iter().map(Comparison::sides).sum::<u64>());
    let mut table = table();
    for comparison in &comparisons {
        for outcome in comparison.run(&kafka, &programs, args.pairs, &progress)? {
            let (other, ratio) = (outcome.other.title, outcome.ratios.median);
            progress.suspend(|| log::info!("{} / {other}: {ratio:.2}", comparison.title));
            table.add_row(row(comparison.title, &outcome));
        }
    }
    progress.finish_and_clear();
    let text = format!("{table}\n\n{}", explanation(&args));
    writeln!(std::io::stdout(), "{text}").map_err(|error| Error::failed(format!("standard output: {error}")))
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "program",
        "per second",
        "compared with",
        "per second",
        "ratio (least to most)",
        "wanted",
        "whole run",
    ]);
    for number in [1, 3, 4, 5, 6] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn row(title: &str, Outcome { other, ratios, whole }: &Outcome<'_>) -> [String; 7] {
    let wanted = match other.wanted {
        None => String::new(),
        Some(wanted) if ratios.median < wanted => format!("{wanted}: missed"),
        Some(wanted) => wanted.to_string(),
    };
    [
        title.to_owned(),
        thousands(ratios.ours),
        other.title.to_owned(),
        thousands(ratios.theirs),
        format!("{:.2} ({:.2} to {:.2})", ratios.median, ratios.least, ratios.most),
        wanted,
        whole.map_or_else(String::new, |whole| format!("{whole:.2}")),
    ]
}

fn explanation(args: &Args) -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{} messages of {} bytes in bulk, one partition, {} turns, {processors} processors. A ratio is the \
         median of those of the pairs.\n\
         Both sides have the same settings. The rate of a run is that of its last nine tenths, by the broker's clock \
         (LogAppendTime):\n\
         without the start of the program, its connection and the filling of its queue. \"whole run\" is the ratio of \
         the durations with all of that.\n\
         -S: numbered messages, like those of the programs; without, the tool sends one buffer over and over, and copies \
         nothing.",
        args.messages, SIZE, args.pairs
    )
}
