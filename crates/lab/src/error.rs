//! Why the lab cannot go on, or cannot decide. [`text`](crate::text) says it in one line of the user's language.

use std::time::Duration;

use crate::session::students::BadLine;

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No broker answers at this address; librdkafka's reason, where it gave one.
    NoBroker {
        /// The address, as given.
        servers: String,
        /// What librdkafka said last.
        reason: Option<String>,
    },
    /// The embedded broker cannot listen.
    Listen {
        /// Where it should.
        address: String,
        /// Another program does already.
        taken: bool,
        /// The operating system's reason.
        why: String,
    },
    /// librdkafka refuses the properties.
    Client(String),
    /// A property that the lab sets for each program itself.
    NamedByTheLab(String),
    /// The workspace is not where this binary was built.
    NoWorkspace(String),
    /// cargo could not be started, or ended without success (it has said why itself).
    Build(Option<String>),
    /// cargo cannot read the manifests of the workspace (it has said why itself).
    Workspace,
    /// A topic cannot be created.
    Create {
        /// Its name.
        topic: String,
        /// The broker's reason.
        why: String,
    },
    /// A topic of this seed is there already.
    SeedTaken {
        /// The seed.
        seed: u32,
        /// The topic that was there.
        topic: String,
    },
    /// The lab's own transactions, which it means to abort, could not be written.
    Aborted {
        /// The topic.
        topic: String,
        /// librdkafka's reason.
        why: String,
    },
    /// The topic that is to be shown is not there.
    NoTopic {
        /// Its name.
        topic: String,
        /// Where it was looked for.
        servers: String,
    },
    /// A topic cannot be read to its end.
    Read {
        /// The topic.
        topic: String,
        /// librdkafka's reason, or what did not come in time.
        why: String,
    },
    /// A transaction stays open: read_committed readers stop at the last stable offset.
    OpenTransaction {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Its last stable offset.
        last_stable: i64,
        /// Its end offset.
        end: i64,
    },
    /// The lab's own records could not be written into the input.
    Input {
        /// The topic.
        topic: String,
        /// librdkafka's reason.
        why: String,
    },
    /// The fault proxy cannot listen, or cannot start.
    Proxy(String),
    /// A trace cannot be written.
    Trace {
        /// The file.
        path: String,
        /// The operating system's reason.
        why: String,
    },
    /// There can be no folder for the files of a run.
    Folder {
        /// Where.
        path: String,
        /// The operating system's reason.
        why: String,
    },
    /// The moment at which the fault was to act, or that a scenario waits for, did not come.
    NotReached {
        /// Its name: that of a fault, a signal, or what was waited for.
        moment: String,
    },
    /// A scenario needs more nodes than there are.
    TooFewNodes {
        /// The scenario.
        scenario: &'static str,
        /// How many nodes the Kafka has that was named; `None`: none was.
        nodes: Option<usize>,
    },
    /// The command that kills and starts nodes has failed.
    NodeControl {
        /// The command, with what it was to do.
        command: String,
        /// What it said last.
        why: String,
    },
    /// The committed offsets of a group cannot be read.
    Offsets {
        /// The group.
        group: String,
        /// librdkafka's reason.
        why: String,
    },
    /// A program could not be started.
    Spawn {
        /// Its name.
        program: String,
        /// The operating system's reason.
        why: String,
    },
    /// A client of the user's own could not be started.
    Command {
        /// Its first word.
        program: String,
        /// The operating system's reason.
        why: String,
    },
    /// A program said that it was used wrongly, or that no broker answers it (exit status 2).
    Refused(String),
    /// A program printed nothing for this long, and was killed.
    Stalled(Duration),
    /// A program printed more lines than this run can explain, and was killed.
    Flooded(usize),
    /// A client that is held to a guarantee has said nothing of any message.
    SaidNothing {
        /// How many lines it printed all the same.
        lines: usize,
        /// The first of them.
        first: Option<String>,
    },
    /// A client that is held to a guarantee has left work undone, of which it says nothing.
    Unfinished {
        /// How many messages.
        undone: usize,
        /// The first of them.
        first: String,
    },
    /// A client that is held to a guarantee had no success with any message.
    NothingAcknowledged,
    /// No scenario concerns this program, or has this variant.
    NoSuchRun {
        /// The program.
        program: String,
        /// The scenario, if one was named.
        scenario: Option<String>,
        /// The variant, if one was named.
        variant: Option<String>,
    },
    /// An exercise's manifest cannot be read, or names what there is not.
    Manifest {
        /// The package.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// No exercise has this number or name.
    NoSuchExercise {
        /// What was asked for.
        asked: String,
        /// The name that is nearest, if one is near.
        nearest: Option<String>,
    },
    /// The folder of an exercise is not there.
    FolderGone {
        /// The exercise's number.
        number: String,
        /// Its place in the checkout.
        folder: String,
    },
    /// Nor can git bring it back: its place in the checkout.
    NoCopy(String),
    /// A file of an exercise cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// The operating system's reason.
        why: String,
    },
    /// A file of an exercise cannot be written.
    Unwritable {
        /// The file.
        path: String,
        /// The operating system's reason.
        why: String,
    },
    /// The student's progress cannot be read or written.
    Progress {
        /// The file.
        path: String,
        /// The operating system's reason.
        why: String,
    },
    /// The solution opens once the exercise with this number has passed.
    SolutionClosed(String),
    /// A line of the file that names the students of a session.
    Students {
        /// The file.
        path: String,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        why: BadLine,
    },
    /// The file names no student.
    NoStudents(String),
    /// The topics and groups of a Kafka cannot be listed: librdkafka's reason.
    List(String),
    /// A question before something is deleted, and nobody at a terminal to answer it.
    NobodyToAsk,
    /// Students' programs took all processes that the user may have, again and again.
    Crowded,
    /// Programs cannot be confined.
    Confine(String),
    /// Another `lab grade` writes this file.
    GradedElsewhere(String),
    /// The result cannot be written to standard output.
    Print(String),
    /// Ctrl-C.
    Interrupted,
}

impl Error {
    /// Whether every other run would fail for the same reason.
    pub fn concerns_all(&self) -> bool {
        matches!(
            self,
            Self::NoBroker { .. }
                | Self::Listen { .. }
                | Self::Client(_)
                | Self::Create { .. }
                | Self::SeedTaken { .. }
                | Self::Proxy(_)
                | Self::Trace { .. }
                | Self::Folder { .. }
                | Self::NodeControl { .. }
                | Self::Spawn { .. }
                | Self::Command { .. }
        )
    }

    /// Its name where programs read it: "open_transaction".
    pub fn name(&self) -> String {
        let shown = format!("{self:?}");
        let variant = shown.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        let mut name = String::new();
        for c in variant.chars() {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_name_for_programs() {
        assert_eq!(Error::Interrupted.name(), "interrupted");
        assert_eq!(Error::Refused("OpenX".into()).name(), "refused");
        let open = Error::OpenTransaction { topic: "t".into(), partition: 0, last_stable: 1, end: 2 };
        assert_eq!(open.name(), "open_transaction");
    }
}
