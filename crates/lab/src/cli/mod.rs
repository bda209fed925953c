//! The command line of the lab, from arguments to exit status.

mod args;
mod french;
mod grade;
mod nodes;
mod session;
mod students;
mod torture;
mod watch;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use args::{Command, Flags, Format, Lab, Run};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches, ValueEnum};
use common::stop;
use nodes::NodeControl;

use crate::error::Error;
use crate::kafka::Kafka;
use crate::layout::{columns, width, wrap};
use crate::matrix::{self, Job};
use crate::names::{Names, random_seed};
use crate::nodes::Control;
use crate::outcome::Results;
use crate::own::{self, Client};
use crate::serve::{self, Serve};
use crate::stage::House;
use crate::text::Lang;
use crate::{capacity, cargo, interrupt, json, list, reaper, show, story, table, terminal};

/// Runs the lab, as the command line says.
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|arg| arg == reaper::ARGUMENT) {
        reaper::keep_watch();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().nth(1).is_some_and(|arg| arg == crate::grade::CONFINED) {
        return crate::grade::become_program(std::env::args_os().skip(2));
    }
    let lang = language(std::env::args_os());
    let parsed = french::command(lang).try_get_matches().and_then(|matches| {
        let lab = Lab::from_arg_matches(&matches)?;
        Ok((lab, names_a_kafka(&matches)))
    });
    let (lab, given) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => error.exit(),
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).format_target(false).init();
    terminal::fit();
    capacity::raise_open_files();
    let done = match &lab.command {
        Some(Command::Broker(serve)) => return keep_broker(serve, lang),
        Some(Command::List(list)) => print(&list::render(lang, list.format == Format::Json)).map(|()| 0),
        Some(Command::Show(show)) => show::show(&show.kafka, &show.topic, show.last)
            .and_then(|topic| print(&show::render(&topic, lang, show.format == Format::Json, colours())))
            .map(|()| 0),
        Some(Command::Run(run)) => run_some(run, given, lang),
        Some(Command::Torture(torture)) => torture::torture(torture, given, lang),
        Some(Command::Check(check)) => students::check(check, given, lang),
        Some(Command::Watch(watch)) => watch::watch(watch, given, lang),
        Some(Command::Session(session)) => session::session(session, lang),
        Some(Command::Progress(progress)) => students::progress(progress, lang),
        Some(Command::Hint(hint)) => students::hint(hint, lang),
        Some(Command::Diff(diff)) => students::diff(diff, lang),
        Some(Command::Reset(reset)) => students::reset(reset, lang),
        Some(Command::Grade(args)) => grade::grade(args, lang),
        None => run_all(&lab, given, lang),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(Error::Interrupted) => ExitCode::from(interrupt::STATUS),
        Err(error) => {
            say(&format!("{} {}", lang.error_label(), lang.error(&error)));
            ExitCode::from(2)
        }
    }
}

/// Whether the command line or the environment says which Kafka to use.
fn names_a_kafka(matches: &ArgMatches) -> bool {
    let matches = matches
        .subcommand()
        .filter(|(name, _)| ["run", "torture", "check", "watch"].contains(name))
        .map_or(matches, |(_, matches)| matches);
    !matches!(matches.value_source("bootstrap_servers"), None | Some(ValueSource::DefaultValue))
}

/// The status is that of a service which was told to stop.
fn keep_broker(serve: &Serve, lang: Lang) -> ExitCode {
    listen(None);
    match serve::serve(serve, lang) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{} {}", lang.error_label(), lang.error(&error)));
            ExitCode::from(2)
        }
    }
}

/// All programs under all scenarios, or those that were chosen: a table.
fn run_all(lab: &Lab, given: bool, lang: Lang) -> Result<u8, Error> {
    let chosen = |names: &[String], name: &str| names.is_empty() || names.iter().any(|other| other == name);
    let jobs: Vec<Job> = matrix::choice(|name| lab.scenario.iter().any(|other| other == name))
        .filter(|job| chosen(&lab.only, job.program.package) && chosen(&lab.scenario, job.scenario.name))
        .collect();
    if jobs.is_empty() {
        let (program, scenario) = (lab.only.join(", "), Some(lab.scenario.join(", ")));
        return Err(Error::NoSuchRun { program, scenario, variant: None });
    }
    let results = run(&lab.flags, &lab.nodes, given, None, &jobs, lang)?;
    print(&match lab.flags.format {
        Format::Table => table::render(&results, lang, colours()),
        Format::Json => format!("{:#}\n", json::render(&results)),
    })?;
    Ok(results.status())
}

/// One program under one scenario, or all of its scenarios: a story each.
fn run_some(run_: &Run, given: bool, lang: Lang) -> Result<u8, Error> {
    let jobs: Vec<Job> = match run_.guarantee {
        Some(guarantee) => own::jobs(run_.role, guarantee, &run_.scenarios, run_.variant.as_deref()),
        None => matrix::choice(|name| run_.scenario.as_deref() == Some(name))
            .filter(|job| run_.program.as_ref().is_some_and(|name| job.program.package == name))
            .filter(|job| run_.scenario.as_ref().is_none_or(|name| job.scenario.name == name))
            .filter(|job| run_.variant.as_ref().is_none_or(|name| job.case.variant == name))
            .collect(),
    };
    if jobs.is_empty() {
        let held = run_.guarantee.map(|guarantee| lang.held(run_.role, guarantee));
        return Err(Error::NoSuchRun {
            program: run_.program.clone().or(held).unwrap_or_default(),
            scenario: run_.scenario.clone().or_else(|| run_.scenarios.first().cloned()),
            variant: run_.variant.clone(),
        });
    }
    let client = (!run_.client.is_empty()).then(|| Client { words: run_.client.clone(), held_to: run_.guarantee });
    let results = run(&run_.flags, &run_.nodes, given, client, &jobs, lang)?;
    print(&match run_.flags.format {
        Format::Table if run_.guarantee.is_some() && jobs.len() > 1 => own::summary(&results, lang, colours()),
        Format::Table => results
            .outcomes
            .iter()
            .map(|outcome| story::render(outcome, lang, colours()))
            .collect::<Vec<_>>()
            .join("\n"),
        Format::Json => format!("{:#}\n", json::render(&results)),
    })?;
    Ok(results.status())
}

/// Runs the jobs.
fn run(
    flags: &Flags,
    nodes: &NodeControl,
    given: bool,
    client: Option<Client>,
    jobs: &[Job],
    lang: Lang,
) -> Result<Results, Error> {
    let seed = prepare(flags, given, lang)?;
    let control = Control::new(nodes.node_control.clone(), lang);
    nodes::check(jobs, given.then(|| Kafka::new(flags.kafka.clone())).as_ref(), &control)?;
    let mut executables = cargo::Executables::new();
    if client.is_none() {
        let mut programs: Vec<&str> = jobs.iter().map(|job| job.program.package).collect();
        programs.sort_unstable();
        programs.dedup();
        say(&lang.building(programs.len()));
        executables = cargo::build(&programs).map_err(unless_interrupted)?;
    }
    announce(flags, given, seed, jobs.len(), lang);
    let at_once = match client {
        // Not all of them start in a few milliseconds.
        Some(_) => flags.jobs.map_or_else(|| capacity::runs().div_ceil(4), usize::from),
        None => at_once(flags),
    };
    let house = House { node_control: control, ..house(flags, given, seed, executables, client) };
    let begun = Instant::now();
    let done = matrix::run(&house, jobs, at_once);
    let took = begun.elapsed();
    leave(house, flags, lang)?;
    done.map(|outcomes| Results { outcomes, seed, took })
}

/// From here on, Ctrl-C is a request, answered with this line; without it, the lab still ends.
fn listen(answer: Option<&'static str>) {
    if let Err(error) = interrupt::listen(answer) {
        log::warn!("no signal handler could be installed: {error}");
    }
}

/// What comes before every run; returns the seed.
fn prepare(flags: &Flags, given: bool, lang: Lang) -> Result<u32, Error> {
    listen(Some(lang.stopping()));
    if let Err(error) = reaper::start() {
        log::warn!("killed with kill -9, the lab would leave programs behind: {error}");
    }
    if let Some(folder) = &flags.trace {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::Trace { path: folder.display().to_string(), why: error.to_string() })?;
    }
    let kafka = Kafka::new(flags.kafka.clone());
    kafka.check()?;
    if given {
        // Before the build, which may take a minute.
        kafka.wait()?;
    }
    Ok(flags.seed.unwrap_or_else(random_seed))
}

/// Says what runs where, under which names.
fn announce(flags: &Flags, given: bool, seed: u32, runs: usize, lang: Lang) {
    let prefix = Names::new(seed, flags.kafka.namespace.as_deref());
    let servers = given.then_some(flags.kafka.bootstrap_servers.as_str());
    say(&lang.running(servers, runs, seed, prefix.prefix()));
}

fn house(flags: &Flags, given: bool, seed: u32, executables: cargo::Executables, command: Option<Client>) -> House {
    House {
        kafka: given.then(|| Kafka::new(flags.kafka.clone())),
        executables,
        command,
        messages: flags.messages,
        traces: flags.trace.clone(),
        ..House::new(flags.kafka.clone(), seed)
    }
}

/// What comes after every run: nothing stays behind.
fn leave(house: House, flags: &Flags, lang: Lang) -> Result<(), Error> {
    if flags.keep {
        say(&lang.kept(&house.leftovers.topics()));
    } else {
        for (name, why) in house.leftovers.delete(&Kafka::new(flags.kafka.clone())) {
            say(&lang.not_deleted(&name, &why));
        }
    }
    if stop::requested() { Err(Error::Interrupted) } else { Ok(()) }
}

/// How many runs at once.
fn at_once(flags: &Flags) -> usize {
    flags.jobs.map_or_else(capacity::runs, usize::from)
}

/// Ctrl-C reaches cargo too, which then fails: that is not what ended the lab.
fn unless_interrupted(error: Error) -> Error {
    if stop::requested() { Error::Interrupted } else { error }
}

fn colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Results go to standard output; everything else, to standard error.
fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Nobody reads it any more: the exit status still tells the result.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Error::Print(error.to_string())),
    }
}

/// On a terminal, what is wider than it is wrapped; elsewhere a line stays one, for those who search in it.
pub(crate) fn say(line: &str) {
    let mut text = String::new();
    for line in line.split('\n') {
        if io::stderr().is_terminal() && width(line) > columns() {
            wrap(&mut text, "", 0, line);
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    // Nothing can be done when standard error is closed.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The language, which the help and the messages of the command line itself depend on: so it is looked for before they
/// are parsed.
fn language(args: impl Iterator<Item = OsString>) -> Lang {
    let args: Vec<_> = args.collect();
    let given = args.iter().zip(args.iter().skip(1).map(Some).chain([None])).find_map(|(arg, next)| {
        let arg = arg.to_str()?;
        let name = match arg.strip_prefix("--lang=") {
            Some(name) => name,
            None if arg == "--lang" => next?.to_str()?,
            None => return None,
        };
        Lang::from_str(name, true).ok()
    });
    given.unwrap_or_else(|| Lang::from_locale(|name| std::env::var(name).ok()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn parse(args: &[&str]) -> Result<Lab, clap::Error> {
        Lab::try_parse_from([&["lab"], args].concat())
    }

    #[test]
    fn the_command_line_is_consistent_in_both_languages() {
        for lang in [Lang::En, Lang::Fr] {
            french::command(lang).debug_assert();
        }
    }

    #[test]
    fn every_flag_has_its_french_help() {
        let english = french::command(Lang::En);
        let french = french::command(Lang::Fr);
        let same = |english: &clap::Command, french: &clap::Command| {
            let help = |command: &clap::Command, id| {
                command
                    .get_arguments()
                    .find(|arg| arg.get_id() == id)
                    .and_then(|arg| arg.get_help())
                    .map(ToString::to_string)
            };
            let same: Vec<_> = english
                .get_arguments()
                .map(|arg| arg.get_id().as_str())
                .filter(|id| help(english, *id) == help(french, *id))
                .collect();
            assert_eq!(same, [""; 0], "{}", english.get_name());
            assert_ne!(english.get_about().map(ToString::to_string), french.get_about().map(ToString::to_string));
        };
        same(&english, &french);
        for (english, french) in english.get_subcommands().zip(french.get_subcommands()) {
            same(english, french);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        for args in [&["--only", "producer-at-least-one"][..], &["run", "producer-at-least-one", "calm"]] {
            let error = parse(args).unwrap_err().to_string();
            assert!(error.contains("'producer-at-least-once'"), "{error}");
        }
        for args in [&["--scenario", "ack-lst"][..], &["run", "eos-pipeline", "ack-lst"]] {
            let error = parse(args).unwrap_err().to_string();
            assert!(error.contains("'ack-lost'"), "{error}");
        }
    }

    #[test]
    fn no_messages_is_no_experiment() {
        for bad in ["0", "-1", "x", "1000001"] {
            assert!(parse(&["--messages", bad]).is_err(), "{bad}");
        }
        assert_eq!(parse(&[]).unwrap().flags.messages, 200);
    }

    #[test]
    fn a_client_of_the_users_comes_after_two_dashes() {
        let lab = parse(&["run", "eos-producer", "calm", "--seed", "7", "--", "python3", "x.py", "--seed"]).unwrap();
        let Some(Command::Run(run)) = lab.command else { panic!("{lab:?}") };
        assert_eq!(run.client, ["python3", "x.py", "--seed"]);
        assert_eq!(run.flags.seed, Some(7));
    }

    #[test]
    fn the_flag_for_the_language_wins_over_the_locale() {
        let lang = |args: &[&str]| language(args.iter().map(OsString::from));
        assert_eq!(lang(&["lab", "--lang", "fr"]), Lang::Fr);
        assert_eq!(lang(&["lab", "--keep", "--lang=fr"]), Lang::Fr);
        assert_eq!(lang(&["lab", "--lang", "en"]), Lang::En);
    }
}
