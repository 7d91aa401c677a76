//! The observer that measures once an epoch and tells TensorBoard and the live page.

use crate::console::eprintln_safe;
use crate::metrics::Confusion;
use crate::monitor::live::confusion;
use crate::monitor::live::filters::Grown;
use crate::monitor::live::live_page::{Live, State};
use crate::monitor::live::saliency::{Seen, WatchedFaces};
use crate::monitor::tensorboard::Status;
use crate::monitor::tensorboard::events::Events;
use crate::monitor::time_budget::Ration;
use crate::monitor::updates::Updates;
use crate::monitor::{Probe, Probed};
use crate::render::RgbImage;
use crate::train::StepResult;
use crate::train::{EpochMetrics, Observer, Outcome, Trainer};
use crate::{Error, Result};
use std::path::PathBuf;
use std::time::Instant;

/// Share of the training's time for the pictures of filters.
const FILTER_SHARE: f64 = 0.005;

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Write event files.
    pub tensorboard: bool,
    /// Histograms after every so many epochs; 0 = never.
    pub histogram_every: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { tensorboard: true, histogram_every: 1 }
    }
}

/// All that is known at the end of an epoch.
pub struct EpochView<'a> {
    /// The training.
    pub trainer: &'a Trainer,
    /// The epoch.
    pub metrics: &'a EpochMetrics,
    /// How the validation faces were judged.
    pub confusion: Option<&'a Confusion>,
    /// What the probe batch showed.
    pub probed: &'a Probed,
    /// The watched faces and how they are seen.
    pub saliency: Option<(&'a WatchedFaces, &'a [Seen])>,
    /// Pictures of the filters; empty in epochs that draw none.
    pub filters: &'a [RgbImage],
}

/// Watches a training that has a run folder.
///
/// It never ends a training: what it cannot write is said once on standard error, and from then on
/// nothing is recorded.
pub struct Recorder {
    folder: PathBuf,
    options: Options,
    probe: Probe,
    updates: Updates,
    faces: Option<WatchedFaces>,
    grown: Option<Grown>,
    ration: Ration,
    events: Option<Events>,
    live: Live,
    /// Whether recording was given up.
    failed: bool,
    /// Seconds spent on watching.
    spent: f64,
    since: f64,
}

impl Recorder {
    /// Begins, or goes on with, the records of the training's run folder.
    ///
    /// # Errors
    /// [`Error::Usage`] if the training has no folder; those of files.
    pub fn new(trainer: &Trainer, options: Options) -> Result<Self> {
        let begun = Instant::now();
        let Some(folder) = trainer.folder.clone() else {
            return Err(Error::Usage("a training without a run folder cannot be recorded".into()));
        };
        let faces = WatchedFaces::new(trainer);
        let grown = Grown::new(trainer)?;
        let names = grown.as_ref().map_or(Vec::new(), |grown| grown.names.clone());
        let since = trainer.seconds();
        let probe = Probe::new(trainer);
        let layers = probe.look(&trainer.network, false)?.layers;
        Ok(Recorder {
            options,
            probe,
            updates: Updates::default(),
            live: Live::open(&folder, trainer, faces.as_ref(), names, layers)?,
            events: options.tensorboard.then(|| Events::open(&folder, trainer)).transpose()?,
            faces,
            grown,
            ration: Ration::new(FILTER_SHARE, since),
            folder,
            failed: false,
            spent: begun.elapsed().as_secs_f64(),
            since,
        })
    }

    /// Seconds that watching took.
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// The same as a share of the time since the training was begun or resumed, in [0, 1].
    pub fn share(&self, trainer: &Trainer) -> f64 {
        self.spent / (trainer.seconds() - self.since).max(1e-9)
    }

    /// To be called when the training has ended, however it did.
    pub fn end(&mut self, trainer: &Trainer, outcome: &Result<Outcome>) {
        let (state, status) = match outcome {
            Ok(Outcome::Finished) => (State::Finished, Some(Status::Success)),
            Ok(Outcome::Stopped) => (State::Stopped, None),
            Err(_) => (State::Failed, Some(Status::Failure)),
        };
        self.guarded(|this| {
            this.live.end(trainer, state)?;
            let folder = this.folder.clone();
            this.events.as_mut().map_or(Ok(()), |events| events.end(trainer, status, &folder))
        });
    }

    /// Does `work` and counts its time; after the first error nothing is done any more.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) {
        if self.failed {
            return;
        }
        let begun = Instant::now();
        if let Err(error) = work(self) {
            eprintln_safe!("{error}; the training goes on, but is no longer recorded");
            self.failed = true;
        }
        self.spent += begun.elapsed().as_secs_f64();
    }

    fn measure(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        let every = self.options.histogram_every;
        let histograms = self.events.is_some() && every > 0 && metrics.epoch.is_multiple_of(every);
        let mut probed = self.probe.look(&trainer.network, histograms)?;
        for layer in &mut probed.layers {
            layer.update_ratio = self.updates.ratio(&layer.layer);
        }
        self.updates.clear();
        let evaluated = trainer.evaluated();
        let confusion = confusion::confusion(trainer)?;
        let seen = self.faces.as_ref().map(|faces| faces.look(&evaluated)).transpose()?;
        let mut filters = Vec::new();
        if let Some(grown) = self.grown.as_mut().filter(|_| self.ration.allows(metrics.seconds)) {
            let begun = Instant::now();
            grown.grow(&evaluated)?;
            filters = grown.pictures()?;
            self.ration.spend(begun.elapsed().as_secs_f64());
        }
        let view = EpochView {
            trainer,
            metrics,
            confusion: confusion.as_ref(),
            probed: &probed,
            saliency: self.faces.as_ref().zip(seen.as_deref()),
            filters: &filters,
        };
        if let Some(events) = &mut self.events {
            events.epoch(&view)?;
        }
        let share = self.share(trainer);
        self.live.epoch(&view, share)
    }
}

impl Observer for Recorder {
    fn step(&mut self, trainer: &Trainer, _: &StepResult) -> bool {
        self.guarded(|this| {
            this.updates.step(trainer);
            this.live.step(trainer)
        });
        true
    }

    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        self.guarded(|this| this.measure(trainer, metrics));
        Ok(())
    }
}
