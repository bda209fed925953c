//! placeholder
pub(crate) fn find_timestamp(_: &[u8], _: i64, _: i64) -> Option<(i64, i64)> { None }
pub(crate) fn max_timestamp_offset(_: &[u8]) -> Option<i64> { None }
pub(crate) fn validate(batch: &[u8]) -> Result<i64, ()> { crate::log::batch::Batch::split_first(batch).map(|(b,_)| b.max_timestamp()).ok_or(()) }
