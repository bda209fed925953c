//! `lab session`: a class on one Kafka.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use common::cli::Broker;
use common::stop;

use super::args::{Every, Format, OUTPUT, RUN};
use super::watch::clear;
use super::{colours, listen, print, say};
use crate::error::Error;
use crate::kafka::{Kafka, REQUEST};
use crate::session::board::Board;
use crate::session::follow::Follower;
use crate::session::table::{self, Now};
use crate::session::{now, students, topics};
use crate::text::Lang;
use crate::{cargo, exercises};

/// Follow a class that shares one Kafka: create its topics, show who has passed which exercise, clear away
///
/// Each student works with --namespace. The topics that the exercises use are created in each namespace, and one into which lab check and lab watch write their verdicts (with --namespace and --bootstrap-servers). The table of these is shown until Ctrl-C: on a terminal in place, elsewhere anew with each change. Whatever a student's lab can write, a student can forge: this table helps in class, and is no grade.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Session {
    /// The students: a namespace on each line and, behind it, a name to show; `#` begins a comment
    #[arg(long, value_name = "FILE", help_heading = RUN)]
    students: PathBuf,

    /// Show the table once, and end
    #[arg(long, help_heading = RUN, conflicts_with = "clean")]
    once: bool,

    /// Delete the topics and groups of these students, and nothing else
    #[arg(long, help_heading = RUN)]
    clean: bool,

    /// Do not ask before that
    #[arg(long, help_heading = RUN, requires = "clean")]
    yes: bool,

    #[command(flatten)]
    kafka: Broker,

    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = OUTPUT)]
    format: Format,

    #[command(flatten)]
    every: Every,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  lab session --students class.txt --bootstrap-servers 192.168.1.10:9092
  lab session --students class.txt --once --format json
  lab session --students class.txt --clean

Exit status: 0 done, or Ctrl-C at the table; 2 something could not start, or could not be deleted; 130 Ctrl-C before";

pub(super) const HELP_FR: &[(&str, &str)] = &[
    (
        "students",
        "Les étudiants : un espace de noms par ligne, suivi si l'on veut du nom à montrer ; `#` ouvre un commentaire",
    ),
    ("bootstrap_servers", "Où Kafka écoute ; plusieurs adresses sont séparées par des virgules"),
    ("namespace", "Mettre NOM- devant les espaces de noms de tous les étudiants"),
    ("once", "Montrer le tableau une fois, et finir"),
    ("clean", "Supprimer les topics et les groupes de ces étudiants, et rien d'autre"),
    ("yes", "Ne pas demander de confirmation"),
];

pub(super) const ABOUT_FR: &str =
    "Suit une classe qui partage un même Kafka : crée ses topics, montre qui a réussi quel exercice, fait le ménage";

pub(super) const LONG_ABOUT_FR: &str = "\
Suit une classe qui partage un même Kafka : crée ses topics, montre qui a réussi quel exercice, fait le ménage

Chaque étudiant travaille avec --namespace. Dans chaque espace de noms sont créés les topics dont les exercices se servent, et un autre où lab check et lab watch écrivent leurs verdicts (avec --namespace et --bootstrap-servers). Le tableau en est montré jusqu'à Ctrl-C : sur place dans un terminal, ailleurs à nouveau à chaque changement. Ce que le lab d'un étudiant peut écrire, l'étudiant peut le falsifier : ce tableau aide en classe, et ne note pas.";

pub(super) const EXAMPLES_FR: &str = "\
Exemples :
  lab session --students classe.txt --bootstrap-servers 192.168.1.10:9092
  lab session --students classe.txt --once --format json
  lab session --students classe.txt --clean

Code de sortie : 0 terminé, ou Ctrl-C devant le tableau ; 2 rien n'a pu être lancé, ou quelque chose n'a pas pu être supprimé ; 130 Ctrl-C avant";

/// Runs the session.
///
/// # Errors
/// When the file is wrong, no broker answers, or it does not create what is needed.
pub(super) fn session(args: &Session, lang: Lang) -> Result<u8, Error> {
    let students = students::read(&args.students)?;
    let kafka = Kafka::new(args.kafka.clone());
    if args.clean {
        return clean(args, &kafka, &students, lang);
    }
    listen(None);
    let mut board = Board::new(exercises::all(cargo::workspace()?)?, &students);
    kafka.wait()?;
    let created = topics::create(&kafka, &students)?;
    if created > 0 {
        say(&lang.session_created(created, students.len()));
    }
    let mut follower = Follower::new(&kafka, &students)?;
    follower.catch_up(&mut board, REQUEST)?;
    show(args, &board, &follower, lang)?;
    if args.once {
        return Ok(0);
    }
    let in_place = in_place(args);
    let mut minute = minutes();
    while !stop::requested() {
        // On a terminal, time goes on too.
        let later = in_place && minutes() != minute;
        if follower.turn(&mut board) || later {
            minute = minutes();
            show(args, &board, &follower, lang)?;
        }
    }
    Ok(0)
}

fn in_place(args: &Session) -> bool {
    !args.once && args.format == Format::Table && io::stdout().is_terminal()
}

fn show(args: &Session, board: &Board, follower: &Follower, lang: Lang) -> Result<(), Error> {
    let now = Now {
        servers: &args.kafka.bootstrap_servers,
        away: follower.away,
        time: i64::try_from(now()).unwrap_or(i64::MAX),
    };
    match args.format {
        Format::Table if in_place(args) => {
            clear()?;
            print(&table::render(board, &now, lang, colours()))
        }
        Format::Table => print(&(table::render(board, &now, lang, colours()) + if args.once { "" } else { "\n" })),
        Format::Json if args.once => print(&format!("{:#}\n", table::json(board, &now))),
        // One line each, for whoever reads line by line.
        Format::Json => print(&format!("{}\n", table::json(board, &now))),
    }
}

fn clean(args: &Session, kafka: &Kafka, students: &[students::Student], lang: Lang) -> Result<u8, Error> {
    if !args.yes && !io::stdin().is_terminal() {
        return Err(Error::NobodyToAsk);
    }
    kafka.wait()?;
    let theirs = topics::of_students(kafka, students)?;
    let (topics, groups) = (theirs.topics().len(), theirs.groups().len());
    if !args.yes && topics + groups > 0 && !agreed(&lang.session_sure(topics, groups, students.len()), lang) {
        say(lang.session_untouched());
        return Ok(0);
    }
    // Not before: at the question, Ctrl-C simply ends the lab.
    listen(None);
    let left = theirs.delete(kafka);
    for (name, why) in &left {
        say(&lang.not_deleted(name, why));
    }
    if !left.is_empty() {
        return Ok(2);
    }
    say(&lang.session_cleaned(topics, groups));
    Ok(0)
}

fn agreed(question: &str, lang: Lang) -> bool {
    // Nothing can be done when standard error is closed.
    let _ = write!(io::stderr(), "{question}");
    let mut answer = String::new();
    // An error, or the end of the input, is no yes.
    let _ = io::stdin().lock().read_line(&mut answer);
    answer.trim().to_lowercase().starts_with(lang.yes())
}

fn minutes() -> u64 {
    now() / 60_000
}
