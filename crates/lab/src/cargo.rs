//! Builds the programs: one `cargo build` for all, in the profile of the lab itself, so that a `cargo run -p lab` and
//! the build within it share what they compile.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::error::Error;

/// Where the executable of each package is.
pub type Executables = HashMap<String, PathBuf>;

/// Builds these packages. What cargo has to say (its progress, the errors of the compiler) it says itself, on standard
/// error.
///
/// # Errors
/// When cargo cannot be started, or a program does not compile.
pub fn build(packages: &[&str]) -> Result<Executables, Error> {
    let mut command = cargo(workspace()?);
    command
        // "render-diagnostics": cargo shows the compiler's messages as ever, and its own on standard output.
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(Place::of_this_binary().flags())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for package in packages {
        command.args(["-p", package]);
        // TLS for the lab means TLS for the programs.
        if cfg!(feature = "ssl") {
            command.args(["--features", &format!("{package}/ssl")]);
        }
    }
    let mut process = command.spawn().map_err(|error| Error::Build(Some(error.to_string())))?;
    let messages = process.stdout.take().map(BufReader::new);
    let executables = messages
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(Result::ok)
        .filter_map(|line| executable(&line))
        .collect();
    match process.wait() {
        Ok(status) if status.success() => Ok(executables),
        Ok(_) => Err(Error::Build(None)),
        Err(error) => Err(Error::Build(Some(error.to_string()))),
    }
}

/// What `cargo metadata` says of a workspace's own packages, as JSON.
///
/// # Errors
/// When cargo cannot be started, or a manifest is broken (it has said so itself).
pub fn metadata(workspace: &Path) -> Result<Vec<u8>, Error> {
    let mut command = cargo(workspace);
    command.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).stderr(Stdio::inherit());
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(_) => Err(Error::Workspace),
        Err(error) => Err(Error::Build(Some(error.to_string()))),
    }
}

/// cargo, in this folder.
pub(crate) fn cargo(workspace: &Path) -> Command {
    // Set by `cargo run`: the same cargo, whatever the PATH.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace);
    command
}

/// The name and place of an executable, when cargo's message is about one.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Json = serde_json::from_str(message).ok()?;
    let path = message.get("executable")?.as_str()?;
    let name = message.get("target")?.get("name")?.as_str()?;
    Some((name.to_owned(), path.into()))
}

/// The checkout that this binary was built from.
pub(crate) fn workspace() -> Result<&'static Path, Error> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
    lab.ancestors()
        .nth(2)
        .filter(|root| root.join("Cargo.toml").is_file())
        .ok_or_else(|| Error::NoWorkspace(lab.display().to_string()))
}

/// Target directory and profile of this binary: `target/debug/lab` was built with the profile dev.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    target: Option<PathBuf>,
    profile: Option<String>,
}

impl Place {
    pub(crate) fn of_this_binary() -> Self {
        std::env::current_exe()
            .map(|binary| Self::of(&binary, |target| target.join("CACHEDIR.TAG").is_file()))
            .unwrap_or_default()
    }

    /// Nothing, where the binary is not in a target directory: then cargo's defaults are as good as any.
    fn of(binary: &Path, is_target: impl Fn(&Path) -> bool) -> Self {
        let mut folders = binary.ancestors().skip(1).filter(|folder| !folder.ends_with("deps"));
        let (Some(profile), Some(target)) = (folders.next(), folders.next()) else {
            return Self::default();
        };
        let Some(name) = profile.file_name().and_then(|name| name.to_str()).filter(|_| is_target(target)) else {
            return Self::default();
        };
        let name = if name == "debug" { "dev" } else { name };
        Self { target: Some(target.to_owned()), profile: Some(name.to_owned()) }
    }

    /// The same, or else cargo's usual one in this workspace.
    pub(crate) fn or_in(mut self, workspace: &Path) -> Self {
        self.target.get_or_insert_with(|| workspace.join("target"));
        self
    }

    /// The target directory; empty where there is none.
    pub(crate) fn target(&self) -> &Path {
        self.target.as_deref().unwrap_or(Path::new(""))
    }

    pub(crate) fn flags(&self) -> Vec<std::ffi::OsString> {
        let mut flags = Vec::new();
        if let Some(target) = &self.target {
            flags.extend(["--target-dir".into(), target.into()]);
        }
        if let Some(profile) = &self.profile {
            flags.extend(["--profile".into(), profile.into()]);
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_that_of_the_lab() {
        let profile = |binary: &str| Place::of(Path::new(binary), |target| target.ends_with("target")).profile;
        assert_eq!(profile("/w/target/debug/lab").as_deref(), Some("dev"));
        assert_eq!(profile("/w/target/debug/deps/kafka-1").as_deref(), Some("dev"));
        assert_eq!(profile("/w/target/release/lab").as_deref(), Some("release"));
        assert_eq!(profile("/w/target/fast/lab").as_deref(), Some("fast"));
        assert_eq!(profile("/usr/bin/lab"), None);
    }

    #[test]
    fn only_messages_about_executables_count() {
        let message =
            r#"{"reason":"compiler-artifact","target":{"name":"eos-producer"},"executable":"/t/eos-producer"}"#;
        assert_eq!(executable(message), Some(("eos-producer".into(), "/t/eos-producer".into())));
        for other in [
            r#"{"reason":"compiler-artifact","target":{"name":"common"},"executable":null}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "no JSON",
        ] {
            assert_eq!(executable(other), None, "{other}");
        }
    }
}
