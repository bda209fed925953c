//! One connection: requests are handled in turn, as Apache Kafka does it, so that answers come in the order of the
//! requests, and a client that does not read its answers holds up nobody but itself.

use std::{io, net::SocketAddr, rc::Rc};

use bytes::Bytes;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, tcp::OwnedWriteHalf},
};
use wire::frames::Frames;

use super::{Next, Shared};
use crate::{engine::Caller, wait::Wait};

/// Answers up to this size are collected while further requests are at hand, and leave in one write. Bytes.
const COLLECT: usize = 16 << 10;

/// Serves a client until it closes the connection.
///
/// # Errors
/// Why the connection had to be closed from this side.
pub(super) async fn serve(shared: Rc<Shared>, stream: TcpStream, peer: SocketAddr) -> Result<(), String> {
    // Answers are small, and waited for.
    let _ = stream.set_nodelay(true);
    let reached_at = stream.local_addr().map_err(|error| error.to_string())?;
    let caller = Caller { peer: peer.ip(), reached_at };
    let (reader, mut writer) = stream.into_split();
    let mut frames = Frames::new(reader, shared.largest_request);
    let mut answers = Vec::new();
    loop {
        if !frames.has_one() && flush(&mut writer, &mut answers).await.is_err() {
            return Ok(());
        }
        let frame = match frames.next().await {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error.to_string()),
            // The client has gone.
            Err(_) => return Ok(()),
        };
        let answer = match shared.handle(caller, frame) {
            Next::Answer(answer) => answer,
            Next::Silence => continue,
            Next::Close(why) => {
                let _ = flush(&mut writer, &mut answers).await;
                return Err(why);
            }
            Next::Wait(wait, answer) => {
                let abandon = Abandon { shared: &shared, wait };
                if flush(&mut writer, &mut answers).await.is_err() {
                    return Ok(());
                }
                let answer = answer.await;
                std::mem::forget(abandon);
                let Ok(answer) = answer else { return Ok(()) };
                answer
            }
        };
        if send(&mut writer, &mut answers, answer).await.is_err() {
            return Ok(());
        }
    }
}

/// Takes back a wait when the connection ends before its answer.
struct Abandon<'a> {
    shared: &'a Shared,
    wait: Wait,
}

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.shared.abandon(self.wait);
    }
}

async fn send(writer: &mut OwnedWriteHalf, answers: &mut Vec<u8>, answer: Bytes) -> io::Result<()> {
    if answers.len() + answer.len() <= COLLECT {
        answers.extend_from_slice(&answer);
        return Ok(());
    }
    flush(writer, answers).await?;
    writer.write_all(&answer).await
}

async fn flush(writer: &mut OwnedWriteHalf, answers: &mut Vec<u8>) -> io::Result<()> {
    if !answers.is_empty() {
        writer.write_all(answers).await?;
        answers.clear();
    }
    Ok(())
}
