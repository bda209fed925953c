//! A broker on 127.0.0.1:9092, until Ctrl-C.

use std::{io, thread};

use broker::Broker;

fn main() -> io::Result<()> {
    env_logger::init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9092".into());
    let address = address.parse().map_err(io::Error::other)?;
    let broker = Broker::builder().listen(address).start()?;
    eprintln!("bootstrap.servers={}", broker.address());
    loop {
        thread::park();
    }
}
