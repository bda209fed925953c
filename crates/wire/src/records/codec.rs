//! The compressions of record batches, unpacked as a stream.
//!
//! Source: `CompressionType`; for the framing of snappy, `SnappyInputStream` of snappy-java.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::{
    StreamingDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::{Invalid, MOST_UNPACKED};

/// A reader of what these bytes unpack to; `None` if they are not compressed.
pub(super) fn unpack(codec: i16, packed: &[u8]) -> Result<Option<Box<dyn Read + '_>>, Invalid> {
    Ok(Some(match codec {
        0 => return Ok(None),
        1 => Box::new(Gzip(GzDecoder::new(packed))),
        2 => Box::new(Snappy::new(packed)),
        3 => Box::new(lz4_flex::frame::FrameDecoder::new(packed)),
        4 => Box::new(Zstd { packed, frame: None }),
        _ => return Err(Invalid::Compression),
    }))
}

/// Members, one after the other. As for Java's `GZIPInputStream`, what follows and is no member is nothing.
struct Gzip<'a>(GzDecoder<&'a [u8]>);

impl Read for Gzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let size = self.0.read(buffer)?;
            let rest = *self.0.get_ref();
            if size > 0 || buffer.is_empty() || !rest.starts_with(&[0x1f, 0x8b, 8]) {
                return Ok(size);
            }
            self.0 = GzDecoder::new(rest);
        }
    }
}

/// A single block, or blocks in the frame of snappy-java.
struct Snappy<'a> {
    packed: &'a [u8],
    framed: bool,
    block: Vec<u8>,
    read: usize,
}

/// Eight bytes, then two versions (i32 each) that say nothing to a reader of version 1.
const SNAPPY_MAGIC: &[u8] = b"\x82SNAPPY\0";
const SNAPPY_HEADER: usize = 16;

/// Three bytes of snappy make 64 at most.
const MOST_SNAPPY_GROWS: usize = 22;

impl<'a> Snappy<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self { packed, framed: packed.starts_with(SNAPPY_MAGIC), block: Vec::new(), read: 0 }
    }

    /// The next block to unpack, if there is one.
    fn next(&mut self) -> io::Result<Option<&'a [u8]>> {
        if !self.framed {
            return Ok(Some(std::mem::take(&mut self.packed)).filter(|block| !block.is_empty()));
        }
        while self.packed.starts_with(SNAPPY_MAGIC) {
            self.packed = self.packed.get(SNAPPY_HEADER..).ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        if self.packed.is_empty() {
            return Ok(None);
        }
        let (size, rest) = self.packed.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = usize::try_from(i32::from_be_bytes(*size)).map_err(io::Error::other)?;
        let (block, rest) = rest.split_at_checked(size).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.packed = rest;
        Ok(Some(block))
    }
}

impl Read for Snappy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() {
            let Some(block) = self.next()? else { return Ok(0) };
            let size = snap::raw::decompress_len(block)?;
            // What a block claims is believed as far as it is possible.
            if size > MOST_UNPACKED || size / MOST_SNAPPY_GROWS > block.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.block.resize(size, 0);
            self.read = 0;
            snap::raw::Decoder::new().decompress(block, &mut self.block)?;
        }
        let mut rest = self.block.get(self.read..).unwrap_or_default();
        let size = rest.read(buffer)?;
        self.read += size;
        Ok(size)
    }
}

/// Frames, one after the other. The window of a frame (up to 128 MiB, what level 22 asks for) is the memory that it
/// takes at most.
struct Zstd<'a> {
    packed: &'a [u8],
    frame: Option<StreamingDecoder<&'a [u8], ruzstd::decoding::FrameDecoder>>,
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let size = frame.read(buffer)?;
                if size > 0 || buffer.is_empty() {
                    return Ok(size);
                }
                self.packed = frame.get_ref();
                self.frame = None;
            }
            if self.packed.is_empty() {
                return Ok(0);
            }
            match StreamingDecoder::new(self.packed) {
                Ok(frame) => self.frame = Some(frame),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    // The magic number and the length come first.
                    let length = usize::try_from(length).map_err(io::Error::other)?;
                    self.packed = self.packed.get(8..).and_then(|rest| rest.get(length..)).unwrap_or_default();
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}
