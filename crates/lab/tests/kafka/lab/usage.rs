//! The command line: what it refuses, and in which words.

use std::process::Command;

use super::{expect, lab, stderr, stdout};

#[test]
fn where_no_kafka_answers_one_line_says_how_to_start_one() {
    // Somebody listens and never answers: nobody else can take the port meanwhile.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = silent.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(["--bootstrap-servers", &nobody, "--connect-timeout", "1"]).env("LC_ALL", "C");
    let output = command.output().unwrap();
    expect(&output, 2);
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&format!("no Kafka answers on {nobody}")) && said.contains("compose/kafka.sh"), "{said}");
    assert_eq!(stdout(&output), "");
    let french = stderr(&command.args(["--lang", "fr"]).output().unwrap());
    assert!(french.contains("démarrez-en un (cargo run -p lab -- broker, ou compose/kafka.sh)"), "{french}");
}

#[test]
fn bad_usage_ends_before_anything_is_built() {
    for (bad, says) in [
        (&["--only", "eos-pipelin"][..], "'eos-pipeline'"),
        (&["--scenario", "ack-lst"], "'ack-lost'"),
        (&["run", "eos-pipelin", "calm"], "'eos-pipeline'"),
        (&["run", "eos-pipeline", "clam"], "'calm'"),
        (&["run", "eos-pipeline", "calm", "--variant", "none"], "`lab list`"),
        (&["run", "producer-at-most-once", "ack-lost"], "does not concern producer-at-most-once"),
        (&["run"], "PROGRAM"),
        (&["--messages", "0"], "0"),
        (&["--jobs", "0"], "0"),
        (&["-X", "no.such=1"], "no.such"),
        (&["-X", "group.id=mine"], "group.id"),
        (&["--trace", "/dev/null/x"], "/dev/null/x"),
        (&["show", "no/topic"], "'/'"),
    ] {
        let output = lab(bad).output().unwrap();
        expect(&output, 2);
        let said = stderr(&output);
        assert!(said.contains(says) && !said.contains("building"), "{bad:?}: {said}");
        assert_eq!(stdout(&output), "", "{bad:?}");
    }
}

#[test]
fn the_list_names_every_scenario_and_program() {
    let output = lab(&["list"]).output().unwrap();
    expect(&output, 0);
    let text = stdout(&output);
    for scenario in lab::scenarios::ALL {
        assert!(text.contains(scenario.name), "{}:\n{text}", scenario.name);
    }
    for program in crate::support::PROGRAMS {
        assert!(text.contains(program), "{program}:\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 100 && !line.contains('\x1b'), "{line}");
    }
}
