//! From save to verdict: how long a student waits for `lab check` after a change, and how much of it is the lab's.
//!
//! ```text
//! cargo bench -p lab --bench save                    exercises 01, 06, 12 and 15, some two minutes
//! cargo bench -p lab --bench save -- --rounds 3 8
//! ```

mod change;
#[path = "../shared/ratios.rs"]
#[allow(dead_code, reason = "the median only")]
mod ratios;
mod took;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use common::{Error, app, cli, stop};

use change::Changed;
use ratios::median;
use took::Took;

/// Seconds from the save to the verdict, at most.
const WHOLE: f64 = 4.0;
/// Seconds of it that are the lab's own, at most.
const LAB: f64 = 2.0;

/// From save to verdict: how long a check takes after a change
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Args {
    /// How often each exercise is changed and checked
    #[arg(long, value_name = "N", default_value = "5", value_parser = cli::count)]
    rounds: u64,

    /// The exercises, by number
    #[arg(value_name = "NN", default_values_t = [1, 6, 12, 15])]
    exercises: Vec<u32>,

    /// `cargo bench` says so
    #[arg(long, hide = true)]
    bench: bool,
}

const AFTER_HELP: &str = "\
Each text (the exercise's, and the solution's) is changed in its function main, checked, and written back as it was.
Exit status: 0 measured, 1 a check could not be run, 2 bad usage";

const EXPLANATION: &str = "\
Medians of the rounds, in seconds: of a `cargo run -p lab -- check NN` from the change on, in the profile dev.
cargo: up to the end of its build (it looks at the whole workspace twice, and compiles one file);
lab: from there on, all scenarios of the exercise.";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "checked".to_owned(),
        format!("whole (wanted: under {WHOLE})"),
        "cargo".to_owned(),
        format!("lab (wanted: under {LAB})"),
    ]);
    for number in [1, 2, 3] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for number in &args.exercises {
        for (part, flag) in [("exercises", None), ("solutions", Some("--solution"))] {
            let folder = folder(part, *number)?;
            let mut rounds = Vec::new();
            // The first one also builds what nobody has built yet.
            for round in 0..=args.rounds {
                let changed = Changed::new(&folder.join("src/main.rs"), round)?;
                let took = took::check(*number, flag)?;
                drop(changed);
                if stop::requested() {
                    return Err(Error::failed("interrupted"));
                }
                if round > 0 {
                    rounds.push(took);
                }
            }
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            table.add_row(row(&format!("{part}/{name}"), &rounds));
            log::info!("{part}/{name}: {:.2} s", seconds(&rounds, Took::whole));
        }
    }
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let text = format!("{table}\n\n{} rounds, {processors} processors. {EXPLANATION}", args.rounds);
    writeln!(std::io::stdout(), "{text}").map_err(|error| Error::failed(format!("standard output: {error}")))
}

/// "exercises/06-commit-before"
fn folder(part: &str, number: u32) -> Result<PathBuf, Error> {
    let part = workspace().join(part);
    let start = format!("{number:02}-");
    let entries = std::fs::read_dir(&part).into_iter().flatten().filter_map(Result::ok);
    let mut paths = entries.map(|entry| entry.path());
    paths
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)))
        .ok_or_else(|| Error::Usage(format!("there is no {start}… in {}", part.display())))
}

fn workspace() -> &'static Path {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
    lab.ancestors().nth(2).unwrap_or(lab)
}

fn row(name: &str, rounds: &[Took]) -> [String; 4] {
    let judged = |seconds: f64, wanted: f64| {
        let missed = if seconds < wanted { "" } else { ": missed" };
        format!("{seconds:.2}{missed}")
    };
    [
        name.to_owned(),
        judged(seconds(rounds, Took::whole), WHOLE),
        format!("{:.2}", seconds(rounds, |took| took.cargo)),
        judged(seconds(rounds, |took| took.lab), LAB),
    ]
}

fn seconds(rounds: &[Took], of: impl Fn(&Took) -> std::time::Duration) -> f64 {
    median(rounds.iter().map(|took| of(took).as_secs_f64()).collect()).unwrap_or_default()
}
