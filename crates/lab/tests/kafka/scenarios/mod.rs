//! The scenarios: as announced with the program of the course, convicting with another in its place.

mod aborted_input;
mod ack_lost;
mod batch_half_done;
mod broker_away;
mod broker_error;
mod commit_lost;
mod delayed_end;
mod evicted;
mod killed_after_commit;
mod killed_before_commit;
mod killed_between;
mod late_duplicate;
mod member_joins;
mod open_transaction;
mod request_lost;
mod retries_exhausted;
mod zombie;

use lab::ledger::Kind;
use lab::matrix;
use lab::outcome::Outcome;
use lab::own::Client;
use lab::scenario::Exhibit;
use lab::stage::House;
use lab::verdict::Verdict;

use crate::lab::{clear, house};
use crate::support::program::{example, executable};

/// One run of the program.
fn play(scenario: &str, variant: &str, package: &str) -> Outcome {
    run(scenario, variant, package, None)
}

/// One run with a shell script in the program's place; `REAL` in it is the program of this name.
fn play_instead(scenario: &str, variant: &str, package: &str, script: &str, real: &str) -> Outcome {
    let script = script.replace("REAL", executable(real).to_str().unwrap());
    run(scenario, variant, package, Some(vec!["sh".into(), "-c".into(), script]))
}

/// One run of the program with this property besides its own.
fn play_with(scenario: &str, variant: &str, package: &str, property: &str) -> Outcome {
    let script = format!("KAFKA_PROPERTIES=\"${{KAFKA_PROPERTIES:+$KAFKA_PROPERTIES;}}{property}\" exec REAL");
    play_instead(scenario, variant, package, &script, package)
}

/// One run with a pipeline in the program's place that uses no transaction: it stores its results, then commits.
fn play_plain_pipeline(scenario: &str, variant: &str) -> Outcome {
    let plain = example("at-least-once-pipeline");
    run(scenario, variant, "eos-pipeline", Some(vec![plain.to_str().unwrap().to_owned()]))
}

fn run(scenario: &str, variant: &str, package: &str, command: Option<Vec<String>>) -> Outcome {
    let of_this =
        |job: &matrix::Job| (job.scenario.name, job.case.variant, job.program.package) == (scenario, variant, package);
    let jobs: Vec<_> = matrix::jobs().into_iter().filter(of_this).collect();
    let [job] = jobs[..] else { panic!("{} cases of {scenario} {variant} for {package}", jobs.len()) };
    let house = House {
        executables: [(package.to_owned(), executable(package))].into(),
        command: command.map(|words| Client { words, held_to: None }),
        ..house()
    };
    let outcome = house.run(job.scenario, job.case, job.program);
    assert_eq!(clear(house), []);
    outcome
}

#[track_caller]
fn as_announced(outcome: &Outcome) {
    let (verdict, missing, surprises) = (&outcome.verdict, &outcome.missing, &outcome.surprises);
    assert!(outcome.as_expected(), "{verdict:?}, missing {missing:?}, surprises {surprises:?}, {}", endings(outcome));
}

/// The kinds of anomaly by which it is convicted, each once: it is not the program that was announced.
#[track_caller]
fn convicted(outcome: &Outcome) -> Vec<Kind> {
    assert!(!outcome.as_expected());
    broken(outcome)
}

/// The kinds of anomaly that were announced and do not show: it is not the program that was announced, but a better one.
#[track_caller]
fn lacks(outcome: &Outcome) -> Vec<Kind> {
    assert_eq!(outcome.verdict, Verdict::Holds, "{}", endings(outcome));
    assert!(!outcome.as_expected());
    let anomalies = outcome.missing.iter().filter_map(|exhibit| match exhibit {
        Exhibit::Anomaly(kind) => Some(*kind),
        Exhibit::Mark(_) => None,
    });
    anomalies.collect()
}

/// The kinds of anomaly that break the promise, each once.
#[track_caller]
fn broken(outcome: &Outcome) -> Vec<Kind> {
    let Verdict::Violated(anomalies) = &outcome.verdict else {
        panic!("{:?}, surprises {:?}, {}", outcome.verdict, outcome.surprises, endings(outcome))
    };
    let mut kinds: Vec<_> = anomalies.iter().map(|anomaly| anomaly.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn endings(outcome: &Outcome) -> String {
    let ending = |instance: &lab::outcome::Instance| {
        format!("{}: {:?}, saying {:?}", instance.name, instance.ended, instance.said)
    };
    outcome.instances.iter().map(ending).collect::<Vec<_>>().join("; ")
}
