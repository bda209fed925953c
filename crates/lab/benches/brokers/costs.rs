//! What the embedded broker costs before it does anything, and what its messages cost.

use std::time::Duration;

use common::Error;

use crate::jobs::fill;
use crate::process::Process;
use crate::shared::kafka::Kafka;
use crate::shared::programs::Programs;
use crate::shared::ratios::median;
use crate::shared::show::go_on;

/// Messages that are held when memory is measured.
const HELD: u64 = 1_000_000;

/// The least that such a message takes on the wire, in bytes: its size, its attributes, two deltas, the size of no key, that
/// of its 100 bytes and the number of headers stand before and after them. The header of the batch comes on top.
const ON_THE_WIRE: u64 = 109;

/// How often a start is measured.
const STARTS: usize = 11;

/// One line: what, how much, what is wanted of it and whether it was met, and of Apache Kafka.
pub(crate) type Line = [String; 4];

/// Starts a broker anew for each of these.
pub(crate) fn measure(programs: &Programs, apache: Option<&(u64, Duration)>) -> Result<Vec<Line>, Error> {
    let mut starts = Vec::new();
    let mut idle = Vec::new();
    for _ in 0..STARTS {
        go_on()?;
        let broker = Process::embedded(programs.command("lab")?)?;
        starts.push(broker.start.as_secs_f64() * 1e3);
        idle.push(broker.resident()? as f64);
    }
    let (start, idle) = (median(starts).unwrap_or_default(), median(idle).unwrap_or_default());

    let broker = Process::embedded(programs.command("lab")?)?;
    let kafka = Kafka::connect(&broker.servers)?;
    let topic = kafka.topic("bench-held", &[])?;
    fill(programs, &broker.servers, &topic.name, HELD)?;
    let holding = broker.resident()? as f64;
    drop(topic);
    let after = broker.resident()? as f64;
    let wire = (HELD * ON_THE_WIRE) as f64;

    Ok(vec![
        line(
            "from start to first answer",
            format!("{start:.1} ms"),
            Some(("under 20 ms", start < 20.0)),
            apache.map(|(_, start)| format!("{:.0} ms", start.as_secs_f64() * 1e3)),
        ),
        line(
            "memory when idle",
            megabytes(idle),
            Some(("under 12 MB", idle < 12e6)),
            apache.map(|(idle, _)| megabytes(*idle as f64)),
        ),
        line(
            "memory with 1,000,000 messages",
            format!("{}, {:.2} of their bytes on the wire", megabytes(holding), holding / wire),
            Some(("under 1.6", holding < 1.6 * wire)),
            None,
        ),
        line("memory when they are deleted", megabytes(after), None, None),
    ])
}

fn line(what: &str, amount: String, wanted: Option<(&str, bool)>, apache: Option<String>) -> Line {
    let wanted = wanted.map(|(wanted, met)| format!("{wanted}: {}", if met { "met" } else { "missed" }));
    [what.into(), amount, wanted.unwrap_or_default(), apache.unwrap_or_default()]
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}
