//! Where a call sends its messages, and learns that nobody wants them any more.

use crate::explain::{ObjectiveGradient, Watch};
use crate::page::message::Message;
use crate::{Error, PIXELS, Result};
use serde_json::json;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use web_time::Instant;

/// Time between two messages about the progress of work.
const TELL_EVERY: Duration = Duration::from_millis(150);

/// What work sends back: any number of messages, or the error that ended it.
pub type Reply = Result<Message>;

/// Who receives the messages of a call.
pub trait Listener: Send + Sync {
    /// Takes a message.
    fn deliver(&self, reply: Reply);
    /// Returns whether nobody takes messages any more.
    fn is_gone(&self) -> bool {
        false
    }
}

/// Takes messages and forgets them.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Listener for Nobody {
    fn deliver(&self, _: Reply) {}
}

/// Where work sends its messages, and learns that it shall stop.
pub struct Output {
    listener: Box<dyn Listener>,
    stop: Arc<AtomicBool>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl Output {
    /// Sends to a listener.
    pub fn to(listener: impl Listener + 'static) -> Self {
        Output { listener: Box::new(listener), stop: Arc::default() }
    }

    /// Returns the flag that makes the work stop at its next message or check.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    /// Returns whether nobody takes messages any more.
    pub fn is_gone(&self) -> bool {
        self.listener.is_gone()
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the work shall stop.
    pub fn send(&self, message: Message) -> Result<()> {
        self.check()?;
        self.listener.deliver(Ok(message));
        Ok(())
    }

    /// Sends the error that ended the work.
    pub fn fail(&self, error: Error) {
        self.listener.deliver(Err(error));
    }

    /// Refuses to go on if newer work of the lane waits, or the page has gone.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        match self.stop.load(Ordering::Relaxed) || self.is_gone() {
            true => Err(Error::Interrupted("newer work took its place".into())),
            false => Ok(()),
        }
    }
}

/// Checks before every use of a network whether the work shall stop, so that any explanation can be
/// cancelled between two passes, and tells of its progress.
pub struct WorkWatch<'a> {
    output: &'a Output,
    /// Uses so far, and the time of the last message about them.
    uses: Cell<(usize, Instant)>,
    /// Gradients of an objective so far, and after how many of them the faces are sent; never for 0.
    ascents: Cell<usize>,
    every: usize,
}

impl<'a> WorkWatch<'a> {
    /// Watches for the work that has this output.
    pub fn new(output: &'a Output) -> Self {
        let uses = Cell::new((0, Instant::now()));
        WorkWatch { output, uses, ascents: Cell::new(0), every: 0 }
    }

    /// Sends what a gradient ascent has reached, every so many steps.
    pub fn showing_ascent(self, every: usize) -> Self {
        Self { every, ..self }
    }

    /// Returns how many gradients of an objective were asked for.
    pub fn ascents(&self) -> usize {
        self.ascents.get()
    }
}

impl Watch for WorkWatch<'_> {
    /// Counts a use, and tells of it now and then.
    fn before(&self, _passes: usize) -> Result<()> {
        let (count, told) = self.uses.get();
        self.output.check()?;
        let is_due = told.elapsed() >= TELL_EVERY;
        self.uses.set((count + 1, if is_due { Instant::now() } else { told }));
        match is_due {
            true => self.output.send(Message::json(json!({ "progress": count + 1 }))),
            false => Ok(()),
        }
    }

    fn ascent(&self, faces: &[f32], found: &ObjectiveGradient) -> Result<()> {
        let ascent = self.ascents.replace(self.ascents.get() + 1);
        if self.every > 0 && ascent.is_multiple_of(self.every) {
            let json = json!({ "step": ascent, "value": found.values.first() });
            self.output.send(Message::numbers(json, &faces[..PIXELS.min(faces.len())]))?;
        }
        Ok(())
    }
}
