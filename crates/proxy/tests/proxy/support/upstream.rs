//! A broker that does what the test says, frame by frame.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use bytes::Bytes;
use proxy::Proxy;

use super::PATIENCE;

/// A broker that does what the test says.
pub(crate) struct Upstream {
    listener: TcpListener,
}

/// The proxy's connection to it.
pub(crate) struct Accepted {
    stream: TcpStream,
}

impl Upstream {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// A proxy in front of it.
    pub(crate) fn proxy(&self) -> Proxy {
        Proxy::builder(self.address().to_string()).start().unwrap()
    }

    /// The next connection.
    #[track_caller]
    pub(crate) fn accept(&self) -> Accepted {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    stream.set_nodelay(true).unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    return Accepted { stream };
                }
                Err(_) => {
                    assert!(Instant::now() < deadline, "the proxy does not connect");
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
}

impl Accepted {
    /// The next frame with its length; `None` when the connection has been closed.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> Option<Bytes> {
        let mut frame = vec![0; 4];
        if let Err(error) = self.stream.read_exact(&mut frame) {
            assert!(error.kind() != std::io::ErrorKind::WouldBlock, "nothing came");
            return None;
        }
        let length = i32::from_be_bytes(frame[..].try_into().unwrap());
        frame.resize(4 + usize::try_from(length).unwrap(), 0);
        self.stream.read_exact(&mut frame[4..]).unwrap();
        Some(frame.into())
    }

    /// Sends these bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Answers a request with these bytes behind its correlation id.
    pub(crate) fn answer(&mut self, request: &[u8], body: &[u8]) {
        self.send(&response(correlation(request), body));
    }

    /// Whether nothing comes within the time.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let silent = self
            .stream
            .peek(&mut [0])
            .is_err_and(|error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }
}

/// The correlation id of a request, by its frame with its length.
pub(crate) fn correlation(frame: &[u8]) -> i32 {
    i32::from_be_bytes(frame[8..12].try_into().unwrap())
}

/// A request as bytes, with its length: header version 1, client id `test`.
pub(crate) fn request(api: i16, version: i16, correlation: i32, body: &[u8]) -> Bytes {
    let mut frame = Vec::new();
    frame.extend(api.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(correlation.to_be_bytes());
    frame.extend([0, 4]);
    frame.extend(b"test");
    frame.extend(body);
    with_length(&frame)
}

/// A response as bytes, with its length: header version 0.
pub(crate) fn response(correlation: i32, body: &[u8]) -> Bytes {
    with_length(&[&correlation.to_be_bytes(), body].concat())
}

fn with_length(frame: &[u8]) -> Bytes {
    [&u32::try_from(frame.len()).unwrap().to_be_bytes(), frame].concat().into()
}
