//! What a student reads after a check: the first scenario that fails, with what was expected, what was observed, and the
//! moments in which it was decided.

use super::Exercise;
use super::check::{Against, Finding};
use crate::child::Ended;
use crate::layout::{WIDTH, cut, pad, wrap};
use crate::names::short;
use crate::outcome::Instance;
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
        let line = cut(&format!("{mark} {}", scenario(finding)), WIDTH);
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
    part(text, lang.student(ForStudents::Normally), lang.of(outcome.case.why));
    part(text, lang.student(ForStudents::Next), &lang.next_steps(&exercise.number));
}

fn observed(finding: &Finding, lang: Lang) -> Vec<String> {
    let outcome = &finding.outcome;
    let shown = finding.against.iter().filter_map(|against| match against {
        Against::Shown(Surprise::Anomaly(anomaly)) => Some(anomaly),
        _ => None,
    });
    let did_nothing = |instance: &Instance| instance.lines.is_empty() && instance.ended == Some(Ended::Status(0));
    let mut lines = Vec::new();
    if !outcome.instances.is_empty() && outcome.instances.iter().all(did_nothing) {
        lines.push(lang.did_nothing().to_owned());
    }
    lines.extend(lang.anomalies(shown, &|name| short(outcome, name)));
    for against in &finding.against {
        match against {
            Against::Shown(Surprise::Anomaly(_)) => {}
            Against::Shown(Surprise::Failed(failure)) => lines.push(lang.failure(failure)),
            Against::Shown(Surprise::AbortedInput { .. }) => lines.push(lang.aborted_input_missing().into()),
            Against::Missing(exhibit) => lines.push(lang.did_not_show(*exhibit)),
            Against::Undecided(why) => lines.push(lang.error(why)),
        }
    }
    lines
}

fn part(text: &mut String, heading: &str, line: &str) {
    wrap(text, &pad(heading, PART), PART, line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Kind;
    use crate::sample;

    #[test]
    fn a_program_that_did_nothing_is_told_so_first() {
        let instance = |ended, lines: &[&str]| Instance {
            name: "program".into(),
            lines: lines.iter().map(|line| (1, (*line).to_owned())).collect(),
            deeds: Vec::new(),
            ended,
            said: None,
        };
        let says = |instances: Vec<Instance>| {
            let mut outcome = sample::outcome(0, 0, "producer-at-least-once", &[(Kind::Lost, 1)]);
            outcome.instances = instances;
            observed(&Finding { outcome, against: Vec::new() }, Lang::En).first().cloned().unwrap_or_default()
        };
        let well = Some(Ended::Status(0));
        assert!(says(vec![instance(well, &[]), instance(well, &[])]).contains("done nothing"));
        for others in [vec![], vec![instance(well, &["sent a"])], vec![instance(Some(Ended::Status(1)), &[])]] {
            assert!(!says(others).contains("done nothing"));
        }
    }
}
