//! `lab watch`: an exercise, checked at each save.

use std::path::Path;

use common::stop;

use super::args::{Format, Watch};
use super::students::{opened, record, restore, run, show_hint, store};
use super::{colours, prepare, print, say};
use crate::cargo;
use crate::error::Error;
use crate::exercises::place::{gone, place};
use crate::exercises::progress::Store;
use crate::exercises::saved::Stamp;
use crate::exercises::{self, Exercise, list};
use crate::layout::flow;
use crate::names::random_seed;
use crate::terminal::{self, Keys};
use crate::text::Lang;

/// What comes after a check.
enum Then {
    /// The same exercise again.
    Again,
    /// The next one.
    Next,
    Quit,
}

/// Watches one exercise after the other.
///
/// # Errors
/// When there is nothing to watch; without a terminal, as `lab check`.
pub(super) fn watch(args: &Watch, given: bool, lang: Lang) -> Result<u8, Error> {
    let workspace = cargo::workspace()?;
    let store = store(workspace, &args.kept);
    let exercises = exercises::all(workspace)?;
    let first = match &args.exercise {
        Some(text) => Some(exercises::find(&exercises, text).map_err(|error| gone(workspace, text).unwrap_or(error))?),
        None => list::next(&exercises, &opened(store.read()?, lang), None),
    };
    let Some(mut exercise) = first.cloned() else {
        say(lang.all_passed());
        return Ok(0);
    };
    let mut seed = prepare(&args.flags, given, lang)?;
    let Some(mut keys) = Keys::open() else {
        let status = run(&exercise, &exercise.package, &args.flags, given, seed, lang)?;
        record(&store, &exercises, &exercise, status, args.flags.format, lang);
        return Ok(status);
    };
    loop {
        let stamp = Stamp::of(&exercise.folder);
        // It may have been resized.
        terminal::fit();
        clear()?;
        let passed = match again(&mut exercise, args, given, seed, &store, lang) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                say(&format!("{} {}", lang.error_label(), lang.error(&error)));
                false
            }
            Ok(passed) => passed,
        };
        match wait(&exercise, passed, &stamp, &mut keys, &store, workspace, lang)? {
            Then::Again => {}
            Then::Next => {
                if let Some(next) = list::next(&exercises, &opened(store.read()?, lang), Some(&exercise.name)) {
                    exercise = next.clone();
                }
            }
            Then::Quit => return Ok(0),
        }
        seed = args.flags.seed.unwrap_or_else(random_seed);
    }
}

/// One check; whether it passes. The manifests are read anew: the student may have changed them as well.
fn again(
    exercise: &mut Exercise,
    args: &Watch,
    given: bool,
    seed: u32,
    store: &Store,
    lang: Lang,
) -> Result<bool, Error> {
    let workspace = cargo::workspace()?;
    let exercises = exercises::all(workspace)?;
    let now = exercises::find(&exercises, &exercise.name)
        .map_err(|error| gone(workspace, &exercise.name).unwrap_or(error))?;
    *exercise = now.clone();
    let status = run(exercise, &exercise.package, &args.flags, given, seed, lang)?;
    record(store, &exercises, exercise, status, Format::Table, lang);
    Ok(status == 0)
}

/// Until the student saves, or presses a key that ends this.
fn wait(
    exercise: &Exercise,
    passed: bool,
    stamp: &Stamp,
    keys: &mut Keys,
    store: &Store,
    workspace: &Path,
    lang: Lang,
) -> Result<Then, Error> {
    let prompt = || {
        let mut line = String::from("\n");
        flow(&mut line, &lang.keys(&exercise.number, passed));
        say(line.trim_end());
    };
    keys.take();
    prompt();
    // Whether the next key answers the question of a reset.
    let mut asked = false;
    loop {
        if stop::requested() {
            return Err(Error::Interrupted);
        }
        if stamp.has_changed(&exercise.folder) {
            return Ok(Then::Again);
        }
        let Some(key) = keys.next() else { continue };
        if std::mem::take(&mut asked) {
            if key == lang.yes() {
                told(restore(workspace, &exercise.name, store, lang).and_then(|text| print(&text)), lang);
            }
            prompt();
            continue;
        }
        match key {
            'q' => return Ok(Then::Quit),
            'n' => return Ok(Then::Next),
            'h' => {
                let place = place(workspace, &exercise.name);
                told(place.and_then(|place| show_hint(&place, false, store, lang)), lang);
                prompt();
            }
            'l' => {
                told(show_list(store, workspace, lang), lang);
                prompt();
            }
            'r' => {
                say(&format!("\n{}", lang.sure(&exercise.number)));
                asked = true;
            }
            _ => {}
        }
    }
}

fn show_list(store: &Store, workspace: &Path, lang: Lang) -> Result<(), Error> {
    let exercises = exercises::all(workspace)?;
    let progress = opened(store.read()?, lang);
    print(&format!("\n{}", list::render(&exercises, &progress, lang, colours())))
}

/// What goes wrong ends the key, and not the watch.
fn told(done: Result<(), Error>, lang: Lang) {
    if let Err(error) = done {
        say(&format!("{} {}", lang.error_label(), lang.error(&error)));
    }
}

/// A clean screen; what was on it can be scrolled back to, on most terminals.
pub(super) fn clear() -> Result<(), Error> {
    if std::env::var_os("TERM").is_none_or(|term| term == "dumb") { Ok(()) } else { print("\x1b[2J\x1b[H") }
}
