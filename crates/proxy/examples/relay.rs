//! The proxy without any fault, for a look at what a client says to Kafka:
//!
//! ```text
//! cargo run -p proxy --example relay -- --upstream localhost:9092 --trace
//! ```
//!
//! Then give the client the address that is printed as its bootstrap server.

use std::io::{self, Write};

use clap::Parser;
use proxy::Proxy;

/// Relay between Kafka clients and a Kafka
#[derive(Parser)]
struct Args {
    /// Kafka's bootstrap servers, separated by commas
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,

    /// Print every frame on stdout, as a line of JSON; the address then goes to stderr
    #[arg(long)]
    trace: bool,
}

fn main() -> io::Result<()> {
    env_logger::init();
    let args = Args::parse();
    let mut builder = Proxy::builder(args.upstream);
    if args.trace {
        builder = builder.trace_to(Box::new(io::stdout()));
    }
    let proxy = builder.start()?;
    let address = proxy.client("client")?;
    let mut out: Box<dyn Write> = if args.trace { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    writeln!(out, "bootstrap.servers={address}")?;
    out.flush()?;
    // Until Ctrl-C; then the proxy is dropped, and the last lines are written.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(tokio::signal::ctrl_c())
}
