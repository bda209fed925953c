//! Whether the bytes of a request have the shape of that request; the same for some responses.
//!
//! The codec believes the counts in a frame: it makes room for as many elements as an array says that it has, before it
//! reads the first. A frame of forty bytes could so end the process. Therefore each frame is walked first, along the
//! description of its request, without allocating: every count must fit in the bytes that are left. Kafka checks the
//! same while it reads (`MessageDataGenerator.generateVariableLengthReader`).
//!
//! As in Kafka, bytes after the end of a request are nobody's business, and neither is the size that a tagged field
//! claims when the tag is known.

mod admin;
mod data;
mod groups;
mod reader;
mod responses;
mod schema;
#[cfg(test)]
mod tests;
mod transactions;

use std::fmt;

use reader::Reader;
use schema::{Api, Field, Kind, STRING, least_size, least_size_of_struct};

/// The elements of all arrays of a request together, its tagged fields included. Decoded, an element takes up to a few
/// hundred bytes while the wire may need just one: without a limit, a frame of 100 MiB (Kafka's
/// `socket.request.max.bytes`) would fill gigabytes. Kafka has no such limit; a request that reaches it would have to
/// name a million partitions.
const MOST_ELEMENTS: usize = 1 << 20;

/// Why a request or response cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The name of the API, as the protocol guide has it.
    pub request: &'static str,
    /// The innermost field at fault, by the name that the protocol gives it.
    pub field: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is none that is known here, in this version.
    Unknown,
    /// The bytes end before the field does.
    TooShort,
    /// A length or count is below zero and does not mean null.
    Negative,
    /// Null, where null must not be.
    Null,
    /// A string of more than 32767 bytes.
    StringTooLong,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A variable-length integer of more than five bytes.
    Varint,
    /// A tag that belongs to another version.
    Tag,
    /// More elements than a request may have here.
    TooMany,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Unknown => "no such request in this version",
            Fault::TooShort => "longer than the bytes that are left",
            Fault::Negative => "negative length",
            Fault::Null => "null where null is not allowed",
            Fault::StringTooLong => "string of more than 32767 bytes",
            Fault::NotUtf8 => "text that is not UTF-8",
            Fault::Varint => "variable-length integer without an end",
            Fault::Tag => "tag of another version",
            Fault::TooMany => "more elements than a request may have",
        };
        write!(f, "{}, {}: {fault}", self.request, self.field)
    }
}

impl std::error::Error for Malformed {}

/// Whether this request is described here. `false` says nothing about the bytes.
pub fn is_known(api_key: i16, version: i16) -> bool {
    find(api_key, version).is_some()
}

/// Whether the codec can be trusted with this body: what follows the header of a request.
///
/// # Errors
/// The first fault of the body; [`Fault::Unknown`] for a request that is not described here.
pub fn check(api_key: i16, version: i16, body: &[u8]) -> Result<(), Malformed> {
    check_body(find(api_key, version), version, body)
}

/// As [`check`], of the response: what follows its header. Fewer responses are described than requests.
///
/// # Errors
/// The first fault of the body; [`Fault::Unknown`] for a response that is not described here.
pub fn check_response(api_key: i16, version: i16, body: &[u8]) -> Result<(), Malformed> {
    check_body(find_among(responses::APIS, api_key, version), version, body)
}

fn check_body(api: Option<&'static Api>, version: i16, body: &[u8]) -> Result<(), Malformed> {
    let api = api.ok_or(malformed("api_version", Fault::Unknown))?;
    let flexible = version >= api.flexible;
    let mut walk = Walk { bytes: Reader::new(body), version, flexible, elements_left: MOST_ELEMENTS };
    walk.fields(api.fields).map_err(|malformed| Malformed { request: api.name, ..malformed })
}

/// Whether the codec can be trusted with the header at the beginning of a frame (after its length). Gives the length of
/// the header: the body follows.
///
/// `version` is the version of the header: 2 for a request in a flexible version, else 1.
///
/// # Errors
/// The first fault of the header.
pub fn check_header(version: i16, frame: &[u8]) -> Result<usize, Malformed> {
    const HEADER: &[Field] = &[
        schema::field("request_api_key", schema::INT16),
        schema::field("request_api_version", schema::INT16),
        schema::field("correlation_id", schema::INT32),
    ];
    let mut walk = Walk { bytes: Reader::new(frame), version, flexible: false, elements_left: MOST_ELEMENTS };
    walk.fields(HEADER)?;
    // Not compact in any version: a broker that does not know the version of the request must be able to read it
    // (RequestHeader.json).
    walk.value("client_id", &STRING, true)?;
    if version >= 2 {
        walk.flexible = true;
        walk.tagged(&[])?;
    }
    Ok(frame.len() - walk.bytes.left())
}

/// Likewise the header of a response. Version 1 is that of the flexible versions, ApiVersions apart.
///
/// # Errors
/// The first fault of the header.
pub fn check_response_header(version: i16, frame: &[u8]) -> Result<usize, Malformed> {
    let mut walk = Walk { bytes: Reader::new(frame), version, flexible: false, elements_left: MOST_ELEMENTS };
    walk.value("correlation_id", &schema::INT32, false)?;
    if version >= 1 {
        walk.tagged(&[])?;
    }
    Ok(frame.len() - walk.bytes.left())
}

fn find(api_key: i16, version: i16) -> Option<&'static Api> {
    [data::APIS, groups::APIS, transactions::APIS, admin::APIS]
        .into_iter()
        .find_map(|apis| find_among(apis, api_key, version))
}

fn find_among(apis: &'static [Api], api_key: i16, version: i16) -> Option<&'static Api> {
    apis.iter().find(|api| api.key == api_key && (api.first..=api.last).contains(&version))
}

/// A place in a request.
struct Walk<'a> {
    bytes: Reader<'a>,
    version: i16,
    flexible: bool,
    elements_left: usize,
}

impl Walk<'_> {
    fn fields(&mut self, fields: &[Field]) -> Result<(), Malformed> {
        let version = self.version;
        for field in fields.iter().filter(|field| field.tag().is_none() && field.is_in(version)) {
            self.value(field.name, &field.kind, field.may_be_null(version))?;
        }
        if self.flexible { self.tagged(fields) } else { Ok(()) }
    }

    fn tagged(&mut self, fields: &[Field]) -> Result<(), Malformed> {
        const NAME: &str = "tagged_fields";
        let count = self.bytes.unsigned_varint().map_err(at(NAME))?;
        // Each has a tag and a size.
        self.elements(NAME, count, 2)?;
        for _ in 0..count {
            let tag = self.bytes.unsigned_varint().map_err(at(NAME))?;
            let size = self.bytes.unsigned_varint().map_err(at(NAME))?;
            match fields.iter().find(|field| field.tag().is_some_and(|own| own as usize == tag)) {
                Some(field) if field.is_in(self.version) => {
                    self.value(field.name, &field.kind, field.may_be_null(self.version))?;
                }
                Some(field) => return Err(malformed(field.name, Fault::Tag)),
                None => self.bytes.skip(size).map_err(at(NAME))?,
            }
        }
        Ok(())
    }

    fn value(&mut self, name: &'static str, kind: &Kind, nullable: bool) -> Result<(), Malformed> {
        match kind {
            Kind::Fixed(size) => self.bytes.skip(*size).map_err(at(name)),
            Kind::String => {
                let Some(length) = self.length(name, 2, nullable)? else { return Ok(()) };
                if length > i16::MAX as usize {
                    return Err(malformed(name, Fault::StringTooLong));
                }
                self.bytes.text(length).map_err(at(name))
            }
            Kind::Bytes => {
                let Some(length) = self.length(name, 4, nullable)? else { return Ok(()) };
                self.bytes.skip(length).map_err(at(name))
            }
            Kind::Array(element) => {
                let Some(count) = self.length(name, 4, nullable)? else { return Ok(()) };
                let least = least_size(element, self.version, self.flexible);
                self.elements(name, count, least)?;
                if let Kind::Fixed(size) = element {
                    return self.bytes.skip(count * size).map_err(at(name));
                }
                (0..count).try_for_each(|_| self.value(name, element, false))
            }
            Kind::Structs(fields) => {
                let Some(count) = self.length(name, 4, nullable)? else { return Ok(()) };
                let least = least_size_of_struct(fields, self.version, self.flexible);
                self.elements(name, count, least)?;
                (0..count).try_for_each(|_| self.fields(fields))
            }
            Kind::Struct(fields) => {
                if nullable {
                    match self.bytes.byte().map_err(at(name))? {
                        1 => {}
                        // Kafka takes any negative number for null, and any other for a struct; the codec takes all but
                        // 1 for null. What they read differently is refused: nobody writes it.
                        0x80.. => return Ok(()),
                        _ => return Err(malformed(name, Fault::Null)),
                    }
                }
                self.fields(fields)
            }
        }
    }

    /// A length or count, which takes `width` bytes where it is not compact; `None` for null.
    fn length(&mut self, name: &'static str, width: usize, nullable: bool) -> Result<Option<usize>, Malformed> {
        let length = if self.flexible {
            self.bytes.unsigned_varint().map_err(at(name))?.checked_sub(1)
        } else {
            // Kafka takes any negative number for null, the codec -1 only.
            match if width == 2 { self.bytes.i16().map(i32::from) } else { self.bytes.i32() }.map_err(at(name))? {
                -1 => None,
                length => Some(usize::try_from(length).map_err(|_| malformed(name, Fault::Negative))?),
            }
        };
        if length.is_none() && !nullable {
            return Err(malformed(name, Fault::Null));
        }
        Ok(length)
    }

    /// That so many elements can be in the bytes that are left, and may be.
    fn elements(&mut self, name: &'static str, count: usize, least_size: usize) -> Result<(), Malformed> {
        if count.checked_mul(least_size).is_none_or(|size| size > self.bytes.left()) {
            return Err(malformed(name, Fault::TooShort));
        }
        self.elements_left = self.elements_left.checked_sub(count).ok_or(malformed(name, Fault::TooMany))?;
        Ok(())
    }
}

fn at(field: &'static str) -> impl Fn(Fault) -> Malformed {
    move |fault| malformed(field, fault)
}

/// In the header, unless the caller knows of which request.
fn malformed(field: &'static str, fault: Fault) -> Malformed {
    Malformed { request: "header", field, fault }
}
