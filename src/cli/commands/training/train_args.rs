//! The arguments of `fer train`, and the settings that follow from them.

use crate::Result;
use crate::cli::shared::input::named;
use crate::cli::shared::precision::precision;
use crate::dataset::{Augment, Preset, Usage};
use crate::model::weights::network_file;
use crate::optim::{OptimizerKind, ScheduleShape};
use crate::train::parallel::Reduce;
use crate::train::recipes::Settings;
use crate::train::{Budget, TrainConfig};
use fer_kernels::Precision;
use std::path::PathBuf;

/// Arguments of `fer train`. Each overrides the ones before it: defaults, --recipe, --config, --set,
/// other options.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  fer train --data train.csv --val public_test.csv --epochs 40\n  fer train --recipe fast --data train.csv\n  fer train --resume runs/fer-s-1"
)]
pub struct Args {
    /// Training faces: a CSV (plain or gzip) or a folder with one folder per class [default: synthetic
    /// faces]
    #[arg(long)]
    pub(super) data: Option<PathBuf>,
    /// The part of the training faces that is used, by the column Usage: Training, PublicTest or
    /// PrivateTest [default: Training, validated on PublicTest without --val]
    #[arg(long, value_parser = named::<Usage>)]
    pub(super) usage: Option<Usage>,
    /// Validation faces
    #[arg(long, conflicts_with = "val_split")]
    pub(super) val: Option<PathBuf>,
    /// Share of the training faces that is used for validation without --val [default: 0.1]
    #[arg(long)]
    pub(super) val_split: Option<f64>,
    /// Architecture: fer-s, fer-m, fer-l, tiny, vgg, or a .toml file [default: fer-s]
    #[arg(long)]
    pub(super) arch: Option<String>,
    /// Number of passes over the training faces [default: 20]
    #[arg(long, conflicts_with = "minutes")]
    pub(super) epochs: Option<usize>,
    /// Minutes to train, instead of epochs
    #[arg(long)]
    pub(super) minutes: Option<f64>,
    /// Faces per step [default: 128]
    #[arg(long)]
    pub(super) batch_size: Option<usize>,
    /// Cut a batch into computations of N faces, whose gradients are added in their order; the
    /// processes of mpirun share them [default: off; 16 under mpirun]
    #[arg(long, value_name = "N")]
    pub(super) micro_batch: Option<usize>,
    /// How several processes add gradients: ordered (the same bits for any number of them) or fast
    /// [default: ordered]
    #[arg(long, value_parser = named::<Reduce>)]
    pub(super) reduce: Option<Reduce>,
    /// Precision of products, forward and backward: f32 or bf16 (sums and weights are f32) [default: f32]
    #[arg(long, value_parser = precision)]
    pub(super) precision: Option<Precision>,
    /// Highest learning rate [default: 0.1; 0.001 for Adam]
    #[arg(long, allow_negative_numbers = true)]
    pub(super) lr: Option<f64>,
    /// Optimizer: sgd, nesterov, adam or adam-w [default: nesterov]
    #[arg(long, value_parser = named::<OptimizerKind>)]
    pub(super) optimizer: Option<OptimizerKind>,
    /// Schedule of the learning rate: constant, step, cosine, one-cycle or linear [default: linear]
    #[arg(long, value_parser = named::<ScheduleShape>)]
    pub(super) schedule: Option<ScheduleShape>,
    /// Augmentation of the training faces: none, light or strong [default: light]
    #[arg(long, value_parser = named::<Preset>)]
    pub(super) augment: Option<Preset>,
    /// Decay of the exponential moving average of the weights; 0 = none [default: 0.999]
    #[arg(long)]
    pub(super) ema_decay: Option<f64>,
    /// Start from the weights of a trained network (fine-tuning)
    #[arg(long, value_name = "MODEL", conflicts_with = "arch")]
    pub(super) pretrained: Option<PathBuf>,
    /// Also learn from trained networks (distillation): run folders, weights files or `embedded`
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',')]
    pub(super) teacher: Vec<PathBuf>,
    /// Seed of all random choices [default: 0]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Stop after N epochs without improvement of the validation accuracy, and return to the best epoch
    #[arg(long, value_name = "N")]
    pub(super) patience: Option<usize>,
    /// Remove copies, and copies with contradicting labels, from the training faces
    #[arg(long)]
    pub(super) deduplicate: bool,
    /// Overfit the first N faces, to check that the network can learn
    #[arg(long, value_name = "N")]
    pub(super) overfit: Option<usize>,
    /// Skip bad rows, count and list them, instead of stopping at the first
    #[arg(long)]
    pub(super) skip_bad: bool,
    /// Run folder to create [default: runs/ARCH-1, -2, …]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) monitoring: Monitoring,
    /// Continue the training of a run folder, where it was ended; --data and --val name moved data
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "usage", "val_split", "arch", "epochs", "minutes", "batch_size", "micro_batch", "reduce", "precision",
        "lr",
        "optimizer",
        "schedule", "augment", "ema_decay", "seed", "patience", "deduplicate", "overfit", "skip_bad",
        "out", "config", "teacher", "pretrained", "recipe", "set", "print_config",
    ])]
    pub(super) resume: Option<PathBuf>,
    /// Built-in settings: fast (20 minutes) or best (with --teacher)
    #[arg(long, value_name = "NAME")]
    pub(super) recipe: Option<String>,
    /// TOML file with settings, such as the config.toml of a run
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// One setting, such as mixup=0.2, init=whitening or augment.erase_probability=0.25; all are
    /// listed in data/recipes/README.md
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Print the resulting settings as TOML, without training
    #[arg(long)]
    pub(super) print_config: bool,
}

const MONITORING: &str = "Monitoring";

/// Options that do not change the result; they can differ when a training is resumed.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Monitoring {
    /// Write no TensorBoard files
    #[arg(long, help_heading = MONITORING)]
    pub(super) no_tensorboard: bool,
    /// Write TensorBoard histograms every N epochs; 0 = never [default: 1]
    #[arg(long, help_heading = MONITORING, value_name = "N")]
    pub(super) histogram_every: Option<usize>,
    /// Show the training in the browser of this machine [default port: 4848, or a free one]
    #[arg(long, help_heading = MONITORING, value_name = "PORT", num_args = 0..=1)]
    pub(super) live: Option<Option<u16>>,
    /// Draw loss and accuracy in the terminal after each epoch
    #[arg(long, help_heading = MONITORING)]
    pub(super) plot: bool,
}

impl Args {
    /// Combines defaults, recipe, file, single settings and options; each overrides the ones before.
    pub(super) fn config(&self) -> Result<TrainConfig> {
        let mut settings = Settings::new()?;
        self.recipe.iter().try_for_each(|name| settings.recipe(name))?;
        self.config.iter().try_for_each(|path| settings.file(path))?;
        self.set.iter().try_for_each(|setting| settings.key(setting))?;
        let mut c = settings.resolve(self.optimizer)?;
        fn set<T: Clone>(slot: &mut T, option: &Option<T>) {
            if let Some(value) = option {
                slot.clone_from(value);
            }
        }
        set(&mut c.val_split, &self.val_split);
        set(&mut c.arch, &self.arch);
        set(&mut c.budget, &self.epochs.map(Budget::Epochs).or(self.minutes.map(Budget::Minutes)));
        set(&mut c.batch, &self.batch_size);
        c.micro_batch = self.micro_batch.or(c.micro_batch);
        set(&mut c.reduce, &self.reduce);
        set(&mut c.precision, &self.precision);
        set(&mut c.lr, &self.lr);
        set(&mut c.schedule.shape, &self.schedule);
        set(&mut c.ema, &self.ema_decay);
        set(&mut c.seed, &self.seed);
        c.data = self.data.clone().or(c.data);
        c.val = self.val.clone().or(c.val).filter(|_| self.val_split.is_none());
        c.from = self.pretrained.clone().or(c.from).filter(|_| self.arch.is_none());
        if !self.teacher.is_empty() {
            c.teacher.clone_from(&self.teacher);
        }
        c.skip_bad |= self.skip_bad;
        c.usage = self.usage.or(c.usage);
        c.patience = self.patience.or(c.patience);
        c.overfit = self.overfit.or(c.overfit);
        c.deduplicate |= self.deduplicate;
        if let Some(preset) = self.augment {
            c.augment = Augment::preset(preset);
        }
        if let Some(faces) = c.overfit {
            c = c.for_overfitting(faces);
        }
        c.validate()?;
        Ok(with_absolute_paths(c))
    }
}

/// Makes the paths absolute, so that a run can be resumed and evaluated from any folder.
pub fn with_absolute_paths(mut c: TrainConfig) -> TrainConfig {
    let absolute = |path: &mut PathBuf| {
        if !network_file::is_embedded(path)
            && let Ok(whole) = std::path::absolute(&*path)
        {
            *path = whole;
        }
    };
    c.data.iter_mut().chain(&mut c.val).chain(&mut c.from).chain(&mut c.teacher).for_each(absolute);
    if c.arch.ends_with(".toml") {
        let mut file = PathBuf::from(&c.arch);
        absolute(&mut file);
        c.arch = file.display().to_string();
    }
    c
}
