//! Builds what students have handed in: a workspace of its own, whose packages have our manifests and their `src`, in the
//! target directory of the lab, where all that they depend on is compiled already.
//!
//! Each student's packages stand in a folder that was never there before, and cargo tells packages apart by their place:
//! so it never takes what another student's text has made. Their names are no others in this checkout, and so
//! `cargo clean` removes what was built of them, and only that.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::stop;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value as Json;

use super::guard::Guard;
use super::limits::Limits;
use super::room::MARK;
use super::sources::Sources;
use crate::cargo;
use crate::child::{Child, Ended, Reading};
use crate::error::Error;
use crate::exercises::Exercise;
use crate::layout::cut;

/// For each process: cargo, the compiler, the linker. An exercise takes it a second or two, and half of the memory.
const LIMITS: Limits = Limits { cpu: 60, memory: 6 << 30, file: 512 << 20, open: 4096, ..Limits::NONE };

/// For all that one student has handed in.
const LONGEST: Duration = Duration::from_secs(600);

/// How often Ctrl-C is looked for.
const SLICE: Duration = Duration::from_millis(50);

/// What is shown of a compiler's error, in columns.
const ERROR: usize = 200;

/// Where students' texts become programs.
#[derive(Debug)]
pub(super) struct Workshop {
    place: cargo::Place,
    folder: PathBuf,
    guard: Guard,
    students: usize,
    /// Held as long as it is open.
    _lock: File,
}

/// What came of one exercise of a student.
#[derive(Debug)]
pub(super) enum Built {
    /// The executable, which is the caller's now.
    Executable(PathBuf),
    /// The first error.
    Refused(String),
    /// The compiler was stopped.
    Stopped,
    /// cargo could not do its part: its last words.
    Broken(String),
}

impl Workshop {
    /// Opens it, empty: what an earlier one has left, killed perhaps, goes. Waits while another is open; `waiting` says so.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn open(workspace: &Path, guard: &Guard, waiting: impl FnOnce()) -> Result<Self, Error> {
        let place = cargo::Place::of_this_binary().or_in(workspace);
        let folder = place.target().join("grade");
        let error = |path: &Path| {
            let path = path.display().to_string();
            move |why: io::Error| Error::Unwritable { path, why: why.to_string() }
        };
        fs::create_dir_all(&folder).map_err(error(&folder))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(error(&path))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            waiting();
            while flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
                if stop::requested() {
                    return Err(Error::Interrupted);
                }
                stop::sleep(SLICE);
            }
        }
        let workshop = Self { place, folder, guard: guard.clone(), students: 0, _lock: lock };
        for folder in [workshop.workspace(), workshop.programs()] {
            remove(&folder);
            fs::create_dir_all(&folder).map_err(error(&folder))?;
        }
        let manifest = workshop.workspace().join("Cargo.toml");
        fs::read_to_string(workspace.join("Cargo.toml"))
            .and_then(|text| fs::write(&manifest, adapted(&text, workspace)))
            .and_then(|()| fs::copy(workspace.join("Cargo.lock"), workshop.workspace().join("Cargo.lock")))
            .map_err(error(&manifest))?;
        Ok(workshop)
    }

    fn workspace(&self) -> PathBuf {
        self.folder.join("workspace")
    }

    fn programs(&self) -> PathBuf {
        self.folder.join("programs")
    }

    /// Builds all that these exercises depend on, so that the limits are for what students write alone.
    ///
    /// # Errors
    /// When that is not possible: then cargo says why.
    pub(super) fn prepare(&mut self, exercises: &[&Exercise]) -> Result<(), Error> {
        let empty = Sources::from([("main.rs".into(), b"//! Nothing.\nfn main() {}\n".to_vec())]);
        let work: Vec<_> = exercises.iter().map(|exercise| (*exercise, &empty)).collect();
        self.lay_out(&work)?;
        // From an earlier one that was killed.
        self.clean(exercises);
        let mut command = self.cargo("build", exercises);
        let status = command.status().map_err(|error| Error::Build(Some(error.to_string())))?;
        self.clean(exercises);
        match status.success() {
            true => Ok(()),
            false if stop::requested() => Err(Error::Interrupted),
            false => Err(Error::Build(None)),
        }
    }

    /// Builds what one student has handed in, in one go; by number.
    ///
    /// # Errors
    /// When a file cannot be written, or cargo cannot be started.
    pub(super) fn build(&mut self, work: &[(&Exercise, &Sources)]) -> Result<HashMap<String, Built>, Error> {
        self.lay_out(work)?;
        let exercises: Vec<&Exercise> = work.iter().map(|(exercise, _)| *exercise).collect();
        let mut command = self.cargo("build", &exercises);
        command.args(["--keep-going", "--offline", "--message-format=json", "--quiet"]);
        let Said { messages, last_words } = self.run(&command)?;
        let is_whole = messages.iter().any(|message| message.get("reason").is_some_and(|it| it == "build-finished"));
        let mut built = HashMap::new();
        for exercise in &exercises {
            let of_it = |message: &&Json| {
                let id = message.get("package_id").and_then(Json::as_str).unwrap_or_default();
                id.contains(&format!("#{}@", package(exercise)))
            };
            let mut messages = messages.iter().filter(of_it);
            let executable = messages.clone().find_map(|message| message.get("executable")?.as_str());
            let result = match executable {
                Some(executable) => Built::Executable(self.take(executable, exercise)?),
                None => match (messages.find_map(first_error), &last_words) {
                    (Some(error), _) => Built::Refused(error),
                    (None, Some(words)) if !is_whole => Built::Broken(cut(words, ERROR)),
                    (None, _) => Built::Stopped,
                },
            };
            built.insert(exercise.number.clone(), result);
        }
        self.clean(&exercises);
        if stop::requested() { Err(Error::Interrupted) } else { Ok(built) }
    }

    /// Writes the packages.
    fn lay_out(&mut self, work: &[(&Exercise, &Sources)]) -> Result<(), Error> {
        self.students += 1;
        let exercises = self.workspace().join("exercises");
        remove(&exercises);
        for (exercise, sources) in work {
            // Never there before, not even for a lab before this one.
            let name = format!("{}-{}-{}", self.guard.word(), self.students, exercise.number);
            let folder = exercises.join(name);
            let manifest = manifest(exercise, sources)?;
            let files = sources.iter().map(|(place, text)| (Path::new("src").join(place), text.as_slice()));
            for (place, text) in files.chain([("Cargo.toml".into(), manifest.as_bytes())]) {
                let path = folder.join(place);
                let parent = path.parent().unwrap_or(&folder);
                fs::create_dir_all(parent)
                    .and_then(|()| fs::write(&path, text))
                    .map_err(|why| Error::Unwritable { path: path.display().to_string(), why: why.to_string() })?;
            }
        }
        Ok(())
    }

    fn cargo(&self, what: &str, exercises: &[&Exercise]) -> Command {
        let mut command = cargo::cargo(&self.workspace());
        command.arg(what).args(self.place.flags());
        // Nothing is built a second time.
        command.env("CARGO_INCREMENTAL", "0").env(MARK, self.guard.workshop());
        for exercise in exercises {
            let package = package(exercise);
            command.args(["-p", &package]);
            if what == "build" {
                command.args(["--bin", &package]);
                if cfg!(feature = "ssl") {
                    command.args(["--features", &format!("{package}/ssl")]);
                }
            }
        }
        command
    }

    /// Runs cargo under limits.
    fn run(&self, command: &Command) -> Result<Said, Error> {
        let error = |why: io::Error| Error::Build(Some(why.to_string()));
        let reading = Reading { most_lines: 100_000, pause_after: None };
        let mut cargo = Child::spawn(&mut LIMITS.on(command).map_err(error)?, reading).map_err(error)?;
        let end = Instant::now() + LONGEST;
        while cargo.wait(SLICE).is_none() && Instant::now() < end && !stop::requested() {}
        let messages = cargo.lines().into_iter().filter_map(|(_, line)| serde_json::from_str(&line).ok()).collect();
        let last_words = cargo.has_ended().then(|| cargo.log().pop().unwrap_or_default());
        // What it built before the end of the time is built.
        cargo.control().kill();
        Ok(Said { messages, last_words })
    }

    /// Away with it from where the next one will be.
    fn take(&self, executable: &str, exercise: &Exercise) -> Result<PathBuf, Error> {
        let own = self.programs().join(format!("{}-{}", self.students, exercise.number));
        fs::rename(executable, &own)
            .map(|()| own)
            .map_err(|why| Error::Unwritable { path: executable.to_owned(), why: why.to_string() })
    }

    /// Removes what was built; what cannot be removed is in nobody's way.
    fn clean(&self, exercises: &[&Exercise]) {
        let mut command = self.cargo("clean", exercises);
        command.args(["--quiet", "--offline"]);
        let reading = Reading { most_lines: 1000, pause_after: None };
        let ended = Child::spawn(&mut command, reading).map(|mut cargo| cargo.wait(LONGEST));
        if !matches!(ended, Ok(Some(Ended::Status(0)))) {
            log::warn!("cargo clean: {ended:?}");
        }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        for folder in [self.workspace(), self.programs()] {
            remove(&folder);
        }
    }
}

/// What cargo said.
struct Said {
    messages: Vec<Json>,
    /// `None` where it was stopped.
    last_words: Option<String>,
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => log::warn!("{} stays: {why}", folder.display()),
        _ => {}
    }
}

/// What an exercise is called here.
fn package(exercise: &Exercise) -> String {
    format!("graded-{}", exercise.number)
}

/// The exercise's manifest as it was given, under the name that it has here: what lies in the folder does not change what
/// is built.
fn manifest(exercise: &Exercise, sources: &Sources) -> Result<String, Error> {
    let given = crate::exercises::given::manifest(&exercise.folder)?;
    let here = given.replace(&format!("\"{}\"", exercise.package), &format!("\"{}\"", package(exercise)));
    let mut here = here.replacen("[package]\n", "[package]\nbuild = false\nautolib = false\nautobins = false\n", 1);
    if sources.contains_key(Path::new("lib.rs")) {
        here.push_str(&format!("\n[lib]\nname = \"{}\"\n", exercise.package.replace('-', "_")));
    }
    Ok(here)
}

/// The manifest of the workspace, for another place and for students' packages alone.
fn adapted(manifest: &str, workspace: &Path) -> String {
    let crates = workspace.join("crates").display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let line = |line: &str| match line.strip_prefix("members = ") {
        Some(_) => "members = [\"exercises/*\"]\n".to_owned(),
        None => format!("{}\n", line.replace("path = \"crates/", &format!("path = \"{crates}/"))),
    };
    manifest.lines().map(line).collect()
}

/// The compiler's error, where the message is one: where, and what.
fn first_error(message: &Json) -> Option<String> {
    let message = message.get("message").filter(|message| message.get("level").is_some_and(|it| it == "error"))?;
    let what = message.get("message")?.as_str()?;
    let spans = message.get("spans")?.as_array()?;
    let place = spans.iter().find(|span| span.get("is_primary") == Some(&Json::Bool(true))).and_then(|span| {
        // Within the exercise.
        let (_, file) = span.get("file_name")?.as_str()?.split_once("/src/")?;
        Some(format!("src/{file}:{}: ", span.get("line_start")?))
    });
    Some(cut(&format!("{}{}", place.unwrap_or_default(), what.replace('\n', " ")), ERROR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_one_line() {
        let message: Json = serde_json::json!({ "message": {
            "level": "error",
            "message": "mismatched\ntypes",
            "spans": [
                { "file_name": "exercises/x-06/src/b.rs", "line_start": 1, "is_primary": false },
                { "file_name": "exercises/x-06/src/main.rs", "line_start": 12, "is_primary": true },
            ],
        } });
        assert_eq!(first_error(&message).as_deref(), Some("src/main.rs:12: mismatched types"));
        let warning = serde_json::json!({ "message": { "level": "warning", "message": "unused", "spans": [] } });
        assert_eq!(first_error(&warning), None);
    }

    #[test]
    fn the_workspace_is_this_one_with_other_members() {
        let ours = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).unwrap();
        let adapted = adapted(&ours, Path::new("/w"));
        let changed: Vec<_> = adapted.lines().zip(ours.lines()).filter(|(new, old)| new != old).collect();
        assert_eq!(changed[0].0, "members = [\"exercises/*\"]");
        assert_eq!(changed[1..].len(), ours.matches("path = ").count());
        assert!(changed[1..].iter().all(|(new, _)| new.contains("path = \"/w/crates/")), "{changed:?}");
    }
}
