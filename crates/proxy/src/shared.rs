//! What the owner's threads and the proxy's own share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    Action, Event, Fault, Happening, Signal,
    engine::Engine,
    record::{Place, Recorder},
    signals::Signals,
};

/// What kills and freezes a program.
pub(crate) type Control = Arc<dyn Fn(Signal) + Send + Sync>;

/// What the owner's threads and the proxy's own share.
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) signals: Signals,
    pub(crate) engine: Engine,
    controls: Mutex<HashMap<String, Control>>,
    /// The signals that bring the broker back.
    away: Mutex<Vec<String>>,
}

/// A fault that acts on a frame.
#[derive(Debug, Clone)]
pub(crate) struct Acting {
    pub(crate) name: String,
    pub(crate) action: &'static str,
    /// The number of the frame's event.
    pub(crate) frame: u64,
    pub(crate) error: Option<i16>,
}

impl Acting {
    pub(crate) fn new(fault: &Fault, frame: &Event) -> Self {
        let error = match fault.what {
            Action::Answer { error, .. } => Some(error),
            _ => None,
        };
        Self { name: fault.name.clone(), action: fault.what.name(), frame: frame.number, error }
    }

    pub(crate) fn note(name: String, frame: &Event) -> Self {
        Self { name, action: Action::Note.name(), frame: frame.number, error: None }
    }
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            recorder: Arc::new(Recorder::new()),
            signals: Signals::default(),
            engine: Engine::default(),
            controls: Mutex::default(),
            away: Mutex::default(),
        }
    }

    /// Raises a signal that is no fault's own. Who has waited for it finds it in the trace.
    pub(crate) fn signal(&self, place: Place<'_>, name: &str) {
        self.recorder.record(place, Happening::Signal { name: name.to_owned() });
        self.signals.raise(name);
    }

    /// A fault has acted.
    pub(crate) fn acted(&self, place: Place<'_>, acting: Acting) {
        let Acting { name, action, frame, error } = acting;
        self.recorder.record(place, Happening::Fault { name: name.clone(), action, frame, error });
        self.signals.raise(&name);
    }

    pub(crate) fn set_control(&self, client: &str, control: Control) {
        self.controls.lock().unwrap_or_else(PoisonError::into_inner).insert(client.to_owned(), control);
    }

    pub(crate) fn control(&self, client: &str) -> Option<Control> {
        self.controls.lock().unwrap_or_else(PoisonError::into_inner).get(client).cloned()
    }

    pub(crate) fn go_away(&self, until: String) {
        self.away.lock().unwrap_or_else(PoisonError::into_inner).push(until);
    }

    /// Whether there is no broker now.
    pub(crate) fn is_away(&self) -> bool {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.retain(|until| self.signals.count(until) == 0);
        !away.is_empty()
    }
}
