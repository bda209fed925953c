//! The command line of the lab, from arguments to exit status.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use common::cli::Broker;
use common::stop;

use crate::catalogue::{PROGRAMS, Program};
use crate::error::Error;
use crate::kafka::Kafka;
use crate::names::{Names, random_seed};
use crate::report::Report;
use crate::scenarios::calm::{self, Calm};
use crate::serve::{self, Serve};
use crate::text::Lang;
use crate::topics::Topics;
use crate::{cargo, interrupt, json, table};

/// Run the course's programs against a Kafka, and say which delivery guarantee holds
///
/// Starts a Kafka of its own, in memory, unless --bootstrap-servers names one. Builds the programs, gives each its own topics, group and transactional id, lets the producers feed the consumers,
/// reads the topics directly to their end at both isolation levels, and compares what the programs said with what is
/// there.
#[derive(Debug, Parser)]
#[command(name = "lab", version, after_help = EXIT_STATUS, disable_help_flag = true, disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    kafka: Broker,

    /// How many messages each producer sends
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000), help_heading = RUN)]
    messages: u64,

    /// Judge this program only (repeat for more); what it reads is produced as well
    #[arg(long, value_name = "PROGRAM", value_parser = PossibleValuesParser::new(PROGRAMS.iter().map(|program| program.package)), hide_possible_values = true, help_heading = RUN)]
    only: Vec<String>,

    /// Where the names of topics, groups and transactional ids come from [default: a random number]
    #[arg(long, value_name = "N", help_heading = RUN)]
    seed: Option<u32>,

    /// Do not delete the topics and groups at the end
    #[arg(long, help_heading = RUN)]
    keep: bool,

    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    format: Format,

    /// Language [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum, help_heading = OUTPUT)]
    lang: Option<Lang>,

    /// Print help
    #[arg(short, long, action = clap::ArgAction::Help, help_heading = OUTPUT)]
    help: Option<bool>,

    /// Print version
    #[arg(short = 'V', long, action = clap::ArgAction::Version, help_heading = OUTPUT)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(after_help = serve::EXAMPLES)]
    Broker(Serve),
}

const RUN: &str = "Run";
const OUTPUT: &str = "Output";

/// Form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For readers
    Table,
    /// For programs: one object, always in English
    Json,
}

const EXIT_STATUS: &str = "\
Exit status: 0 all is as expected, 1 it is not, 2 something could not be decided or could not start, 130 Ctrl-C";

const EXIT_STATUS_FR: &str = "\
Code de sortie : 0 tout est comme prévu, 1 ce n'est pas le cas, 2 rien n'a pu être décidé ou lancé, 130 Ctrl-C";

/// The French help, by flag; what is not here is told in English.
const HELP_FR: &[(&str, &str)] = &[
    (
        "bootstrap_servers",
        "Où Kafka écoute ; plusieurs adresses sont séparées par des virgules [défaut : un broker embarqué, le temps de \
         l'exécution]",
    ),
    ("namespace", "Mettre NOM- devant les topics, groupes et identifiants de transaction, pour partager un même Kafka"),
    ("property", "Fixer une propriété de librdkafka, pour tous les programmes (à répéter au besoin)"),
    ("properties", "Plusieurs -X à la fois, séparés par des points-virgules"),
    ("connect_timeout", "Abandonner si aucun broker n'a répondu au bout de ce temps"),
    ("messages", "Nombre de messages qu'envoie chaque producteur"),
    ("only", "Ne juger que ce programme (à répéter au besoin) ; ce qu'il lit est produit aussi"),
    (
        "seed",
        "D'où viennent les noms des topics, groupes et identifiants de transaction [défaut : un nombre au hasard]",
    ),
    ("keep", "Ne pas supprimer les topics et les groupes à la fin"),
    ("format", "Forme du résultat"),
    ("lang", "Langue [défaut : celle de LC_ALL, LC_MESSAGES ou LANG]"),
    ("help", "Afficher l'aide"),
    ("version", "Afficher la version"),
];

const BOOTSTRAP_SERVERS: &str =
    "Where Kafka listens; several addresses are separated by commas [default: an embedded broker, for this run]";

const ABOUT_FR: &str = "Exécute les programmes du cours sur un Kafka, et dit quelle garantie de livraison est tenue";

const TEMPLATE_FR: &str = "{about-with-newline}\nUtilisation : {usage}\n\n{all-args}{after-help}";

const LONG_ABOUT_FR: &str = "\
Exécute les programmes du cours sur un Kafka, et dit quelle garantie de livraison est tenue

Démarre son propre Kafka, en mémoire, sauf si --bootstrap-servers en désigne un. Compile les programmes, donne à chacun ses topics, son groupe et son identifiant de transaction, fait alimenter les \
consommateurs par les producteurs, lit les topics directement jusqu'au bout aux deux niveaux d'isolation, et compare ce \
que les programmes ont dit à ce qui s'y trouve.";

/// Runs the lab, as the command line says.
pub fn main() -> ExitCode {
    let lang = language(std::env::args_os());
    let parsed = command(lang).try_get_matches().and_then(|matches| {
        let args = Args::from_arg_matches(&matches)?;
        Ok((args, names_a_kafka(&matches)))
    });
    let (args, given) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => error.exit(),
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).format_target(false).init();
    if let Some(Command::Broker(serve)) = &args.command {
        return keep_broker(serve, lang);
    }
    if let Err(error) = interrupt::listen(Some(lang.stopping())) {
        log::warn!("no signal handler could be installed: {error}");
    }
    let format = args.format;
    let result = run(args, given, lang).map(|report| {
        print(&report, format, lang);
        report.status()
    });
    match result {
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
    !matches!(matches.value_source("bootstrap_servers"), None | Some(ValueSource::DefaultValue))
}

/// The status is that of a service which was told to stop.
fn keep_broker(serve: &Serve, lang: Lang) -> ExitCode {
    if let Err(error) = interrupt::listen(None) {
        log::warn!("no signal handler could be installed: {error}");
    }
    match serve::serve(serve, lang) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{} {}", lang.error_label(), lang.error(&error)));
            ExitCode::from(2)
        }
    }
}

fn run(mut args: Args, given: bool, lang: Lang) -> Result<Report, Error> {
    let seed = args.seed.unwrap_or_else(random_seed);
    // Held to the end of the run.
    let embedded = if given { None } else { Some(serve::for_this_run(seed)?) };
    if let Some(broker) = &embedded {
        args.kafka.bootstrap_servers = broker.address().to_string();
    }
    let kafka = Kafka::new(args.kafka.clone());
    kafka.check()?;
    // Before the build, which may take a minute.
    kafka.wait()?;
    let selected: Vec<&'static Program> = PROGRAMS
        .iter()
        .filter(|program| args.only.is_empty() || args.only.iter().any(|name| name == program.package))
        .collect();
    let chains = calm::chains(&selected);
    let mut programs: Vec<_> = chains.iter().flat_map(calm::Chain::programs).collect();
    programs.sort_by_key(|program| program.package);
    programs.dedup_by_key(|program| program.package);
    say(&lang.building(programs.len()));
    let executables = cargo::build(&programs).map_err(unless_interrupted)?;

    let names = Names::new(seed, args.kafka.namespace.as_deref());
    say(&lang.running(&args.kafka.bootstrap_servers, embedded.is_some(), names.seed(), names.prefix()));
    let topics: Vec<_> = chains.iter().flat_map(|chain| chain.topics(&names)).collect();
    let groups = chains.iter().filter_map(|chain| chain.group(&names)).collect();
    let created = Topics::create(&kafka, &names, &topics, groups)?;
    let calm = Calm { kafka: &kafka, names: &names, executables: &executables, messages: args.messages };
    let rows = calm.run(&chains);
    if args.keep {
        created.keep();
        let topics: Vec<_> = topics.into_iter().map(|(topic, _)| topic).collect();
        say(&lang.kept(&topics));
    } else {
        for (name, why) in created.delete() {
            say(&lang.not_deleted(&name, &why));
        }
    }
    if stop::requested() {
        return Err(Error::Interrupted);
    }
    Ok(Report { scenario: calm::NAME, seed: names.seed(), rows })
}

/// Ctrl-C reaches cargo too, which then fails: that is not what ended the lab.
fn unless_interrupted(error: Error) -> Error {
    if stop::requested() { Error::Interrupted } else { error }
}

/// Results go to standard output; everything else, to standard error.
fn print(report: &Report, format: Format, lang: Lang) {
    let mut out = io::stdout().lock();
    let text = match format {
        Format::Table => {
            let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            table::render(report, lang, colours)
        }
        Format::Json => format!("{:#}\n", json::render(report)),
    };
    // Nobody reads it any more: the exit status still tells the result.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn say(line: &str) {
    // Nothing can be done when standard error is closed.
    let _ = writeln!(io::stderr(), "{line}");
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

/// The command line, with its help in the language.
fn command(lang: Lang) -> clap::Command {
    let command = Args::command()
        .mut_arg("bootstrap_servers", |arg| arg.help(BOOTSTRAP_SERVERS).hide_default_value(true))
        .mut_subcommands(|command| command.next_help_heading(None::<&str>));
    if lang == Lang::En {
        return command;
    }
    let command = HELP_FR.iter().fold(command, |command, (id, help)| command.mut_arg(id, |arg| arg.help(*help)));
    command
        .mut_args(|arg| match arg.get_help_heading() {
            Some(RUN) => arg.help_heading("Exécution"),
            Some(OUTPUT) => arg.help_heading("Sortie"),
            _ => arg,
        })
        .mut_subcommand("broker", |broker| {
            serve::HELP_FR
                .iter()
                .fold(broker, |broker, (id, help)| broker.mut_arg(id, |arg| arg.help(*help)))
                .about(serve::ABOUT_FR)
                .after_help(serve::EXAMPLES_FR)
                .help_template(TEMPLATE_FR)
        })
        .about(ABOUT_FR)
        .long_about(LONG_ABOUT_FR)
        .after_help(EXIT_STATUS_FR)
        .help_template(TEMPLATE_FR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["lab"], args].concat())
    }

    #[test]
    fn the_command_line_is_consistent_in_both_languages() {
        for lang in [Lang::En, Lang::Fr] {
            command(lang).debug_assert();
        }
    }

    #[test]
    fn every_flag_has_its_french_help() {
        let missing: Vec<_> = Args::command()
            .get_arguments()
            .map(|arg| arg.get_id().to_string())
            .filter(|id| !HELP_FR.iter().any(|(known, _)| known == id))
            .collect();
        assert_eq!(missing, [""; 0]);
        let help = command(Lang::Fr).render_help().to_string();
        assert!(help.contains("Ne juger que ce programme"), "{help}");
        assert!(help.contains("Exécution:") && !help.contains("Run:"), "{help}");
    }

    #[test]
    fn an_unknown_program_is_answered_with_the_nearest_name() {
        let error = parse(&["--only", "producer-at-least-one"]).unwrap_err().to_string();
        assert!(error.contains("'producer-at-least-once'"), "{error}");
    }

    #[test]
    fn no_messages_is_no_experiment() {
        for bad in ["0", "-1", "x", "1000001"] {
            assert!(parse(&["--messages", bad]).is_err(), "{bad}");
        }
        assert_eq!(parse(&[]).unwrap().messages, 200);
    }

    #[test]
    fn the_flag_for_the_language_wins_over_the_locale() {
        let lang = |args: &[&str]| language(args.iter().map(OsString::from));
        assert_eq!(lang(&["lab", "--lang", "fr"]), Lang::Fr);
        assert_eq!(lang(&["lab", "--keep", "--lang=fr"]), Lang::Fr);
        assert_eq!(lang(&["lab", "--lang", "en"]), Lang::En);
    }
}
