//! Bytes that no client would send, and clients that do not behave: each harms its own connection at most. A witness
//! produces and fetches all the while.

mod connections;
mod frames;
mod memory;
mod witness;

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use crate::support::broker::bootstrap;

/// A connection without a protocol.
fn connect() -> TcpStream {
    let stream = TcpStream::connect(bootstrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Sends the bytes; the broker may have closed the connection before they are all out.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    match stream.write_all(bytes) {
        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => panic!("{error}"),
        _ => {}
    }
}

/// Reads to the end of the connection, which the broker must bring about, without an answer to what was sent.
fn expect_close(stream: &mut TcpStream, what: &str) {
    let mut answer: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => answer.extend(&buffer[..size]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{what}: the broker keeps the connection ({error}), having answered {answer:02x?}"),
        }
    }
    assert!(answer.is_empty(), "{what} is answered: {answer:02x?}");
}

/// Says that nothing more will be sent.
fn finish(stream: &TcpStream) {
    // Fails if the broker was faster.
    let _ = stream.shutdown(Shutdown::Write);
}
