//! From a stream of bytes to frames, and back.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of the length in front of each frame.
const LENGTH: usize = 4;
/// What is made room for when nothing is known of what comes, and how much room is still enough for that.
const CHUNK: usize = 256 << 10;
const ENOUGH: usize = 32 << 10;
/// A frame gets so much memory at first, and as much again as has arrived: its length is only a claim.
const TRUSTED: usize = 1 << 20;
/// The largest frame that passes: Kafka's own limit (`socket.request.max.bytes`), and what stands around a message of
/// that size. Bytes.
pub(crate) const LARGEST: usize = (100 << 20) + (1 << 20);

/// The frames of a connection.
pub(crate) struct Frames<R> {
    reader: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: BytesMut::new() }
    }

    /// The next frame without its length; `None` at the end of the stream. When the future is dropped, nothing is lost.
    ///
    /// # Errors
    /// `InvalidData` when the length is negative or too large; else what reading gives.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.claimed() {
                None if self.buffer.capacity() - self.buffer.len() >= ENOUGH => {}
                None => self.buffer.reserve(CHUNK),
                Some(length) => match usize::try_from(length) {
                    Ok(length) if length <= LARGEST => {
                        if self.buffer.len() >= LENGTH + length {
                            self.buffer.advance(LENGTH);
                            return Ok(Some(self.buffer.split_to(length).freeze()));
                        }
                        let missing = LENGTH + length - self.buffer.len();
                        self.buffer.reserve(missing.min(TRUSTED.max(self.buffer.len())));
                    }
                    _ => {
                        let why = format!("a frame of {length} bytes, where 0 to {LARGEST} are allowed");
                        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                    }
                },
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The length of the frame that begins.
    fn claimed(&self) -> Option<i32> {
        let length: [u8; LENGTH] = self.buffer.get(..LENGTH)?.try_into().ok()?;
        Some(i32::from_be_bytes(length))
    }

    /// Whether what has arrived begins like TLS (a handshake record, of any version).
    pub(crate) fn looks_like_tls(&self) -> bool {
        self.buffer.starts_with(&[0x16, 0x03])
    }

    /// Reads on until the end of the stream, for nothing.
    pub(crate) async fn drain(&mut self) {
        loop {
            self.buffer.clear();
            self.buffer.reserve(ENOUGH);
            if !matches!(self.reader.read_buf(&mut self.buffer).await, Ok(1..)) {
                return;
            }
        }
    }
}

/// Writes a frame with its length, in one go where the system takes it.
///
/// # Errors
/// What writing gives.
pub(crate) async fn write(writer: &mut (impl AsyncWrite + Unpin), frame: &Bytes) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let length = length.to_be_bytes();
    let mut whole = Buf::chain(length.as_slice(), frame.as_ref());
    writer.write_all_buf(&mut whole).await
}
