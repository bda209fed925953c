//! `lab grade`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::stop;

use super::args::{Every, OUTPUT, RUN};
use super::{colours, listen, print, say};
use crate::error::Error;
use crate::exercises::given::write_whole;
use crate::exercises::{self, Exercise};
use crate::grade::{self, Order};
use crate::layout::safe;
use crate::names::random_seed;
use crate::text::Lang;
use crate::{capacity, cargo, reaper};

/// Grade a class: build and check every exercise of every student, each confined, and print a table
///
/// Each DIR is a student's checkout, or a copy of its exercises/. Of an exercise only src/ is taken: manifests and build scripts of students are not used. An exercise whose text is as given is not run. What fails is run a second time before it counts; where the two differ, somebody has to look.
///
/// Programs run under limits (time, memory, output, files, processes) in a folder that is removed afterwards, and what they leave running is ended (on Linux). They still run with your rights (if you are root, on Linux: with those of a user who owns nothing): they can read your files and reach the network, and write outside of their folder. Grade people you do not know in an account or a container of its own.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Grade {
    /// A student's folder (repeat for more): the folder's name is the student's
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,

    /// This exercise only: its number or its name (repeat for more)
    #[arg(long, value_name = "NN", help_heading = RUN)]
    only: Vec<String>,

    /// Where results are kept as they come: what is there is not run again, unless the student's text or the lab has changed [default: .lab/grade.jsonl in the checkout]
    #[arg(long, value_name = "FILE", help_heading = RUN)]
    state: Option<PathBuf>,

    /// How many exercises at once [default: three to a processor, 12 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = RUN)]
    jobs: Option<u16>,

    /// How long the runs of one exercise may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = RUN)]
    limit: u64,

    /// Where the names of topics, groups and transactional ids come from [default: a random number]
    #[arg(long, value_name = "N", help_heading = RUN)]
    seed: Option<u32>,

    /// Write a line for each exercise of each student, for a spreadsheet
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    csv: Option<PathBuf>,

    /// Write everything that is known, for programs: one object, always in English
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    json: Option<PathBuf>,

    #[command(flatten)]
    every: Every,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  lab grade class/*
  lab grade class/* --csv grades.csv --json grades.json
  lab grade class/anna --only 6 --only pipeline

Exit status: 0 everything has a grade, 2 something has none, or is undecided, 130 Ctrl-C (repeat the command to go on)";

pub(super) const HELP_FR: &[(&str, &str)] = &[
    ("folders", "Le dossier d'un étudiant (à répéter au besoin) : le nom du dossier est celui de l'étudiant"),
    ("only", "Cet exercice seulement : son numéro ou son nom (à répéter au besoin)"),
    (
        "state",
        "Où les résultats sont conservés au fur et à mesure : ce qui s'y trouve n'est pas exécuté à nouveau, sauf si le \
         texte de l'étudiant ou le lab a changé [défaut : .lab/grade.jsonl dans le dépôt]",
    ),
    ("jobs", "Nombre d'exercices à la fois [défaut : trois par processeur, 12 au plus]"),
    ("limit", "Durée maximale des exécutions d'un exercice, en secondes"),
    ("csv", "Écrire une ligne par exercice et par étudiant, pour un tableur"),
    ("json", "Écrire tout ce qui est connu, pour des programmes : un objet, toujours en anglais"),
];

pub(super) const ABOUT_FR: &str =
    "Note une classe : compile et vérifie chaque exercice de chaque étudiant, isolément, et affiche un tableau";

pub(super) const LONG_ABOUT_FR: &str = "\
Note une classe : compile et vérifie chaque exercice de chaque étudiant, isolément, et affiche un tableau

Chaque DIR est la copie du dépôt d'un étudiant, ou celle de son dossier exercises/. D'un exercice, seul src/ est pris : les Cargo.toml et les build.rs des étudiants ne sont pas utilisés. Un exercice dont le texte est tel que donné n'est pas exécuté. Ce qui échoue est exécuté une seconde fois avant de compter ; si les deux diffèrent, quelqu'un doit regarder.

Les programmes s'exécutent sous des limites (temps, mémoire, sortie, fichiers, processus) dans un dossier supprimé ensuite, et ce qu'ils laissent derrière eux est arrêté (sous Linux). Ils ont tout de même vos droits (si vous êtes root, sous Linux : ceux d'un utilisateur qui ne possède rien) : ils peuvent lire vos fichiers, atteindre le réseau et écrire hors de leur dossier. Pour noter des inconnus, prenez un compte ou un conteneur à part.";

pub(super) const EXAMPLES_FR: &str = "\
Exemples :
  lab grade classe/*
  lab grade classe/* --csv notes.csv --json notes.json
  lab grade classe/anna --only 6 --only pipeline

Code de sortie : 0 tout a une note, 2 quelque chose n'en a pas, ou reste indécis, 130 Ctrl-C (répétez la commande pour \
continuer)";

/// Grades the class.
///
/// # Errors
/// When the lab itself cannot go on, or a file cannot be written.
pub(super) fn grade(args: &Grade, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    let exercises = chosen(exercises::all(workspace)?, &args.only)?;
    // Before half an hour of work, not after it.
    for path in args.csv.iter().chain(&args.json) {
        std::fs::File::options().append(true).create(true).open(path).map_err(|why| unwritable(path, &why))?;
    }
    listen(Some(lang.stopping()));
    reaper::start().map_err(|why| Error::Confine(why.to_string()))?;
    let seed = args.seed.unwrap_or_else(random_seed);
    let state = args.state.clone().unwrap_or_else(|| workspace.join(".lab/grade.jsonl"));
    say(&lang.grading(args.folders.len(), seed, &safe(&state.to_string_lossy())));
    let order = Order {
        workspace,
        exercises: &exercises,
        folders: &args.folders,
        state: &state,
        at_once: args.jobs.map_or_else(capacity::exercises, usize::from),
        seed,
        limit: Duration::from_secs(args.limit),
        lang,
    };
    let class = grade::grade(&order, &|line| say(line));
    let class = if stop::requested() { Err(Error::Interrupted) } else { class }?;
    if class.known > 0 {
        say(&lang.graded_before(class.known));
    }
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", grade::json(&class, &exercises, seed));
        write_whole(path, text.as_bytes()).map_err(|why| unwritable(path, &why))?;
    }
    if let Some(path) = &args.csv {
        write_whole(path, grade::csv(&class, &exercises).as_bytes()).map_err(|why| unwritable(path, &why))?;
    }
    print(&grade::render(&class, &exercises, lang, colours()))?;
    Ok(class.status())
}

/// All exercises, or those that were named, in their own order.
fn chosen(all: Vec<Exercise>, only: &[String]) -> Result<Vec<Exercise>, Error> {
    let mut names = Vec::new();
    for text in only {
        names.push(exercises::find(&all, text)?.name.clone());
    }
    Ok(all.into_iter().filter(|exercise| names.is_empty() || names.contains(&exercise.name)).collect())
}

fn unwritable(path: &Path, why: &std::io::Error) -> Error {
    Error::Unwritable { path: path.display().to_string(), why: why.to_string() }
}
