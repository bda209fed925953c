//! Schedules: the same for the same seed, in both languages, and printed so that they can be given back.

use proptest::prelude::*;

use super::report::steps_of;
use super::schedule::Schedule;
use super::*;
use crate::catalogue::{PROGRAMS, find};
use crate::sample;
use crate::text::Lang;

const ENGLISH: &str = include_str!("../testdata/schedules.en.txt");
const FRENCH: &str = include_str!("../testdata/schedules.fr.txt");

/// The first schedules of a seed, for each program, and all that can be done.
fn schedules(lang: Lang) -> String {
    let mut text = String::new();
    let mut tell = |title: &str, schedule: &Schedule| {
        text.push_str(&format!("{title}\n  {schedule}\n"));
        steps_of(&mut text, schedule, None, lang);
    };
    for program in PROGRAMS {
        for run in 1..=3 {
            tell(&format!("{} {run}", program.package), &drawn(program, 7, run));
        }
    }
    let all = "dynamic,pause=3,batch=2,1.Produce.request.1=cut,1.Produce.response.2=silence,1.EndTxn.request.3=delay:20,\
               1.Fetch.response.1=hold:100:1.Heartbeat.request.2,1.JoinGroup.request.1=answer:15,\
               1.Produce.request.4=repeat:1.EndTxn.response.1,1.Produce.request.5=postpone:1.EndTxn.response.2,\
               1.Metadata.request.1=away:50,1.EndTxn.response.4=kill:2,2.SyncGroup.request.1=freeze:3:3.Fetch.request.1,\
               3.OffsetCommit.request.2=join:4,3.Fetch.response.2=evict:6:6.EndTxn.response.1,4.LeaveGroup.request.1=leave:5";
    tell("all", &all.parse().unwrap());
    text
}

#[test]
fn the_schedules_of_a_seed_are_as_they_were() {
    sample::golden("schedules.en.txt", ENGLISH, &schedules(Lang::En));
    sample::golden("schedules.fr.txt", FRENCH, &schedules(Lang::Fr));
}

#[test]
fn what_takes_an_instances_place_has_its_name() {
    let text = "1.EndTxn.request.1=kill:2,2.Fetch.request.1=join:3,3.Fetch.request.1=freeze:5:5.Fetch.request.1";
    let schedule: Schedule = text.parse().unwrap();
    assert_eq!([1, 2, 3, 4, 5].map(|instance| schedule.place(instance)), [1, 1, 3, 4, 3]);
}

#[test]
fn a_schedule_that_cannot_be_is_refused_in_one_line() {
    for (bad, says) in [
        ("1.Produce.request.3", "write MOMENT=DEED"),
        ("1.Produce.request=cut", "write INSTANCE.API"),
        ("1.Produce.question.1=cut", "write INSTANCE.API"),
        ("1.Nothing.request.1=cut", "no schedule names this API"),
        ("0.Produce.request.1=cut", "counted from 1"),
        ("1.Produce.request.0=cut", "counted from 1"),
        ("1.Produce.request.1=explode", "nothing that can be done"),
        ("1.Produce.request.1=cut:3", "nothing that can be done"),
        ("1.Produce.request.1=hold:3", "something is missing"),
        ("1.Produce.request.1=answer:x", "no error code"),
        ("1.Produce.request.1=delay:1000000", "no number below a million"),
        ("1.Produce.request.1=kill:1", "a higher number"),
        ("1.Produce.request.1=kill:2,1.Produce.request.2=join:2", "started twice"),
        ("pause=-1", "no number below a million"),
    ] {
        let why = bad.parse::<Schedule>().unwrap_err();
        assert!(why.contains(says) && !why.contains('\n'), "{bad}: {why}");
    }
}

#[test]
fn what_breaks_exactly_once_in_kafka_itself_is_never_drawn() {
    use proxy::ApiKey;
    use schedule::Deed;
    for program in PROGRAMS {
        for run in 1..=2000 {
            for step in drawn(program, 3, run).steps {
                let late = matches!(step.deed, Deed::Repeat(_) | Deed::Postpone(_));
                assert!(!late || step.at.api == ApiKey::Produce, "{}: {step}", program.package);
            }
        }
    }
}

fn program() -> impl Strategy<Value = &'static Program> {
    (0..PROGRAMS.len()).prop_map(|nth| &PROGRAMS[nth])
}

proptest! {
    #[test]
    fn a_schedule_can_be_printed_and_given_back(program in program(), seed in any::<u32>(), run in any::<u32>()) {
        let schedule = drawn(program, seed, run);
        prop_assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()));
        // And without any of its steps.
        for nth in 0..schedule.steps.len() {
            let mut steps = schedule.steps.clone();
            steps.remove(nth);
            let fewer = schedule.with(&steps);
            prop_assert_eq!(fewer.to_string().parse(), Ok(fewer.clone()));
        }
    }

    #[test]
    fn no_text_breaks_the_reader_of_schedules(text in ".{0,80}") {
        let _ = text.parse::<Schedule>();
    }

    #[test]
    fn runs_differ(seed in any::<u32>()) {
        let program = find("eos-pipeline").unwrap();
        let all: std::collections::HashSet<_> = (1..=50).map(|run| drawn(program, seed, run).to_string()).collect();
        prop_assert!(all.len() > 45);
    }
}
