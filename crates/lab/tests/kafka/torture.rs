//! Random schedules: the promise holds, what a guarantee allows is found, and wrong programs are convicted.

use crate::exercises::wrong::executables;

#[test]
fn explore() {
    println!("built: {}", executables().display());
}
