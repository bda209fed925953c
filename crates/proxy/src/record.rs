//! The trace as it is kept: the last events in memory, and all of them in a file if one is wanted.

use std::{
    collections::VecDeque,
    io::{self, BufWriter, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{Event, Happening};

/// How many events memory holds.
const EVENTS: usize = 200_000;
/// How much they may say of partitions and batches together: a frame of 100 MB can name a million.
const WEIGHT: usize = 1_000_000;
/// How many events are taken over to be written at once.
const AT_ONCE: usize = 1_000;

/// Where something happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) client: &'a str,
    pub(crate) connection: u32,
    pub(crate) node: i32,
}

impl Place<'_> {
    /// Of no client.
    pub(crate) const NONE: Place<'static> = Place { client: "", connection: 0, node: -1 };
}

/// The trace.
pub(crate) struct Recorder {
    started: Instant,
    kept: Mutex<Kept>,
    /// There is something to write, or nothing will be any more.
    more: Condvar,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<Arc<Event>>,
    weight: usize,
    next: u64,
    writing: bool,
    ended: bool,
    error: Option<String>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), kept: Mutex::default(), more: Condvar::new() }
    }

    /// Microseconds since the start.
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(crate) fn record(&self, place: Place<'_>, happening: Happening) -> Arc<Event> {
        let client = place.client.to_owned();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock: numbers and times go the same way.
        let event = Arc::new(Event {
            number: kept.next,
            micros: self.micros(),
            client,
            connection: place.connection,
            node: place.node,
            happening,
        });
        kept.next += 1;
        kept.weight += weight(&event);
        kept.events.push_back(event.clone());
        while kept.events.len() > EVENTS || (kept.weight > WEIGHT && kept.events.len() > 1) {
            let oldest = kept.events.pop_front();
            kept.weight -= oldest.as_deref().map_or(0, weight);
        }
        if kept.writing {
            drop(kept);
            self.more.notify_one();
        }
        event
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        // Copied outside of the lock: the proxy goes on meanwhile.
        let events: Vec<_> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.events.iter().cloned().collect()
        };
        events.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    pub(crate) fn error(&self) -> Option<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).error.clone()
    }

    /// Writes every event, on a thread of its own: whoever reads it slowly holds up nothing.
    pub(crate) fn write_to(self: &Arc<Self>, out: Box<dyn Write + Send>) -> io::Result<JoinHandle<()>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).writing = true;
        let recorder = self.clone();
        thread::Builder::new().name("kafka-proxy-trace".into()).spawn(move || {
            let written = recorder.write(BufWriter::with_capacity(64 << 10, out));
            let mut kept = recorder.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.writing = false;
            if let Err(error) = written {
                log::warn!("the trace is no longer written: {error}");
                kept.error = Some(error.to_string());
            }
        })
    }

    fn write(&self, mut out: BufWriter<Box<dyn Write + Send>>) -> io::Result<()> {
        let mut next = 0;
        loop {
            let events = match self.from(next, false)? {
                events if !events.is_empty() => events,
                _ => {
                    // Idle: what was written is to be seen.
                    out.flush()?;
                    self.from(next, true)?
                }
            };
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                serde_json::to_writer(&mut out, &*event)?;
                out.write_all(b"\n")?;
                next = event.number + 1;
            }
        }
    }

    /// Some events from this number on. None at all: there are none yet, or, after waiting, there will be none.
    fn from(&self, number: u64, wait: bool) -> io::Result<Vec<Arc<Event>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while wait && kept.next == number && !kept.ended {
            kept = self.more.wait(kept).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(first) = kept.events.front().map(|event| event.number) else { return Ok(Vec::new()) };
        let Some(written) = number.checked_sub(first) else {
            let missing = first - number;
            return Err(io::Error::other(format!("it is read too slowly: {missing} events were dropped")));
        };
        let written = usize::try_from(written).unwrap_or(usize::MAX);
        Ok(kept.events.iter().skip(written).take(AT_ONCE).cloned().collect())
    }

    /// Nothing more will be recorded.
    pub(crate) fn end(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.more.notify_all();
    }
}

fn weight(event: &Event) -> usize {
    let Happening::Frame(frame) = &event.happening else { return 0 };
    let parts = &frame.facts.partitions;
    parts.iter().map(|part| 1 + part.batches.len() + part.aborted.len()).sum()
}

/// Waits for a thread, but not for ever; whether it has ended.
pub(crate) fn join(thread: JoinHandle<()>, limit: Duration) -> bool {
    let until = Instant::now() + limit;
    while !thread.is_finished() {
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    // It can only have panicked, and has said so.
    let _ = thread.join();
    true
}
