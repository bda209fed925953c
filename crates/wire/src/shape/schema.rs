//! The terms in which requests are described.
//!
//! They are those of Kafka's message definitions (`clients/src/main/resources/common/message/README.md`); the encoding
//! of each is in the protocol guide, "Protocol Primitive Types".

use std::ops::RangeInclusive;

/// A request, with the versions that are known here.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) name: &'static str,
    pub(super) key: i16,
    pub(super) first: i16,
    pub(super) last: i16,
    /// From this version on, lengths are compact and structs end with tagged fields (KIP-482).
    pub(super) flexible: i16,
    pub(super) fields: &'static [Field],
}

/// For an API without flexible versions.
pub(super) const NEVER: i16 = i16::MAX;

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// So many bytes, whatever they are.
    Fixed(usize),
    /// UTF-8 after its length.
    String,
    /// Bytes after their length.
    Bytes,
    /// Elements after their number.
    Array(&'static Kind),
    /// An array of structs.
    Structs(&'static [Field]),
    /// One struct.
    Struct(&'static [Field]),
}

pub(super) const BOOLEAN: Kind = Kind::Fixed(1);
pub(super) const INT8: Kind = Kind::Fixed(1);
pub(super) const INT16: Kind = Kind::Fixed(2);
pub(super) const INT32: Kind = Kind::Fixed(4);
pub(super) const INT64: Kind = Kind::Fixed(8);
pub(super) const UUID: Kind = Kind::Fixed(16);
pub(super) const STRING: Kind = Kind::String;
pub(super) const BYTES: Kind = Kind::Bytes;

/// A field, the versions that have it, and those in which it may be null.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    since: i16,
    until: i16,
    nullable_since: i16,
    tag: Option<u32>,
}

/// The request of this name and key, in these versions, the flexible ones from `flexible` on.
pub(super) const fn api(
    name: &'static str,
    key: i16,
    versions: RangeInclusive<i16>,
    flexible: i16,
    fields: &'static [Field],
) -> Api {
    Api { name, key, first: *versions.start(), last: *versions.end(), flexible, fields }
}

/// A field that all versions have, never null.
pub(super) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, since: 0, until: i16::MAX, nullable_since: NEVER, tag: None }
}

/// A field that holds an array of structs.
pub(super) const fn structs(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Kind::Structs(fields))
}

impl Field {
    /// In this version and later ones.
    pub(super) const fn since(self, since: i16) -> Self {
        Self { since, ..self }
    }

    /// In this version and earlier ones.
    pub(super) const fn until(self, until: i16) -> Self {
        Self { until, ..self }
    }

    /// May be null in this version and later ones.
    pub(super) const fn nullable(self, nullable_since: i16) -> Self {
        Self { nullable_since, ..self }
    }

    /// Stands among the tagged fields.
    pub(super) const fn tagged(self, tag: u32) -> Self {
        Self { tag: Some(tag), ..self }
    }

    pub(super) fn is_in(&self, version: i16) -> bool {
        (self.since..=self.until).contains(&version)
    }

    pub(super) fn may_be_null(&self, version: i16) -> bool {
        version >= self.nullable_since
    }

    pub(super) fn tag(&self) -> Option<u32> {
        self.tag
    }
}

/// The fewest bytes that a value of this kind takes. An element of an array is never null.
pub(super) fn least_size(kind: &Kind, version: i16, flexible: bool) -> usize {
    match kind {
        Kind::Fixed(size) => *size,
        Kind::String => {
            if flexible {
                1
            } else {
                2
            }
        }
        Kind::Bytes | Kind::Array(_) | Kind::Structs(_) => {
            if flexible {
                1
            } else {
                4
            }
        }
        Kind::Struct(fields) => least_size_of_struct(fields, version, flexible),
    }
}

/// Likewise for a struct.
pub(super) fn least_size_of_struct(fields: &[Field], version: i16, flexible: bool) -> usize {
    let fields = fields.iter().filter(|field| field.tag.is_none() && field.is_in(version));
    let sizes = fields.map(|field| match field.kind {
        // Null takes the one byte that says so.
        Kind::Struct(_) if field.may_be_null(version) => 1,
        kind => least_size(&kind, version, flexible),
    });
    // A flexible struct ends with the number of its tagged fields.
    sizes.sum::<usize>() + usize::from(flexible)
}
