//! The configuration of a training, as one TOML file.

use crate::dataset::{Augment, DataSource, Dataset, Preset, Usage};
#[cfg(feature = "cli")]
use crate::error::Shown as _;
pub use crate::limits::MAX_EPOCHS;
use crate::limits::{MAX_FACES, MAX_MINUTES, SIDES};
use crate::model::{Init, LoadedModel};
use crate::optim::{OptimizerConfig, Schedule};
use crate::train::parallel::Reduce;
use crate::{Error, Result};
use fer_kernels::Precision;
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

/// When a training ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// After this number of passes over the data. Such a training is reproducible bit by bit.
    Epochs(usize),
    /// After this number of minutes of wall-clock time, or after [`MAX_EPOCHS`]. Validation counts;
    /// asking the teachers does not. The schedule follows the clock, so the result depends on the
    /// machine.
    Minutes(f64),
}

/// A size of the faces, used until a share of the training is done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeStage {
    /// Used until this share of the training is done.
    pub until: f64,
    /// Side of the faces in pixels.
    pub side: usize,
}

/// The resolved configuration. It is written into the run folder and can be used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Training data; none = drawn faces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// The part of the training data that is used, by its column `Usage`; see [`DataSource::usage`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Validation data; none = a split of the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<PathBuf>,
    /// Share of the training data that becomes validation data where `val` is not given.
    pub val_split: f64,
    /// Number of drawn faces where `data` is not given.
    pub synthetic: usize,
    /// Skip bad rows instead of ending at the first.
    pub skip_bad: bool,
    /// Drop duplicate images, and images with contradicting labels, from the training data.
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
    /// How the convolutions are initialised.
    pub init: Init,
    /// When to end.
    pub budget: Budget,
    /// Faces per step.
    pub batch: usize,
    /// Faces of a micro-batch: a step adds the gradients of its micro-batches in their order. None = the
    /// batch is computed at once, by one process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// How the gradients of several processes are added.
    #[serde(skip_serializing_if = "is_default")]
    pub reduce: Reduce,
    /// Precision of the factors in the products of convolutions and fully connected layers, forward and
    /// backward: `f32` or `bf16`. Sums, weights, batch norms, loss and optimiser are f32 in both.
    #[serde(with = "precision_by_name", skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// Highest learning rate.
    pub lr: f64,
    /// Decay of the exponential moving average (EMA) of the weights; 0 = no average.
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
    /// Temperature τ: the teachers' probabilities are raised to 1/τ and normalised.
    pub distill_temperature: f64,
    /// Draw every class equally often, instead of every face once per epoch.
    pub class_balanced: bool,
    /// Stop after this number of epochs without a better validation accuracy, and restore the weights
    /// of the best epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Seed of everything random.
    pub seed: u64,
    /// Sizes of the training faces over the training; empty = 48 throughout.
    pub sizes: Vec<SizeStage>,
    /// Optimiser.
    pub optimizer: OptimizerConfig,
    /// Learning rate over the training.
    pub schedule: Schedule,
    /// Augmentation of the faces.
    pub augment: Augment,
}

impl Default for TrainConfig {
    fn default() -> Self {
        let DataSource {
            data,
            usage,
            val,
            val_split,
            synthetic,
            skip_bad,
            deduplicate,
            overfit,
            seed,
        } = DataSource::default();
        Self {
            data,
            usage,
            val,
            val_split,
            synthetic,
            skip_bad,
            deduplicate,
            overfit,
            arch: "fer-s".into(),
            from: None,
            init: Init::Kaiming,
            budget: Budget::Epochs(20),
            batch: 128,
            micro_batch: None,
            reduce: Reduce::Ordered,
            precision: Precision::F32,
            lr: 0.1,
            ema: 0.999,
            label_smoothing: 0.1,
            mixup: 0.0,
            teacher: Vec::new(),
            distill_weight: 0.7,
            distill_temperature: 1.0,
            class_balanced: false,
            patience: None,
            seed,
            sizes: Vec::new(),
            optimizer: OptimizerConfig::default(),
            schedule: Schedule::default(),
            augment: Augment::preset(Preset::Light),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes a precision as its name, and reads it.
mod precision_by_name {
    use fer_kernels::Precision;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(precision: &Precision, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(precision.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Precision, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// Reads one path or a list of paths.
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
        let refused = |e: &dyn std::fmt::Display| Error::Usage(format!("{}: {e}", path.shown()));
        let text = crate::files::read_text(path, crate::limits::MAX_TEXT);
        toml::from_str(&text.map_err(|e| refused(&e))?).map_err(|e| refused(&e))
    }

    /// Returns the configuration of the training that made a model; `None` if the model file does not
    /// hold one that this program understands. That of an exported network names files without their
    /// folders.
    pub fn of_model(model: &LoadedModel) -> Option<Self> {
        let record = &model.record;
        let settings = record.config.as_ref().or(record.exported.as_ref());
        serde_json::from_value(settings?.clone()).ok()
    }

    /// Returns the configuration as TOML.
    ///
    /// # Errors
    /// [`Error::Usage`] for a value that TOML cannot hold.
    #[cfg(feature = "cli")]
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Usage(e.to_string()))
    }

    /// Reads the training and the validation faces.
    ///
    /// # Errors
    /// Those of [`DataSource::load`].
    pub fn load_faces(&self) -> Result<(Dataset, Dataset)> {
        let source = DataSource {
            data: self.data.clone(),
            usage: self.usage,
            val: self.val.clone(),
            val_split: self.val_split,
            synthetic: self.synthetic,
            skip_bad: self.skip_bad,
            deduplicate: self.deduplicate,
            overfit: self.overfit,
            seed: self.seed,
        };
        source.load()
    }

    /// Returns the same configuration for training on the first `faces` faces only, without
    /// augmentation, label smoothing, mixup and teachers, so that the network can memorise them.
    pub fn for_overfitting(mut self, faces: usize) -> Self {
        self.overfit = Some(faces);
        self.augment = Augment { equalize: self.augment.equalize, ..Augment::preset(Preset::None) };
        self.label_smoothing = 0.0;
        self.mixup = 0.0;
        self.teacher = Vec::new();
        self
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the option, its value and what was expected.
    pub fn validate(&self) -> Result<()> {
        let share = 0.0..1.0;
        let budget = match self.budget {
            Budget::Epochs(n) => (1..=MAX_EPOCHS).contains(&n),
            Budget::Minutes(m) => m > 0.0 && m <= MAX_MINUTES,
        };
        let epochs =
            format!("1 to {MAX_EPOCHS} epochs, or more than 0 and at most {MAX_MINUTES} minutes");
        let patience = format!("1 to {MAX_EPOCHS} epochs");
        let (faces, drawn) =
            (format!("1 to {MAX_FACES} faces"), format!("70 to {MAX_FACES} faces"));
        let sizes = self.sizes.iter().all(|s| SIDES.contains(&s.side) && s.until > 0.0)
            && self.sizes.is_sorted_by(|a, b| a.until < b.until);
        let o = &self.optimizer;
        let checks = [
            (budget, "budget", epochs.as_str()),
            ((1..=MAX_FACES).contains(&self.batch), "batch", faces.as_str()),
            (
                self.micro_batch.is_none_or(|n| (2..=MAX_FACES).contains(&n)),
                "micro_batch",
                "2 faces or more",
            ),
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
            (self.overfit.is_none_or(|n| (1..=MAX_FACES).contains(&n)), "overfit", faces.as_str()),
            (
                self.patience.is_none_or(|n| (1..=MAX_EPOCHS).contains(&n)),
                "patience",
                patience.as_str(),
            ),
            (
                self.from.is_none() || self.init == Init::Kaiming,
                "init",
                "kaiming with --pretrained",
            ),
            (
                self.synthetic <= MAX_FACES && (self.data.is_some() || self.synthetic >= 70),
                "synthetic",
                drawn.as_str(),
            ),
        ];
        for (ok, option, expected) in checks {
            if !ok {
                let found = self.found(option);
                return Err(Error::Usage(format!("{option} is {found}; expected {expected}")));
            }
        }
        self.augment.validate()
    }

    /// Returns the value of an option, for a message.
    fn found(&self, option: &str) -> String {
        if let (Budget::Minutes(minutes), "budget") = (self.budget, option) {
            return format!("{minutes} minutes"); // JSON has no infinity
        }
        let all = serde_json::to_value(self).unwrap_or_default();
        let key = option.replace('-', "_");
        let places = [&all[&key], &all["optimizer"][&key], &all["schedule"][&key]];
        places.iter().find(|v| !v.is_null()).map_or("not a number".into(), ToString::to_string)
    }

    /// Returns the side of the training faces, in pixels, when a share p of the training is done.
    pub fn side(&self, p: f64) -> usize {
        let stage = self.sizes.iter().find(|s| p < s.until).or(self.sizes.last());
        stage.map_or(crate::SIDE, |s| s.side)
    }

    /// Returns the side of the faces at the end of the training, which the trained network expects.
    pub fn final_side(&self) -> usize {
        self.side(1.0)
    }
}
