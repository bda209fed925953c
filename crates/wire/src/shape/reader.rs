//! Primitive values, read from the front of some bytes.

use super::Fault;

/// What is left of the bytes.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or(Fault::TooShort)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Fault::TooShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn skip(&mut self, size: usize) -> Result<(), Fault> {
        self.take(size).map(drop)
    }

    pub(super) fn text(&mut self, length: usize) -> Result<(), Fault> {
        // Kafka would put U+FFFD in the place of what is not UTF-8; the codec has no such text.
        std::str::from_utf8(self.take(length)?).map(drop).map_err(|_| Fault::NotUtf8)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Fault> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Fault> {
        self.array().map(i32::from_be_bytes)
    }

    /// At most 32 bits, seven to the byte, the lowest first.
    pub(super) fn unsigned_varint(&mut self) -> Result<usize, Fault> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(value).map_err(|_| Fault::TooShort);
            }
        }
        Err(Fault::Varint)
    }
}
