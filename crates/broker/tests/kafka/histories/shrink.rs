//! A shorter history that still shows a difference.

use std::time::{Duration, Instant};

use super::step::Step;

/// Leaves out halves, then quarters, … then single steps, as long as the history differs without them. Stops after this
/// time with what it has.
pub(crate) fn shrink(steps: &[Step], time: Duration, mut differs: impl FnMut(&[Step]) -> bool) -> Vec<Step> {
    let end = Instant::now() + time;
    let mut steps = steps.to_vec();
    let mut size = steps.len().div_ceil(2);
    loop {
        let mut start = 0;
        let before = steps.len();
        while start < steps.len() {
            if Instant::now() > end {
                return steps;
            }
            let mut shorter = steps.clone();
            shorter.drain(start..steps.len().min(start + size));
            if differs(&shorter) {
                steps = shorter;
            } else {
                start += size;
            }
        }
        if size == 1 && steps.len() == before {
            return steps;
        }
        size = size.div_ceil(2);
    }
}

/// As Rust, for regressions.rs.
pub(crate) fn as_code(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("        {step:?},\n")).collect()
}
