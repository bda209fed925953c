//! What a student reads after a check: the first scenario that fails, with what was expected, what was observed, and the
//! moments in which it was decided.

use super::Exercise;
use super::check::{Against, Finding};
use crate::error::Error;
use crate::layout::{columns, cut, pad, wrap};
use crate::names::short;
use crate::outcome::Outcome;
use crate::scenarios;
use crate::story;
use crate::text::{ForStudents, Lang};
use crate::verdict::Surprise;

/// The text of the parts begins in this column.
const PART: usize = 12;

/// The whole report.
pub fn render(exercise: &Exercise, findings: &[Finding], lang: Lang, colours: bool) -> String {
    let mut text = String::new();
    let passed = findings.iter().filter(|finding| finding.passes()).count();
    let title = format!("{} · {}", exercise.number, exercise.title.of(lang));
    wrap(&mut text, "", 0, &format!("{title}{} {}", lang.colon(), lang.passed(passed, findings.len())));
    text.push('\n');
    for finding in findings {
        let mark = if finding.passes() { "✓" } else { "✗" };
        let line = cut(&format!("{mark} {}", scenario(finding)), columns());
        let code = if finding.passes() { "32" } else { "1;31" };
        text.push_str(&if colours { format!("\x1b[{code}m{line}\x1b[0m\n") } else { format!("{line}\n") });
    }
    match findings.iter().find(|finding| !finding.passes()) {
        Some(first) => failed(&mut text, exercise, first, lang, colours),
        None => {
            text.push('\n');
            part(&mut text, lang.student(ForStudents::Unproven), exercise.unproven.of(lang));
        }
    }
    text
}

fn scenario(finding: &Finding) -> String {
    match finding.outcome.case.variant {
        "" => finding.outcome.scenario.name.to_owned(),
        variant => format!("{} ({variant})", finding.outcome.scenario.name),
    }
}

fn failed(text: &mut String, exercise: &Exercise, finding: &Finding, lang: Lang, colours: bool) {
    let outcome = &finding.outcome;
    text.push('\n');
    wrap(text, "", 0, &scenario(finding));
    part(text, lang.student(ForStudents::Fault), lang.of(outcome.scenario.fault));
    part(text, lang.student(ForStudents::Expected), lang.of(outcome.case.promise));
    let mut heading = lang.student(ForStudents::Observed);
    for line in observed(finding, lang) {
        part(text, heading, &line);
        heading = "";
    }
    let moments = story::around_the_fault(outcome, lang, colours);
    if !moments.is_empty() {
        text.push('\n');
        text.push_str(&moments);
    }
    text.push('\n');
    // Without a fault there is nothing to explain.
    if outcome.scenario.name != scenarios::CALM {
        part(text, lang.student(ForStudents::Normally), lang.of(outcome.case.why));
    }
    part(text, lang.student(ForStudents::Next), &lang.next_steps(&exercise.number));
}

/// How it ended, where that is wrong, comes first: it is the reason for much else.
fn observed(finding: &Finding, lang: Lang) -> Vec<String> {
    let outcome = &finding.outcome;
    let mut lines = Vec::new();
    let mut told = Vec::new();
    for against in &finding.against {
        // Two instances that end alike have the same to say.
        if let Against::Shown(Surprise::Failed(failure)) = against
            && !told.contains(&failure.ended)
        {
            told.push(failure.ended);
            lines.push(lang.ended_wrongly(failure.ended, said(failure.said.as_deref(), outcome).as_deref()));
        }
    }
    let shown = finding.against.iter().filter_map(|against| match against {
        Against::Shown(Surprise::Anomaly(anomaly)) => Some(anomaly),
        _ => None,
    });
    lines.extend(lang.anomalies(shown, &|name| short(outcome, name)));
    for against in &finding.against {
        match against {
            Against::Shown(Surprise::Anomaly(_) | Surprise::Failed(_)) => {}
            Against::Shown(Surprise::AbortedInput { .. }) => lines.push(lang.aborted_input_missing().into()),
            Against::Missing(exhibit) => lines.push(lang.did_not_show(*exhibit)),
            Against::Undecided(why) => lines.extend(undecided(why, outcome, lang)),
        }
    }
    lines
}

/// Last words, with the run's own names made short.
fn said(words: Option<&str>, outcome: &Outcome) -> Option<String> {
    words.map(|words| short(outcome, words))
}

/// Why nothing was decided, in the student's words where the program is the reason.
fn undecided(why: &Error, outcome: &Outcome, lang: Lang) -> Vec<String> {
    match why {
        Error::OpenTransaction { topic, partition, last_stable, end } => {
            let place = format!("{}[{partition}]", short(outcome, topic));
            vec![lang.stays_open(&place, *last_stable, *end)]
        }
        Error::Refused(words) => vec![lang.could_not_begin(words)],
        Error::NotReached { moment } => {
            let mut lines: Vec<_> = story::ended_by_itself(outcome, lang).into_iter().collect();
            lines.push(lang.never_met(moment, !lines.is_empty()));
            lines
        }
        other => vec![lang.error(other)],
    }
}

fn part(text: &mut String, heading: &str, line: &str) {
    wrap(text, &pad(heading, PART), PART, line);
}
