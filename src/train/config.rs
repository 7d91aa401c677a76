//! Everything that decides how a training goes, as one TOML file.

use crate::dataset::{Augment, Preset};
use crate::model::Init;
use crate::optim::{OptimizerConfig, Schedule};
use crate::train::EpochMetrics;
use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

/// When a training ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// After so many passes over the data. Such a training is repeatable to the last bit.
    Epochs(usize),
    /// After so many minutes of wall-clock time, validation included, asking the teachers not, or
    /// after [`MAX_EPOCHS`]. The schedule follows the clock, so the result depends on the machine.
    Minutes(f64),
}

/// Most epochs of a training, whatever its budget: their history is part of each checkpoint.
pub const MAX_EPOCHS: usize = 1500;

/// A side of the input and the share of the training up to which it is used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeStage {
    /// Used until this share of the training is done.
    pub until: f64,
    /// Side of the faces in pixels.
    pub side: usize,
}

/// The resolved configuration; written into the run folder, where it can be used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Training data; none = the built-in synthetic faces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// Validation data; none = a split of the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<PathBuf>,
    /// Share of the training data that becomes validation data where `val` is not given.
    pub val_split: f64,
    /// Number of synthetic faces where `data` is not given.
    pub synthetic: usize,
    /// Leave out bad rows instead of ending at the first.
    pub skip_bad: bool,
    /// Drop copies of images, and images with contradicting labels, from the training data.
    pub deduplicate: bool,
    /// Train on the first N faces only, without augmentation, as a check that the network can learn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overfit: Option<usize>,
    /// A built-in network or a TOML file.
    pub arch: String,
    /// A run folder or weights file to start from: its network in place of `arch`, its (averaged)
    /// weights in place of random ones, its equalisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// First values of the convolutions.
    pub init: Init,
    /// When to end.
    pub budget: Budget,
    /// Faces a step.
    pub batch: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Decay of the average of the weights; 0 = no average.
    pub ema: f64,
    /// ε of label smoothing.
    pub label_smoothing: f64,
    /// α of mixup's Beta(α, α); 0 = no mixup.
    pub mixup: f64,
    /// Trained networks to learn from: run folders or weights files. Their answers are averaged.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_several")]
    pub teacher: Vec<PathBuf>,
    /// Share of the teachers in the loss: (1 − w)·cross-entropy + w·KL(teachers ‖ student).
    pub distill_weight: f64,
    /// τ: the teachers' probabilities are raised to 1/τ; above 1 they become softer.
    pub distill_temperature: f64,
    /// Draw every class equally often instead of every face.
    pub class_balanced: bool,
    /// Stop after so many epochs without a better validation accuracy, and return to the best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Seed of everything random.
    pub seed: u64,
    /// Sides of the input over the training; empty = 48 throughout.
    pub sizes: Vec<SizeStage>,
    /// Optimiser.
    pub optimizer: OptimizerConfig,
    /// Learning rate over the training.
    pub schedule: Schedule,
    /// Variation of the faces.
    pub augment: Augment,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            data: None,
            val: None,
            val_split: 0.1,
            synthetic: 7_000,
            skip_bad: false,
            deduplicate: false,
            overfit: None,
            arch: "fer-s".into(),
            from: None,
            init: Init::Kaiming,
            budget: Budget::Epochs(20),
            batch: 128,
            lr: 0.1,
            ema: 0.999,
            label_smoothing: 0.1,
            mixup: 0.0,
            teacher: Vec::new(),
            distill_weight: 0.7,
            distill_temperature: 1.0,
            class_balanced: false,
            patience: None,
            seed: 0,
            sizes: Vec::new(),
            optimizer: OptimizerConfig::default(),
            schedule: Schedule::default(),
            augment: Augment::preset(Preset::Light),
        }
    }
}

/// One path, or a list of them.
fn one_or_several<'de, D: Deserializer<'de>>(
    value: D,
) -> std::result::Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a path or a list of paths")]
    enum Paths {
        One(PathBuf),
        Several(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(value)? {
        Paths::One(path) => vec![path],
        Paths::Several(paths) => paths,
    })
}

impl TrainConfig {
    /// Reads a TOML file; unknown keys are errors.
    ///
    /// # Errors
    /// [`Error::Usage`] if it cannot be read or is no such configuration.
    #[cfg(feature = "cli")]
    pub fn read(path: &std::path::Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::Usage(format!("{}: {e}", path.display())))?;
        toml::from_str(&text).map_err(|e| Error::Usage(format!("{}: {e}", path.display())))
    }

    /// The configuration as TOML.
    ///
    /// # Errors
    /// None in practice.
    #[cfg(feature = "cli")]
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Usage(e.to_string()))
    }

    /// Learning faces by heart allows no variation of faces or answers.
    pub fn for_overfitting(mut self, faces: usize) -> Self {
        self.overfit = Some(faces);
        self.augment = Augment { equalize: self.augment.equalize, ..Augment::preset(Preset::None) };
        self.label_smoothing = 0.0;
        self.mixup = 0.0;
        self.teacher = Vec::new();
        self
    }

    /// Refuses numbers that cannot be meant.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the option, what was found and what is expected.
    pub fn validate(&self) -> Result<()> {
        let share = 0.0..1.0;
        let budget = match self.budget {
            Budget::Epochs(n) => (1..=MAX_EPOCHS).contains(&n),
            Budget::Minutes(m) => m > 0.0 && m.is_finite(),
        };
        let epochs = format!("1 to {MAX_EPOCHS} epochs, or more than 0 minutes");
        let sizes = self.sizes.iter().all(|s| (16..=192).contains(&s.side) && s.until > 0.0)
            && self.sizes.is_sorted_by(|a, b| a.until < b.until);
        let o = &self.optimizer;
        let checks = [
            (budget, "budget", epochs.as_str()),
            (self.batch > 0, "batch", "at least 1 face"),
            (self.lr > 0.0 && self.lr.is_finite(), "lr", "a number above 0"),
            (self.val_split > 0.0 && self.val_split < 1.0, "val-split", "between 0 and 1"),
            (share.contains(&self.ema), "ema", "0 (off) up to, not including, 1"),
            (share.contains(&self.label_smoothing), "label_smoothing", "0 up to, not including, 1"),
            (
                self.mixup == 0.0 || (0.05..=1.0).contains(&self.mixup),
                "mixup",
                "0 (off), or 0.05 to 1",
            ),
            ((0.0..=1.0).contains(&self.distill_weight), "distill_weight", "0 to 1"),
            ((0.1..=20.0).contains(&self.distill_temperature), "distill_temperature", "0.1 to 20"),
            (share.contains(&o.beta1), "beta1", "0 up to, not including, 1"),
            (share.contains(&o.beta2), "beta2", "0 up to, not including, 1"),
            (o.eps > 0.0 && o.eps.is_finite(), "eps", "a number above 0"),
            (share.contains(&self.schedule.warmup), "warmup", "0 up to, not including, 1"),
            (o.weight_decay >= 0.0 && o.weight_decay.is_finite(), "weight_decay", "0 or more"),
            (share.contains(&o.momentum), "momentum", "0 up to, not including, 1"),
            (o.clip_norm >= 0.0 && o.clip_norm.is_finite(), "clip_norm", "0 (off) or more"),
            (o.beta_lr >= 0.0 && o.beta_lr.is_finite(), "beta_lr", "0 or more"),
            (sizes, "sizes", "sides of 16 to 192 pixels, until rising shares above 0"),
            // TOML has no larger integers, so the run folder's config.toml could not be read.
            (self.seed <= i64::MAX as u64, "seed", "0 to 9223372036854775807"),
            (self.overfit != Some(0), "overfit", "at least 1 face"),
            (self.patience != Some(0), "patience", "at least 1 epoch"),
            (self.from.is_none() || self.init == Init::Kaiming, "init", "kaiming with --from"),
            (self.data.is_some() || self.synthetic >= 70, "synthetic", "at least 70 faces"),
        ];
        for (ok, option, expected) in checks {
            if !ok {
                let found = self.found(option);
                return Err(Error::Usage(format!("{option} is {found}; expected {expected}")));
            }
        }
        self.augment.validate()
    }

    /// An option's value, for a message.
    fn found(&self, option: &str) -> String {
        let all = serde_json::to_value(self).unwrap_or_default();
        let key = option.replace('-', "_");
        let places = [&all[&key], &all["optimizer"][&key], &all["schedule"][&key]];
        places.iter().find(|v| !v.is_null()).map_or("not a number".into(), ToString::to_string)
    }

    /// Side of the faces at progress p.
    pub fn side(&self, p: f64) -> usize {
        let stage = self.sizes.iter().find(|s| p < s.until).or(self.sizes.last());
        stage.map_or(crate::SIDE, |s| s.side)
    }

    /// Whether the training faces have the size of the validation faces after this epoch.
    pub fn has_full_size_after(&self, epoch: &EpochMetrics) -> bool {
        let progress = match self.budget {
            Budget::Epochs(epochs) => epoch.epoch as f64 / epochs as f64,
            Budget::Minutes(minutes) => (epoch.seconds - epoch.asked_seconds) / (60.0 * minutes),
        };
        self.side(progress.min(1.0)) == self.final_side()
    }

    /// Side of the faces at the end of the training, and from then on.
    pub fn final_side(&self) -> usize {
        self.side(1.0)
    }
}
