//! The lab: runs the programs of the course against a Kafka and says, with numbers, which delivery guarantee holds.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line, from arguments to exit status |
//! | [`catalogue`] | the programs: their guarantee, what feeds them, what they promise |
//! | [`cargo`] | builds them, with one `cargo build` |
//! | [`invocation`], [`own`] | the command line that each of them gets; a client of the user's own |
//! | [`child`], [`execution`] | a program that runs: its lines as they come, its end |
//! | [`kafka`], [`topics`], [`names`] | the lab's own clients; what a run creates and deletes |
//! | [`aborted`] | aborted transactions in the inputs |
//! | [`nodes`] | the nodes of a cluster, and who kills them |
//! | [`reader`] | a topic, read to its end offset at both isolation levels |
//! | [`said`] | what a program said, from its standard output |
//! | [`ledger`] | the two against each other: totals, and every value that does not add up |
//! | [`verdict`], [`clues`] | does that break the promise? and where does the mistake show? |
//! | [`scenarios`] | what is done to the programs, and what is expected then |
//! | [`report`], [`table`], [`json`], [`text`] | results for readers: in English and French, and for programs |
//! | `serve` | the embedded broker: `lab broker`, and the one of a run that was given none |
//! | [`capacity`] | how much is done at once |
//! | [`progress`], [`interrupt`], `terminal` | the progress bar; Ctrl-C; keys |
//! | `session` | a class on one Kafka: its topics, who has passed what |
//! | [`exercises`] | what students do, and how far they are |
//! | [`grade`] | a whole class, each program confined |
//!
//! The lab knows the programs by what they do (their lines, their topics, their offsets), and so can judge a client in
//! any language.

pub mod aborted;
pub mod capacity;
pub mod cargo;
pub mod catalogue;
pub mod child;
pub mod cli;
pub mod clues;
pub mod error;
mod evidence;
pub mod exercises;
pub mod grade;
pub mod interrupt;
pub mod invocation;
pub mod json;
pub mod kafka;
mod layout;
pub mod ledger;
mod list;
pub mod matrix;
pub mod names;
pub mod nodes;
pub mod outcome;
pub mod own;
mod processes;
mod progress;
pub mod reader;
mod reaper;
pub mod said;
#[cfg(test)]
mod sample;
pub mod scenario;
pub mod scenarios;
mod serve;
mod session;
mod show;
pub mod stage;
mod story;
pub mod table;
mod terminal;
pub mod text;
pub mod topics;
pub mod torture;
pub mod value;
pub mod verdict;

pub use error::Error;
