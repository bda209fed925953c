//! What the tests share.

pub mod broker;
pub mod full_pipe;
pub mod kafka;
pub mod program;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// The checkout.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Gives a command the environment that another one would have.
pub fn same_environment(command: &mut std::process::Command, of: &std::process::Command) {
    for (name, value) in of.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Does something with each of these, so many at a time; the results are in their order.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], at_once: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else { return };
                    let result = work(item);
                    done.lock().unwrap().push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What to say where a kept text is another one; with `GOLDEN=write` in the environment, it is written anew.
pub fn is_otherwise(path: &Path, got: &str) -> Option<String> {
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(path, got).unwrap();
        return None;
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    (got != wanted).then(|| format!("{} is otherwise (GOLDEN=write writes it anew):\n{got}", path.display()))
}

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
