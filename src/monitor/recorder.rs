//! The observer that measures after every epoch and writes TensorBoard's files and those of the live
//! page.

use crate::console::eprintln_safe;
use crate::monitor::confusion;
use crate::monitor::epoch_view::EpochView;
use crate::monitor::filters::FilterPictures;
use crate::monitor::live::files::LiveFiles;
use crate::monitor::live::views::TrainingState;
use crate::monitor::probe::Probe;
use crate::monitor::saliency::MonitoredFaces;
use crate::monitor::tensorboard::run_writer::RunWriter;
use crate::monitor::tensorboard::summary::hparams::Status;
use crate::monitor::time_budget::TimeBudget;
use crate::monitor::updates::Updates;
use crate::train::{EpochMetrics, Observer, Outcome, StepResult, Trainer};
use crate::{Error, Result};
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
/// An error of the recorder does not end the training: it is printed once, and nothing is recorded
/// from then on.
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
    /// Whether recording was given up.
    failed: bool,
    /// Seconds spent on monitoring.
    spent: f64,
    /// Seconds of the training when the recorder began.
    since: f64,
}

impl Recorder {
    /// Starts or continues the records in the run folder of the training.
    ///
    /// # Errors
    /// [`Error::Usage`] if the training has no folder; those of files.
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
        Ok(Recorder {
            options,
            probe,
            updates: Updates::default(),
            live: LiveFiles::open(&folder, trainer, faces.as_ref(), names, layers)?,
            tensorboard: options
                .tensorboard
                .then(|| RunWriter::open(&folder, trainer))
                .transpose()?,
            faces,
            filters,
            budget: TimeBudget::new(FILTER_SHARE, since),
            folder,
            failed: false,
            spent: start.elapsed().as_secs_f64(),
            since,
        })
    }

    /// Returns the seconds spent on monitoring.
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// Returns the share of the time since the training was started or resumed, in [0, 1].
    pub fn share(&self, trainer: &Trainer) -> f64 {
        self.spent / (trainer.seconds() - self.since).max(1e-9)
    }

    /// Writes the final state. To be called when the training has ended, for whatever reason.
    pub fn end(&mut self, trainer: &Trainer, outcome: &Result<Outcome>) {
        let (state, status) = match outcome {
            Ok(Outcome::Finished) => (TrainingState::Finished, Some(Status::Success)),
            Ok(Outcome::Stopped) => (TrainingState::Stopped, None),
            Err(_) => (TrainingState::Failed, Some(Status::Failure)),
        };
        self.guard(|this| {
            this.live.end(trainer, state)?;
            let folder = this.folder.clone();
            this.tensorboard.as_mut().map_or(Ok(()), |writer| writer.end(trainer, status, &folder))
        });
    }

    /// Runs `work` and adds its time. After the first error does nothing.
    fn guard(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) {
        if self.failed {
            return;
        }
        let start = Instant::now();
        if let Err(error) = work(self) {
            eprintln_safe!("{error}; the training continues without being recorded");
            self.failed = true;
        }
        self.spent += start.elapsed().as_secs_f64();
    }

    fn measure(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        let every = self.options.histogram_every;
        let histograms =
            self.tensorboard.is_some() && every > 0 && metrics.epoch.is_multiple_of(every);
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
        let view = EpochView {
            trainer,
            metrics,
            confusion: confusion.as_ref(),
            probe: &probe,
            saliency: self.faces.as_ref().zip(saliency.as_deref()),
            filters: &pictures,
        };
        if let Some(writer) = &mut self.tensorboard {
            writer.epoch(&view)?;
        }
        let share = self.share(trainer);
        self.live.epoch(&view, share)
    }
}

impl Observer for Recorder {
    fn step(&mut self, trainer: &Trainer, _: &StepResult) -> bool {
        self.guard(|this| {
            this.updates.step(trainer);
            this.live.step(trainer)
        });
        true
    }

    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        self.guard(|this| this.measure(trainer, metrics));
        Ok(())
    }
}
