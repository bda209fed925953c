//! From the client to the broker.

use std::{future::pending, io, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{net::tcp::OwnedReadHalf, task::spawn_local, time::timeout};
use wire::frames::Frames;

use super::{
    connection::{Connection, End, Judged},
    pending::{Answer, Entry, facts},
};
use crate::{
    Action, Event, Frame, Happening, Side,
    codec::{self, Header},
    engine::Decision,
    shared::Acting,
};

/// How long a cut waits for the answers to earlier requests.
const EARLIER_ANSWERS: Duration = Duration::from_secs(5);
/// How long the broker's last answers are waited for when it takes no more requests.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A request from the client.
#[derive(Clone)]
struct Request {
    header: Header,
    event: Arc<Event>,
    frame: Bytes,
    /// Whether the broker will answer it.
    answered: bool,
}

impl Request {
    fn entry(&self, answer: Answer, kept: Option<Bytes>) -> Option<Entry> {
        let (header, event) = (self.header.clone(), self.event.clone());
        self.answered.then_some(Entry { header, event, kept, answer })
    }
}

/// What becomes of a request after a fault.
enum Next {
    /// It goes to the broker.
    Pass(Request),
    /// It does not.
    Gone,
    End(End),
}

impl Connection {
    /// Takes the client's requests in turn, until it leaves, or a fault ends the connection.
    pub(super) async fn requests(self: &Rc<Self>, frames: &mut Frames<OwnedReadHalf>) -> End {
        loop {
            let frame = match frames.next().await {
                Ok(Some(frame)) => frame,
                Ok(None) => return End::Left,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return End::Refused(if frames.begins_like_tls() {
                        "the client speaks TLS, which the proxy cannot read: let it connect in plain text".into()
                    } else {
                        format!("what came is no request of Kafka: {error}")
                    });
                }
                Err(_) => return End::Left,
            };
            let request = match self.receive(frame) {
                Ok(request) => request,
                Err(why) => return End::Refused(format!("what came is no request of Kafka: {why}")),
            };
            // The trace shows to whom nobody listens.
            if self.silent.get() {
                continue;
            }
            self.client.gate.pass().await;
            if let Err(end) = self.take(request).await {
                return end;
            }
        }
    }

    fn receive(&self, frame: Bytes) -> Result<Request, String> {
        let header = codec::header(&frame)?;
        let mut facts = codec::request_facts(&header, &frame)?;
        self.clients.name_topics(&mut facts);
        let answered = codec::expects_answer(&facts, &header);
        let event = Frame {
            side: Side::Request,
            api: codec::name(header.api_key),
            version: header.version,
            correlation: header.correlation,
            client_id: header.client_id.clone(),
            bytes: frame.len(),
            ours: false,
            request: None,
            facts,
        };
        let event = self.shared().recorder.record(self.place(), Happening::Frame(Box::new(event)));
        Ok(Request { header, event, frame, answered })
    }

    async fn take(self: &Rc<Self>, request: Request) -> Result<(), End> {
        let judged = Judged { header: &request.header, request: facts(&request.event), response: None, kept: None };
        let Decision { fault, notes } = self.decide(Side::Request, &request.frame, &judged);
        let event = request.event.clone();
        let notes = notes.into_iter().map(|name| Acting::note(name, &event));
        let next = match fault {
            None => Next::Pass(request),
            Some(fault) => {
                let acting = Acting::new(&fault, &event);
                self.act(request, fault.what, acting).await
            }
        };
        match next {
            Next::Pass(request) => self.pass(request, None).await?,
            Next::Gone => {}
            Next::End(End::Cut(why, mut acting)) => {
                acting.extend(notes);
                return Err(End::Cut(why, acting));
            }
            Next::End(end) => return Err(end),
        }
        notes.for_each(|note| self.acted(note));
        Ok(())
    }

    async fn act(self: &Rc<Self>, request: Request, action: Action, acting: Acting) -> Next {
        let signals = &self.shared().signals;
        match action {
            Action::Note => {}
            Action::Swallow => {
                self.acted(acting);
                return Next::Gone;
            }
            Action::Cut => {
                self.earlier_answers().await;
                return Next::End(End::Cut("a fault cut it before the broker had the request".into(), vec![acting]));
            }
            Action::Silence => {
                self.silent.set(true);
                self.acted(acting);
                return Next::Gone;
            }
            Action::Hold { until } => {
                self.acted(acting);
                signals.raised(&until).await;
            }
            Action::Delay(time) => {
                self.acted(acting);
                tokio::time::sleep(time).await;
            }
            Action::Answer { .. } if !request.answered => {
                self.acted(acting);
                return Next::Gone;
            }
            Action::Answer { error, until } => match codec::error_answer(&request.header, &request.frame, error) {
                Some(answer) => {
                    self.pending.has_room().await;
                    if let Some(entry) = request.entry(Answer::Made(answer, until), None) {
                        self.pending.push(entry);
                    }
                    self.acted(acting);
                    return Next::Gone;
                }
                None => self.cannot(&request, &acting),
            },
            Action::Repeat { upon } => return self.repeat(request, upon, acting).await,
            Action::Postpone { until } => {
                self.earlier_answers().await;
                self.send_later(request, until, acting.name.clone());
                return Next::End(End::Cut("a fault cut it; the broker gets the request later".into(), vec![acting]));
            }
            Action::Alter(alteration) => match codec::alter(alteration, &request.header, &request.frame) {
                Some(frame) => {
                    return match self.pass(request, Some(frame)).await {
                        Ok(()) => {
                            self.acted(acting);
                            Next::Gone
                        }
                        Err(end) => Next::End(end),
                    };
                }
                None => self.cannot(&request, &acting),
            },
            Action::Kill | Action::Freeze { .. } | Action::Away { .. } => self.act_on_client(action, acting).await,
        }
        Next::Pass(request)
    }

    fn cannot(&self, request: &Request, acting: &Acting) {
        let Acting { name, action, .. } = acting;
        let api = codec::name(request.header.api_key);
        let version = request.header.version;
        log::warn!("fault \"{name}\" ({action}) cannot be applied to {api} version {version}: the request passes");
    }

    /// What concerns more than one connection. Returns, if at all, when the frame may pass.
    pub(super) async fn act_on_client(self: &Rc<Self>, action: Action, acting: Acting) {
        let (clients, client) = (self.clients.clone(), self.client.clone());
        let place = self.place();
        match action {
            // All on tasks of their own: they outlive this connection.
            Action::Kill => {
                spawn_local(clients.kill(client, place.node, place.connection, acting));
                pending().await
            }
            Action::Away { until } => {
                self.shared().go_away(until);
                spawn_local(clients.away(client, place.node, place.connection, acting));
                pending().await
            }
            Action::Freeze { until } => {
                let _ = spawn_local(clients.freeze(client, place.node, place.connection, acting)).await;
                self.shared().signals.raised(&until).await;
            }
            _ => {}
        }
    }

    /// Sends a request, or what a fault has made of it, to the broker.
    async fn pass(&self, request: Request, altered: Option<Bytes>) -> Result<(), End> {
        self.pending.has_room().await;
        self.client.gate.pass().await;
        if self.silent.get() {
            return Ok(());
        }
        let kept = (request.answered && self.shared().engine.keeps(&request.header)).then(|| request.frame.clone());
        let entry = request.entry(Answer::Relayed, kept);
        if self.send(altered.as_ref().unwrap_or(&request.frame), entry).await.is_ok() {
            return Ok(());
        }
        // Its last answers and its end are read in the other direction.
        tokio::time::sleep(LAST_ANSWERS).await;
        Err(End::Lost("the broker takes no more requests".into()))
    }

    async fn earlier_answers(&self) {
        if timeout(EARLIER_ANSWERS, self.pending.settled()).await.is_err() {
            log::warn!("earlier requests are still without an answer: the connection is cut without them");
        }
    }

    async fn repeat(self: &Rc<Self>, request: Request, upon: String, acting: Acting) -> Next {
        let (second, name) = (request.clone(), acting.name.clone());
        if let Err(end) = self.pass(request, None).await {
            return Next::End(end);
        }
        self.acted(acting);
        self.send_later(second, upon, name);
        Next::Gone
    }

    /// Sends this request when the signal is raised, whatever becomes of the client meanwhile.
    fn send_later(self: &Rc<Self>, request: Request, upon: String, name: String) {
        self.keep_for_later();
        let connection = self.clone();
        spawn_local(async move {
            connection.shared().signals.raised(&upon).await;
            let entry = request.entry(Answer::Ours(name.clone()), None);
            match connection.send(&request.frame, entry).await {
                // Done when it is answered.
                Ok(()) if request.answered => {}
                Ok(()) => connection.done_with_later(),
                Err(()) => {
                    log::warn!(
                        "fault \"{name}\": the broker has closed the connection that the request was to come on"
                    );
                    connection.done_with_later();
                }
            }
        });
    }
}
