//! Exercises as given, and their solutions.

use serde_json::json;

use super::{Attempt, all, check, full_name, solutions, together};

#[test]
fn an_exercise_as_given_is_rejected_for_the_announced_reason() {
    let executables: Vec<_> = all().iter().map(|exercise| together::executable(&exercise.package)).collect();
    let attempts: Vec<_> = all()
        .iter()
        .zip(&executables)
        .map(|(exercise, executable)| Attempt {
            name: exercise.package.clone(),
            exercise,
            executable,
            job: exercise.fails.0,
        })
        .collect();
    let mut wrong = Vec::new();
    for (attempt, finding) in attempts.iter().zip(check(&attempts)) {
        let against = attempt.against(&finding);
        if !against.contains(&json!({ "anomaly": attempt.exercise.fails.1 })) {
            wrong.push(format!("{}: {against:?}", attempt.name));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_solution_passes() {
    let mut attempts = Vec::new();
    for exercise in all() {
        let name = format!("sol{}", full_name(exercise));
        for job in &exercise.jobs {
            let (name, executable) = (name.clone(), solutions()[&name].as_path());
            attempts.push(Attempt { name, exercise, executable, job: *job });
        }
    }
    let mut wrong = Vec::new();
    for (attempt, finding) in attempts.iter().zip(check(&attempts)) {
        if !finding.passes() {
            let (scenario, variant) = (attempt.job.scenario.name, attempt.job.case.variant);
            wrong.push(format!("{} {scenario}/{variant}: {:?}", attempt.name, finding.against));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The instance that is frozen does nothing, and nobody is left to wait for.
#[test]
fn a_successor_that_gives_up_beside_a_frozen_instance_is_judged_by_what_it_has_done() {
    let exercise = all().iter().find(|exercise| exercise.name == "rebalance").unwrap();
    let job = *exercise.jobs.iter().find(|job| job.scenario.name == "zombie").unwrap();
    let executable = together::executable(&exercise.package);
    let attempt = Attempt { name: exercise.package.clone(), exercise, executable: &executable, job };
    let finding = check(std::slice::from_ref(&attempt)).pop().unwrap();
    let against = attempt.against(&finding);
    assert!(against.iter().all(|against| against.get("error").is_none()), "undecided: {against:?}");
    assert!(!finding.passes());
}
