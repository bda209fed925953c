//! Stub.
use crate::{Alteration, Facts, Side};
use bytes::{Buf, Bytes};
use kafka_protocol::messages::{ApiKey, RequestHeader};
use kafka_protocol::protocol::Decodable;

#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) api_key: i16,
    pub(crate) version: i16,
    pub(crate) correlation: i32,
    pub(crate) client_id: Option<String>,
}
pub(crate) fn header(frame: &Bytes) -> Result<Header, String> {
    let mut frame = frame.clone();
    if frame.len() < 8 {
        return Err("too short".into());
    }
    let h = RequestHeader::decode(&mut frame, 1).map_err(|e| e.to_string())?;
    Ok(Header {
        api_key: h.request_api_key,
        version: h.request_api_version,
        correlation: h.correlation_id,
        client_id: h.client_id.map(|s| s.to_string()),
    })
}
pub(crate) fn api(key: i16) -> Option<ApiKey> {
    ApiKey::try_from(key).ok()
}
pub(crate) fn name(key: i16) -> String {
    api(key).map_or_else(|| key.to_string(), |k| format!("{k:?}"))
}
pub(crate) fn request_facts(_header: &Header, _frame: &Bytes) -> Result<Facts, String> {
    Ok(Facts::default())
}
pub(crate) fn response_facts(_header: &Header, _frame: &Bytes) -> Facts {
    Facts::default()
}
pub(crate) fn response_correlation(frame: &Bytes) -> Option<i32> {
    let mut f = frame.clone();
    f.try_get_i32().ok()
}
pub(crate) fn holds_value(_header: &Header, _side: Side, frame: &Bytes, value: &[u8]) -> bool {
    frame.windows(value.len()).any(|w| w == value)
}
pub(crate) fn expects_answer(facts: &Facts, _header: &Header) -> bool {
    facts.acks != Some(0)
}
pub(crate) fn rewrite_addresses(
    _header: &Header,
    _response: &Bytes,
    _address: &mut dyn FnMut(i32, &str, i32) -> (String, i32),
) -> Option<Bytes> {
    None
}
pub(crate) fn error_answer(_header: &Header, _request: &Bytes, _error: i16) -> Option<Bytes> {
    None
}
pub(crate) fn alter(_alteration: Alteration, _header: &Header, _request: &Bytes) -> Option<Bytes> {
    None
}
