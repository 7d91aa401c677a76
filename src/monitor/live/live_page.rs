//! What the live page shows: two JSON files in the run folder, each replaced as a whole.
//!
//! `live.json` tells of finished epochs and is written after each; `progress.json` tells of the
//! present one and is written every two seconds. Because they are files, `fer watch` shows a
//! running or finished training from another process.

use crate::files::write_atomic;
use crate::monitor::LayerHealth;
use crate::monitor::live::saliency::WatchedFaces;
use crate::monitor::recorder::EpochView;
use crate::render::{RgbImage, base64};
use crate::train::{Budget, EpochMetrics, Trainer};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Finished epochs.
pub const LIVE: &str = "live.json";
/// The present epoch.
pub const PROGRESS: &str = "progress.json";

/// Between two writes of the present epoch.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Epochs whose pictures are kept. Above it every second one is dropped.
const MOST_FRAMES: usize = 24;

/// How a training is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It goes on.
    Running,
    /// It did what was asked.
    Finished,
    /// It was interrupted and can be resumed.
    Stopped,
    /// It failed.
    Failed,
}

/// `progress.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// How it is doing.
    pub state: State,
    /// Epochs done.
    pub epoch: usize,
    /// Steps of the present epoch, done and in all.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Share of the training that is done, in [0, 1].
    pub fraction: f64,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Share of right answers of the epoch so far.
    pub accuracy: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Training faces a second.
    pub images_per_second: f64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Seconds that are left, as far as one can tell.
    pub remaining: Option<f64>,
}

/// `live.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Name of the run folder.
    pub run: String,
    /// Architecture.
    pub network: String,
    /// Numbers that training changes.
    pub parameters: usize,
    /// Training faces.
    pub train: usize,
    /// Validation faces.
    pub validation: usize,
    /// Epochs that are planned, where the budget is one of epochs.
    pub planned: Option<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Finished epochs.
    pub epochs: Vec<EpochMetrics>,
    /// Recall of each class after each of these epochs.
    pub recall: Vec<(usize, Vec<f64>)>,
    /// The last confusion matrix, rows true, columns predicted.
    pub confusion: Vec<Vec<u64>>,
    /// The layers after the last epoch.
    pub layers: Vec<LayerHealth>,
    /// The faces whose saliency is watched, as `data:` addresses, with their classes.
    pub faces: Vec<(String, usize)>,
    /// What the filters' pictures are of.
    pub filters: Vec<String>,
    /// Pictures from epoch to epoch.
    pub frames: Vec<Frame>,
    /// Share of the time that watching took, in [0, 1].
    pub watching: f64,
}

/// Pictures after one epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Saliency of each face.
    pub saliency: Vec<Look>,
    /// Pictures of the filters, as `data:` addresses; empty where none were drawn in this epoch.
    pub filters: Vec<String>,
}

/// One face as the network saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Saliency as a `data:` address.
    pub map: String,
    /// Largest value of the map.
    pub max: f32,
    /// The class given to it.
    pub predicted: usize,
    /// Probability of its own class.
    pub probability: f32,
}

/// Writes both files.
#[derive(Debug)]
pub struct Live {
    folder: PathBuf,
    story: Story,
    written: Option<Instant>,
}

impl Live {
    /// Begins, or goes on with what an earlier session told of the epochs that are done.
    ///
    /// # Errors
    /// Those of files.
    pub fn open(
        folder: &Path,
        trainer: &Trainer,
        faces: Option<&WatchedFaces>,
        filters: Vec<String>,
        layers: Vec<LayerHealth>,
    ) -> Result<Self> {
        let done = trainer.progress.epoch;
        let mut story = read_story(folder).unwrap_or_default();
        story.recall.retain(|(epoch, _)| *epoch <= done);
        story.frames.retain(|frame| frame.epoch <= done);
        let network = &trainer.network;
        story.run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        story.network = network.spec.name.clone();
        story.parameters = network.parameters().iter().map(|p| p.value.elements()).sum();
        (story.train, story.validation) = (trainer.train.len(), trainer.validation.len());
        story.planned = match trainer.config.budget {
            Budget::Epochs(n) => Some(n),
            Budget::Minutes(_) => None,
        };
        story.classes = network.spec.classes.clone();
        story.epochs = trainer.progress.history.clone();
        story.faces = match faces {
            Some(faces) => (0..faces.labels.len())
                .map(|i| Ok((address(&faces.picture(i)?)?, faces.labels[i])))
                .collect::<Result<_>>()?,
            None => Vec::new(),
        };
        story.filters = filters;
        story.layers = layers;
        let mut live = Live { folder: folder.to_owned(), story, written: None };
        live.write_story()?;
        live.now(trainer, State::Running)?;
        Ok(live)
    }

    /// After a step: writes the present epoch, if it is time to.
    ///
    /// # Errors
    /// Those of files.
    pub fn step(&mut self, trainer: &Trainer) -> Result<()> {
        if self.written.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
            return Ok(());
        }
        self.now(trainer, State::Running)
    }

    /// After an epoch.
    ///
    /// # Errors
    /// Those of files and pictures.
    pub fn epoch(&mut self, view: &EpochView<'_>, watching: f64) -> Result<()> {
        let story = &mut self.story;
        story.epochs = view.trainer.progress.history.clone();
        story.watching = watching;
        story.layers = view.probed.layers.clone();
        let epoch = view.metrics.epoch;
        if let Some(confusion) = view.confusion {
            story.confusion = confusion.counts.clone();
            let recall = (0..confusion.classes()).map(|c| confusion.recall(c)).collect();
            story.recall.push((epoch, recall));
        }
        let mut frame = Frame { epoch, ..Frame::default() };
        if let Some((_, seen)) = view.saliency {
            let look = |seen: &crate::monitor::live::saliency::Seen| {
                let map = address(&seen.map)?;
                let (max, predicted, probability) = (seen.max, seen.predicted, seen.probability);
                Ok(Look { map, max, predicted, probability })
            };
            frame.saliency = seen.iter().map(look).collect::<Result<_>>()?;
        }
        frame.filters = view.filters.iter().map(address).collect::<Result<_>>()?;
        story.frames.push(frame);
        thin_out(&mut story.frames);
        self.write_story()?;
        self.now(view.trainer, State::Running)
    }

    /// Says how the training ended.
    ///
    /// # Errors
    /// Those of files.
    pub fn end(&mut self, trainer: &Trainer, state: State) -> Result<()> {
        self.now(trainer, state)
    }

    fn write_story(&self) -> Result<()> {
        write_json(&self.folder.join(LIVE), &self.story)
    }

    fn now(&mut self, trainer: &Trainer, state: State) -> Result<()> {
        let (progress, sums) = (&trainer.progress, &trainer.progress.sums);
        let last = progress.history.last();
        let faces = sums.faces.max(1) as f64;
        let now = match sums.faces {
            0 => last.map(|m| (m.loss, m.accuracy, m.lr, m.images_per_second)),
            _ => Some((
                sums.loss / faces,
                sums.correct as f64 / faces,
                sums.lr,
                faces / sums.seconds.max(1e-9),
            )),
        };
        let (loss, accuracy, lr, images_per_second) = now.unwrap_or_default();
        self.written = Some(Instant::now());
        let over = state != State::Running;
        let now = Now {
            state,
            epoch: progress.epoch,
            step: progress.step_in_epoch,
            steps: trainer.steps_per_epoch(),
            fraction: if state == State::Finished { 1.0 } else { trainer.fraction().min(1.0) },
            loss,
            accuracy,
            lr,
            images_per_second,
            seconds: trainer.seconds(),
            remaining: trainer.remaining().filter(|_| !over),
        };
        // Not durable: what a crash may lose here is two seconds old, and the disk is spared.
        let bytes = json(&now)?;
        let path = self.folder.join(PROGRESS);
        let temporary = self.folder.join(".progress.tmp");
        std::fs::write(&temporary, bytes)
            .and_then(|()| std::fs::rename(&temporary, &path))
            .map_err(Error::io(&path))
    }
}

/// What an earlier session told; `None` if there is nothing that can be read.
pub fn read_story(folder: &Path) -> Option<Story> {
    serde_json::from_slice(&std::fs::read(folder.join(LIVE)).ok()?).ok()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::Usage(e.to_string()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_atomic(path, &json(value)?)
}

/// A picture as an address that needs no server.
fn address(picture: &RgbImage) -> Result<String> {
    Ok(format!("data:image/png;base64,{}", base64(&picture.to_png()?)))
}

/// Drops every second frame where there are too many, never the last.
fn thin_out(frames: &mut Vec<Frame>) {
    if frames.len() > MOST_FRAMES {
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
    fn frames_stay_few_and_the_last_is_kept() {
        let mut frames = Vec::new();
        for epoch in 1..=200 {
            frames.push(Frame { epoch, ..Frame::default() });
            thin_out(&mut frames);
            assert!(frames.len() <= MOST_FRAMES);
            assert_eq!(frames.last().map(|f| f.epoch), Some(epoch));
        }
        assert!(frames.len() >= MOST_FRAMES / 2);
        assert!(frames[0].epoch < 20, "the beginning is told, too: {}", frames[0].epoch);
    }
}
