//! Times the layers of a training step.
//!
//! A profiled pass notes the time at which every layer's forward pass ends, and in the backward
//! pass the time at which the last node of a layer is visited: there its backward pass begins.

use crate::autograd::NodeId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Forward or backward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Forward pass.
    Forward,
    /// Backward pass, and what follows it.
    Backward,
}

/// The time that one part of a step took.
#[derive(Clone, Debug)]
pub struct Span {
    /// A layer or another part of the step.
    pub name: String,
    /// Forward or backward pass.
    pub phase: Phase,
    /// How long it took.
    pub duration: Duration,
}

/// Measures the parts of one step. Clones share the measurements.
#[derive(Clone, Debug)]
pub struct Profiler(Arc<Mutex<Record>>);

#[derive(Debug)]
struct Record {
    start: Instant,
    events: Vec<Event>,
    /// The last node of each part, in the order of the forward pass.
    last_nodes: Vec<(NodeId, String)>,
}

/// The end of a part's forward pass, or the beginning of its backward pass.
#[derive(Debug)]
struct Event {
    name: String,
    phase: Phase,
    at: Instant,
}

impl Profiler {
    /// Starts measuring.
    pub(crate) fn start() -> Self {
        let record = Record { start: Instant::now(), events: Vec::new(), last_nodes: Vec::new() };
        Self(Arc::new(Mutex::new(record)))
    }

    /// Notes that the forward pass of a part has ended with this node.
    pub(crate) fn end_forward(&self, name: &str, last_node: Option<NodeId>) {
        let mut record = self.record();
        record.last_nodes.extend(last_node.map(|id| (id, name.to_owned())));
        record.note(name.to_owned(), Phase::Forward);
    }

    /// Notes that a node is visited in the backward pass.
    pub(crate) fn visit(&self, node: NodeId) {
        let mut record = self.record();
        while let Some((_, name)) = record.last_nodes.pop_if(|(last, _)| *last == node) {
            record.note(name, Phase::Backward);
        }
    }

    /// Notes that a part begins that is not on the tape, such as the update of the parameters.
    pub(crate) fn begin(&self, name: &str) {
        self.record().note(name.to_owned(), Phase::Backward);
    }

    /// Returns the parts in the order in which they ran. The last one ends now.
    pub fn spans(&self) -> Vec<Span> {
        let record = self.record();
        spans(record.start, &record.events, Instant::now())
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn note(&mut self, name: String, phase: Phase) {
        self.events.push(Event { name, phase, at: Instant::now() });
    }
}

/// Turns events into spans: forward ones end at their event, backward ones begin there.
fn spans(start: Instant, events: &[Event], end: Instant) -> Vec<Span> {
    let mut previous = start;
    let mut spans = Vec::with_capacity(events.len());
    for (i, event) in events.iter().enumerate() {
        let (from, to) = match event.phase {
            Phase::Forward => (previous, event.at),
            Phase::Backward => (event.at, events.get(i + 1).map_or(end, |next| next.at)),
        };
        previous = event.at;
        let duration = to.duration_since(from);
        spans.push(Span { name: event.name.clone(), phase: event.phase, duration });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_fill_the_step() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let event = |name: &str, phase, ms| Event { name: name.into(), phase, at: at(ms) };
        let events = [
            event("a", Phase::Forward, 1),
            event("b", Phase::Forward, 3),
            event("b", Phase::Backward, 3),
            event("a", Phase::Backward, 7),
            event("update", Phase::Backward, 15),
        ];
        let spans = spans(start, &events, at(31));
        let milliseconds: Vec<u128> = spans.iter().map(|s| s.duration.as_millis()).collect();
        assert_eq!(milliseconds, [1, 2, 4, 8, 16]);
    }
}
