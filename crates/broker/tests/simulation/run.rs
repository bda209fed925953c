//! Runs a property over random histories.
//!
//! - `PROPTEST_CASES`: how many histories, for every property.
//! - `TEST_SEED`: the seed that a failure has printed; the same histories come again.

use std::{
    env, fmt,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use proptest::{
    prelude::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

/// What a check has found to be wrong.
pub(crate) type Checked<T = ()> = Result<T, String>;

/// Goes on only if it holds.
macro_rules! hold {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use hold;

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}={value} is no number")))
}

/// Holds the property for so many histories, and prints how many a second that was.
pub(crate) fn for_all<T: fmt::Debug>(
    name: &str,
    cases: u32,
    histories: impl Strategy<Value = Vec<T>>,
    property: impl Fn(&[T]) -> Checked,
) {
    let cases = number("PROPTEST_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(cases);
    let seed = number("TEST_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Short enough to be typed.
        (since.as_micros() % 1_000_000_007) as u64
    });
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let start = Instant::now();
    let result = runner.run(&histories, |history| property(&history).map_err(TestCaseError::fail));
    match result {
        Ok(()) => {
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("{name}: {cases} histories, {:.0} a second (TEST_SEED={seed})", f64::from(cases) / seconds);
        }
        Err(TestError::Fail(why, history)) => {
            let steps: Vec<String> = history.iter().map(|step| format!("    {step:?},")).collect();
            panic!("{name}: {why}\nTEST_SEED={seed} finds it again; the shortest history:\n{}", steps.join("\n"));
        }
        Err(TestError::Abort(why)) => panic!("{name}: {why}"),
    }
}
