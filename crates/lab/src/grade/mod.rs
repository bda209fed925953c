//! Grades a class: every exercise of every student is built and run under its scenarios, confined.
//!
//! | file | what it holds |
//! |---|---|
//! | `class` | whose work is where |
//! | `sources` | what is taken of it |
//! | `workshop` | how it becomes programs |
//! | `limits`, `accounts`, `room`, `guard`, `sight` | where these run, what they may use, as whom, who watches |
//! | `examine` | what they do there, once or twice |
//! | `record`, `log` | what is known of an exercise, and how it survives an interruption |
//! | `table`, `files` | the results, for readers and for programs |

mod accounts;
mod class;
mod examine;
mod files;
mod guard;
mod limits;
mod log;
mod record;
mod room;
mod sight;
mod sources;
mod table;
mod workshop;

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::stop;

use class::Student;
use examine::Hall;
pub(crate) use files::{csv, json};
use guard::Guard;
pub(crate) use limits::{ARGUMENT as CONFINED, become_program};
use log::{Known, Log};
pub use record::{Grade, Note, Tried, Verdict};
pub(crate) use room::MARK;
pub use room::{Breach, Room};
use sources::{HandedIn, Sources};
pub(crate) use table::render;
use workshop::{Built, Workshop};

use crate::error::Error;
use crate::exercises::{Exercise, given};
use crate::layout::cut;
use crate::progress::Progress;
use crate::text::Lang;

/// What is to be graded, and how.
pub(crate) struct Order<'a> {
    /// The instructor's checkout.
    pub(crate) workspace: &'a Path,
    /// Which exercises.
    pub(crate) exercises: &'a [Exercise],
    /// The students' folders.
    pub(crate) folders: &'a [PathBuf],
    /// Where results are written as they come.
    pub(crate) state: &'a Path,
    /// How many exercises at once.
    pub(crate) at_once: usize,
    /// Where names and the brokers' ids come from.
    pub(crate) seed: u32,
    /// How long the runs of one exercise may take.
    pub(crate) limit: Duration,
    /// The language in which the lab says why it could not do its part.
    pub(crate) lang: Lang,
}

/// The grades of a class.
#[derive(Debug)]
pub(crate) struct Class {
    /// In the order of their folders.
    pub(crate) students: Vec<Graded>,
    /// How many grades were known from before.
    pub(crate) known: usize,
}

/// The grades of a student.
#[derive(Debug)]
pub(crate) struct Graded {
    pub(crate) name: String,
    /// One for each exercise, in their order.
    pub(crate) grades: Vec<Grade>,
}

impl Graded {
    fn passed(&self) -> usize {
        self.grades.iter().filter(|grade| grade.verdict == Verdict::Passed).count()
    }
}

impl Class {
    /// Exit status: 0 everything has a grade, 2 something has none, or somebody has to look.
    pub(crate) fn status(&self) -> u8 {
        let mut grades = self.students.iter().flat_map(|student| &student.grades);
        let open = grades.any(|grade| matches!(grade.verdict, Verdict::NotGraded | Verdict::Undecided));
        if open { 2 } else { 0 }
    }
}

/// An exercise that is to be run.
struct Paper<'a> {
    student: &'a str,
    /// Its places in the result.
    row: usize,
    column: usize,
    exercise: &'a Exercise,
    program: PathBuf,
    notes: Vec<Note>,
    key: String,
}

/// What is under way.
struct Grading<'a> {
    order: &'a Order<'a>,
    log: Log,
    known: Known,
    progress: Progress,
    /// By row and column.
    grades: Mutex<Vec<Vec<Option<Grade>>>>,
    /// Why nothing more is done.
    failed: Mutex<Option<Error>>,
}

/// Grades the class. `says` is told what the user waits for.
///
/// # Errors
/// When the lab itself cannot go on; what was graded until then is kept.
pub(crate) fn grade(order: &Order<'_>, says: &dyn Fn(&str)) -> Result<Class, Error> {
    let (log, known) = Log::open(order.state)?;
    let folders: Vec<String> = order.exercises.iter().filter_map(folder_of).collect();
    let students = class::students(order.folders, &folders);
    let guard = Guard::start(order.at_once).map_err(|why| Error::Confine(why.to_string()))?;
    let workshop = Workshop::open(order.workspace, &guard, || says(order.lang.grading_elsewhere()))?;
    let grading = Grading {
        order,
        log,
        known,
        progress: Progress::new(students.len() * order.exercises.len(), true),
        grades: Mutex::new(students.iter().map(|_| order.exercises.iter().map(|_| None).collect()).collect()),
        failed: Mutex::new(None),
    };
    let known = grading.all(&students, workshop, &guard, says);
    guard.stop();
    grading.progress.finish();
    let known = known?;
    let grades = grading.grades.into_inner().unwrap_or_else(PoisonError::into_inner);
    let students = students.into_iter().zip(grades).map(|(student, grades)| {
        let none = || Grade::without_a_run(Verdict::NotGraded, Vec::new());
        Graded { name: student.name, grades: grades.into_iter().map(|grade| grade.unwrap_or_else(none)).collect() }
    });
    Ok(Class { students: students.collect(), known })
}

impl Grading<'_> {
    /// Builds and runs; returns how many grades were known.
    fn all(
        &self,
        students: &[Student],
        mut workshop: Workshop,
        guard: &Guard,
        says: &dyn Fn(&str),
    ) -> Result<usize, Error> {
        let hall = Hall { guard, seed: self.order.seed, limit: self.order.limit };
        // One student's work may wait; the next but one's is not built yet.
        let (sender, papers) = sync_channel(self.order.exercises.len());
        let papers = Mutex::new(papers);
        let known = std::thread::scope(|scope| {
            for _ in 0..self.order.at_once {
                scope.spawn(|| self.work(&hall, &papers));
            }
            let known = self.hand_out(students, &mut workshop, &sender, says);
            drop(sender);
            known
        });
        match self.lock_failed().take() {
            Some(why) => Err(why),
            None => known,
        }
    }

    /// Builds, student by student, what is not known yet, and hands it to those who run it: the next student's programs
    /// are built while the last one's run. Returns how many grades were known.
    fn hand_out<'p>(
        &'p self,
        students: &'p [Student],
        workshop: &mut Workshop,
        papers: &SyncSender<Paper<'p>>,
        says: &dyn Fn(&str),
    ) -> Result<usize, Error> {
        let exercises = self.order.exercises;
        let lab = of_this_lab().map_err(|why| Error::Confine(why.to_string()))?;
        let versions: Vec<Version> =
            exercises.iter().map(|exercise| Version::of(exercise, &lab)).collect::<Result<_, _>>()?;
        let mut is_prepared = false;
        let mut known = 0;
        for (row, student) in students.iter().enumerate() {
            let mut work = Vec::new();
            for (column, (exercise, version)) in exercises.iter().zip(&versions).enumerate() {
                match self.look(student, exercise, version) {
                    Look::Graded(grade) => self.note(row, column, *grade),
                    Look::Known(grade) => {
                        known += 1;
                        self.note(row, column, *grade);
                    }
                    Look::New(handed_in, key) => work.push((column, exercise, handed_in, key)),
                }
            }
            if work.is_empty() {
                continue;
            }
            if !is_prepared {
                says(&self.order.lang.building(exercises.len()));
                workshop.prepare(&exercises.iter().collect::<Vec<_>>())?;
                is_prepared = true;
            }
            let sources: Vec<_> = work.iter().map(|(_, exercise, handed, _)| (*exercise, &handed.sources)).collect();
            let mut built = workshop.build(&sources)?;
            for (column, exercise, handed_in, key) in work {
                let mut notes = handed_in.notes;
                let (verdict, why) = match built.remove(&exercise.number) {
                    Some(Built::Executable(program)) => {
                        let student = student.name.as_str();
                        // Whoever takes it ends after this one only.
                        let _ = papers.send(Paper { student, row, column, exercise, program, notes, key });
                        continue;
                    }
                    Some(Built::Refused(why)) => (Verdict::DoesNotBuild, Note::Compiler(why)),
                    Some(Built::Stopped) => (Verdict::Limit, Note::CompilerStopped),
                    Some(Built::Broken(why)) => (Verdict::NotGraded, Note::Lab(why)),
                    None => (Verdict::NotGraded, Note::Lab(String::new())),
                };
                notes.insert(0, why);
                let grade = Grade::without_a_run(verdict, notes);
                if verdict == Verdict::DoesNotBuild {
                    self.log.add(&student.name, &exercise.number, &key, &grade)?;
                }
                self.note(row, column, grade);
            }
            if stop::requested() || self.lock_failed().is_some() {
                return Err(Error::Interrupted);
            }
        }
        Ok(known)
    }

    /// What there is to do for an exercise of a student.
    fn look(&self, student: &Student, exercise: &Exercise, version: &Version) -> Look {
        let graded = |verdict, notes| Look::Graded(Box::new(Grade::without_a_run(verdict, notes)));
        let (Some(place), Some(folder)) = (&student.exercises, folder_of(exercise)) else {
            return graded(Verdict::NotGraded, vec![Note::NoExercises]);
        };
        let handed_in = match HandedIn::read(&place.join(folder), version.manifest.as_bytes()) {
            Ok(Some(handed_in)) => handed_in,
            Ok(None) => return graded(Verdict::Missing, Vec::new()),
            Err(why) => return graded(Verdict::NotGraded, vec![Note::Lab(why.to_string())]),
        };
        if handed_in.is_too_much() || !handed_in.sources.contains_key(Path::new("main.rs")) {
            let mut notes = handed_in.notes;
            if !notes.contains(&Note::TooMuch) {
                notes.insert(0, Note::NoMain);
            }
            return graded(Verdict::DoesNotBuild, notes);
        }
        if handed_in.is_as_given(&version.given) {
            return graded(Verdict::NotBegun, handed_in.notes);
        }
        let key = handed_in.key(&version.word);
        match self.known.get(&(student.name.clone(), exercise.number.clone(), key.clone())) {
            Some(grade) => Look::Known(Box::new(grade.clone())),
            None => Look::New(handed_in, key),
        }
    }

    /// Runs what was built, until there is no more.
    fn work(&self, hall: &Hall<'_>, papers: &Mutex<Receiver<Paper<'_>>>) {
        loop {
            let next = papers.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(paper) = next else { return };
            if stop::requested() || self.lock_failed().is_some() {
                continue;
            }
            let running = self.progress.begin(format!("{} {}", cut(paper.student, 20), paper.exercise.number));
            let examined = hall.examine(paper.exercise, &paper.program, paper.notes);
            drop(running);
            // Each is as large as librdkafka.
            let _ = fs::remove_file(&paper.program);
            let done = match examined {
                Err(Error::Interrupted) => Err(Error::Interrupted),
                // It says nothing of the student's work, and is tried again the next time.
                Err(why) => {
                    let note = Note::Lab(self.order.lang.error(&why));
                    Ok(Grade::without_a_run(Verdict::NotGraded, vec![note]))
                }
                Ok(grade) => self.log.add(paper.student, &paper.exercise.number, &paper.key, &grade).map(|()| grade),
            };
            match done {
                Ok(grade) => self.set(paper.row, paper.column, grade),
                Err(why) => _ = self.lock_failed().get_or_insert(why),
            }
        }
    }

    /// A grade for which nothing had to run.
    fn note(&self, row: usize, column: usize, grade: Grade) {
        self.progress.skip();
        self.set(row, column, grade);
    }

    fn set(&self, row: usize, column: usize, grade: Grade) {
        let mut grades = self.grades.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = grades.get_mut(row).and_then(|row| row.get_mut(column)) {
            *place = Some(grade);
        }
    }

    fn lock_failed(&self) -> MutexGuard<'_, Option<Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is to do for an exercise.
enum Look {
    /// Nothing: there is nothing to run.
    Graded(Box<Grade>),
    /// Nothing: it was done before.
    Known(Box<Grade>),
    /// This is to be built and run.
    New(HandedIn, String),
}

/// What a student's text is held against.
struct Version {
    manifest: String,
    given: Sources,
    /// Of that, and of the lab itself.
    word: Vec<u8>,
}

impl Version {
    fn of(exercise: &Exercise, lab: &[u8]) -> Result<Self, Error> {
        let manifest = given::manifest(&exercise.folder)?;
        let folder = exercise.folder.join(given::FOLDER);
        let given = sources::given(&folder)
            .map_err(|why| Error::Unreadable { path: folder.display().to_string(), why: why.to_string() })?;
        let word = [lab, exercise.number.as_bytes(), manifest.as_bytes()].concat();
        Ok(Self { manifest, given, word })
    }
}

/// "06-commit-before"
fn folder_of(exercise: &Exercise) -> Option<String> {
    Some(exercise.package.strip_prefix("ex")?.to_owned())
}

/// A word for the lab's own executable: scenarios, broker and judgement are in it.
fn of_this_lab() -> io::Result<Vec<u8>> {
    let mut executable = fs::File::open(std::env::current_exe()?)?;
    let mut hasher = DefaultHasher::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        match executable.read(&mut piece)? {
            0 => return Ok(hasher.finish().to_be_bytes().to_vec()),
            read => hasher.write(piece.get(..read).unwrap_or_default()),
        }
    }
}
