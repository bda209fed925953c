//! What happens between the programs and the broker, in words. Kafka's own terms stay as the protocol has them.

use super::Lang::{self, En, Fr};
use crate::outcome::Deed;

impl Lang {
    /// A line on standard output.
    pub(crate) fn prints(self, line: &str) -> String {
        format!("{} {line}", self.pick("prints", "affiche"))
    }

    /// Lines on standard output, as a kind of thing.
    pub(crate) fn lines(self) -> &'static str {
        self.pick("lines", "lignes")
    }

    /// What was done to an instance.
    pub(crate) fn deed(self, deed: Deed) -> &'static str {
        match (self, deed) {
            (En, Deed::Start) => "starts",
            (En, Deed::Kill) => "killed (kill -9)",
            (En, Deed::Freeze) => "frozen (SIGSTOP)",
            (En, Deed::Thaw) => "goes on (SIGCONT)",
            (En, Deed::Interrupt) => "is asked to stop (Ctrl-C)",
            (En, Deed::Stop) => "stopped, in order",
            (En, Deed::End) => "ends",
            (Fr, Deed::Start) => "démarre",
            (Fr, Deed::Kill) => "tué (kill -9)",
            (Fr, Deed::Freeze) => "gelé (SIGSTOP)",
            (Fr, Deed::Thaw) => "reprend (SIGCONT)",
            (Fr, Deed::Interrupt) => "est prié de s'arrêter (Ctrl-C)",
            (Fr, Deed::Stop) => "arrêté proprement",
            (Fr, Deed::End) => "se termine",
        }
    }

    /// Goes before a fault.
    pub(crate) fn fault_label(self) -> &'static str {
        self.pick("FAULT", "PANNE")
    }

    /// What a fault does to a frame.
    pub(crate) fn fault(self, action: &str, request: bool, error: Option<&str>) -> String {
        let error = error.unwrap_or_default();
        match (self, action, request) {
            (En, "swallow", true) => "the request is lost on its way".to_owned(),
            (En, "swallow", false) => "the answer is lost on its way".to_owned(),
            (En, "cut", true) => "the connection breaks, and the broker does not get the request".to_owned(),
            (En, "cut", false) => "the connection breaks, and the answer does not arrive".to_owned(),
            (En, "silence", _) => "from here on nothing passes on this connection, and it stays open".to_owned(),
            (En, "hold", true) => "the request is held back".to_owned(),
            (En, "hold", false) => "the answer is held back".to_owned(),
            (En, "delay", _) => "the network is slow from here on".to_owned(),
            (En, "answer", _) => format!("the request does not reach the broker; the answer is {error}"),
            (En, "repeat", _) => "the network will deliver this request once more, later".to_owned(),
            (En, "postpone", _) => {
                "the connection breaks; the request is still on its way, and will arrive later".to_owned()
            }
            (En, "alter", _) => "the group metadata is taken out of the request".to_owned(),
            (En, "kill", true) => "kill -9; the request does not reach the broker".to_owned(),
            (En, "kill", false) => "kill -9; the answer finds nobody".to_owned(),
            (En, "freeze", true) => "frozen (SIGSTOP); the request is held back".to_owned(),
            (En, "freeze", false) => "frozen (SIGSTOP); the answer is held back".to_owned(),
            (En, "away", _) => "the broker is gone; every connection breaks, new ones are refused".to_owned(),
            (Fr, "swallow", true) => "la requête se perd en route".to_owned(),
            (Fr, "swallow", false) => "la réponse se perd en route".to_owned(),
            (Fr, "cut", true) => "la connexion casse, et le broker ne reçoit pas la requête".to_owned(),
            (Fr, "cut", false) => "la connexion casse, et la réponse n'arrive pas".to_owned(),
            (Fr, "silence", _) => "désormais rien ne passe sur cette connexion, qui reste ouverte".to_owned(),
            (Fr, "hold", true) => "la requête est retenue".to_owned(),
            (Fr, "hold", false) => "la réponse est retenue".to_owned(),
            (Fr, "delay", _) => "le réseau est lent à partir d'ici".to_owned(),
            (Fr, "answer", _) => format!("la requête n'atteint pas le broker ; la réponse est {error}"),
            (Fr, "repeat", _) => "le réseau livrera cette requête une seconde fois, plus tard".to_owned(),
            (Fr, "postpone", _) => {
                "la connexion casse ; la requête est encore en route, et arrivera plus tard".to_owned()
            }
            (Fr, "alter", _) => "les métadonnées du groupe sont retirées de la requête".to_owned(),
            (Fr, "kill", true) => "kill -9 ; la requête n'atteint pas le broker".to_owned(),
            (Fr, "kill", false) => "kill -9 ; la réponse ne trouve plus personne".to_owned(),
            (Fr, "freeze", true) => "gelé (SIGSTOP) ; la requête est retenue".to_owned(),
            (Fr, "freeze", false) => "gelé (SIGSTOP) ; la réponse est retenue".to_owned(),
            (Fr, "away", _) => "plus de broker ; les connexions cassent, les nouvelles sont refusées".to_owned(),
            (_, other, _) => other.to_owned(),
        }
    }

    /// A signal on which something waited; `away`: that was the broker.
    pub(crate) fn signal(self, name: &str, away: bool) -> String {
        match (self, away) {
            (En, true) => "the broker is back".to_owned(),
            (Fr, true) => "le broker est de retour".to_owned(),
            (En, false) => format!("\"{name}\": what waited for this goes on"),
            (Fr, false) => format!("« {name} » : ce qui attendait ce moment reprend"),
        }
    }

    /// A new connection that was closed at once.
    pub(crate) fn refused(self) -> &'static str {
        self.pick("connection refused", "connexion refusée")
    }

    /// What an error code means here, where its name does not say it.
    pub(crate) fn meaning(self, code: i16) -> Option<&'static str> {
        let (english, french) = match code {
            7 => ("the broker gave up waiting; retriable", "le broker a renoncé à attendre ; réessai possible"),
            19 => ("too few replicas in sync; retriable", "trop peu de réplicas synchronisés ; réessai possible"),
            22 => ("the group has gone on to another generation", "le groupe est passé à une autre génération"),
            25 => ("no member of the group any more", "n'est plus membre du groupe"),
            27 => ("the group is sharing out its partitions anew", "le groupe redistribue ses partitions"),
            45 => ("a batch before it is missing", "il manque un lot avant celui-ci"),
            47 | 90 => {
                ("a newer instance has this transactional id", "une instance plus récente a ce transactional.id")
            }
            48 => ("no such transaction is open", "aucune transaction de ce genre n'est ouverte"),
            51 => ("the last transaction is still being ended", "la transaction précédente n'est pas encore terminée"),
            82 => {
                ("another member has this group.instance.id now", "un autre membre a maintenant ce group.instance.id")
            }
            88 => {
                ("an open transaction holds newer offsets", "une transaction ouverte contient des offsets plus récents")
            }
            _ => return None,
        };
        Some(self.pick(english, french))
    }

    /// Above the moments.
    pub(crate) fn course(self) -> [&'static str; 2] {
        match self {
            En => ["ms", "→ to the broker   ← from the broker"],
            Fr => ["ms", "→ vers le broker   ← du broker"],
        }
    }

    /// New connections that were closed at once.
    pub(crate) fn connections_refused(self) -> &'static str {
        self.pick("connections refused", "connexions refusées")
    }

    /// Several moments that are alike, told as one.
    pub(crate) fn many(self, count: usize, more: bool, what: &str, first: &str, last: &str, outcome: &str) -> String {
        let count = match (self, more) {
            (En, true) => format!("… {count} more {what}"),
            (Fr, true) => format!("… encore {count} {what}"),
            (_, false) => format!("… {count} {what}"),
        };
        let which = match self {
            _ if first.is_empty() => String::new(),
            _ if first == last => format!(", {first}"),
            En => format!(", {first} to {last}"),
            Fr => format!(", {first} à {last}"),
        };
        let outcome = if outcome.is_empty() { String::new() } else { format!("{} {outcome}", self.colon()) };
        format!("{count}{which}{outcome}")
    }

    /// What has just been told, again and again.
    pub(crate) fn same(self, times: usize) -> String {
        match self {
            En => format!("… the same {times} more times"),
            Fr => format!("… de même, encore {times} fois"),
        }
    }

    /// The middle of a story that is too long.
    pub(crate) fn left_out(self, count: usize) -> String {
        match self {
            En => format!("… {count} lines are left out here; --trace FOLDER writes everything"),
            Fr => format!("… {count} lignes omises ici ; --trace DOSSIER écrit tout"),
        }
    }

    /// A batch that was stored.
    pub(crate) fn stored(self) -> &'static str {
        self.pick("stored", "stocké")
    }

    /// Where a batch was stored.
    pub(crate) fn stored_at(self, place: &str) -> String {
        match self {
            En => format!("stored at {place}"),
            Fr => format!("stocké, {place}"),
        }
    }

    /// A batch that the broker has already, and does not store again.
    pub(crate) fn recognised(self, place: &str) -> String {
        match self {
            En => format!("recognised: it is there already, at {place}"),
            Fr => format!("reconnu : il est déjà là, {place}"),
        }
    }

    /// What was sent before, by the same instance.
    pub(crate) fn again(self) -> &'static str {
        self.pick("again,", "à nouveau,")
    }

    /// Nobody answers.
    pub(crate) fn no_answer(self) -> &'static str {
        self.pick("no answer", "sans réponse")
    }

    /// The broker does not answer: acks=0.
    pub(crate) fn no_acks(self) -> &'static str {
        self.pick("no answer asked for (acks=0)", "pas de réponse demandée (acks=0)")
    }

    /// Of a member of a group.
    pub(crate) fn generation(self, generation: i32) -> String {
        format!("{} {generation}", self.pick("generation", "génération"))
    }

    /// Offsets from a client that is no member.
    pub(crate) fn no_group_metadata(self) -> &'static str {
        self.pick("no group metadata", "sans métadonnées du groupe")
    }

    /// A committed offset that is lower than the one before.
    pub(crate) fn rewound(self, before: i64) -> String {
        match self {
            En => format!("BACKWARDS, from {before}"),
            Fr => format!("EN ARRIÈRE, depuis {before}"),
        }
    }

    /// Where a member begins to read.
    pub(crate) fn begins_at(self, offsets: &str) -> String {
        match self {
            En => format!("committed so far: {offsets}"),
            Fr => format!("commité jusqu'ici : {offsets}"),
        }
    }

    /// No committed offset.
    pub(crate) fn nothing(self) -> &'static str {
        self.pick("nothing", "rien")
    }

    /// Records that a reader is given.
    pub(crate) fn reads(self, values: &str) -> String {
        format!("{} {values}", self.pick("reads", "lit"))
    }

    /// A reader that is not given what is there.
    pub(crate) fn stalled(self, last_stable: i64, end: i64) -> String {
        match self {
            En => format!("stands at the last stable offset {last_stable}, of {end}: a transaction is open"),
            Fr => format!("bloqué au dernier offset stable {last_stable}, sur {end} : une transaction est ouverte"),
        }
    }

    /// Aborted transactions that a reader has to skip.
    pub(crate) fn skips(self, transactions: usize) -> String {
        match (self, transactions) {
            (En, 1) => "1 aborted transaction to skip".to_owned(),
            (En, _) => format!("{transactions} aborted transactions to skip"),
            (Fr, 1) => "1 transaction avortée à ignorer".to_owned(),
            (Fr, _) => format!("{transactions} transactions avortées à ignorer"),
        }
    }

    /// A producer id and its epoch.
    pub(crate) fn producer(self, id: i64, epoch: i16) -> String {
        format!("id {id}, {} {epoch}", self.pick("epoch", "époque"))
    }

    /// A request that reaches the broker late, or once more; what came of it.
    pub(crate) fn arrives(self, request: &str, outcome: &str) -> String {
        match self {
            En => format!("what was late arrives: {request}: {outcome} (the client does not see this answer)"),
            Fr => {
                format!("ce qui était en retard arrive : {request} : {outcome} (le client ne voit pas cette réponse)")
            }
        }
    }
}
