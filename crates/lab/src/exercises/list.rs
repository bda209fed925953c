//! The list of the exercises, with how far each of them is.

use serde_json::{Value as Json, json};

use super::progress::{Progress, State};
use super::{Exercise, given};
use crate::layout::{cut, pad, width};
use crate::text::Lang;

/// How far an exercise is. One whose text was changed has begun, also if nobody has checked it.
pub fn state(exercise: &Exercise, progress: &Progress) -> State {
    match progress.of(&exercise.name).state {
        State::NotBegun if given::is_changed(&exercise.folder) => State::NotYet,
        state => state,
    }
}

/// The next one: after this one, the first that has not passed, from the beginning again if need be.
pub fn next<'a>(exercises: &'a [Exercise], progress: &Progress, after: Option<&str>) -> Option<&'a Exercise> {
    let at = after.and_then(|name| exercises.iter().position(|exercise| exercise.name == name)).map_or(0, |at| at + 1);
    let (before, behind) = exercises.split_at_checked(at)?;
    behind.iter().chain(before).find(|exercise| !progress.has_passed(&exercise.name))
}

/// The list.
pub fn render(exercises: &[Exercise], progress: &Progress, lang: Lang, colours: bool) -> String {
    let states: Vec<_> = exercises.iter().map(|exercise| state(exercise, progress)).collect();
    let passed = states.iter().filter(|state| **state == State::Passed).count();
    let next = next(exercises, progress, None);
    let column = exercises.iter().map(|exercise| width(exercise.title.of(lang))).max().unwrap_or_default().min(60);
    let mut text = format!("{}\n\n", lang.passed_of(passed, exercises.len()));
    for (exercise, state) in exercises.iter().zip(&states) {
        let is_next = next.is_some_and(|next| next.name == exercise.name);
        let title = pad(&cut(exercise.title.of(lang), column), column);
        let mark = if is_next { "►" } else { " " };
        let line = format!("{mark} {} {}  {title}  {}", sign(*state), exercise.number, lang.state(*state));
        let code = match state {
            State::Passed => "32",
            State::NotYet => "33",
            State::NotBegun => "",
        };
        text.push_str(&if colours && !code.is_empty() { format!("\x1b[{code}m{line}\x1b[0m\n") } else { line + "\n" });
    }
    text.push('\n');
    match next {
        Some(next) => {
            let folder = next.folder.file_name().unwrap_or_default().to_string_lossy();
            text.push_str(&lang.next_exercise(&next.number, &cut(&folder, 60)));
        }
        None => text.push_str(lang.all_passed()),
    }
    text.push('\n');
    text
}

/// The list for programs: always in English.
pub fn json(exercises: &[Exercise], progress: &Progress) -> Json {
    let list: Vec<_> = exercises
        .iter()
        .map(|exercise| {
            json!({
                "number": exercise.number,
                "name": exercise.name,
                "title": exercise.title.en,
                "state": state(exercise, progress),
                "hints": progress.of(&exercise.name).hints,
            })
        })
        .collect();
    json!({ "exercises": list, "next": next(exercises, progress, None).map(|next| &next.name) })
}

fn sign(state: State) -> &'static str {
    match state {
        State::Passed => "✓",
        State::NotYet => "…",
        State::NotBegun => "·",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo;

    fn exercises() -> Vec<Exercise> {
        let mut exercises = super::super::all(cargo::workspace().unwrap()).unwrap();
        exercises.truncate(4);
        for exercise in &mut exercises {
            // Nothing of what this checkout's own text is.
            exercise.folder = "/nowhere".into();
        }
        exercises
    }

    #[test]
    fn the_list_says_how_far_each_is_and_what_comes_next() {
        let exercises = exercises();
        let mut progress = Progress::default();
        progress.checked("fire-and-forget", true);
        progress.checked("idempotence", false);
        let english = render(&exercises, &progress, Lang::En, false);
        let lines: Vec<_> = english.lines().collect();
        assert_eq!(lines[0], "1 of 4 exercises passed");
        assert!(lines[2].starts_with("  ✓ 01  Fire and forget") && lines[2].ends_with("  passed"), "{english}");
        assert!(lines[3].starts_with("► · 02  ") && lines[3].ends_with("  not begun"), "{english}");
        assert!(lines[4].starts_with("  … 03  ") && lines[4].ends_with("  not yet"), "{english}");
        let french = render(&exercises, &progress, Lang::Fr, false);
        assert!(french.contains("réussi\n") && french.contains("pas encore\n"), "{french}");
        assert_eq!(json(&exercises, &progress)["exercises"][2]["state"], "not-yet");
    }

    #[test]
    fn after_the_last_one_those_that_were_left_out_are_next() {
        let exercises = exercises();
        let mut progress = Progress::default();
        let name = |progress: &Progress, after| next(&exercises, progress, after).map(|next| next.number.clone());
        assert_eq!(name(&progress, None).as_deref(), Some("01"));
        let last = exercises.last().unwrap().name.clone();
        assert_eq!(name(&progress, Some(&last)).as_deref(), Some("01"));
        assert_eq!(name(&progress, Some("fire-and-forget")).as_deref(), Some("02"));
        for exercise in &exercises {
            progress.checked(&exercise.name, true);
        }
        assert_eq!(name(&progress, Some(&last)), None);
        assert!(render(&exercises, &progress, Lang::Fr, false).contains("Tout est réussi"));
    }
}
