//! The commands for students.

use std::path::Path;

use super::args::{Check, Diff, Flags, Format, Hint, Kept, Progress, Reset};
use super::{at_once, colours, house, leave, prepare, print, say, unless_interrupted};
use crate::cargo;
use crate::error::Error;
use crate::exercises::given::Restored;
use crate::exercises::place::{Place, gone, missing, place};
use crate::exercises::progress::{Kept as Done, Store};
use crate::exercises::{self, Exercise, check, diff, given, hints, list};
use crate::kafka::Kafka;
use crate::layout::{paragraphs, safe};
use crate::session::verdict;
use crate::text::Lang;

/// `lab check`.
///
/// # Errors
/// When it does not build, or nothing could be run.
pub(super) fn check(args: &Check, given: bool, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    let exercises = exercises::all(workspace)?;
    let exercise = exercises::find(&exercises, &args.exercise)
        .map_err(|error| gone(workspace, &args.exercise).unwrap_or(error))?;
    let solution = args.solution.then(|| format!("sol{}-{}", exercise.number, exercise.name));
    let package = solution.as_ref().unwrap_or(&exercise.package);
    let seed = prepare(&args.flags, given, lang)?;
    let status = run(exercise, package, &args.flags, given, seed, lang)?;
    if !args.solution {
        let store = store(workspace, &args.kept);
        record(&store, &exercises, exercise, status, args.flags.format, lang);
    }
    Ok(status)
}

/// Builds this package, runs it as the exercise, and says what came of it; returns the exit status.
pub(super) fn run(
    exercise: &Exercise,
    package: &str,
    flags: &Flags,
    given: bool,
    seed: u32,
    lang: Lang,
) -> Result<u8, Error> {
    say(&lang.building(1));
    let mut executables = cargo::build(&[package]).map_err(unless_interrupted)?;
    let executable = executables.remove(package).ok_or(Error::Build(None))?;
    let executables = [(exercise.plays.package.to_owned(), executable)].into();
    let house = house(flags, given, seed, executables, None);
    let findings = check::check(&house, exercise, at_once(flags));
    leave(house, flags, lang)?;
    let findings = findings?;
    print(&match flags.format {
        Format::Table => exercises::report(exercise, &findings, lang, colours()),
        Format::Json => format!("{:#}\n", check::json(exercise, &findings)),
    })?;
    // A solution that passes says nothing of the student.
    if given && flags.kafka.namespace.is_some() && package == exercise.package {
        verdict::report(&Kafka::new(flags.kafka.clone()), exercise, &findings);
    }
    Ok(check::status(&findings))
}

/// The result stands without it: a progress that cannot be kept is only told.
pub(super) fn record(
    store: &Store,
    exercises: &[Exercise],
    exercise: &Exercise,
    status: u8,
    format: Format,
    lang: Lang,
) {
    let passed = status == 0;
    let done = store.change(|progress| {
        progress.checked(&exercise.name, passed);
        list::next(exercises, progress, Some(&exercise.name))
    });
    match done {
        Ok(Done { value: next, aside }) => {
            told(aside.as_deref(), lang);
            if passed && format == Format::Table {
                say(&format!("\n{}", lang.compare(&exercise.number)));
                say(&match next {
                    Some(next) => lang.next_exercise(&next.number, &folder(&next.folder)),
                    None => lang.all_passed().to_owned(),
                });
            }
        }
        Err(error) => say(&lang.error(&error)),
    }
}

/// `lab progress`.
///
/// # Errors
/// When the exercises or the progress cannot be read.
pub(super) fn progress(args: &Progress, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    let exercises = exercises::all(workspace)?;
    let progress = opened(store(workspace, &args.plain.kept).read()?, lang);
    print(&match args.format {
        Format::Table => list::render(&exercises, &progress, lang, colours()),
        Format::Json => format!("{:#}\n", list::json(&exercises, &progress)),
    })?;
    for place in missing(workspace) {
        say(&lang.error(&place.gone()));
    }
    Ok(0)
}

/// `lab hint`.
///
/// # Errors
/// When the hints or the progress cannot be read.
pub(super) fn hint(args: &Hint, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    let place = place(workspace, &args.exercise)?;
    show_hint(&place, args.all, &store(workspace, &args.plain.kept), lang)?;
    Ok(0)
}

/// The next hint, or all of them.
pub(super) fn show_hint(place: &Place, all: bool, store: &Store, lang: Lang) -> Result<(), Error> {
    let hints = hints::all(&place.folder, lang)?;
    if hints.is_empty() {
        say(lang.no_hints());
        return Ok(());
    }
    let done = store.change(|progress| {
        let entry = progress.at(&place.name);
        entry.hints = if all { hints.len() } else { (entry.hints + 1).min(hints.len()) };
        entry.hints
    });
    let shown = opened(done?, lang);
    let first = if all { 0 } else { shown.saturating_sub(1) };
    let text = hints.iter().enumerate().take(shown).skip(first);
    let text: Vec<_> =
        text.map(|(at, hint)| format!("{}\n\n{}", lang.hint(at + 1, hints.len()), paragraphs(hint))).collect();
    print(&text.join("\n"))?;
    say(&format!("\n{}", lang.more_hints(&place.number, hints.len().saturating_sub(shown))));
    Ok(())
}

/// `lab diff`.
///
/// # Errors
/// When the exercise has not passed, or something cannot be read.
pub(super) fn diff(args: &Diff, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    let place = place(workspace, &args.exercise)?;
    let progress = opened(store(workspace, &args.plain.kept).read()?, lang);
    if !args.give_up && !progress.has_passed(&place.name) {
        return Err(Error::SolutionClosed(place.number));
    }
    let difference = diff::diff(&place, colours())?;
    if difference.is_empty() {
        say(lang.same_as_the_solution());
    }
    print(&difference)?;
    Ok(0)
}

/// `lab reset`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn reset(args: &Reset, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    print(&restore(workspace, &args.exercise, &store(workspace, &args.plain.kept), lang)?)?;
    Ok(0)
}

/// Restores the text of an exercise; what there is to say of it.
pub(super) fn restore(workspace: &Path, exercise: &str, store: &Store, lang: Lang) -> Result<String, Error> {
    let mut text = String::new();
    let place = match place(workspace, exercise) {
        Err(Error::FolderGone { folder, .. }) => {
            given::bring_back(workspace, &folder)?;
            text = format!("{}\n", lang.folder_restored(&folder));
            place(workspace, exercise)?
        }
        found => found?,
    };
    let restored = given::reset(&place.folder)?;
    opened(store.change(|progress| progress.forget(&place.name))?, lang);
    for Restored { file, backup } in &restored {
        let name = |file: &Path| format!("exercises/{}/{}", folder(&place.folder), safe(&file.to_string_lossy()));
        text.push_str(&lang.restored(&name(file), backup.as_deref().map(name).as_deref()));
        text.push('\n');
    }
    if text.is_empty() {
        text = format!("{}\n", lang.is_as_given());
    }
    Ok(text)
}

pub(super) fn store(workspace: &Path, kept: &Kept) -> Store {
    Store::new(workspace, kept.progress_file.as_deref())
}

/// What was read; says so, if the file was damaged.
pub(super) fn opened<T>(done: Done<T>, lang: Lang) -> T {
    told(done.aside.as_deref(), lang);
    done.value
}

fn told(aside: Option<&Path>, lang: Lang) {
    if let Some(aside) = aside {
        say(&lang.set_aside(&safe(&aside.to_string_lossy())));
    }
}

/// The name of an exercise's folder.
pub(super) fn folder(path: &Path) -> String {
    safe(&path.file_name().unwrap_or_default().to_string_lossy())
}
