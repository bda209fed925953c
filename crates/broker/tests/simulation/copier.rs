//! Consume, process, produce.
use crate::run::Checked;
use proptest::prelude::*;
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    A,
}
pub(crate) fn history() -> impl Strategy<Value = Vec<Turn>> {
    proptest::collection::vec(Just(Turn::A), 1..2)
}
pub(crate) fn run(_: &[Turn]) -> Checked {
    Ok(())
}
