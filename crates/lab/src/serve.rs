//! `lab broker`: the embedded broker, until Ctrl-C.

use std::{
    io::{self, Write},
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use ::broker::Broker;
use clap::Args;
use common::stop;

use crate::{error::Error, text::Lang};

/// Start Kafka in this process, in memory, and keep it until Ctrl-C
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Serve {
    /// Where to listen; port 0 is a free one
    #[arg(long, env = "LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:9092", value_parser = address)]
    listen: SocketAddr,

    /// Partitions of a topic that a program creates by asking for it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1000))]
    partitions: i32,

    /// Bytes that each partition keeps: what is older is forgotten
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    retention_bytes: u64,

    /// Print the address only
    #[arg(long, short)]
    quiet: bool,

    /// Language [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum)]
    lang: Option<Lang>,

    /// Print help
    #[arg(short, long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// The French help, by flag.
pub(crate) const HELP_FR: &[(&str, &str)] = &[
    ("listen", "Où écouter ; le port 0 en désigne un libre"),
    ("partitions", "Nombre de partitions d'un topic qu'un programme crée en le demandant"),
    ("retention_bytes", "Octets que garde chaque partition : ce qui est plus ancien est oublié"),
    ("quiet", "N'afficher que l'adresse"),
    ("lang", "Langue [défaut : celle de LC_ALL, LC_MESSAGES ou LANG]"),
    ("help", "Afficher l'aide"),
];

/// What the command does, in French.
pub(crate) const ABOUT_FR: &str = "Démarre Kafka dans ce processus, en mémoire, et le garde jusqu'à Ctrl-C";

/// Commands to type next.
pub(crate) const EXAMPLES: &str = "\
Examples:
  cargo run -p lab -- broker                            on 127.0.0.1:9092
  cargo run -p lab -- broker --listen 127.0.0.1:0 -q    on a free port, which is printed";

/// The same in French.
pub(crate) const EXAMPLES_FR: &str = "\
Exemples :
  cargo run -p lab -- broker                            sur 127.0.0.1:9092
  cargo run -p lab -- broker --listen 127.0.0.1:0 -q    sur un port libre, qui est affiché";

/// How long to sleep at once: Ctrl-C wakes earlier.
const NAP: Duration = Duration::from_secs(60);

/// The broker of a run that was given none: on a free port, and gone with it.
///
/// # Errors
/// [`Error::Listen`].
pub(crate) fn for_this_run(seed: u32) -> Result<Broker, Error> {
    let settings = |settings: &mut ::broker::Settings| {
        settings.seed = Some(seed.into());
        // Kafka's limits are made for production: with them a dead member or an open transaction would take seconds to
        // be noticed. What happens then is the same.
        settings.groups.min_session_timeout = 100;
        settings.transactions.scan_interval = 50;
    };
    Broker::builder().settings(settings).start().map_err(|error| Error::Listen {
        address: "127.0.0.1".into(),
        taken: false,
        why: error.to_string(),
    })
}

/// Serves until Ctrl-C.
///
/// # Errors
/// [`Error::Listen`] when the address is in use, or not this machine's.
pub(crate) fn serve(args: &Serve, lang: Lang) -> Result<(), Error> {
    let broker = Broker::builder()
        .listen(args.listen)
        .settings(|settings| {
            settings.default_partitions = args.partitions;
            settings.retention_bytes = usize::try_from(args.retention_bytes).unwrap_or(usize::MAX);
        })
        .start()
        .map_err(|error| Error::Listen {
            address: args.listen.to_string(),
            taken: error.kind() == io::ErrorKind::AddrInUse,
            why: error.to_string(),
        })?;
    let address = broker.address();
    if !address.ip().is_loopback() {
        log::warn!("{}", lang.open_to_others(address));
    }
    let mut out = io::stdout();
    let text = if args.quiet { format!("{address}\n") } else { lang.serving(address) };
    // Nobody reads it: the broker serves all the same.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    while !stop::requested() {
        stop::sleep(NAP);
    }
    drop(broker);
    Ok(())
}

/// One address to listen on. A name that has several (localhost) means its IPv4 address, which all clients try.
fn address(text: &str) -> Result<SocketAddr, String> {
    let all: Vec<_> = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; write HOST:PORT, for example 127.0.0.1:9092"))?
        .collect();
    let ipv4 = all.iter().copied().find(SocketAddr::is_ipv4);
    ipv4.or(all.first().copied()).ok_or_else(|| "no address has this name".into())
}
