//! Frames on a connection.

use std::io;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use wire::frames::Frames;

/// The largest frame that passes: Kafka's own limit (`socket.request.max.bytes`), and what stands around a message of
/// that size. Bytes.
const LARGEST: usize = (100 << 20) + (1 << 20);
/// What is read at once when nothing is known of what comes: a bulk producer's batch in a few reads. Bytes.
const CHUNK: usize = 256 << 10;

/// The frames that come from one side.
pub(crate) fn read<R: AsyncRead + Unpin>(reader: R) -> Frames<R> {
    Frames::new(reader, LARGEST).reading(CHUNK)
}

/// Whether what has arrived begins like TLS (a handshake record, of any version).
pub(crate) fn look_like_tls<R: AsyncRead + Unpin>(frames: &Frames<R>) -> bool {
    frames.arrived().starts_with(&[0x16, 0x03])
}

/// Reads on until the end, for nothing.
pub(crate) async fn drain<R: AsyncRead + Unpin>(frames: &mut Frames<R>) {
    while let Ok(Some(_)) = frames.next().await {}
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
