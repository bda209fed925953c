//! Builds what is measured: the programs with cargo (in this benchmark's own profile), and the programs in C against the
//! very librdkafka that cargo has just built for them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::Error;
use serde_json::Value as Json;

/// librdkafka's own benchmark.
pub(crate) const PERFORMANCE: &str = "rdkafka_performance";
/// Ours, for what that one cannot do.
pub(crate) const TRANSACTIONS: &str = "transactions";

/// Where the executables are, and librdkafka.
pub(crate) struct Programs {
    executables: HashMap<String, PathBuf>,
    librdkafka: Option<PathBuf>,
}

/// Builds the command `lab`, the programs of these packages, and these examples of the package lab. What cargo has to say,
/// it says itself, on standard error.
pub(crate) fn build(packages: &[&str], examples: &[&str]) -> Result<Programs, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--message-format=json-render-diagnostics", "-p", "lab", "--bins"])
        // Where cargo has built this benchmark, whatever flag or variable has told it where.
        .arg("--target-dir")
        .args(Path::new(env!("CARGO_TARGET_TMPDIR")).parent())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if cfg!(debug_assertions) {
        eprintln!("built without optimisation (--profile dev): the figures say nothing");
    } else {
        command.arg("--release");
    }
    for package in packages {
        command.args(["-p", package]);
    }
    for example in examples {
        command.args(["--example", example]);
    }
    let failed = |error: std::io::Error| Error::failed(format!("cargo build: {error}"));
    let mut process = command.spawn().map_err(failed)?;
    let messages = process.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    let mut programs = Programs { executables: HashMap::new(), librdkafka: None };
    for message in messages.map_while(Result::ok) {
        programs.note(&message);
    }
    match process.wait().map_err(failed)? {
        status if status.success() => Ok(programs),
        status => Err(Error::failed(format!("cargo build: {status}; it has said why above"))),
    }
}

impl Programs {
    /// What cargo tells: executables, and where the build script of rdkafka-sys has put librdkafka.
    fn note(&mut self, message: &str) -> Option<()> {
        let message: Json = serde_json::from_str(message).ok()?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        match message.get("reason")?.as_str()? {
            "compiler-artifact" => {
                let name = text(message.get("target")?.get("name")?)?;
                self.executables.insert(name, text(message.get("executable")?)?.into());
            }
            "build-script-executed" if text(message.get("package_id")?)?.contains("rdkafka-sys") => {
                self.librdkafka = Some(text(message.get("out_dir")?)?.into());
            }
            _ => {}
        }
        Some(())
    }

    /// Builds the programs in C, if there is a C compiler (librdkafka may have been built elsewhere).
    pub(crate) fn build_c(&mut self) -> Result<(), String> {
        let librdkafka = self.librdkafka.clone().ok_or("cargo does not tell where rdkafka-sys has built librdkafka")?;
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/c/transactions.c");
        let theirs = librdkafka.join("examples/rdkafka_performance.c");
        for (name, source) in [(PERFORMANCE, theirs), (TRANSACTIONS, ours)] {
            let executable = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            compile(&source, &librdkafka, &executable)?;
            self.executables.insert(name.to_owned(), executable);
        }
        Ok(())
    }

    /// A program, without what the shell of the user says that it should do (COUNT, TOPIC, …).
    pub(crate) fn command(&self, name: &str) -> Result<Command, Error> {
        let executable = self.executables.get(name).ok_or_else(|| Error::failed(format!("{name} was not built")))?;
        let mut command = Command::new(executable);
        command.env_clear();
        Ok(command)
    }
}

/// With the flags that librdkafka itself was compiled with, as its Makefile.config has them.
fn compile(source: &Path, librdkafka: &Path, executable: &Path) -> Result<(), String> {
    let made = std::fs::read_to_string(librdkafka.join("Makefile.config"))
        .map_err(|error| format!("librdkafka's Makefile.config: {error}"))?;
    let values = |name: &str| {
        made.lines()
            .filter_map(|line| line.strip_prefix(name)?.trim_start_matches(['+', '=']).into())
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let compiler = values("CC=").pop().unwrap_or_else(|| "cc".into());
    let output = Command::new(&compiler)
        .args(values("CPPFLAGS+"))
        .args(values("CFLAGS+"))
        .arg("-I")
        .arg(librdkafka)
        .arg("-I")
        .arg(librdkafka.join("src"))
        .arg(source)
        .arg(librdkafka.join("src/librdkafka.a"))
        .args(values("LIBS+"))
        .arg("-o")
        .arg(executable)
        .output()
        .map_err(|error| format!("no C compiler ({compiler}: {error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let why = said.lines().find(|line| line.contains("error")).unwrap_or("it does not say why");
    Err(format!("{compiler} cannot compile {}: {why}", source.display()))
}
