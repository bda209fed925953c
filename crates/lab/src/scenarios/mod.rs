//! What is done to the programs, and what is expected then: one scenario per file.

pub mod calm;
