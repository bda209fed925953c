//! A cluster on which everybody logs in and may touch the own namespace only, as docs/session.md sets it up.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use super::Class;
use crate::lab::{expect, stderr, stdout};
use crate::support::broker::{Kafka, Script, folder, version};

const USERS: &str = "# the class\nadmin admin-secret\nann ann-secret\nbob bob-secret\n";

/// Logs a command of the lab in.
fn log_in(command: &mut Command, name: &str, password: &str) {
    command.env(
        "KAFKA_PROPERTIES",
        format!("security.protocol=SASL_PLAINTEXT;sasl.mechanism=PLAIN;sasl.username={name};sasl.password={password}"),
    );
}

fn jars() -> String {
    let lib = env::var_os("KAFKA_LIB_DIR").map_or_else(|| folder().join(".lib"), PathBuf::from);
    format!("{}/*", lib.join(version()).display())
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn a_student_reaches_the_own_namespace_and_no_other() {
    let class = Class::on("", &["ann", "bob"]);
    let users = class.folder.path().join("users.txt");
    std::fs::write(&users, USERS).unwrap();
    let kafka = Kafka::start_with(|port| {
        let mut command = Command::new(Script::path());
        command.args(["--stop-on-eof", "--port", &port.to_string(), "--users"]).arg(&users);
        command
    });
    let kafka = kafka.unwrap_or_else(|error| panic!("{error}"));
    let class = Class { servers: kafka.bootstrap().to_owned(), ..class };
    allow(&class, "ann");

    let mut session = class.session(&["--once"]);
    log_in(&mut session, "admin", "admin-secret");
    expect(&session.output().unwrap(), 0);

    // Transactions with given and with random ids, groups, and what the lab itself writes and reads.
    let mut run =
        class.lab(&["--namespace", "ann", "--only", "eos-consumer", "--scenario", "calm", "--scenario", "zombie"]);
    log_in(run.args(["--scenario", "aborted-input"]), "ann", "ann-secret");
    expect(&run.output().unwrap(), 0);
    let mut check = class.check("6", "ann");
    log_in(&mut check, "ann", "ann-secret");
    let output = check.output().unwrap();
    expect(&output, 1);
    assert!(!stderr(&output).contains("verdict"), "{}", stderr(&output));
    let mut session = class.session(&["--once"]);
    log_in(&mut session, "admin", "admin-secret");
    let output = session.output().unwrap();
    assert!(stdout(&output).contains("ann · 06 commit-before"), "{}", stdout(&output));

    let refused = [
        ("the namespace of another", "bob", Some(("ann", "ann-secret")), "cannot be created: TopicAuthorizationFailed"),
        ("a wrong password", "ann", Some(("ann", "wrong")), "correct -X sasl.username and -X sasl.password"),
        ("a stranger", "ann", Some(("eve", "secret")), "correct -X sasl.username and -X sasl.password"),
        ("no login", "ann", None, "give -X security.protocol=SASL_PLAINTEXT"),
    ];
    for (who, namespace, login, expected) in refused {
        let mut check = class.check("6", namespace);
        check.args(["--connect-timeout", "3"]);
        if let Some((name, password)) = login {
            log_in(&mut check, name, password);
        }
        let output = check.output().unwrap();
        expect(&output, 2);
        let said = stderr(&output);
        let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error")).collect();
        assert!(errors.len() == 1 && errors[0].contains(expected), "{who}: {said}");
    }
}

/// What docs/session.md tells the instructor to type for each student.
fn allow(class: &Class, student: &str) {
    let properties = class.folder.path().join("admin.properties");
    let login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"admin\" \
                 password=\"admin-secret\";";
    let text = format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config={login}\n");
    std::fs::write(&properties, text).unwrap();
    let namespace = format!("{student}-");
    let mut java =
        Command::new(env::var_os("JAVA_HOME").map_or("java".into(), |home| PathBuf::from(home).join("bin/java")));
    java.args(["-cp", &jars(), "org.apache.kafka.tools.AclCommand", "--bootstrap-server", &class.servers]);
    java.arg("--command-config").arg(&properties);
    java.args(["--add", "--allow-principal", &format!("User:{student}"), "--operation", "All"]);
    java.args(["--resource-pattern-type", "prefixed"]);
    java.args(["--topic", &namespace, "--group", &namespace, "--transactional-id", &namespace]);
    let output = java.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_broker_that_lets_nobody_log_in_is_told_from_one_that_is_not_there() {
    let class = Class::on(crate::support::broker::bootstrap(), &["ann"]);
    let mut session = class.session(&["--once", "--connect-timeout", "2"]);
    log_in(&mut session, "ann", "secret");
    let output = session.output().unwrap();
    expect(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("leave out -X security.protocol") && said.lines().count() == 1, "{said}");
}

#[test]
#[cfg(not(feature = "ssl"))]
fn a_mechanism_that_needs_openssl_is_answered_with_how_to_get_it() {
    let class = Class::on("127.0.0.1:1", &["ann"]);
    let mut session = class.session(&["--once"]);
    session.args(["-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=SCRAM-SHA-256"]);
    let output = session.args(["-X", "sasl.username=ann", "-X", "sasl.password=secret"]).output().unwrap();
    expect(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("cargo run --features ssl") && said.lines().count() == 1, "{said}");
}
