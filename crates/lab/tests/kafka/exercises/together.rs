//! Exercises as given and wrong solutions as one program, which does what its name says: linked once, and not seventy
//! times.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use super::{all, as_given, build, wrong};
use crate::support::workspace;

/// The executable of this name: an exercise's package, or a wrong solution.
pub(crate) fn executable(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(make).join(name)
}

fn make() -> PathBuf {
    let exercises = all().iter().map(|exercise| (exercise.package.clone(), as_given(exercise, "src/main.rs")));
    let wrongs = wrong::wrongs().iter().map(|wrong| (wrong.name.clone(), wrong.source.clone()));
    let programs: Vec<_> = exercises.chain(wrongs).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("together");
    let root = workspace();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest = manifest
        .replace(r#"members = ["crates/*", "exercises/[0-9]*", "solutions/*"]"#, "members = [\".\"]")
        .replace("path = \"crates/", &format!("path = \"{}/crates/", root.display()));
    write(&folder.join("Cargo.toml"), &format!("{PACKAGE}{manifest}"));
    write(&folder.join("Cargo.lock"), &fs::read_to_string(root.join("Cargo.lock")).unwrap());
    let (mut modules, mut arms) = (String::new(), String::new());
    for (name, source) in &programs {
        let module = format!("p{}", name.replace('-', "_"));
        write(&folder.join(format!("src/{module}.rs")), &source.replace("\nfn main()", "\npub(crate) fn main()"));
        let _ = writeln!(modules, "mod {module};");
        let _ = writeln!(arms, "        Some(\"{name}\") => {module}::main(),");
    }
    write(&folder.join("src/main.rs"), &MAIN.replace("MODULES", &modules).replace("        ARMS\n", &arms));
    let begun = Instant::now();
    let built = build(&folder, &["together".to_owned()]);
    crate::support::report(format_args!("{} programs were built in {:.1?}", programs.len(), begun.elapsed()));
    let links = folder.join("bin");
    let _ = fs::remove_dir_all(&links);
    fs::create_dir_all(&links).unwrap();
    for (name, _) in &programs {
        symlink(&built["together"], links.join(name)).unwrap();
    }
    links
}

const PACKAGE: &str = r#"[package]
name = "together"
version = "0.0.0"
edition = "2024"

[dependencies]
clap.workspace = true
common.workspace = true
log.workspace = true
rdkafka.workspace = true
rusqlite.workspace = true
uuid.workspace = true

"#;

const MAIN: &str = r#"#![allow(warnings)]

MODULES
fn main() -> std::process::ExitCode {
    let called = std::env::args().next().unwrap_or_default();
    match std::path::Path::new(&called).file_name().and_then(|name| name.to_str()) {
        ARMS
        _ => std::process::ExitCode::from(2),
    }
}
"#;

/// Only what is new: cargo looks at the time of a file.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
