//! What is said to a user who kills and starts the nodes of a cluster.

use std::time::Duration;

use super::Lang::{self, En, Fr};

impl Lang {
    /// A command that only the user can give.
    pub(crate) fn to_type(self, command: &str) -> String {
        match self {
            En => format!("type this in another terminal, the lab waits for it:\n  {command}"),
            Fr => format!("à taper dans un autre terminal, le lab attend :\n  {command}"),
        }
    }

    /// Of a command that does not end.
    pub(crate) fn too_slow(self, limit: Duration) -> String {
        match self {
            En => format!("it did not end within {} s", limit.as_secs()),
            Fr => format!("pas terminé au bout de {} s", limit.as_secs()),
        }
    }

    /// Before the scenarios that kill nodes.
    pub(crate) fn three_nodes(self) -> &'static str {
        self.pick(
            "These need three nodes, and run only when they are named (compose/kafka.sh --nodes 3 says how):",
            "Ceux-ci ont besoin de trois nœuds, et doivent être nommés (compose/kafka.sh --nodes 3 dit comment) :",
        )
    }
}
