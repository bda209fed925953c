//! Flags and commands.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use common::cli::Broker;

use super::grade;
use super::nodes::NodeControl;
use super::session::{self, Session};
use super::torture::{self, TortureArgs};
use crate::catalogue::{Guarantee, PROGRAMS};
use crate::own::Part;
use crate::scenarios;
use crate::serve::{self, Serve};
use crate::text::Lang;

/// Run the course's programs under faults, and say which delivery guarantee holds
///
/// Runs every program of the course under every scenario that concerns it: a proxy in front of Kafka injects the fault at a named moment of the protocol. Each run has its own Kafka, in memory, unless --bootstrap-servers names one. Afterwards the topics are read directly to their end at both isolation levels, and compared with what the programs said.
#[derive(Debug, Parser)]
#[command(name = "lab", version, after_help = AFTER, disable_help_flag = true, disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Lab {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    #[command(flatten)]
    pub(super) flags: Flags,

    /// This program only (repeat for more)
    #[arg(long, value_name = "PROGRAM", value_parser = program(), hide_possible_values = true, help_heading = RUN)]
    pub(super) only: Vec<String>,

    /// This scenario only (repeat for more)
    #[arg(long, value_name = "SCENARIO", value_parser = scenario(), hide_possible_values = true, help_heading = RUN)]
    pub(super) scenario: Vec<String>,

    #[command(flatten)]
    pub(super) nodes: NodeControl,

    /// Print version
    #[arg(short = 'V', long, action = clap::ArgAction::Version, help_heading = OUTPUT)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    List(List),
    #[command(after_help = torture::EXAMPLES)]
    Torture(TortureArgs),
    #[command(after_help = SHOW_EXAMPLES)]
    Show(Show),
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(Watch),
    #[command(after_help = PROGRESS_EXAMPLES)]
    Progress(Progress),
    #[command(after_help = HINT_EXAMPLES)]
    Hint(Hint),
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Diff),
    #[command(after_help = RESET_EXAMPLES)]
    Reset(Reset),
    #[command(after_help = session::EXAMPLES)]
    Session(Session),
    #[command(after_help = grade::EXAMPLES)]
    Grade(grade::Grade),
    #[command(after_help = serve::EXAMPLES)]
    Broker(Serve),
}

/// Run one program under one scenario, and tell the story: the moments of the protocol, the fault, the books, and why
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Run {
    /// The program, as `lab list` shows them
    #[arg(value_name = "PROGRAM", value_parser = program(), hide_possible_values = true, required_unless_present = "guarantee")]
    pub(super) program: Option<String>,

    /// The scenario, as `lab list` shows them [default: all that concern the program]
    #[arg(value_name = "SCENARIO", value_parser = scenario(), hide_possible_values = true)]
    pub(super) scenario: Option<String>,

    /// This variant of the scenario only
    #[arg(long, value_name = "VARIANT", help_heading = RUN)]
    pub(super) variant: Option<String>,

    /// Hold a client of your own to this guarantee, and not to a program: at-most-once, at-least-once or exactly-once
    #[arg(long, value_enum, hide_possible_values = true, requires = "client", conflicts_with = "program", help_heading = CLIENT)]
    pub(super) guarantee: Option<Guarantee>,

    /// What it is: producer, consumer or pipeline
    #[arg(long, value_enum, hide_possible_values = true, default_value = "producer", requires = "guarantee", help_heading = CLIENT)]
    pub(super) role: Part,

    /// Under this scenario only (repeat for more) [default: all in which the guarantee can be kept]
    #[arg(long = "scenario", value_name = "SCENARIO", value_parser = scenario(), hide_possible_values = true, requires = "guarantee", help_heading = CLIENT)]
    pub(super) scenarios: Vec<String>,

    #[command(flatten)]
    pub(super) nodes: NodeControl,

    #[command(flatten)]
    pub(super) flags: Flags,

    /// A client of your own, in any language, to run in place of the program or under --guarantee: it finds BOOTSTRAP_SERVERS and TOPIC in its environment; a producer also COUNT and VALUE_PREFIX (it sends VALUE_PREFIX0, VALUE_PREFIX1 …), a consumer GROUP_ID; where there is one, TRANSACTIONAL_ID and OUTPUT_TOPIC. docs/your-own-client.md says the rest
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) client: Vec<String>,
}

/// List the scenarios, their variants, and the programs that each concerns
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct List {
    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,

    /// Language [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum)]
    pub(super) lang: Option<Lang>,

    /// Print help
    #[arg(short, long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// Show a topic as it stands in the log: both isolation levels side by side, aborted and control records marked
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Show {
    /// The topic
    #[arg(value_name = "TOPIC", value_parser = common::cli::topic_name)]
    pub(super) topic: String,

    #[command(flatten)]
    pub(super) kafka: Broker,

    /// Show the last so many offsets of each partition
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = OUTPUT)]
    pub(super) last: u64,

    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    pub(super) format: Format,

    #[command(flatten)]
    every: Every,
}

/// Check an exercise: build it, run it under its scenarios, say what was expected and what was observed
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Check {
    /// The exercise: its number or its name
    #[arg(value_name = "NN")]
    pub(super) exercise: String,

    /// Check the reference solution instead
    #[arg(long, help_heading = RUN)]
    pub(super) solution: bool,

    #[command(flatten)]
    pub(super) kept: Kept,

    #[command(flatten)]
    pub(super) flags: Flags,
}

/// Check an exercise now and at each save: the next one that has not passed, or this one
///
/// On a terminal, keys show a hint (h), go on to the next exercise (n), list all (l), restore the text as given (r, asks first) and quit (q). Elsewhere it checks once.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Watch {
    /// The exercise: its number or its name [default: the next one that has not passed]
    #[arg(value_name = "NN")]
    pub(super) exercise: Option<String>,

    #[command(flatten)]
    pub(super) kept: Kept,

    #[command(flatten)]
    pub(super) flags: Flags,
}

/// Where the student's progress is.
#[derive(Debug, Args)]
pub(super) struct Kept {
    /// Where progress is kept [default: .lab/progress.json in the checkout]
    #[arg(long, value_name = "FILE", env = "LAB_PROGRESS", hide_env_values = true, help_heading = RUN)]
    pub(super) progress_file: Option<PathBuf>,
}

/// What every command has: last, as in each of them.
#[derive(Debug, Args)]
pub(super) struct Every {
    /// Language [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum, help_heading = OUTPUT)]
    lang: Option<Lang>,

    /// Print help
    #[arg(short, long, action = clap::ArgAction::Help, help_heading = OUTPUT)]
    help: Option<bool>,
}

/// What the commands without a run share.
#[derive(Debug, Args)]
pub(super) struct Plain {
    #[command(flatten)]
    pub(super) kept: Kept,

    #[command(flatten)]
    every: Every,
}

/// List the exercises: which have passed, which comes next
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Progress {
    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) plain: Plain,
}

/// Show a hint for an exercise: one more each time
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Hint {
    /// The exercise: its number or its name
    #[arg(value_name = "NN")]
    pub(super) exercise: String,

    /// Show all of them
    #[arg(long, help_heading = RUN)]
    pub(super) all: bool,

    #[command(flatten)]
    pub(super) plain: Plain,
}

/// Compare your text of an exercise with the solution, once it has passed
///
/// What `-` marks is yours, what `+` marks is the solution's.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Diff {
    /// The exercise: its number or its name
    #[arg(value_name = "NN")]
    pub(super) exercise: String,

    /// Show it although the exercise has not passed
    #[arg(long, help_heading = RUN)]
    pub(super) give_up: bool,

    #[command(flatten)]
    pub(super) plain: Plain,
}

/// Restore the text of an exercise as given, after a backup beside it
///
/// Restores src/main.rs and Cargo.toml where they differ. The exercise has not begun then, and its hints start again.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Reset {
    /// The exercise: its number or its name
    #[arg(value_name = "NN")]
    pub(super) exercise: String,

    #[command(flatten)]
    pub(super) plain: Plain,
}

/// What all runs share.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pub(super) kafka: Broker,

    /// How many messages there are where no fault decides it (calm)
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = RUN)]
    pub(super) messages: u64,

    /// How many runs at once [default: twelve to a processor, 32 at most; a quarter of it for a client of your own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = RUN)]
    pub(super) jobs: Option<u16>,

    /// Where the names of topics, groups and transactional ids come from [default: a random number]
    #[arg(long, value_name = "N", help_heading = RUN)]
    pub(super) seed: Option<u32>,

    /// Do not delete the topics and groups at the end
    #[arg(long, help_heading = RUN)]
    pub(super) keep: bool,

    /// Write the trace of each run (every frame that passed the proxy, as JSON lines) into this folder
    #[arg(long, value_name = "FOLDER", help_heading = OUTPUT)]
    pub(super) trace: Option<PathBuf>,

    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    pub(super) format: Format,

    #[command(flatten)]
    every: Every,
}

/// Form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For readers
    Table,
    /// For programs: one object, always in English
    Json,
}

pub(super) const RUN: &str = "Run";
pub(super) const OUTPUT: &str = "Output";
pub(super) const CLIENT: &str = "A client of your own";

const AFTER: &str = "\
Examples:
  lab                                              all programs, all scenarios
  lab --only eos-pipeline                          one program
  lab run producer-at-least-once ack-lost          the story of one run
  lab list                                         what there is

Exit status: 0 all is as expected, 1 it is not, 2 something could not be decided or could not start, 130 Ctrl-C";

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  lab run producer-at-least-once ack-lost
  lab run eos-pipeline                                          all of its scenarios
  lab run consumer-at-least-once killed-between -- python3 my_consumer.py
  lab run --guarantee at-least-once --scenario ack-lost -- python3 my_producer.py
  lab run --guarantee exactly-once --role pipeline -- java -cp 'libs/*' Pipeline.java

Exit status: 0 all is as expected (under --guarantee: it holds), 1 it is not, 2 something could not be decided or could not start, 130 Ctrl-C";

pub(super) const SHOW_EXAMPLES: &str = "\
Examples:
  lab show input
  lab show output --last 50";

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  lab check 1
  lab check pipeline

Exit status: 0 passed, 1 not yet, 2 it does not build, or nothing could be decided, 130 Ctrl-C";

pub(super) const WATCH_EXAMPLES: &str = "\
Examples:
  lab watch
  lab watch 6

Exit status: 0 quit (q), 130 Ctrl-C; without a terminal, that of lab check";

pub(super) const PROGRESS_EXAMPLES: &str = "\
Examples:
  lab progress
  lab progress --format json";

pub(super) const HINT_EXAMPLES: &str = "\
Examples:
  lab hint 6
  lab hint commit-before --all";

pub(super) const DIFF_EXAMPLES: &str = "\
Examples:
  lab diff 6
  lab diff 6 --give-up | less -R

Exit status: 0 shown, 2 the exercise has not passed, or something cannot be read";

pub(super) const RESET_EXAMPLES: &str = "\
Examples:
  lab reset 6              src/main.rs is kept as src/main.rs.bak-1, then .bak-2 ...

Exit status: 0 as given, 2 something cannot be read or written";

pub(super) fn program() -> PossibleValuesParser {
    PossibleValuesParser::new(PROGRAMS.iter().map(|program| program.package))
}

fn scenario() -> PossibleValuesParser {
    let all = scenarios::ALL.iter().chain(scenarios::ON_THREE_NODES);
    PossibleValuesParser::new(all.map(|scenario| scenario.name))
}
