//! Writes the two JSON files of the live page into the run folder, each replaced as a whole.
//!
//! `live.json` holds the finished epochs and is written after each; `progress.json` holds the current
//! epoch and is written every two seconds. Because they are files, `fer watch` shows a running or
//! finished training from another process.

use crate::files;
use crate::monitor::epoch_view::EpochView;
use crate::monitor::live::views::{
    EpochPictures, LIVE, PROGRESS, ProgressView, RunView, SaliencyView, TrainingState,
    read_run_view,
};
use crate::monitor::probe::LayerHealth;
use crate::monitor::saliency::{FaceSaliency, MonitoredFaces};
use crate::render::RgbImage;
use crate::train::{Budget, Trainer};
use crate::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between two writes of the current epoch.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Largest number of epochs whose pictures are kept; above it every second one is dropped.
const MAX_FRAMES: usize = 24;

/// Writes both files of a run.
#[derive(Debug)]
pub struct LiveFiles {
    folder: PathBuf,
    run: RunView,
    progress_written: Option<Instant>,
}

impl LiveFiles {
    /// Prepares the files, or continues those of an earlier session.
    pub fn new(
        folder: &Path,
        trainer: &Trainer,
        faces: Option<&MonitoredFaces>,
        filters: Vec<String>,
        layers: Vec<LayerHealth>,
    ) -> Result<Self> {
        let done = trainer.progress.epoch;
        let mut run = read_run_view(folder).unwrap_or_default();
        run.recall.retain(|(epoch, _)| *epoch <= done);
        run.frames.retain(|frame| frame.epoch <= done);
        let network = &trainer.network;
        run.run = files::name(folder);
        run.network = network.spec.name.clone();
        run.parameters = network.parameters().iter().map(|p| p.value.elements()).sum();
        (run.train, run.validation) = (trainer.train.len(), trainer.validation.len());
        run.planned = match trainer.config.budget {
            Budget::Epochs(n) => Some(n),
            Budget::Minutes(_) => None,
        };
        run.classes = network.spec.classes.clone();
        run.epochs = trainer.progress.history.clone();
        run.faces = match faces {
            Some(faces) => (0..faces.labels.len())
                .map(|i| Ok((faces.picture(i)?.to_data_uri()?, faces.labels[i])))
                .collect::<Result<_>>()?,
            None => Vec::new(),
        };
        run.filters = filters;
        run.layers = layers;
        Ok(LiveFiles { folder: folder.to_owned(), run, progress_written: None })
    }

    /// Writes both files as they are before the first step.
    ///
    /// # Errors
    /// Those of files.
    pub fn start(&mut self, trainer: &Trainer) -> Result<()> {
        self.write_run()?;
        self.write_progress(trainer, TrainingState::Running)
    }

    /// After a step: writes the current epoch every two seconds.
    pub fn step(&mut self, trainer: &Trainer) -> Result<()> {
        if self.progress_written.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
            return Ok(());
        }
        self.write_progress(trainer, TrainingState::Running)
    }

    /// After an epoch: writes both files.
    pub fn epoch(&mut self, view: &EpochView<'_>, monitoring_share: f64) -> Result<()> {
        let run = &mut self.run;
        run.epochs = view.trainer.progress.history.clone();
        run.watching = monitoring_share;
        run.layers = view.probe.layers.clone();
        let epoch = view.metrics.epoch;
        if let Some(confusion) = view.confusion {
            run.confusion = confusion.counts.clone();
            let recall = (0..confusion.classes()).map(|c| confusion.recall(c)).collect();
            run.recall.push((epoch, recall));
        }
        let mut frame = EpochPictures { epoch, ..EpochPictures::default() };
        if let Some((_, faces)) = view.saliency {
            let saliency_view = |face: &FaceSaliency| {
                let map = face.map.to_data_uri()?;
                let (max, predicted, probability) = (face.max, face.predicted, face.probability);
                Ok(SaliencyView { map, max, predicted, probability })
            };
            frame.saliency = faces.iter().map(saliency_view).collect::<Result<_>>()?;
        }
        frame.filters = view.filters.iter().map(RgbImage::to_data_uri).collect::<Result<_>>()?;
        run.frames.push(frame);
        thin_out(&mut run.frames);
        self.write_run()?;
        self.write_progress(view.trainer, TrainingState::Running)
    }

    /// Writes the state in which the training ended.
    pub fn end(&mut self, trainer: &Trainer, state: TrainingState) -> Result<()> {
        self.write_run()?; // the epochs are there even if they could not be written before
        self.write_progress(trainer, state)
    }

    fn write_run(&self) -> Result<()> {
        write_json(&self.folder.join(LIVE), &self.run)
    }

    fn write_progress(&mut self, trainer: &Trainer, state: TrainingState) -> Result<()> {
        let (progress, sums) = (&trainer.progress, &trainer.progress.sums);
        let last = progress.history.last();
        let faces = sums.faces.max(1) as f64;
        let measured = match sums.faces {
            0 => last.map(|m| (m.loss, m.accuracy, m.lr, m.images_per_second)),
            _ => Some((
                sums.loss / faces,
                sums.correct as f64 / faces,
                sums.lr,
                faces / sums.seconds.max(1e-9),
            )),
        };
        let (loss, accuracy, lr, images_per_second) = measured.unwrap_or_default();
        self.progress_written = Some(Instant::now());
        let ended = state != TrainingState::Running;
        let view = ProgressView {
            state,
            epoch: progress.epoch,
            step: progress.step_in_epoch,
            steps: trainer.steps_per_epoch(),
            fraction: if state == TrainingState::Finished {
                1.0
            } else {
                trainer.fraction().min(1.0)
            },
            loss,
            accuracy,
            lr,
            images_per_second,
            seconds: trainer.seconds(),
            remaining: trainer.remaining().filter(|_| !ended),
        };
        // Without a sync to the disk: a crash loses two seconds at most.
        files::write_unsynced(&self.folder.join(PROGRESS), &json(&view)?)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::Usage(e.to_string()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    files::write_atomic(path, &json(value)?)
}

/// Drops every second epoch if there are too many, but never the last.
fn thin_out(frames: &mut Vec<EpochPictures>) {
    if frames.len() > MAX_FRAMES {
        let last = frames.len() - 1;
        let mut at = 0;
        frames.retain(|_| {
            at += 1;
            (last - (at - 1)).is_multiple_of(2)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pictures_are_thinned_out_and_the_last_are_kept() {
        let mut frames = Vec::new();
        for epoch in 1..=200 {
            frames.push(EpochPictures { epoch, ..EpochPictures::default() });
            thin_out(&mut frames);
            assert!(frames.len() <= MAX_FRAMES);
            assert_eq!(frames.last().map(|f| f.epoch), Some(epoch));
        }
        assert!(frames.len() >= MAX_FRAMES / 2);
        assert!(frames[0].epoch < 20, "pictures of the first epochs are kept: {}", frames[0].epoch);
    }
}
