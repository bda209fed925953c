//! The story of one run: the moments that matter, the fault marked, the books, and why.

mod books;
mod codes;
mod fold;
mod frames;
mod memory;
mod moment;
mod moments;

pub(crate) use codes::name as error_name;
use moment::{Moment, Weight};

use crate::clues;
use crate::layout::{cut, pad, width, wrap};
use crate::names::short;
use crate::outcome::{Deed, Instance, Outcome};
use crate::scenario::Exhibit;
use crate::text::{Heading, Lang};
use crate::verdict::Verdict;

/// The name of an instance takes so many columns at most.
const WHO: usize = 12;

/// The command line of a client takes so many columns of a title at most.
const COMMAND: usize = 48;

/// The text of the parts begins in this column.
const PART: usize = 12;

/// The moments of the trace that matter, the fault marked, the books, and why.
pub(crate) fn render(outcome: &Outcome, lang: Lang, colours: bool) -> String {
    let mut text = String::new();
    head(&mut text, outcome, lang, colours);
    text.push('\n');
    let told = fold::fold(moments::moments(outcome, lang), lang);
    if !told.is_empty() {
        course(&mut text, &told, lang, colours);
        text.push('\n');
    }
    if !matches!(outcome.verdict, Verdict::Unknown(_)) {
        part(&mut text, Heading::Books, &books::lines(outcome, lang), lang, colours);
    }
    verdict(&mut text, outcome, lang, colours);
    part(&mut text, Heading::Because, &clues::because(outcome, lang), lang, colours);
    let why = match outcome.held {
        Some(_) => (Heading::Compare, lang.compared(outcome)),
        // It explains what was announced.
        None if outcome.as_expected() => (Heading::Why, lang.of(outcome.case.why).to_owned()),
        None => (Heading::Normally, lang.of(outcome.case.why).to_owned()),
    };
    part(&mut text, why.0, &[why.1], lang, colours);
    let settings: Vec<_> = outcome
        .settings
        .iter()
        .map(|(key, value)| {
            let why = outcome.case.settings.iter().find(|set| set.key == key);
            let why = why.map(|set| format!("{} {}", lang.colon(), lang.of(set.why))).unwrap_or_default();
            format!("{key}={value}{why}")
        })
        .collect();
    part(&mut text, Heading::Settings, &settings, lang, colours);
    text
}

/// How many moments are told before the first fault, and after the last turn.
const AROUND: (usize, usize) = (4, 3);

/// The part of the story in which it was decided: around the faults, and up to the last turn.
pub(crate) fn around_the_fault(outcome: &Outcome, lang: Lang, colours: bool) -> String {
    let told = fold::fold(moments::moments(outcome, lang), lang);
    let turn = |moment: &Moment| matches!(moment.weight, Weight::Fault | Weight::Turn | Weight::Special);
    let first = told.iter().position(|moment| moment.weight == Weight::Fault).unwrap_or_default();
    let last = told.iter().rposition(turn).unwrap_or(told.len());
    let window = first.saturating_sub(AROUND.0)..(last + 1 + AROUND.1).min(told.len());
    let mut text = String::new();
    if let Some(told) = told.get(window).filter(|told| !told.is_empty()) {
        course(&mut text, told, lang, colours);
    }
    text
}

fn head(text: &mut String, outcome: &Outcome, lang: Lang, colours: bool) {
    let variant = match outcome.case.variant {
        "" => String::new(),
        variant => format!(" ({variant})"),
    };
    let guarantee = lang.guarantee(outcome.guarantee());
    let program = outcome.held.as_ref().map_or(outcome.program.package, |held| &held.command);
    let title = format!("{}{variant} · {} · {guarantee}", outcome.scenario.name, cut(program, COMMAND));
    let rule = "─".repeat(width(&title));
    let mut lines = String::new();
    wrap(&mut lines, "", 0, &title);
    text.push_str(&paint(&lines, "1", colours));
    text.push_str(&cut(&rule, crate::layout::columns()));
    text.push('\n');
    part(text, Heading::Fault, &[lang.of(outcome.scenario.fault).to_owned()], lang, colours);
    if outcome.held.is_some() {
        part(text, Heading::Promise, &[lang.promised(outcome)], lang, colours);
        return;
    }
    part(text, Heading::Promise, &[lang.of(outcome.case.promise).to_owned()], lang, colours);
    let mut announced = match lang.exhibits(outcome.case.exhibits) {
        none if none.is_empty() => lang.nothing_announced().to_owned(),
        exhibits => exhibits,
    };
    let announced_already = |kind| outcome.case.exhibits.contains(&Exhibit::Anomaly(kind));
    let allows: Vec<_> = outcome.case.allows.iter().copied().filter(|kind| !announced_already(*kind)).collect();
    if !allows.is_empty() {
        announced = format!("{announced} ({})", lang.may_show(&allows));
    }
    part(text, Heading::Announced, &[announced], lang, colours);
}

/// What happened, line by line.
fn course(text: &mut String, told: &[Moment], lang: Lang, colours: bool) {
    let time = told.iter().map(|moment| width(&lang.millis(moment.micros))).max().unwrap_or_default().max(5);
    let who = told.iter().map(|moment| width(&cut(&moment.who, WHO))).max().unwrap_or_default();
    let [millis, arrows] = lang.course();
    let heading =
        format!("    {}{millis}  {}  {arrows}\n", " ".repeat(time.saturating_sub(width(millis))), " ".repeat(who));
    text.push_str(&paint(&heading, "2", colours));
    for moment in told {
        let is_fault = moment.weight == Weight::Fault;
        let millis = lang.millis(moment.micros);
        let first = format!(
            "{}{}{millis}  {}  ",
            if is_fault { ">>> " } else { "    " },
            " ".repeat(time.saturating_sub(width(&millis))),
            pad(&cut(&moment.who, WHO), who),
        );
        let mut lines = String::new();
        wrap(&mut lines, &first, width(&first) + 4, &moment.text);
        let code = match moment.weight {
            Weight::Fault => "1;31",
            Weight::Turn => "1",
            Weight::Special => "33",
            Weight::Usual => "",
        };
        text.push_str(&paint(&lines, code, colours));
    }
}

fn verdict(text: &mut String, outcome: &Outcome, lang: Lang, colours: bool) {
    let mut lines = vec![short(outcome, &lang.judgement(outcome))];
    if outcome.held.is_some() && matches!(outcome.verdict, Verdict::Unknown(_)) {
        lines.extend(ended_by_itself(outcome, lang));
    } else if outcome.held.is_none() && !outcome.as_expected() && !matches!(outcome.verdict, Verdict::Unknown(_)) {
        lines.push(format!("{}{}", lang.not_as_announced(), lang.colon()));
        let unexpected = lang.unexpected(outcome, &|name| short(outcome, name));
        lines.extend(unexpected.into_iter().map(|line| format!("- {line}")));
    }
    let code = match &outcome.verdict {
        Verdict::Holds if outcome.as_expected() => "32",
        Verdict::Violated(_) if outcome.as_expected() => "31",
        _ => "1;35",
    };
    let mut part_ = String::new();
    part(&mut part_, Heading::Verdict, &lines, lang, false);
    text.push_str(&paint(&part_, code, colours));
}

/// How a client ended that ended before anything was decided: that may be the reason.
pub(crate) fn ended_by_itself(outcome: &Outcome, lang: Lang) -> Option<String> {
    let by_itself =
        |instance: &&Instance| !instance.deeds.iter().any(|(_, deed)| matches!(deed, Deed::Kill | Deed::Interrupt));
    outcome.instances.iter().filter(by_itself).find_map(|instance| {
        let said = instance.said.as_deref().map(|words| short(outcome, words));
        Some(lang.ended_too_soon(instance.ended?, said.as_deref()))
    })
}

/// A heading, and lines beside it; nothing where there are none.
fn part(text: &mut String, heading: Heading, lines: &[String], lang: Lang, colours: bool) {
    let mut begins = pad(lang.heading(heading), PART);
    for line in lines {
        let mut wrapped = String::new();
        wrap(&mut wrapped, &begins, PART, line);
        let rest = wrapped.strip_prefix(lang.heading(heading)).filter(|_| colours && !begins.trim().is_empty());
        match rest {
            Some(rest) => {
                text.push_str(&paint(lang.heading(heading), "36", colours));
                text.push_str(rest);
            }
            None => text.push_str(&wrapped),
        }
        begins = " ".repeat(PART);
    }
}

/// Each line in a colour, where colours are wanted.
fn paint(text: &str, code: &str, colours: bool) -> String {
    if !colours || code.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let shown = line.trim_end_matches('\n');
        out.push_str(&format!("\x1b[{code}m{shown}\x1b[0m"));
        out.push_str(line.get(shown.len()..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::WIDTH;
    use crate::sample;

    #[test]
    fn stories_are_as_they_were_agreed() {
        let ack_lost = sample::story::ack_lost();
        sample::golden(
            "ack-lost.en.txt",
            include_str!("testdata/ack-lost.en.txt"),
            &render(&ack_lost, Lang::En, false),
        );
        sample::golden(
            "ack-lost.fr.txt",
            include_str!("testdata/ack-lost.fr.txt"),
            &render(&ack_lost, Lang::Fr, false),
        );
        let killed = sample::story::killed();
        sample::golden("killed.en.txt", include_str!("testdata/killed.en.txt"), &render(&killed, Lang::En, false));
        sample::golden("killed.fr.txt", include_str!("testdata/killed.fr.txt"), &render(&killed, Lang::Fr, false));
    }

    #[test]
    fn the_fault_stands_out() {
        let outcome = sample::story::ack_lost();
        let coloured = render(&outcome, Lang::En, true);
        let fault: Vec<_> = coloured.lines().filter(|line| line.contains(">>>")).collect();
        assert_eq!(fault.len(), 1, "{coloured}");
        assert!(fault[0].starts_with("\x1b[1;31m"), "{coloured}");
        assert_eq!(sample::without_colours(&coloured), render(&outcome, Lang::En, false));
    }

    #[test]
    fn a_long_story_is_told_briefly_around_its_fault() {
        let text = render(&sample::story::ack_lost(), Lang::En, false);
        assert!(text.contains("more Produce, msg-2 to msg-7: stored"), "{text}");
        for line in ["→ Produce msg-9: stored at offset 9", "→ Produce again, msg-10: stored at offset 11"] {
            assert!(text.contains(line), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_outcome_breaks_a_story(outcome in sample::wild::outcome()) {
            for lang in [Lang::En, Lang::Fr] {
                let text = render(&outcome, lang, false);
                for line in text.lines() {
                    prop_assert!(width(line) <= WIDTH, "{line}");
                    prop_assert!(!line.contains(char::is_control), "{line:?}");
                }
                prop_assert_eq!(sample::without_colours(&render(&outcome, lang, true)), text);
            }
        }
    }
}
