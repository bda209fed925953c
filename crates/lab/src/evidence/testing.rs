//! Traces as plain data.

pub(super) use proxy::{Batch, Facts, Part};
use proxy::{Event, Frame, Happening, Side};

use crate::scenario::Mark;

/// A trace that is being written.
#[derive(Default)]
pub(super) struct Trace(Vec<Event>);

impl Trace {
    fn add(&mut self, client: &str, happening: Happening) -> u64 {
        let number = self.0.len() as u64;
        self.0.push(Event { number, micros: number, client: client.into(), connection: 1, node: 1, happening });
        number
    }

    fn frame(&mut self, client: &str, api: &str, request: Option<u64>, ours: bool, facts: Facts) -> u64 {
        let side = if request.is_some() { Side::Response } else { Side::Request };
        let api = api.to_owned();
        let frame = Frame { side, api, version: 1, correlation: 1, client_id: None, bytes: 1, ours, request, facts };
        self.add(client, Happening::Frame(Box::new(frame)))
    }

    pub(super) fn request(&mut self, client: &str, api: &str, facts: Facts) -> u64 {
        self.frame(client, api, None, false, facts)
    }

    pub(super) fn response(&mut self, client: &str, api: &str, request: u64, facts: Facts) -> u64 {
        self.frame(client, api, Some(request), false, facts)
    }

    /// The answer to a request that the proxy sent.
    pub(super) fn ours(&mut self, client: &str, api: &str, request: u64, facts: Facts) -> u64 {
        self.frame(client, api, Some(request), true, facts)
    }

    /// A request and its response; the response's number.
    pub(super) fn exchange(&mut self, client: &str, api: &str, asked: Facts, told: Facts) -> u64 {
        let request = self.request(client, api, asked);
        self.response(client, api, request, told)
    }

    /// A fault on the client of this frame.
    pub(super) fn fault(&mut self, action: &'static str, frame: u64) {
        let client = self.0[frame as usize].client.clone();
        self.add(&client, Happening::Fault { name: "fault".into(), action, frame, error: None });
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.0
    }

    /// The number of the event that shows this mark first.
    pub(super) fn first(&self, mark: Mark) -> Option<u64> {
        super::marks(&self.0).into_iter().find(|(other, _)| *other == mark).map(|(_, number)| number)
    }
}

pub(super) fn id(id: &str) -> Facts {
    Facts { transactional_id: Some(id.into()), ..Facts::default() }
}

pub(super) fn producer(producer_id: i64, producer_epoch: i16) -> Facts {
    Facts { producer_id: Some(producer_id), producer_epoch: Some(producer_epoch), ..Facts::default() }
}

pub(super) fn with_id(id: &str, facts: Facts) -> Facts {
    Facts { transactional_id: Some(id.into()), ..facts }
}

pub(super) fn error(code: i16) -> Facts {
    Facts { error: Some(code), ..Facts::default() }
}

/// An answer with this code for a partition.
pub(super) fn refused(partition: i32, code: i16) -> Facts {
    let part = Part { topic: "t".into(), partition, error: Some(code), ..Part::default() };
    Facts { partitions: vec![part], ..Facts::default() }
}
