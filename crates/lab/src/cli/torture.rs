//! `lab torture`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::args::{Flags, Format, OUTPUT, RUN, program};
use super::{announce, at_once, colours, house, leave, prepare, print, say, unless_interrupted};
use crate::catalogue;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::own::Client;
use crate::stage::Nth;
use crate::text::Lang;
use crate::torture::report::{self, Report};
use crate::torture::schedule::Schedule;
use crate::torture::{Found, Run, Torture, drawn};
use crate::verdict::Verdict;
use crate::{cargo, story};

/// Put one program through random schedules of faults, kills, restarts, freezes and rebalances
///
/// Each run draws its schedule from the seed and its own number, plays it, lifts all faults, starts a clean successor, and compares what is stored with what was said, as everywhere in the lab. A run that breaks the program's promise is a violation: its schedule is printed, made as short as it can be, and told.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct TortureArgs {
    /// The program, as `lab list` shows them
    #[arg(value_name = "PROGRAM", value_parser = program(), hide_possible_values = true)]
    program: String,

    /// How many runs [default: 100; of one schedule, 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = RUN)]
    runs: Option<u32>,

    /// Run the schedule of this run of the seed, and tell the story; with --runs, so many times, and show the table
    #[arg(long, value_name = "RUN", value_parser = clap::value_parser!(u32).range(1..), help_heading = RUN)]
    replay: Option<u32>,

    /// Run this schedule, as it was printed, and tell the story; with --runs, so many times, and show the table
    #[arg(long, value_name = "SCHEDULE", conflicts_with = "replay", help_heading = RUN)]
    schedule: Option<Schedule>,

    /// Fail unless this is found, as --format json names it: lost, duplicated, started_over ... (repeat for more)
    #[arg(long, value_name = "KIND", value_parser = kind(), hide_possible_values = true, help_heading = OUTPUT)]
    expect: Vec<String>,

    #[command(flatten)]
    pub(super) flags: Flags,

    /// A client of your own, in any language, to run in place of the program, as in `lab run`
    #[arg(last = true, value_name = "COMMAND")]
    client: Vec<String>,
}

/// The French help, by flag.
pub(super) const HELP_FR: &[(&str, &str)] = &[
    ("program", "Le programme, tel que le nomme `lab list`"),
    ("runs", "Nombre d'exécutions [défaut : 100 ; d'une seule suite, 1]"),
    (
        "replay",
        "Jouer la suite de cette exécution de la graine, et en faire le récit ; avec --runs, autant de fois, et montrer le \
         tableau",
    ),
    (
        "schedule",
        "Jouer cette suite, telle qu'elle a été affichée, et en faire le récit ; avec --runs, autant de fois, et montrer \
         le tableau",
    ),
    (
        "expect",
        "Échouer si ceci n'est pas trouvé, tel que le nomme --format json : lost, duplicated, started_over… (à répéter \
         au besoin)",
    ),
    ("messages", "Nombre de messages de chaque exécution"),
    (
        "seed",
        "D'où viennent les suites, et les noms des topics, groupes et identifiants [défaut : un nombre au hasard]",
    ),
    (
        "client",
        "Un client à vous, dans n'importe quel langage, à exécuter à la place du programme, comme dans `lab run`",
    ),
];

pub(super) const ABOUT_FR: &str = "Soumet un programme à des suites, tirées au hasard, de pannes, d'arrêts brutaux, de relances, \
                                   de gels et de rééquilibrages";

pub(super) const LONG_ABOUT_FR: &str = "\
Soumet un programme à des suites, tirées au hasard, de pannes, d'arrêts brutaux, de relances, de gels et de rééquilibrages

Chaque exécution tire sa suite de la graine et de son propre numéro, la joue, lève toutes les pannes, lance un successeur, puis compare ce qui est stocké à ce qui a été dit, comme partout dans le lab. Une exécution qui rompt la promesse du programme est une violation : sa suite est affichée, réduite autant que possible, et racontée.";

pub(super) const EXAMPLES: &str = "\
Examples:
  lab torture eos-pipeline --runs 1000 --seed 1
  lab torture eos-pipeline --seed 1 --replay 17                        the story of run 17
  lab torture consumer-at-most-once --runs 20 --seed 1 --expect lost
  lab torture consumer-at-least-once -- python3 my_consumer.py

Exit status: 0 no violation, and what was expected was found; 1 otherwise; 2 something could not be decided or could not start; 130 Ctrl-C";

pub(super) const EXAMPLES_FR: &str = "\
Exemples :
  lab torture eos-pipeline --runs 1000 --seed 1
  lab torture eos-pipeline --seed 1 --replay 17                        le récit de l'exécution 17
  lab torture consumer-at-most-once --runs 20 --seed 1 --expect lost
  lab torture consumer-at-least-once -- python3 mon_consommateur.py

Code de sortie : 0 aucune violation, et ce qui était attendu a été trouvé ; 1 sinon ; 2 rien n'a pu être décidé ou lancé ; 130 Ctrl-C";

/// The flags of all runs, where they mean something else here.
pub(super) fn with_own_flags(command: clap::Command) -> clap::Command {
    command.mut_arg("messages", |arg| arg.help("How many messages there are in each run").default_value("30")).mut_arg(
        "seed",
        |arg| {
            arg.help(
                "Where the schedules, and the names of topics, groups and ids come from [default: a random number]",
            )
        },
    )
}

fn kind() -> PossibleValuesParser {
    let kinds = crate::ledger::Kind::ALL.iter().map(|kind| Found::Anomaly(*kind)).chain([Found::StartedOver]);
    PossibleValuesParser::new(kinds.map(Found::name))
}

/// Many runs and a table, or one and its story.
pub(super) fn torture(args: &TortureArgs, given: bool, lang: Lang) -> Result<u8, Error> {
    let Some(program) = catalogue::find(&args.program) else {
        return Err(Error::NoSuchRun { program: args.program.clone(), scenario: None, variant: None });
    };
    let flags = &args.flags;
    let seed = prepare(flags, given, lang)?;
    let mut executables = cargo::Executables::new();
    if args.client.is_empty() {
        say(&lang.building(1));
        executables = cargo::build(&[program.package]).map_err(unless_interrupted)?;
    }
    let one = match (&args.schedule, args.replay) {
        (Some(schedule), _) => Some((0, schedule.clone())),
        (None, Some(run)) => Some((run, drawn(program, seed, run))),
        (None, None) => None,
    };
    let runs = args.runs.unwrap_or(if one.is_some() { 1 } else { 100 });
    announce(flags, given, seed, runs as usize, lang);
    // It is held to what the program promises.
    let client = (!args.client.is_empty()).then(|| Client { words: args.client.clone(), held_to: None });
    let house = house(flags, given, seed, executables, client);
    let torture = Torture { house: &house, program, at_once: at_once(flags) };
    let done = match &one {
        Some((run, schedule)) if runs == 1 => torture
            .once(Nth { run: *run, again: 0 }, schedule)
            .map(|(run, outcome)| Done::One(Box::new((run, outcome)))),
        Some((_, schedule)) => many(&torture, args, runs, |_| schedule.clone(), lang),
        None => many(&torture, args, runs, |run| drawn(program, seed, run), lang),
    };
    leave(house, flags, lang)?;
    match done? {
        Done::One(one) => tell(&one.0, &one.1, flags.format, lang),
        Done::Many { text, status } => print(&text).map(|()| status),
    }
}

enum Done {
    One(Box<(Run, Outcome)>),
    Many { text: String, status: u8 },
}

fn many(
    torture: &Torture<'_>,
    args: &TortureArgs,
    runs: u32,
    schedule: impl Fn(u32) -> Schedule + Sync,
    lang: Lang,
) -> Result<Done, Error> {
    let results = torture.runs(runs, schedule)?;
    let mut shrunk = None;
    if let Some(run) = results.violations().next() {
        say(&lang.torture_shrinking(run.number));
        shrunk = torture.shrink(run)?;
        if shrunk.is_none() {
            say(&lang.torture_not_again(run.number));
        }
    }
    let report =
        Report { program: torture.program, seed: torture.house.seed, results: &results, shrunk: shrunk.as_ref() };
    let found = results.found();
    let broken: Vec<_> = results.violations().flat_map(Run::broken).map(Found::Anomaly).collect();
    let is_missing = |kind: &&String| found.keys().chain(&broken).all(|found| found.name() != kind.as_str());
    let missing: Vec<_> = args.expect.iter().filter(is_missing).collect();
    let text = match args.flags.format {
        Format::Table => {
            let mut text = report::table(&report, lang);
            for kind in &missing {
                text.push_str(&format!("{}\n", lang.torture_not_found(kind)));
            }
            let told = shrunk.as_ref().map(|shrunk| &shrunk.outcome);
            let first = results.violations().find_map(|run| run.outcome.as_deref());
            if let Some(outcome) = told.or(first) {
                text.push('\n');
                text.push_str(&story::render(outcome, lang, colours()));
            }
            text
        }
        Format::Json => format!("{:#}\n", report::object(&report)),
    };
    let status = if results.violations().next().is_some() || !missing.is_empty() {
        1
    } else if results.undecided().next().is_some() {
        2
    } else {
        0
    };
    Ok(Done::Many { text, status })
}

/// The story of one run.
fn tell(run: &Run, outcome: &Outcome, format: Format, lang: Lang) -> Result<u8, Error> {
    print(&match format {
        Format::Table => {
            let mut text = String::new();
            report::steps_of(&mut text, &run.schedule, Some(&run.met), lang);
            format!(
                "{text}  {}\n\n{}",
                lang.torture_schedule(&run.schedule.to_string()),
                story::render(outcome, lang, colours())
            )
        }
        Format::Json => format!("{:#}\n", report::one(run, outcome)),
    })?;
    Ok(match run.verdict {
        Verdict::Holds => 0,
        Verdict::Violated(_) => 1,
        Verdict::Unknown(_) => 2,
    })
}
