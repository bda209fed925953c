//! One connection to a broker, frame by frame: for the cases that no client library would produce.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages::{RequestHeader, ResponseHeader},
    protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes},
};

use super::PATIENCE;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    client_id: String,
    correlation_id: i32,
}

/// A request whose answer has not been read yet. Answers come in the order of the requests.
#[must_use]
pub(crate) struct Sent<R: Request> {
    correlation_id: i32,
    version: i16,
    request: std::marker::PhantomData<R>,
}

impl Client {
    pub(crate) fn connect(bootstrap: &str) -> Self {
        Self::named(bootstrap, "test")
    }

    /// With this client id.
    pub(crate) fn named(bootstrap: &str, client_id: &str) -> Self {
        let stream = TcpStream::connect(bootstrap).unwrap_or_else(|error| panic!("{bootstrap}: {error}"));
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, client_id: client_id.to_owned(), correlation_id: 0 }
    }

    /// Whether the other side has closed the connection, without another frame before.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.receive_frame().is_none()
    }

    /// Whether the other side has closed the connection, and not reset it.
    pub(crate) fn ends_in_order(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0))
    }

    /// Sends a request and reads its answer.
    pub(crate) fn call<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        let sent = self.send(request, version);
        self.receive(sent)
    }

    /// Sends a request, and leaves its answer to [`Client::receive`]: more may be sent meanwhile.
    pub(crate) fn send<R: Request>(&mut self, request: &R, version: i16) -> Sent<R> {
        self.correlation_id += 1;
        let frame = encode(request, version, self.correlation_id, &self.client_id);
        self.send_frame(&frame);
        Sent { correlation_id: self.correlation_id, version, request: std::marker::PhantomData }
    }

    /// Reads the answer to the oldest request that is still without one.
    pub(crate) fn receive<R: Request>(&mut self, sent: Sent<R>) -> R::Response {
        let mut frame = self.receive_frame().expect("the broker closed the connection");
        let header_version = R::Response::header_version(sent.version);
        let header = ResponseHeader::decode(&mut frame, header_version).unwrap();
        assert_eq!(header.correlation_id, sent.correlation_id, "an answer to another request");
        let response = R::Response::decode(&mut frame, sent.version).unwrap();
        assert!(frame.is_empty(), "{} bytes follow the answer", frame.len());
        response
    }

    /// Whether nothing arrives on this connection within the time: for what must *not* be answered yet.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let silent = matches!(
            self.stream.peek(&mut [0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        );
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }

    /// Sends the bytes of a frame, or anything else.
    pub(crate) fn send_frame(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame without its length; `None` when the broker has closed the connection.
    pub(crate) fn receive_frame(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => return None,
            Err(error) => panic!("the broker is silent: {error}"),
        }
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
        self.stream.read_exact(&mut frame).unwrap();
        Some(frame.into())
    }
}

/// A request as a frame, its length included.
pub(crate) fn encode<R: Request>(request: &R, version: i16, correlation_id: i32, client_id: &str) -> Bytes {
    let mut body = BytesMut::new();
    RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(text(client_id)))
        .encode(&mut body, R::header_version(version))
        .unwrap();
    request.encode(&mut body, version).unwrap();
    let mut frame = BytesMut::with_capacity(4 + body.len());
    frame.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&body);
    frame.freeze()
}

/// The protocol's string.
pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
