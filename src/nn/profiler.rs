//! When each layer of a training step began and ended.
//!
//! A pass that is timed marks the tape behind every layer. A mark is an op that changes nothing: it
//! notes the moment when it is written, which is the end of the layer's forward work, and again
//! when the tape is read backwards, which is the beginning of its backward work. The tape and the
//! ops know nothing of it, and a pass that is not timed writes no marks.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// On which way a moment was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The named part of the step has just ended.
    Forward,
    /// Its backward work begins now.
    Backward,
}

/// A moment of a step.
#[derive(Clone, Debug)]
pub struct Moment {
    /// A layer or another part of the step.
    pub name: String,
    /// Forward or backward.
    pub way: Way,
    /// When.
    pub at: Instant,
}

/// The moments of a step in their order.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Vec<Moment>>>);

impl Clock {
    /// What has been noted so far.
    pub fn moments(&self) -> Vec<Moment> {
        self.list().clone()
    }

    pub(crate) fn note(&self, name: &str, way: Way) {
        self.list().push(Moment { name: name.to_owned(), way, at: Instant::now() });
    }

    /// Notes the end of `name`, and has the tape note the beginning of its backward work.
    pub(crate) fn mark<T: Element>(&self, tape: &mut Tape<T>, name: &str, y: Var<T>) -> Var<T> {
        self.note(name, Way::Forward);
        let op = MarkBackward { clock: self.clone(), name: name.to_owned() };
        tape.record(y.value().clone(), &[&y], op)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Moment>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The identity, which notes when its gradient arrives.
struct MarkBackward {
    clock: Clock,
    name: String,
}

impl<T: Element> Backward<T> for MarkBackward {
    fn name(&self) -> &'static str {
        "mark"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        self.clock.note(&self.name, Way::Backward);
        grads.set(0, || Ok(grad_output.clone()))
    }
}
