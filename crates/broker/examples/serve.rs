//! A broker on 127.0.0.1:9092, until Ctrl-C.
//!
//! Arguments, all optional: an address, and `--transaction-version-1`, so that it does not ask for the second
//! transaction protocol (KIP-890).

use std::{io, thread};

use broker::Broker;

fn main() -> io::Result<()> {
    env_logger::init();
    let mut address = "127.0.0.1:9092".to_owned();
    let mut second_protocol = true;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--transaction-version-1" => second_protocol = false,
            _ => address = argument,
        }
    }
    let address = address.parse().map_err(io::Error::other)?;
    let broker = Broker::builder()
        .listen(address)
        .settings(|settings| settings.transaction_version_2 = second_protocol)
        .start()?;
    eprintln!("bootstrap.servers={}", broker.address());
    loop {
        thread::park();
    }
}
