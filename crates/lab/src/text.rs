//! Everything that a user reads, in English and in French.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::catalogue::Guarantee;
use crate::child::Ended;
use crate::error::Error;
use crate::ledger::{Anomaly, Kind};
use crate::verdict::{Failure, Verdict};

/// How many values of one kind are named; of the others, the number is told.
const NAMED: usize = 5;

/// The user's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// français
    Fr,
}

use Lang::{En, Fr};

impl Lang {
    /// The language of a locale, from the variables that POSIX names for messages: the first that is set decides.
    pub fn from_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale =
            ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
        match locale {
            Some(locale) if locale.to_ascii_lowercase().starts_with("fr") => Fr,
            _ => En,
        }
    }

    /// The name of a guarantee.
    pub fn guarantee(self, guarantee: Guarantee) -> &'static str {
        match (self, guarantee) {
            (En, Guarantee::AtMostOnce) => "at most once",
            (En, Guarantee::AtLeastOnce) => "at least once",
            (En, Guarantee::ExactlyOnce) => "exactly once",
            (Fr, Guarantee::AtMostOnce) => "au plus 1 fois",
            (Fr, Guarantee::AtLeastOnce) => "au moins 1 fois",
            (Fr, Guarantee::ExactlyOnce) => "exactement 1 fois",
        }
    }

    /// A verdict in one word.
    pub fn verdict(self, verdict: &Verdict) -> &'static str {
        match (self, verdict) {
            (En, Verdict::Holds) => "holds",
            (En, Verdict::Violated(_)) => "violated",
            (En, Verdict::Unknown(_)) => "unknown",
            (Fr, Verdict::Holds) => "tenue",
            (Fr, Verdict::Violated(_)) => "violée",
            (Fr, Verdict::Unknown(_)) => "inconnu",
        }
    }

    /// One line for each kind, with the values named.
    fn anomalies<'a>(self, anomalies: impl Iterator<Item = &'a Anomaly>) -> impl Iterator<Item = String> {
        let mut by_kind: Vec<(Kind, Vec<&Anomaly>)> = Vec::new();
        for anomaly in anomalies {
            match by_kind.iter_mut().find(|(kind, _)| *kind == anomaly.kind) {
                Some((_, same)) => same.push(anomaly),
                None => by_kind.push((anomaly.kind, vec![anomaly])),
            }
        }
        by_kind.sort_by_key(|(kind, _)| *kind);
        by_kind.into_iter().map(move |(kind, anomalies)| {
            let places = || anomalies.iter().flat_map(|anomaly| &anomaly.places);
            // The topic is told once.
            let topic = places().next().map(|place| &place.topic);
            let one_topic = topic.filter(|topic| places().all(|place| place.topic == **topic));
            let mut line = match (self, one_topic) {
                (En, Some(topic)) => format!("{}, in {topic}: ", self.kind(kind)),
                (En, None) => format!("{}: ", self.kind(kind)),
                (Fr, Some(topic)) => format!("{}, dans {topic} : ", self.kind(kind)),
                (Fr, None) => format!("{} : ", self.kind(kind)),
            };
            for (i, anomaly) in anomalies.iter().take(NAMED).enumerate() {
                if i > 0 {
                    line.push_str(", ");
                }
                // Writing to a string cannot fail.
                let _ = write!(line, "{}", anomaly.value);
                for place in anomaly.places.iter().take(NAMED) {
                    let _ = match one_topic {
                        Some(_) => write!(line, " [{}]@{}", place.partition, place.offset),
                        None => write!(line, " {place}"),
                    };
                }
            }
            if let Some(more) = anomalies.len().checked_sub(NAMED).filter(|more| *more > 0) {
                let _ = match self {
                    En => write!(line, " and {more} more"),
                    Fr => write!(line, " et {more} de plus"),
                };
            }
            line
        })
    }

    fn kind(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (En, Kind::Lost) => "lost",
            (En, Kind::Duplicated) => "duplicated",
            (En, Kind::Reordered) => "out of order",
            (En, Kind::AbortedVisible) => "aborted, and yet visible at read_committed",
            (En, Kind::Uncommitted) => "visible at read_committed, and its commit was never asked for",
            (En, Kind::Torn) => "missing from a transaction of which another part is visible",
            (En, Kind::Half) => "its result visible, its offset not committed",
            (En, Kind::AbortedProcessed) => "processed, although its transaction was aborted",
            (En, Kind::Phantom) => "there, although nobody sent it",
            (En, Kind::Misplaced) => "not where the program says it is",
            (En, Kind::OtherPartition) => "result in another partition than its input",
            (En, Kind::OtherKey) => "result with another key than its input",
            (En, Kind::Failed) => "reported as failed",
            (En, Kind::Aborted) => "reported as aborted",
            (En, Kind::Unacknowledged) => "sent, and never acknowledged",
            (En, Kind::Missing) => "not done, as far as the program says",
            (En, Kind::NotCommitted) => "processed, and its offset not committed",
            (En, Kind::Repeated) => "processed more than once",
            (Fr, Kind::Lost) => "perdu",
            (Fr, Kind::Duplicated) => "en double",
            (Fr, Kind::Reordered) => "dans le désordre",
            (Fr, Kind::AbortedVisible) => "avorté, et pourtant visible en read_committed",
            (Fr, Kind::Uncommitted) => "visible en read_committed, sans que son commit ait jamais été demandé",
            (Fr, Kind::Torn) => "absent d'une transaction dont une autre partie est visible",
            (Fr, Kind::Half) => "son résultat visible, son offset pas commité",
            (Fr, Kind::AbortedProcessed) => "traité, alors que sa transaction a été avortée",
            (Fr, Kind::Phantom) => "présent, alors que personne ne l'a envoyé",
            (Fr, Kind::Misplaced) => "absent de la place qu'annonce le programme",
            (Fr, Kind::OtherPartition) => "résultat dans une autre partition que son entrée",
            (Fr, Kind::OtherKey) => "résultat avec une autre clé que son entrée",
            (Fr, Kind::Failed) => "annoncé comme échoué",
            (Fr, Kind::Aborted) => "annoncé comme avorté",
            (Fr, Kind::Unacknowledged) => "envoyé, et jamais acquitté",
            (Fr, Kind::Missing) => "pas fait, à ce qu'en dit le programme",
            (Fr, Kind::NotCommitted) => "traité, sans que son offset soit commité",
            (Fr, Kind::Repeated) => "traité plus d'une fois",
        }
    }

    fn failure(self, failure: &Failure) -> String {
        let how = match (self, failure.ended) {
            (En, Ended::Status(status)) => format!("it ended with exit status {status}"),
            (En, Ended::Signal(signal)) => format!("it was ended by signal {signal}"),
            (Fr, Ended::Status(status)) => format!("il s'est terminé avec le code de sortie {status}"),
            (Fr, Ended::Signal(signal)) => format!("il a été arrêté par le signal {signal}"),
        };
        match (self, &failure.said) {
            (_, None) => how,
            (En, Some(said)) => format!("{how}, saying: {said}"),
            (Fr, Some(said)) => format!("{how}, en disant : {said}"),
        }
    }

    /// An error in one line, with what to do about it where that is known.
    pub fn error(self, error: &Error) -> String {
        let text = match self {
            En => english(error),
            Fr => french(error),
        };
        // A reason that librdkafka gives may span lines.
        text.replace(['\n', '\r'], " ")
    }

    /// Goes before an error that ends the lab.
    pub fn error_label(self) -> &'static str {
        match self {
            En => "error:",
            Fr => "erreur :",
        }
    }

    /// While the programs are built.
    pub fn building(self, programs: usize) -> String {
        match self {
            En => format!("building {programs} program{}", if programs == 1 { "" } else { "s" }),
            Fr => format!("compilation de {programs} programme{}", if programs == 1 { "" } else { "s" }),
        }
    }

    /// Where the runs happen, and how to repeat their names.
    pub fn running(self, servers: Option<&str>, runs: usize, seed: u32, prefix: &str) -> String {
        match (self, servers) {
            (En, Some(servers)) => format!("{runs} runs on {servers}, --seed {seed}: all names begin with {prefix}-"),
            (En, None) => format!("{runs} runs, each on an embedded broker of its own, --seed {seed}"),
            (Fr, Some(servers)) => {
                format!("{runs} exécutions sur {servers}, --seed {seed} : tous les noms commencent par {prefix}-")
            }
            (Fr, None) => format!("{runs} exécutions, chacune sur son propre broker embarqué, --seed {seed}"),
        }
    }

    /// What `lab broker` prints once clients can connect.
    pub fn serving(self, address: SocketAddr) -> String {
        // From this machine, all of its addresses are reached by the first of them.
        let near = match address.ip() {
            ip if !ip.is_unspecified() => address,
            IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
            IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, address.port())),
        };
        // The default address needs no flag.
        let flag = match near.to_string().as_str() {
            "127.0.0.1:9092" => String::new(),
            other => format!(" --bootstrap-servers {other}"),
        };
        let [produce, consume] = ["producer", "consumer"]
            .map(|role| format!("  cargo run -p {role}-at-least-once --{flag}").trim_end_matches(" --").to_owned());
        match self {
            En => format!(
                "Kafka is ready on {address}, in memory: everything is gone when it stops (Ctrl-C).\n\
                 Next, in two other terminals:\n{produce}\n{consume}\n"
            ),
            Fr => format!(
                "Kafka est prêt sur {address}, en mémoire : tout disparaît quand il s'arrête (Ctrl-C).\n\
                 Ensuite, dans deux autres terminaux :\n{produce}\n{consume}\n"
            ),
        }
    }

    /// When the embedded broker listens on more than this machine.
    pub fn open_to_others(self, address: SocketAddr) -> String {
        match self {
            En => format!(
                "{address} can be reached from other machines, and there is no password: anyone may read and write"
            ),
            Fr => format!(
                "{address} est accessible depuis d'autres machines, et sans mot de passe : tout le monde peut lire et \
                 écrire"
            ),
        }
    }

    /// After Ctrl-C.
    pub fn stopping(self) -> &'static str {
        match self {
            En => "stopping: ending the programs and deleting the topics (Ctrl-C again ends at once)",
            Fr => "arrêt : fin des programmes et suppression des topics (encore Ctrl-C pour finir aussitôt)",
        }
    }

    /// With --keep.
    pub fn kept(self, topics: &[String]) -> String {
        let topics = topics.join(" ");
        match self {
            En => format!("kept: {topics}"),
            Fr => format!("conservés : {topics}"),
        }
    }

    /// A topic or group that is still there.
    pub fn not_deleted(self, name: &str, why: &str) -> String {
        match self {
            En => format!("{name} could not be deleted: {why}"),
            Fr => format!("{name} n'a pas pu être supprimé : {why}"),
        }
    }
}

fn english(error: &Error) -> String {
    match error {
        Error::NoBroker { servers, reason } => {
            let reason = reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!(
                "no Kafka answers on {servers}{reason}: start one (cargo run -p lab -- broker, or compose/kafka.sh), or \
                 give its address with --bootstrap-servers HOST:PORT"
            )
        }
        Error::Listen { address, taken: true, .. } => format!(
            "{address} is in use: a Kafka may be there already; stop it, or choose another address with --listen \
             HOST:PORT"
        ),
        Error::Listen { address, taken: false, why } => {
            format!("the embedded broker cannot listen on {address}: {why}; choose another with --listen HOST:PORT")
        }
        Error::Client(why) => format!("librdkafka refuses this configuration: {why}"),
        Error::NamedByTheLab(key) => format!("-X {key}: the lab gives each program its own; leave it out"),
        Error::NoWorkspace(lab) => {
            format!("the sources are not at {lab} any more: run the lab with cargo run -p lab, inside the checkout")
        }
        Error::Build(Some(why)) => format!("cargo cannot be started: {why}"),
        Error::Build(None) => "the programs could not be built: cargo says why above".to_owned(),
        Error::Create { topic, why } => format!("topic {topic} cannot be created: {why}"),
        Error::SeedTaken { seed, topic } => format!(
            "topic {topic} exists already: another run with --seed {seed} is under way or was kept; take another seed, \
             or none"
        ),
        Error::Aborted { topic, why } => format!("the aborted transactions cannot be written to {topic}: {why}"),
        Error::NoTopic { topic, servers } => {
            format!("there is no topic {topic} on {servers}: check the name, and --bootstrap-servers")
        }
        Error::Read { topic, why } => format!("topic {topic} cannot be read to its end: {why}"),
        Error::OpenTransaction { topic, partition, last_stable, end } => format!(
            "a transaction stays open in {topic}[{partition}]: its last stable offset is {last_stable}, its end offset \
             {end}"
        ),
        Error::Offsets { group, why } => format!("the committed offsets of group {group} cannot be read: {why}"),
        Error::Spawn { program, why } => format!("{program} cannot be started: {why}"),
        Error::Refused(why) => format!("the program could not start its work: {why}"),
        Error::Stalled(limit) => format!("nothing came from it for {} s, so it was killed", limit.as_secs()),
        Error::Flooded(lines) => format!("it printed more than {lines} lines, so it was killed"),
        Error::Input { topic, why } => format!("the input cannot be written to {topic}: {why}"),
        Error::Proxy(why) => format!("the fault proxy cannot listen: {why}; close some programs and run the lab again"),
        Error::Trace { path, why } => {
            format!("the trace cannot be written to {path}: {why}; choose another --trace FOLDER")
        }
        Error::Print(why) => format!("the result cannot be written: {why}; free some space, or redirect it elsewhere"),
        Error::NotReached { moment } => format!("the moment \"{moment}\" did not come: nothing was shown"),
        Error::NoSuchRun { program, scenario, variant } => {
            let variant = variant.as_ref().map(|variant| format!(" in the variant \"{variant}\"")).unwrap_or_default();
            let scenario = scenario.as_deref().unwrap_or("no scenario");
            format!("{scenario}{variant} does not concern {program}: `lab list` shows what does")
        }
        Error::Interrupted => "interrupted".to_owned(),
    }
}

fn french(error: &Error) -> String {
    match error {
        Error::NoBroker { servers, reason } => {
            let reason = reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!(
                "aucun Kafka ne répond sur {servers}{reason} : démarrez-en un (cargo run -p lab -- broker, ou compose/kafka.sh), ou donnez son \
                 adresse avec --bootstrap-servers HÔTE:PORT"
            )
        }
        Error::Listen { address, taken: true, .. } => format!(
            "{address} est déjà pris, peut-être par un Kafka : arrêtez-le, ou choisissez une autre adresse avec \
             --listen HÔTE:PORT"
        ),
        Error::Listen { address, taken: false, why } => format!(
            "le broker embarqué ne peut pas écouter sur {address} : {why} ; choisissez une autre adresse avec --listen \
             HÔTE:PORT"
        ),
        Error::Client(why) => format!("librdkafka refuse cette configuration : {why}"),
        Error::NamedByTheLab(key) => format!("-X {key} : le lab donne le sien à chaque programme ; à omettre"),
        Error::NoWorkspace(lab) => {
            format!("les sources ne sont plus dans {lab} : lancez le lab avec cargo run -p lab, dans le dépôt")
        }
        Error::Build(Some(why)) => format!("cargo ne démarre pas : {why}"),
        Error::Build(None) => "les programmes ne compilent pas : cargo dit pourquoi ci-dessus".to_owned(),
        Error::Create { topic, why } => format!("le topic {topic} ne peut pas être créé : {why}"),
        Error::SeedTaken { seed, topic } => format!(
            "le topic {topic} existe déjà : une autre exécution avec --seed {seed} est en cours ou a été conservée ; \
             prenez une autre graine, ou aucune"
        ),
        Error::Aborted { topic, why } => {
            format!("les transactions à avorter ne peuvent pas être écrites dans {topic} : {why}")
        }
        Error::NoTopic { topic, servers } => {
            format!("il n'y a pas de topic {topic} sur {servers} : vérifiez le nom, et --bootstrap-servers")
        }
        Error::Read { topic, why } => format!("le topic {topic} ne peut pas être lu jusqu'au bout : {why}"),
        Error::OpenTransaction { topic, partition, last_stable, end } => format!(
            "une transaction reste ouverte dans {topic}[{partition}] : son dernier offset stable est {last_stable}, son \
             offset de fin {end}"
        ),
        Error::Offsets { group, why } => {
            format!("les offsets commités du groupe {group} ne peuvent pas être lus : {why}")
        }
        Error::Spawn { program, why } => format!("{program} ne démarre pas : {why}"),
        Error::Refused(why) => format!("le programme n'a pas pu commencer : {why}"),
        Error::Stalled(limit) => format!("il n'a rien produit pendant {} s et a été tué", limit.as_secs()),
        Error::Flooded(lines) => format!("il a affiché plus de {lines} lignes et a été tué"),
        Error::Input { topic, why } => format!("l'entrée ne peut pas être écrite dans {topic} : {why}"),
        Error::Proxy(why) => format!(
            "le proxy qui provoque les pannes ne peut pas écouter : {why} ; fermez des programmes et relancez le lab"
        ),
        Error::Trace { path, why } => {
            format!("la trace ne peut pas être écrite dans {path} : {why} ; choisissez un autre dossier avec --trace")
        }
        Error::Print(why) => {
            format!("le résultat ne peut pas être écrit : {why} ; libérez de la place, ou redirigez-le")
        }
        Error::NotReached { moment } => {
            format!("le moment « {moment} » n'est pas venu : l'expérience ne montre rien")
        }
        Error::NoSuchRun { program, scenario, variant } => {
            let variant = variant.as_ref().map(|variant| format!(", variante « {variant} »,")).unwrap_or_default();
            let scenario = scenario.as_deref().unwrap_or("aucun scénario");
            format!("{scenario}{variant} ne concerne pas {program} : `lab list` montre ce qui le concerne")
        }
        Error::Interrupted => "interrompu".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use common::grammar::Position;

    use super::*;
    use crate::value::Value;

    #[test]
    fn the_first_variable_that_is_set_decides_the_language() {
        let lang = |set: &[(&str, &str)]| {
            Lang::from_locale(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(lang(&[]), En);
        assert_eq!(lang(&[("LANG", "fr_FR.UTF-8")]), Fr);
        assert_eq!(lang(&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")]), En);
        assert_eq!(lang(&[("LANG", "en_GB"), ("LC_MESSAGES", "fr_BE"), ("LC_ALL", "")]), Fr);
    }

    #[test]
    fn a_few_values_are_named_and_the_others_counted() {
        let anomalies: Vec<_> = (0..7)
            .map(|i| Anomaly {
                kind: Kind::Lost,
                value: Value::from(format!("msg-{i}").as_str()),
                times: 1,
                places: vec![Position { topic: "t".into(), partition: 0, offset: i }],
            })
            .collect();
        let lines = |lang: Lang| lang.anomalies(anomalies.iter()).collect::<Vec<_>>();
        let named = "msg-0 [0]@0, msg-1 [0]@1, msg-2 [0]@2, msg-3 [0]@3, msg-4 [0]@4";
        assert_eq!(lines(En), [format!("lost, in t: {named} and 2 more")]);
        assert_eq!(lines(Fr), [format!("perdu, dans t : {named} et 2 de plus")]);
    }
}
