//! Delivery reports, and `send` and `flush` with the behaviour that the course's Python client has.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, ToBytes};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientConfig, Message};

use crate::events::{ClientEvents, client_context};
use crate::grammar::{Line, Position};
use crate::{Error, out, stop};

/// What a program prints when the fate of a message is known: the course's `on_delivery` callback.
pub type Report = for<'a> fn(&'a DeliveryResult<'_>) -> Option<Line<'a>>;

/// The producer of every program: librdkafka's, whose delivery reports are served by `poll` and [`flush`], as in Python.
pub type ReportingProducer = BaseProducer<DeliveryReports>;

/// Where a producer's delivery reports go: each is counted, and printed as the program's [`Report`] says.
pub struct DeliveryReports {
    report: Report,
    delivered: AtomicU64,
    failed: AtomicU64,
    last: Mutex<Option<Result<Position<'static>, KafkaError>>>,
    output: Mutex<Output>,
    polls: AtomicU32,
    events: ClientEvents,
}

impl DeliveryReports {
    /// Creates a producer whose delivery reports are printed by `report`.
    ///
    /// # Errors
    /// When librdkafka refuses a property, or the properties together.
    pub fn producer(config: &ClientConfig, report: Report) -> Result<ReportingProducer, Error> {
        Ok(config.create_with_context(Self {
            report,
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last: Mutex::default(),
            output: Mutex::default(),
            polls: AtomicU32::new(0),
            events: ClientEvents::of("producer"),
        })?)
    }

    /// How many messages were reported as delivered.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// How many messages were reported as failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// The latest report that was not printed, once: where the message stands, or why it failed.
    pub fn take_last(&self) -> Option<Result<Position<'static>, KafkaError>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Prints a line that is not a delivery report, for instance of a message that could not even be queued.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn failed_to_queue(&self, value: &[u8], why: &KafkaError) -> Result<(), Error> {
        self.failed.fetch_add(1, Ordering::Relaxed);
        out::print(&Line::failed(value, why))
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verdict(&self) -> Result<(), Error> {
        if let Some(error) = self.output().error.take() {
            return Err(error);
        }
        match self.failed() {
            0 => Ok(()),
            failed => Err(Error::failed(format!(
                "{failed} of {} messages were not acknowledged; the lines that begin with `failed` say why",
                failed + self.delivered()
            ))),
        }
    }

    pub(crate) fn events(&self) -> &ClientEvents {
        &self.events
    }
}

client_context!(DeliveryReports);

impl ProducerContext for DeliveryReports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => self.delivered.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.failed.fetch_add(1, Ordering::Relaxed),
        };
        if let Some(line) = (self.report)(result) {
            self.output().print(&line);
            return;
        }
        let last = match result {
            Ok(message) => Ok(Position {
                topic: message.topic().to_owned().into(),
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, _)) => Err(error.clone()),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}

/// Standard output, as delivery reports use it.
#[derive(Default)]
struct Output {
    /// Inside [`serve`], which writes the lines of all the reports that it serves before it returns.
    collecting: bool,
    lines: out::Lines,
    error: Option<Error>,
}

impl Output {
    fn print(&mut self, line: &Line<'_>) {
        let printed = self.lines.push(line);
        self.note(printed);
        if !self.collecting {
            self.write();
        }
    }

    fn write(&mut self) {
        let written = self.lines.write();
        self.note(written);
    }

    fn note(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }
}

/// Hands a record to librdkafka. When its local queue is full (100,000 messages or 1 GiB), serves delivery reports until
/// there is room, where Python raises `BufferError`. Whether the record arrives is told later, by its delivery report.
///
/// # Errors
/// When librdkafka refuses the record (too large, unknown partition, failed transaction), or the program is asked to
/// stop while the queue is full.
pub fn send<K, P>(producer: &ReportingProducer, record: BaseRecord<'_, K, P>) -> KafkaResult<()>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
{
    let mut record = record;
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if !stop::requested() => {
                serve_or_wait(producer);
                record = back;
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Python's `poll(timeout)`: serves the delivery reports that come within the timeout. Ends early when the program is
/// asked to stop.
///
/// With zero, it serves those that are there, but looks for them at every 32nd call only: a look costs half as much as
/// a send, and a program that does not pause sends 32 messages in 20 microseconds.
pub fn poll(producer: &ReportingProducer, timeout: Duration) {
    if timeout.is_zero() {
        if producer.context().polls.fetch_add(1, Ordering::Relaxed).is_multiple_of(32) {
            serve(producer);
        }
        return;
    }
    let end = Instant::now() + timeout;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        producer.poll(left.min(SLICE));
        if left.is_zero() || stop::requested() {
            return;
        }
    }
}

/// Serves the delivery reports that are there; when it returns, their lines have left the process, in as few writes as
/// possible. Returns whether there were any.
pub(crate) fn serve(producer: &ReportingProducer) -> bool {
    let reports = producer.context();
    let served = || reports.delivered() + reports.failed();
    let first = served();
    reports.output().collecting = true;
    loop {
        let before = served();
        producer.poll(Duration::ZERO); // those of one request
        if served() == before {
            break;
        }
    }
    let mut output = reports.output();
    output.collecting = false;
    output.write();
    served() > first
}

/// Serves delivery reports, or waits a moment for them.
fn serve_or_wait(producer: &ReportingProducer) {
    if !serve(producer) {
        std::thread::sleep(MOMENT);
    }
}

/// Waits until every message has its delivery report; returns how many have none when the time is over, as Python's
/// `flush` does. (rust-rdkafka's own `flush` looks only every 100 ms, which would be the cost of each transaction.)
pub fn flush(producer: &ReportingProducer, limit: Duration) -> usize {
    let end = Instant::now() + limit;
    loop {
        let left = usize::try_from(producer.in_flight_count()).unwrap_or(0);
        if left == 0 || Instant::now() >= end {
            return left;
        }
        serve_or_wait(producer);
    }
}

/// Ends a producer: what is still queued is discarded, and reported as failed. Then says what the exit status says.
///
/// # Errors
/// When a delivery failed, or its report could not be printed.
pub fn finish(producer: ReportingProducer) -> Result<(), Error> {
    let reports = producer.context().clone();
    drop(producer);
    reports.verdict()
}

/// Ctrl-C is noticed within this time.
const SLICE: Duration = Duration::from_millis(50);

/// How long a report may lie unseen while there is nothing to do but wait for it. rust-rdkafka's own `poll(1 ms)` always
/// takes its whole time, and spends its last millisecond looking again and again, on a processor that the broker may
/// need.
const MOMENT: Duration = Duration::from_micros(100);
