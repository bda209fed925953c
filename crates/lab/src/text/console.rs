//! What the lab says on standard error while it works, and what `lab broker` prints.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Lang::{self, En, Fr};

impl Lang {
    /// While the programs are built.
    pub fn building(self, programs: usize) -> String {
        match self {
            En => format!("building {programs} program{}", if programs == 1 { "" } else { "s" }),
            Fr => format!("compilation de {programs} programme{}", if programs == 1 { "" } else { "s" }),
        }
    }

    /// Where the runs happen, and how to repeat their names.
    pub fn running(self, servers: Option<&str>, runs: usize, seed: u32, prefix: &str) -> String {
        let how_many = match (self, runs) {
            (En, 1) => "one run".to_owned(),
            (En, _) => format!("{runs} runs"),
            (Fr, 1) => "une exécution".to_owned(),
            (Fr, _) => format!("{runs} exécutions"),
        };
        match (self, servers) {
            (En, Some(servers)) => format!("{how_many} on {servers}, --seed {seed}: all names begin with {prefix}-"),
            (En, None) if runs == 1 => format!("{how_many}, on an embedded broker of its own, --seed {seed}"),
            (En, None) => format!("{how_many}, each on an embedded broker of its own, --seed {seed}"),
            (Fr, Some(servers)) => {
                format!("{how_many} sur {servers}, --seed {seed} : tous les noms commencent par {prefix}-")
            }
            (Fr, None) if runs == 1 => format!("{how_many}, sur son propre broker embarqué, --seed {seed}"),
            (Fr, None) => format!("{how_many}, chacune sur son propre broker embarqué, --seed {seed}"),
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
