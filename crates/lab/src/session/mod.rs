//! A class that shares one Kafka: each student has a namespace, the topics that the exercises use in it, and one topic
//! into which `lab check` writes its verdicts. The instructor's `lab session` reads those.
//!
//! | module | what it holds |
//! |---|---|
//! | [`students`] | the file that names the students |
//! | [`topics`] | what they find on the Kafka, and how it is cleared away |
//! | [`verdict`] | the record of one check: written by the student's lab, and so forgeable |
//! | [`board`] | who has passed what, from these records |
//! | [`follow`] | reads them as they come |
//! | [`table`] | shows the board |

pub(crate) mod board;
pub(crate) mod follow;
pub(crate) mod students;
pub(crate) mod table;
pub(crate) mod topics;
pub(crate) mod verdict;

use std::time::{SystemTime, UNIX_EPOCH};

/// In milliseconds since 1970, by this machine's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
