//! Records, read one after the other from bytes that may have to be unpacked first.
//!
//! Source: the protocol guide, "Record"; `DefaultRecord.readFrom`, `DefaultRecord.readPartiallyFrom`.

use std::io::{ErrorKind, Read};

use super::Invalid;

/// The fields of a record that are not skipped.
pub(super) struct Fields {
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    pub(super) has_key: bool,
}

/// What becomes of the key and value of a record: each says whether it is not null.
pub(super) trait Keep {
    fn key(&mut self, source: &mut impl Source) -> Result<bool, Invalid>;

    fn value(&mut self, source: &mut impl Source) -> Result<bool, Invalid>;
}

/// Skips both.
pub(super) struct Nothing;

impl Keep for Nothing {
    #[inline]
    fn key(&mut self, source: &mut impl Source) -> Result<bool, Invalid> {
        source.skip_bytes()
    }

    #[inline]
    fn value(&mut self, source: &mut impl Source) -> Result<bool, Invalid> {
        source.skip_bytes()
    }
}

/// Keeps both of the record that was read last, up to so many bytes of each.
pub(super) struct Contents {
    pub(super) most: usize,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
}

impl Keep for Contents {
    fn key(&mut self, source: &mut impl Source) -> Result<bool, Invalid> {
        source.keep_bytes(&mut self.key, self.most)
    }

    fn value(&mut self, source: &mut impl Source) -> Result<bool, Invalid> {
        source.keep_bytes(&mut self.value, self.most)
    }
}

/// Bytes from which records are read.
pub(super) trait Source: Sized {
    fn byte(&mut self) -> Result<u8, Invalid>;

    fn skip(&mut self, size: usize) -> Result<(), Invalid>;

    /// Appends the next bytes.
    fn take(&mut self, size: usize, out: &mut Vec<u8>) -> Result<(), Invalid>;

    fn is_at_end(&mut self) -> Result<bool, Invalid>;

    /// The next record, its size included.
    fn record(&mut self, keep: &mut impl Keep) -> Result<Fields, Invalid>;

    /// Zigzag, at most 32 bits.
    #[inline]
    fn varint(&mut self) -> Result<i32, Invalid> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(i32::from(first >> 1) ^ -i32::from(first & 1));
        }
        let mut value = u32::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(Invalid::Structure("a variable-length integer without an end"))
    }

    /// Zigzag, at most 64 bits.
    #[inline]
    fn varlong(&mut self) -> Result<i64, Invalid> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(Invalid::Structure("a variable-length integer without an end"))
    }

    /// Skips bytes after their size; whether they are not null. Any negative size means null.
    #[inline]
    fn skip_bytes(&mut self) -> Result<bool, Invalid> {
        let Ok(size) = usize::try_from(self.varint()?) else { return Ok(false) };
        self.skip(size)?;
        Ok(true)
    }

    /// Likewise, and keeps the first of them; `out` is `None` for null.
    fn keep_bytes(&mut self, out: &mut Option<Vec<u8>>, most: usize) -> Result<bool, Invalid> {
        let Ok(size) = usize::try_from(self.varint()?) else {
            *out = None;
            return Ok(false);
        };
        let out = out.get_or_insert_default();
        out.clear();
        self.take(size.min(most), out)?;
        self.skip(size.saturating_sub(most))?;
        Ok(true)
    }

    /// A record, from its attributes on.
    #[inline]
    fn fields(&mut self, keep: &mut impl Keep) -> Result<Fields, Invalid> {
        // The attributes, of which none is used.
        self.skip(1)?;
        let timestamp_delta = self.varlong()?;
        let offset_delta = self.varint()?;
        let has_key = keep.key(self)?;
        keep.value(self)?;
        let headers = self.varint()?;
        if headers < 0 {
            return Err(Invalid::Structure("a negative number of headers"));
        }
        for _ in 0..headers {
            if !self.skip_bytes()? {
                return Err(Invalid::Structure("a header without a key"));
            }
            self.skip_bytes()?;
        }
        Ok(Fields { timestamp_delta, offset_delta, has_key })
    }
}

const TOO_SHORT: Invalid = Invalid::Structure("the records end too early");

/// Bytes that are there.
pub(super) struct Slice<'a>(pub(super) &'a [u8]);

impl Source for Slice<'_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Invalid> {
        let (first, rest) = self.0.split_first().ok_or(TOO_SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    #[inline]
    fn skip(&mut self, size: usize) -> Result<(), Invalid> {
        self.0 = self.0.get(size..).ok_or(TOO_SHORT)?;
        Ok(())
    }

    fn take(&mut self, size: usize, out: &mut Vec<u8>) -> Result<(), Invalid> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or(TOO_SHORT)?;
        out.extend_from_slice(taken);
        self.0 = rest;
        Ok(())
    }

    fn is_at_end(&mut self) -> Result<bool, Invalid> {
        Ok(self.0.is_empty())
    }

    #[inline]
    fn record(&mut self, keep: &mut impl Keep) -> Result<Fields, Invalid> {
        let size = usize::try_from(self.varint()?).map_err(|_| Invalid::Structure("a record of negative size"))?;
        let (body, rest) = self.0.split_at_checked(size).ok_or(TOO_SHORT)?;
        self.0 = rest;
        let mut body = Slice(body);
        let fields = body.fields(keep)?;
        if body.0.is_empty() { Ok(fields) } else { Err(Invalid::Structure("a record of another size than it says")) }
    }
}

/// Bytes as they are unpacked, up to a limit.
pub(super) struct Stream<R> {
    unpacked: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    left: usize,
}

const BUFFER: usize = 16 << 10;

impl<R: Read> Stream<R> {
    pub(super) fn new(unpacked: R, limit: usize) -> Self {
        Self { unpacked, buffer: vec![0; BUFFER].into(), start: 0, end: 0, left: limit }
    }

    /// How much more may be unpacked.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// What is unpacked and not yet read; empty at the end only.
    fn filled(&mut self) -> Result<&[u8], Invalid> {
        while self.start == self.end {
            match self.unpacked.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(size) => {
                    let left = self.left.checked_sub(size);
                    self.left = left.unwrap_or(0);
                    left.ok_or(Invalid::TooLarge)?;
                    (self.start, self.end) = (0, size);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Invalid::Compression),
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }
}

impl<R: Read> Source for Stream<R> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Invalid> {
        let byte = *self.filled()?.first().ok_or(TOO_SHORT)?;
        self.start += 1;
        Ok(byte)
    }

    #[inline]
    fn skip(&mut self, mut size: usize) -> Result<(), Invalid> {
        while size > 0 {
            let step = self.filled()?.len().min(size);
            if step == 0 {
                return Err(TOO_SHORT);
            }
            self.start += step;
            size -= step;
        }
        Ok(())
    }

    fn take(&mut self, mut size: usize, out: &mut Vec<u8>) -> Result<(), Invalid> {
        while size > 0 {
            let filled = self.filled()?;
            let taken = filled.get(..size).unwrap_or(filled);
            if taken.is_empty() {
                return Err(TOO_SHORT);
            }
            out.extend_from_slice(taken);
            let step = taken.len();
            self.start += step;
            size -= step;
        }
        Ok(())
    }

    fn is_at_end(&mut self) -> Result<bool, Invalid> {
        Ok(self.filled()?.is_empty())
    }

    /// The size is not used: neither does Kafka.
    #[inline]
    fn record(&mut self, keep: &mut impl Keep) -> Result<Fields, Invalid> {
        self.varint()?;
        self.fields(keep)
    }
}
