//! The observer that measures after every epoch and writes TensorBoard's files and those of the live
//! page.

use crate::console::eprintln_safe;
use crate::monitor::confusion;
use crate::monitor::epoch_view::EpochView;
use crate::monitor::filters::FilterPictures;
use crate::monitor::live::files::LiveFiles;
use crate::monitor::live::views::TrainingState;
use crate::monitor::probe::Probe;
use crate::monitor::run_charts::{draw_class_counts, draw_curves};
use crate::monitor::saliency::MonitoredFaces;
use crate::monitor::tensorboard::run_writer::{RunWriter, write_projector};
use crate::monitor::tensorboard::summary::hparams::Status;
use crate::monitor::time_budget::TimeBudget;
use crate::monitor::updates::Updates;
use crate::train::{EpochMetrics, Observer, Outcome, StepResult, Trainer};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Share of the training time for the pictures of filters.
const FILTER_SHARE: f64 = 0.005;

/// Options of the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderOptions {
    /// Write TensorBoard's event files.
    pub tensorboard: bool,
    /// Epochs between two histograms; 0 = no histograms.
    pub histogram_every: usize,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        RecorderOptions { tensorboard: true, histogram_every: 1 }
    }
}

/// Records a training that has a run folder.
///
/// An error of the recorder does not end the training: it is printed once, and the part is written again
/// after the next epoch. What is missing at the end is in [`Recorder::unwritten`].
pub struct Recorder {
    folder: PathBuf,
    options: RecorderOptions,
    probe: Probe,
    updates: Updates,
    faces: Option<MonitoredFaces>,
    filters: Option<FilterPictures>,
    budget: TimeBudget,
    tensorboard: Option<RunWriter>,
    live: LiveFiles,
    /// Error of each part that could not be written when it was last tried.
    unwritten: BTreeMap<&'static str, String>,
    /// Epochs that the TensorBoard files will not hold.
    missed: usize,
    /// Seconds spent on monitoring.
    spent: f64,
    /// Seconds of the training when the recorder began.
    since: f64,
}

/// The parts of a record, as messages name them.
const MEASUREMENTS: &str = "measurements";
const TENSORBOARD: &str = "TensorBoard files";
const PROJECTOR: &str = "files of TensorBoard's projector";
const LIVE: &str = "files of the live page";
const CLASS_COUNTS: &str = "charts of the faces per class";
const CURVES: &str = "curves";

impl Recorder {
    /// Starts or continues the records in the run folder of the training.
    ///
    /// # Errors
    /// [`Error::Usage`] if the training has no folder.
    pub fn new(trainer: &Trainer, options: RecorderOptions) -> Result<Self> {
        let start = Instant::now();
        let Some(folder) = trainer.folder.clone() else {
            return Err(Error::Usage("a training without a run folder cannot be recorded".into()));
        };
        let faces = MonitoredFaces::new(trainer);
        let filters = FilterPictures::new(trainer)?;
        let names = filters.as_ref().map_or(Vec::new(), |filters| filters.names.clone());
        let since = trainer.seconds();
        let probe = Probe::new(trainer);
        let layers = probe.measure(&trainer.network, false)?.layers;
        let mut recorder = Recorder {
            options,
            probe,
            updates: Updates::default(),
            live: LiveFiles::new(&folder, trainer, faces.as_ref(), names, layers)?,
            tensorboard: None,
            faces,
            filters,
            budget: TimeBudget::new(FILTER_SHARE, since),
            folder,
            unwritten: BTreeMap::new(),
            missed: 0,
            spent: 0.0,
            since,
        };
        recorder.attempt(LIVE, |this| this.live.start(trainer));
        recorder
            .attempt(TENSORBOARD, |this| this.open_tensorboard(trainer, trainer.progress.epoch));
        recorder.attempt(CLASS_COUNTS, |_| draw_class_counts(trainer));
        recorder.spent = start.elapsed().as_secs_f64();
        Ok(recorder)
    }

    /// Returns the seconds spent on monitoring.
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// Returns the share of the time since the training was started or resumed, in [0, 1].
    pub fn share(&self, trainer: &Trainer) -> f64 {
        self.spent / (trainer.seconds() - self.since).max(1e-9)
    }

    /// Returns what could not be written, and why.
    pub fn unwritten(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unwritten.iter().map(|(part, error)| (*part, error.as_str()))
    }

    /// Writes the final state. To be called when the training has ended, for whatever reason.
    pub fn end(&mut self, trainer: &Trainer, outcome: &Result<Outcome>) {
        let (state, status) = match outcome {
            Ok(Outcome::Finished) => (TrainingState::Finished, Some(Status::Success)),
            Ok(Outcome::Stopped) => (TrainingState::Stopped, None),
            Err(_) => (TrainingState::Failed, Some(Status::Failure)),
        };
        if self.unwritten.contains_key(CLASS_COUNTS) {
            self.attempt(CLASS_COUNTS, |_| draw_class_counts(trainer));
        }
        self.attempt(LIVE, |this| this.live.end(trainer, state));
        if self.options.tensorboard {
            let epochs = trainer.progress.epoch;
            self.attempt(TENSORBOARD, |this| {
                this.open_tensorboard(trainer, epochs)?;
                this.tensorboard.as_mut().map_or(Ok(()), |writer| writer.end(trainer, status))
            });
            if self.missed > 0 {
                let missing = format!("{} epochs are missing", self.missed);
                self.unwritten.insert(TENSORBOARD, missing);
            }
            self.attempt(PROJECTOR, |this| write_projector(trainer, &this.folder));
        }
    }

    /// Runs `work`, adds its time, and notes whether it succeeded. Says so when that changes.
    fn attempt(&mut self, part: &'static str, work: impl FnOnce(&mut Self) -> Result<()>) {
        let start = Instant::now();
        match work(self) {
            Ok(()) => {
                if self.unwritten.remove(part).is_some() {
                    eprintln_safe!("the {part} are written again");
                }
            }
            Err(error) => {
                if !self.unwritten.contains_key(part) {
                    eprintln_safe!(
                        "{error}; the training goes on, and the {part} are tried again after the next \
                         epoch"
                    );
                }
                self.unwritten.insert(part, error.to_string());
            }
        }
        self.spent += start.elapsed().as_secs_f64();
    }

    /// Opens the event files, unless that has been done: they then hold the first `epochs` epochs.
    fn open_tensorboard(&mut self, trainer: &Trainer, epochs: usize) -> Result<()> {
        if self.options.tensorboard && self.tensorboard.is_none() {
            self.tensorboard = Some(RunWriter::open(&self.folder, trainer, epochs)?);
        }
        Ok(())
    }

    fn measure(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        self.missed += 1; // unless the measurements succeed
        let every = self.options.histogram_every;
        let histograms =
            self.options.tensorboard && every > 0 && metrics.epoch.is_multiple_of(every);
        let mut probe = self.probe.measure(&trainer.network, histograms)?;
        for layer in &mut probe.layers {
            layer.update_ratio = self.updates.ratio(&layer.layer);
        }
        self.updates.clear();
        let evaluated = trainer.evaluated();
        let confusion = confusion::confusion(trainer)?;
        let saliency = self.faces.as_ref().map(|faces| faces.saliency(&evaluated)).transpose()?;
        let mut pictures = Vec::new();
        if let Some(filters) = self.filters.as_mut().filter(|_| self.budget.allows(metrics.seconds))
        {
            let start = Instant::now();
            filters.step(&evaluated)?;
            pictures = filters.pictures()?;
            self.budget.spend(start.elapsed().as_secs_f64());
        }
        self.missed -= 1;
        let faces = self.faces.take();
        let view = EpochView {
            trainer,
            metrics,
            confusion: confusion.as_ref(),
            probe: &probe,
            saliency: faces.as_ref().zip(saliency.as_deref()),
            filters: &pictures,
        };
        self.attempt(TENSORBOARD, |this| {
            this.open_tensorboard(trainer, metrics.epoch - 1)?;
            this.tensorboard.as_mut().map_or(Ok(()), |writer| writer.epoch(&view))
        });
        self.missed += usize::from(self.options.tensorboard && self.tensorboard.is_none());
        let share = self.share(trainer);
        self.attempt(LIVE, |this| this.live.epoch(&view, share));
        self.faces = faces;
        Ok(())
    }
}

impl Observer for Recorder {
    fn step(&mut self, trainer: &Trainer, _: &StepResult) -> bool {
        let start = Instant::now();
        self.updates.step(trainer);
        self.spent += start.elapsed().as_secs_f64();
        if !self.unwritten.contains_key(LIVE) {
            self.attempt(LIVE, |this| this.live.step(trainer));
        }
        true
    }

    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        let spent = self.spent;
        let start = Instant::now();
        self.attempt(MEASUREMENTS, |this| this.measure(trainer, metrics));
        self.spent = spent + start.elapsed().as_secs_f64(); // its parts are inside
        Ok(())
    }

    fn saved(&mut self, trainer: &Trainer) -> Result<()> {
        self.attempt(CURVES, |_| draw_curves(trainer));
        Ok(())
    }
}
