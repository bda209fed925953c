//! What every test here needs.

pub(crate) mod batch;
pub(crate) mod kafka;
pub(crate) mod requests;
pub(crate) mod upstream;
pub(crate) mod wire;

use std::time::Duration;

use proxy::{Event, Frame, Happening, Proxy, Side};

/// Whatever is waited for this long will not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// For what must not come: long enough for a wrong proxy to show it.
pub(crate) const A_WHILE: Duration = Duration::from_millis(150);

/// Waits for a signal, which has to come.
#[track_caller]
pub(crate) fn wait(proxy: &Proxy, signal: &str) {
    assert!(proxy.wait(signal, 1, PATIENCE), "\"{signal}\" was never raised: {:#?}", proxy.trace());
}

/// The frames of a trace.
pub(crate) fn frames(trace: &[Event]) -> Vec<(&Event, &Frame)> {
    trace.iter().filter_map(|event| Some((event, frame(event)?))).collect()
}

fn frame(event: &Event) -> Option<&Frame> {
    match &event.happening {
        Happening::Frame(frame) => Some(frame),
        _ => None,
    }
}

/// What a trace says of frames: API, side.
pub(crate) fn order(proxy: &Proxy) -> Vec<(String, Side, i32)> {
    let trace = proxy.trace();
    frames(&trace).into_iter().map(|(_, frame)| (frame.api.clone(), frame.side, frame.correlation)).collect()
}

/// Why connections were closed, as the trace has it.
pub(crate) fn closings(proxy: &Proxy) -> Vec<String> {
    let why = |event: Event| match event.happening {
        Happening::Closed { why } => Some(why),
        _ => None,
    };
    proxy.trace().into_iter().filter_map(why).collect()
}

/// Waits until something is so. Only for what nobody tells.
#[track_caller]
pub(crate) fn until(what: &str, is: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is() {
        assert!(std::time::Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
