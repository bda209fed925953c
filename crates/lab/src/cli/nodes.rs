//! Scenarios in which nodes of a cluster are killed.

use clap::Args;

use super::args::RUN;
use crate::error::Error;
use crate::kafka::Kafka;
use crate::matrix::Job;
use crate::nodes::{Control, NEEDED, Nodes};

/// Who kills the nodes.
#[derive(Debug, Args)]
pub(super) struct NodeControl {
    /// What kills and starts nodes, as compose/kafka.sh --nodes 3 prints it [default: you, the lab says what to type]
    #[arg(long, value_name = "COMMAND", env = "NODE_CONTROL", help_heading = RUN)]
    pub(super) node_control: Option<String>,
}

/// In French.
pub(super) const HELP_FR: &[(&str, &str)] = &[(
    "node_control",
    "Ce qui tue et relance les nœuds, tel que l'affiche compose/kafka.sh --nodes 3 [défaut : vous, le lab dit quoi taper]",
)];

/// Refuses jobs for which there are not nodes enough.
///
/// # Errors
/// [`Error::TooFewNodes`], or none answers.
pub(super) fn check(jobs: &[Job], given: Option<&Kafka>, control: &Control) -> Result<(), Error> {
    let Some(job) = jobs.iter().find(|job| job.needs_three_nodes()) else { return Ok(()) };
    let nodes = given.map(|kafka| Nodes::new(kafka, control)).transpose()?.map(|nodes| nodes.count());
    if nodes.is_some_and(|nodes| nodes >= NEEDED) {
        return Ok(());
    }
    Err(Error::TooFewNodes { scenario: job.scenario.name, nodes })
}
