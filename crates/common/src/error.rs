//! One line for the user, and the exit status that goes with it.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::cli::ssl_advice;

/// Why a program ends without having done its work. Displayed as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The program could not start: a flag, a property, the address of the broker or a topic is wrong. Exit status 2.
    Usage(String),
    /// The program ran, and a delivery, a commit or a transaction failed. Exit status 1.
    Failed(String),
}

impl Error {
    /// A failure while running, told in one line.
    pub fn failed(why: impl fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }

    /// Says it in one line on standard error. Not through the log: RUST_LOG must not be able to hide why a program failed.
    pub(crate) fn tell(&self) {
        // Nothing can be done when standard error itself is closed.
        let _ = writeln!(std::io::stderr(), "error: {self}");
    }

    /// 1 or 2, as the README and `--help` promise.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A reason that librdkafka gives may span lines; ours never do.
            Self::Usage(why) | Self::Failed(why) => f.write_str(&why.replace(['\n', '\r'], " ")),
        }
    }
}

impl std::error::Error for Error {}

impl From<KafkaError> for Error {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, key, value) => Self::Usage(format!("{key}={value}: {reason}")),
            KafkaError::ClientCreation(reason) => {
                let reason = ssl_advice(&reason).unwrap_or(reason);
                Self::Usage(format!("librdkafka refuses this configuration: {reason}"))
            }
            KafkaError::ConsumerCommit(code) => {
                Self::Failed(format!("the offsets were not committed: {}", explain(code)))
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

/// librdkafka's text for an error code, with what it means for the group where the text alone does not tell.
pub fn explain(code: RDKafkaErrorCode) -> String {
    let meaning = match code {
        RDKafkaErrorCode::IllegalGeneration
        | RDKafkaErrorCode::UnknownMemberId
        | RDKafkaErrorCode::RebalanceInProgress => " (the group has given the partition to another member)",
        RDKafkaErrorCode::FencedInstanceId => " (a newer member with the same group.instance.id has taken over)",
        _ => "",
    };
    format!("{code}{meaning}")
}
