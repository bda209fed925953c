//! From a stream of bytes to frames.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of the length in front of each frame.
const LENGTH: usize = 4;
/// What is read at once when nothing is known of what comes, if nobody says otherwise.
const CHUNK: usize = 16 << 10;
/// A frame gets so much memory at first, and as much again as has arrived: its length is only a claim.
const TRUSTED: usize = 1 << 20;
/// A handshake of TLS, of whatever version; as a length, 369 MB and more.
const TLS: &[u8] = &[0x16, 3];

/// The frames of a connection.
#[derive(Debug)]
pub struct Frames<R> {
    reader: R,
    buffer: BytesMut,
    largest: usize,
    chunk: usize,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Refuses frames of more than `largest` bytes.
    pub fn new(reader: R, largest: usize) -> Self {
        Self { reader, buffer: BytesMut::new(), largest, chunk: CHUNK }
    }

    /// Makes room for so many bytes when nothing is known of what comes, and uses it up before it makes room again:
    /// fewer reads where much comes.
    #[must_use]
    pub fn reading(self, chunk: usize) -> Self {
        Self { chunk, ..self }
    }

    /// What has arrived of the next frame, its length included.
    pub fn arrived(&self) -> &[u8] {
        &self.buffer
    }

    /// Whether a whole frame has arrived already.
    pub fn has_one(&self) -> bool {
        self.claimed().is_some_and(|length| self.buffer.len() >= LENGTH.saturating_add(length))
    }

    /// The length of the frame that begins; a negative one becomes one that no buffer reaches.
    fn claimed(&self) -> Option<usize> {
        let length: [u8; LENGTH] = self.buffer.get(..LENGTH)?.try_into().ok()?;
        Some(usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX))
    }

    /// Why a frame of this length is not waited for.
    fn refused(&self, length: usize) -> String {
        if self.buffer.starts_with(TLS) {
            return "a TLS handshake, where frames in plain text are expected".into();
        }
        let claim = if length == usize::MAX { "a negative number of".into() } else { length.to_string() };
        format!("a frame of {claim} bytes, where {} are allowed", self.largest)
    }

    /// The next frame without its length; `None` at the end of the stream. May be dropped before it is done: what has
    /// arrived is kept.
    ///
    /// # Errors
    /// `InvalidData` when the length is negative or too large; else what reading gives.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.claimed() {
                None if self.buffer.capacity() - self.buffer.len() >= self.chunk / 8 => {}
                None => self.buffer.reserve(self.chunk),
                Some(length) if length > self.largest => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, self.refused(length)));
                }
                Some(length) if self.buffer.len() >= LENGTH + length => {
                    self.buffer.advance(LENGTH);
                    return Ok(Some(self.buffer.split_to(length).freeze()));
                }
                Some(length) => {
                    let missing = LENGTH + length - self.buffer.len();
                    self.buffer.reserve(missing.min(TRUSTED.max(self.buffer.len())));
                }
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of these bytes, and how they end.
    async fn frames(bytes: &[u8]) -> (Vec<Bytes>, Result<(), String>) {
        let (mut frames, mut read) = (Frames::new(bytes, 1000), Vec::new());
        loop {
            match frames.next().await {
                Ok(Some(frame)) => read.push(frame),
                Ok(None) => return (read, Ok(())),
                Err(error) => return (read, Err(error.to_string())),
            }
        }
    }

    #[tokio::test]
    async fn frames_come_without_their_length() {
        let bytes = [&[0, 0, 0, 2][..], b"ab", &[0, 0, 0, 0], &[0, 0, 3, 0xe8], &[7; 1000]].concat();
        let expected = [&b"ab"[..], b"", &[7; 1000]].map(Bytes::copy_from_slice);
        assert_eq!(frames(&bytes).await, (expected.to_vec(), Ok(())));
        // What is cut off is none.
        assert_eq!(frames(&bytes[..bytes.len() - 1]).await, (expected[..2].to_vec(), Ok(())));
    }

    #[tokio::test]
    async fn a_length_that_cannot_be_is_told() {
        for (start, why) in [
            ([0, 0, 3, 0xe9], "a frame of 1001 bytes, where 1000 are allowed"),
            ([0x80, 0, 0, 0], "a frame of a negative number of bytes, where 1000 are allowed"),
            ([0x16, 3, 1, 2], "a TLS handshake, where frames in plain text are expected"),
        ] {
            let bytes = [&[0, 0, 0, 1, 9][..], &start].concat();
            assert_eq!(frames(&bytes).await, (vec![Bytes::from_static(&[9])], Err(why.into())));
        }
    }
}
