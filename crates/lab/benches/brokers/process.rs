//! The brokers that the benchmark starts, each in a process of its own.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::Error;

use crate::shared::show::go_on;

/// A broker, stopped when dropped.
pub(crate) struct Process {
    pub(crate) servers: String,
    /// From its start to the first answer.
    pub(crate) start: Duration,
    /// Of the broker itself.
    pub(crate) id: u32,
    child: Child,
}

impl Process {
    /// The embedded broker, by the command `lab broker`.
    pub(crate) fn embedded(mut lab: Command) -> Result<Self, Error> {
        lab.args(["broker", "--quiet", "--listen", "127.0.0.1:0"]);
        let begin = Instant::now();
        let (child, mut lines) = spawn(lab)?;
        // From here on, dropping it ends the process.
        let mut broker = Self { servers: String::new(), start: Duration::ZERO, id: child.id(), child };
        broker.servers = lines.next().and_then(Result::ok).ok_or_else(|| Error::failed("lab broker did not start"))?;
        ask(&broker.servers).map_err(|error| Error::failed(format!("lab broker does not answer: {error}")))?;
        broker.start = begin.elapsed();
        Ok(broker)
    }

    /// Apache Kafka, by compose/kafka.sh.
    pub(crate) fn apache(port: u16) -> Result<Self, Error> {
        let mut script = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compose/kafka.sh"));
        script.args(["--stop-on-eof", "--port", &port.to_string()]);
        let begin = Instant::now();
        let (child, mut lines) = spawn(script)?;
        let servers = format!("127.0.0.1:{port}");
        let mut broker = Self { servers, start: Duration::ZERO, id: child.id(), child };
        for line in lines.by_ref().map_while(Result::ok) {
            go_on()?;
            let words: Vec<_> = line.split_whitespace().collect();
            match &*words {
                // "Node 1 is process 4711; its log is …"
                ["Node", "1", "is", "process", id, ..] => {
                    broker.id = id.trim_end_matches(';').parse().unwrap_or(broker.id);
                }
                ["Kafka", _, "is", "ready", ..] => {
                    broker.start = begin.elapsed();
                    // It has more to say, and would end if nobody listened.
                    std::thread::spawn(move || lines.count());
                    return Ok(broker);
                }
                _ => {}
            }
        }
        Err(Error::Usage("compose/kafka.sh did not start Kafka; it has said why above".into()))
    }

    /// Bytes of memory that it occupies (resident set), as `ps` tells on Linux and macOS.
    pub(crate) fn resident(&self) -> Result<u64, Error> {
        let output = Command::new("ps").args(["-o", "rss=", "-p", &self.id.to_string()]).output();
        let output = output.map_err(|error| Error::failed(format!("ps: {error}")))?;
        let kilobytes = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
        kilobytes.map(|kilobytes| kilobytes << 10).map_err(|_| Error::failed("ps does not tell the size of the broker"))
    }
}

/// Seconds for which the processors have worked for a process, where Linux tells it.
pub(crate) fn processor_time(id: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // After the name, which may hold anything: utime and stime are fields 14 and 15, in hundredths (proc_pid_stat(5)).
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

impl Drop for Process {
    fn drop(&mut self) {
        // compose/kafka.sh stops Kafka when its standard input ends; to the embedded broker, nothing is worth an orderly end.
        drop(self.child.stdin.take());
        if self.id == self.child.id() {
            // It may have ended by itself.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn spawn(mut command: Command) -> Result<(Child, Lines<BufReader<ChildStdout>>), Error> {
    let what = command.get_program().to_string_lossy().into_owned();
    let failed = |why: String| Error::failed(format!("{what}: {why}"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
    Ok((child, lines.ok_or_else(|| failed("no standard output".into()))?))
}

/// Asks for the metadata of no topic, and waits until the answer begins.
fn ask(servers: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(servers)?;
    // The length; API key 3, version 1; correlation id; no client id; no topic.
    stream.write_all(&[0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0])?;
    stream.read_exact(&mut [0; 4])
}
