//! Writes a training for TensorBoard: three event files and the files of the projector.

use crate::model::predictions::features_and_classes;
use crate::model::summary::summary;
use crate::monitor::confusion;
use crate::monitor::epoch_view::EpochView;
use crate::monitor::tensorboard::event_writer::{EventWriter, system_clock};
use crate::monitor::tensorboard::format::tags;
use crate::monitor::tensorboard::graphs;
use crate::monitor::tensorboard::summary::hparams::{HParam, Status};
use crate::monitor::tensorboard::summary::projector::Embedding;
use crate::optim::gradient_norm;
use crate::render::chart::confusion_matrix::{Confusion as Drawing, Normalize};
use crate::render::{RgbImage, Scene, Theme};
use crate::stats::evenly_spread;
use crate::train::{EpochMetrics, Trainer};
use crate::{CLASS_NAMES, Error, Result, SIDE};
use serde_json::Value;
use std::path::Path;

/// Largest number of faces in the projector.
const MAX_POINTS: usize = 5000;
/// Enlargement of the saliency pictures.
const ZOOM: usize = 4;

/// The event writers of a run.
#[derive(Debug)]
pub struct RunWriter {
    run: EventWriter,
    train: EventWriter,
    validation: EventWriter,
}

impl RunWriter {
    /// Starts or continues the event files of a run folder; they keep the first `epochs` epochs. Writes
    /// what is written once per run, unless an earlier session has.
    pub fn open(folder: &Path, trainer: &Trainer, epochs: usize) -> Result<Self> {
        let step = epochs as u64; // epochs are counted from 0 here
        let open = |name: &str| EventWriter::resume(folder.join(name), step, system_clock);
        let mut writer = RunWriter {
            run: open("")?,
            train: open(tags::TRAIN)?,
            validation: open(tags::VALIDATION)?,
        };
        if writer.run.resumed().kept == 0 {
            writer.about(trainer)?;
        }
        Ok(writer)
    }

    fn about(&mut self, trainer: &Trainer) -> Result<()> {
        let hparams = hparams(&serde_json::to_value(&trainer.config).unwrap_or_default());
        let hparams: Vec<(&str, HParam)> =
            hparams.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        self.run.hparams(&hparams, &tags::METRICS)?;
        self.run.summary(0, &tags::curves_layout())?;
        let table = summary(&trainer.network)?.to_text();
        let (train, validation) = (trainer.train.len(), trainer.validation.len());
        let text = format!(
            "**{}**: {train} training faces, {validation} validation faces.\n\n```\n{table}```",
            trainer.network.spec.name
        );
        self.run.text(tags::ABOUT, 0, &text)?;
        self.run.run_graph(&graphs::run_graph(&trainer.network)?)?;
        self.run.keras_graph(&graphs::conceptual(&trainer.network))?;
        self.run.flush()
    }

    /// Writes the measurements of an epoch and flushes.
    pub fn epoch(&mut self, view: &EpochView<'_>) -> Result<()> {
        let step = view.metrics.epoch as u64 - 1;
        self.training(step, view)?;
        self.validation(step, view)?;
        let history = &view.trainer.progress.history;
        // The first of equal epochs, as in `best.safetensors`.
        let best = history.iter().rev().fold(view.metrics, |best, m| match m.val_accuracy {
            accuracy if accuracy >= best.val_accuracy => m,
            _ => best,
        });
        self.run.scalar(tags::BEST_ACCURACY, step, best.val_accuracy as f32)?;
        self.run.scalar(tags::BEST_LOSS, step, best.val_loss as f32)?;
        self.flush()
    }

    fn training(&mut self, step: u64, view: &EpochView<'_>) -> Result<()> {
        let (m, w): (&EpochMetrics, _) = (view.metrics, &mut self.train);
        let network = &view.trainer.network;
        let norm = gradient_norm(network.parameters().iter().map(|p| &p.value));
        for (tag, value) in [
            (tags::EPOCH_LOSS, m.loss),
            (tags::EPOCH_ACCURACY, m.accuracy),
            (tags::EPOCH_LEARNING_RATE, m.lr),
            (tags::IMAGES_PER_SECOND, m.images_per_second),
            (tags::GRAD_NORM, m.grad_norm),
            (tags::WEIGHT_NORM, norm),
        ] {
            w.scalar(tag, step, value as f32)?;
        }
        for layer in &view.probe.layers {
            for (tag, value) in [
                (tags::grad_norm(&layer.layer), layer.grad_norm),
                (tags::weight_norm(&layer.layer), layer.weight_norm),
                (tags::update_ratio(&layer.layer), layer.update_ratio),
                (tags::dead_share(&layer.layer), layer.dead_share),
            ] {
                if let Some(value) = value {
                    w.scalar(&tag, step, value as f32)?;
                }
            }
        }
        for of in &view.probe.weights {
            let layer = of.layer.replace('.', "/");
            w.write_histogram(&tags::weight(&layer, of.weight), step, &of.values)?;
            w.write_histogram(&tags::gradient(&layer, of.weight), step, &of.gradient)?;
        }
        for (layer, histogram) in &view.probe.activations {
            w.write_histogram(&tags::activation(layer), step, histogram)?;
        }
        Ok(())
    }

    fn validation(&mut self, step: u64, view: &EpochView<'_>) -> Result<()> {
        let w = &mut self.validation;
        w.scalar(tags::EPOCH_LOSS, step, view.metrics.val_loss as f32)?;
        w.scalar(tags::EPOCH_ACCURACY, step, view.metrics.val_accuracy as f32)?;
        let names: Vec<&str> =
            view.trainer.network.spec.classes.iter().map(String::as_str).collect();
        if let Some(confusion) = view.confusion {
            for (c, name) in names.iter().enumerate() {
                w.scalar(&tags::recall(name), step, confusion.recall(c) as f32)?;
                w.scalar(&tags::precision(name), step, confusion.precision(c) as f32)?;
                w.scalar(&tags::f1(name), step, confusion.f1(c) as f32)?;
            }
            let title = format!("Validation after epoch {}", view.metrics.epoch);
            let counts = confusion.counts.clone();
            let drawing = Drawing::new(&title, &names, counts, Normalize::Recall);
            let scene: Scene = drawing.draw(Theme::Light)?;
            w.image(tags::CONFUSION, step, &scene.to_png(1.0)?)?;
            w.table(tags::CONFUSION_TABLE, step, &confusion::table(confusion, &names))?;
        }
        if let Some(predictions) = &view.trainer.validated {
            let faces = 0..predictions.len();
            for (c, name) in names.iter().enumerate() {
                let scores: Vec<f32> = faces.clone().map(|i| predictions.of(i)[c]).collect();
                let is_c = |i| view.trainer.validation.label(i) == Some(c as u8);
                let positive: Vec<bool> = faces.clone().map(is_c).collect();
                w.pr_curve(&tags::pr(name), step, &scores, &positive)?;
            }
        }
        if let Some((faces, saliency)) = view.saliency {
            for (i, face) in saliency.iter().enumerate() {
                let both = side_by_side(&faces.picture(i)?, &face.map);
                let tag = tags::saliency(names[faces.labels[i]]);
                self.validation.image(&tag, step, &both.to_png()?)?;
            }
        }
        Ok(())
    }

    /// Writes how the run ended, and what could not be written before.
    ///
    /// A run that can be resumed has no `status`: an open TensorBoard keeps the first one for good.
    ///
    /// # Errors
    /// Those of files; [`Error::Failed`] if records were lost.
    pub fn end(&mut self, trainer: &Trainer, status: Option<Status>) -> Result<()> {
        if let Some(status) = status {
            self.run.session_end(trainer.progress.epoch as u64, status)?;
        }
        self.flush()?;
        match self.run.lost() + self.train.lost() + self.validation.lost() {
            0 => Ok(()),
            lost => Err(Error::Failed(format!("{lost} bytes of event files were lost"))),
        }
    }

    fn flush(&mut self) -> Result<()> {
        [&mut self.run, &mut self.train, &mut self.validation]
            .into_iter()
            .map(EventWriter::flush)
            .fold(Ok(()), Result::and)
    }
}

fn side_by_side(face: &RgbImage, map: &RgbImage) -> RgbImage {
    let mut both = RgbImage::new(2 * SIDE, SIDE, [0; 3]);
    both.blit(face, 0, 0);
    both.blit(map, SIDE, 0);
    both.resized_nearest(2 * SIDE * ZOOM, SIDE * ZOOM)
}

/// Returns every value of a configuration by name; nested ones as `schedule.warmup`, after all others.
fn hparams(config: &Value) -> Vec<(String, HParam)> {
    fn visit(name: String, value: &Value, out: &mut Vec<(String, HParam)>) {
        let inner = |key: &str| match name.as_str() {
            "" => key.to_owned(),
            _ => format!("{name}.{key}"),
        };
        match value {
            Value::Object(parts) => parts.iter().for_each(|(k, v)| visit(inner(k), v, out)),
            Value::Null => {}
            Value::Bool(flag) => out.push((name, HParam::Flag(*flag))),
            Value::Number(n) => out.push((name, HParam::Number(rounded(n.as_f64())))),
            Value::String(text) => out.push((name, HParam::Text(text.clone()))),
            Value::Array(all) => {
                let one = |v: &Value| match v {
                    Value::Number(n) => rounded(n.as_f64()).to_string(),
                    other => other.to_string(),
                };
                let all: Vec<String> = all.iter().map(one).collect();
                out.push((name, HParam::Text(all.join(", "))));
            }
        }
    }
    let mut out = Vec::new();
    visit(String::new(), config, &mut out);
    out.sort_by_key(|(name, _)| name.contains('.'));
    out
}

/// Rounds to six digits: 0.02 as `f32` should not read 0.019999999552965164.
fn rounded(value: Option<f64>) -> f64 {
    value.map_or(f64::NAN, |v| (v * 1e6).round() / 1e6)
}

/// Writes the features of the validation faces for the projector.
///
/// # Errors
/// Those of files.
pub fn write_projector(trainer: &Trainer, folder: &Path) -> Result<()> {
    let data = &trainer.validation;
    let data = data.select(&evenly_spread(data.len(), MAX_POINTS));
    let network = trainer.evaluated();
    let equalize = trainer.config.augment.equalize;
    let Some((points, predicted_classes)) = features_and_classes(&network, &data, equalize)? else {
        return Ok(());
    };
    let name = |class: usize| CLASS_NAMES.get(class).map_or("", |name| name).to_owned();
    let row = |i: usize| {
        let (label, predicted) =
            (usize::from(data.label(i).unwrap_or(u8::MAX)), predicted_classes[i]);
        let right = if label == predicted { "right" } else { "wrong" };
        vec![name(label), name(predicted), right.into()]
    };
    let metadata: Vec<Vec<String>> = (0..data.len()).map(row).collect();
    Embedding {
        name: "validation",
        dim: points.len() / data.len(),
        points: &points,
        columns: &["label", "predicted", "judgement"],
        metadata: &metadata,
        pictures: Some((data.pixels(), SIDE)),
    }
    .write(folder)
}
