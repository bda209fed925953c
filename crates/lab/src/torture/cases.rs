//! What a run is set up with, for each kind of program.

use crate::catalogue::{Program, Role};
use crate::scenario::{Amount, Case, Ends, Scenario, Setting, Text};
use crate::scenarios::members::{FETCH, HEARTBEAT, MISSED_SOON};
use crate::scenarios::quick::{RECONNECT_SOON, RETRY_SOON, SMALL_BATCHES};

/// Not among the scenarios of the table: nothing is announced.
pub(super) static TORTURE: Scenario = Scenario {
    name: "torture",
    fault: Text {
        en: "a random schedule of faults, kills, restarts, freezes and rebalances",
        fr: "une suite de pannes, d'arrêts brutaux, de relances, de gels et de rééquilibrages tirée au hasard",
    },
    teaches: Text {
        en: "that nothing was chosen to look good", fr: "que rien n'a été choisi pour faire bonne figure"
    },
    cases: &[],
};

/// The case of a program.
pub(super) fn case(program: &Program) -> &'static Case {
    match program.role {
        Role::Producer(_) => &PRODUCER,
        Role::Consumer { .. } => &CONSUMER,
        Role::Pipeline { .. } => &PIPELINE,
    }
}

const CASE: Case = Case {
    // As many as the command line says.
    messages: 0,
    ends: Ends::Anyhow,
    why: Text {
        en: "Whatever comes, and in whatever order, the promise is the same. A program that is started again may do again what it has no memory of; nothing else is excused.",
        fr: "Quoi qu'il arrive, et dans quelque ordre que ce soit, la promesse reste la même. Un programme relancé peut refaire ce dont il n'a aucune mémoire ; rien d'autre n'est excusé.",
    },
    ..Case::PLAIN
};

static PRODUCER: Case = Case {
    promise: Text {
        en: "whatever the schedule, each instance of the program keeps what the guarantee says",
        fr: "quelle que soit la suite, chaque instance du programme tient ce que dit la garantie",
    },
    settings: &[SOCKET, RECONNECT_SOON, TRANSACTION, RETRY_SOON, SMALL_BATCHES],
    ..CASE
};

static CONSUMER: Case = Case {
    promise: Text {
        en: "whatever the schedule, the group keeps what the guarantee says",
        fr: "quelle que soit la suite, le groupe tient ce que dit la garantie",
    },
    partitions: 2,
    settings: &[SOCKET, RECONNECT_SOON, TRANSACTION, MISSED_SOON, HEARTBEAT, FETCH],
    ..CASE
};

static PIPELINE: Case = Case {
    promise: Text {
        en: "whatever the schedule, each input has one visible result, in its partition's order",
        fr: "quelle que soit la suite, chaque entrée a un seul résultat visible, dans l'ordre de sa partition",
    },
    partitions: 3,
    ..CONSUMER
};

const SOCKET: Setting = Setting {
    key: "socket.timeout.ms",
    value: Amount::Of("3000"),
    why: Text {
        en: "how long an answer is waited for before the connection is given up (60 s by default)",
        fr: "combien de temps une réponse est attendue avant d'abandonner la connexion (60 s par défaut)",
    },
};

const TRANSACTION: Setting = Setting {
    key: "transaction.timeout.ms",
    value: Amount::Of("10000"),
    why: Text {
        en: "when the coordinator aborts what nobody ends (60 s by default)",
        fr: "quand le coordinateur avorte ce que personne ne termine (60 s par défaut)",
    },
};
