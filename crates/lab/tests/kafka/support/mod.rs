//! What the tests share.

pub mod broker;
pub mod full_pipe;
pub mod kafka;
pub mod program;

/// Packages of the nine programs.
pub const PROGRAMS: [&str; 9] = [
    "producer-at-most-once",
    "producer-at-least-once",
    "producer-exactly-once",
    "consumer-at-most-once",
    "consumer-at-least-once",
    "consumer-exactly-once",
    "eos-producer",
    "eos-consumer",
    "eos-pipeline",
];

/// The lines of a stream as they come, without their ends.
pub fn lines(from: impl std::io::Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    use std::io::BufRead;
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let from = std::io::BufReader::new(from);
        from.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

/// A measurement or a seed, for whoever reads the test's output: not captured, since it matters when the test passes.
pub fn report(text: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "  {text}");
}

/// A random generator whose seed is reported; TEST_SEED gives it back.
pub fn seeded(test: &str) -> rand::rngs::StdRng {
    let seed = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random::<u64>);
    report(format_args!("{test}: TEST_SEED={seed}"));
    rand::SeedableRng::seed_from_u64(seed)
}
