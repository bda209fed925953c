//! Random schedules: the promise holds, what a guarantee allows is found, and wrong programs are convicted.

use crate::exercises::together;

#[test]
fn explore() {
    println!("built: {}", together::executable("06-asynchronous").display());
}
