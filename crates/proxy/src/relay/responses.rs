//! From the broker to the client.

use std::{io, net::SocketAddr, rc::Rc};

use bytes::Bytes;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use wire::frames::Frames;

use super::{
    connection::{Connection, End, Judged},
    pending::{Answer, Entry},
};
use crate::{Action, Frame, Happening, Side, codec, engine::Decision, frames, shared::Acting};

/// The client, while it takes answers.
type ToClient<'a> = Option<&'a mut OwnedWriteHalf>;

impl Connection {
    /// Passes the broker's answers on in the order of the requests, and those that the proxy makes among them, until
    /// the broker closes the connection, or a fault ends it.
    pub(super) async fn responses(
        self: &Rc<Self>,
        frames: &mut Frames<OwnedReadHalf>,
        mut client: ToClient<'_>,
    ) -> End {
        // An earlier call may have been given up in the middle.
        self.pending.answered();
        // An answer that belongs to a later request than the first.
        let mut ahead = None;
        loop {
            let first = self.pending.first();
            if let Some(Answer::Made(answer, until)) = first.as_ref().map(|entry| &entry.answer) {
                if let Some(until) = until.as_ref().filter(|_| client.is_some()) {
                    self.shared().signals.raised(until).await;
                }
                self.deliver(answer, &mut client).await;
                self.pending.take_first();
                self.pending.answered();
                continue;
            }
            let frame = match ahead.take() {
                Some(frame) => frame,
                None => {
                    let next = tokio::select! {
                        biased;
                        next = frames.next() => next,
                        // It may be one that the proxy makes.
                        () = self.pending.some(), if first.is_none() => continue,
                    };
                    match next {
                        Ok(Some(frame)) => frame,
                        Ok(None) => return End::Lost("the broker closed it".into()),
                        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                            return End::Refused(format!("what the broker sent is no answer of Kafka: {error}"));
                        }
                        Err(error) => return End::Lost(format!("the broker closed it: {error}")),
                    }
                }
            };
            let correlation = codec::response_correlation(&frame);
            match self.pending.first() {
                Some(entry) if correlation.is_some_and(|correlation| entry.is_answered_by(correlation)) => {
                    self.pending.take_first();
                    if let Err(end) = self.answer(&entry, frame, &mut client).await {
                        return end;
                    }
                    self.pending.answered();
                }
                Some(entry) if correlation.is_some_and(|correlation| self.pending.expects(correlation)) => {
                    ahead = Some(frame);
                    // The first comes with the proxy's own answer, or is one that gets none, which only the broker knew.
                    if !matches!(entry.answer, Answer::Made(..)) {
                        self.pending.take_first();
                        self.pending.answered();
                    }
                }
                _ => {
                    let which = correlation.map_or_else(|| "none".to_owned(), |it| it.to_string());
                    return End::Refused(format!("the broker answered what nobody asked (correlation id {which})"));
                }
            }
        }
    }

    /// An answer from the broker.
    async fn answer(self: &Rc<Self>, entry: &Entry, frame: Bytes, client: &mut ToClient<'_>) -> Result<(), End> {
        let mut facts = codec::response_facts(&entry.header, &frame);
        self.clients.learn_topics(codec::topic_names(&entry.header, &frame));
        self.clients.name_topics(&mut facts);
        let ours = matches!(entry.answer, Answer::Ours(_));
        let event = Frame {
            side: Side::Response,
            api: codec::name(entry.header.api_key),
            version: entry.header.version,
            correlation: entry.header.correlation,
            client_id: entry.header.client_id.clone(),
            bytes: frame.len(),
            ours,
            request: Some(entry.event.number),
            facts,
        };
        let event = self.shared().recorder.record(self.place(), Happening::Frame(Box::new(event)));
        if let Answer::Ours(name) = &entry.answer {
            self.shared().signal(self.place(), &format!("{name} answered"));
            self.done_with_later();
            return Ok(());
        }
        if client.is_some() {
            self.client.gate.pass().await;
        }
        let judged = Judged {
            header: &entry.header,
            request: entry.facts(),
            response: Some(super::pending::facts(&event)),
            kept: entry.kept.as_ref(),
        };
        let Decision { fault, notes } = self.decide(Side::Response, &frame, &judged);
        let notes = notes.into_iter().map(|name| Acting::note(name, &event));
        let mut lost = false;
        if let Some(fault) = fault {
            let acting = Acting::new(&fault, &event);
            match fault.what {
                Action::Cut => {
                    let acting = std::iter::once(acting).chain(notes).collect();
                    return Err(End::Cut("a fault cut it before the client had the response".into(), acting));
                }
                Action::Swallow => {
                    lost = true;
                    self.acted(acting);
                }
                Action::Silence => {
                    self.silent.set(true);
                    self.acted(acting);
                }
                Action::Hold { until } => {
                    self.acted(acting);
                    self.shared().signals.raised(&until).await;
                }
                Action::Delay(time) => {
                    self.acted(acting);
                    tokio::time::sleep(time).await;
                }
                what => self.act_on_client(what, acting).await,
            }
        }
        if !lost && client.is_some() {
            let frame = self.behind_the_proxy(entry, frame)?;
            self.deliver(&frame, client).await;
        }
        notes.for_each(|note| self.acted(note));
        Ok(())
    }

    /// The answer with the addresses of brokers replaced.
    fn behind_the_proxy(&self, entry: &Entry, frame: Bytes) -> Result<Bytes, End> {
        let mut failed = None;
        let rewritten = codec::rewrite_addresses(&entry.header, &frame, &mut |node, host, port| {
            let address = self.clients.address_of(&self.client, node, host, port);
            let ours = |address: SocketAddr| (address.ip().to_string(), i32::from(address.port()));
            address.map(ours).unwrap_or_else(|error| {
                failed = Some(error);
                (String::new(), -1)
            })
        });
        match failed {
            None => Ok(rewritten.unwrap_or(frame)),
            Some(error) => Err(End::Refused(format!("no port for a node: {error}"))),
        }
    }

    async fn deliver(&self, frame: &Bytes, client: &mut ToClient<'_>) {
        let Some(writer) = client else { return };
        self.client.gate.pass().await;
        // A client that has gone is noticed where its requests come from, after the last of them.
        if !self.silent.get() && frames::write(*writer, frame).await.is_err() {
            *client = None;
        }
    }
}
