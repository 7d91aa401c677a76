//! `fer train`: a new training, or the rest of an earlier one.

use crate::cli::commands::training::display::Display;
use crate::cli::commands::training::messages::{print_result, print_start, unwritten};
use crate::cli::shared::input::named;
use crate::cli::shared::{progress, signals};
use crate::console::{self, eprintln_safe};
use crate::dataset::source::warn_of_faces;
use crate::dataset::{Augment, Dataset, Preset, Usage};
use crate::model::weights::network_file;
use crate::monitor::{self, Recorder, tensorboard};
use crate::optim::{OptimizerKind, ScheduleShape};
use crate::render::format::thousands;
use crate::serve::Server;
use crate::train::recipes::Settings;
use crate::train::{Budget, Outcome, TrainConfig, Trainer, run_dir};
use crate::{Error, Result};
use fer_kernels::Context;
use fer_kernels::conv2d::Algorithm;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    data: Option<PathBuf>,
    /// The part of the training faces that is used, by the column Usage: Training, PublicTest or
    /// PrivateTest [default: Training, validated on PublicTest without --val]
    #[arg(long, value_parser = named::<Usage>)]
    usage: Option<Usage>,
    /// Validation faces
    #[arg(long, conflicts_with = "val_split")]
    val: Option<PathBuf>,
    /// Share of the training faces that is used for validation without --val [default: 0.1]
    #[arg(long)]
    val_split: Option<f64>,
    /// Architecture: fer-s, fer-m, fer-l, tiny, vgg, or a .toml file [default: fer-s]
    #[arg(long)]
    arch: Option<String>,
    /// Number of passes over the training faces [default: 20]
    #[arg(long, conflicts_with = "minutes")]
    epochs: Option<usize>,
    /// Minutes to train, instead of epochs
    #[arg(long)]
    minutes: Option<f64>,
    /// Faces per step [default: 128]
    #[arg(long)]
    batch_size: Option<usize>,
    /// Highest learning rate [default: 0.1; 0.001 for Adam]
    #[arg(long, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// Optimizer: sgd, nesterov, adam or adam-w [default: nesterov]
    #[arg(long, value_parser = named::<OptimizerKind>)]
    optimizer: Option<OptimizerKind>,
    /// Schedule of the learning rate: constant, step, cosine, one-cycle or linear [default: linear]
    #[arg(long, value_parser = named::<ScheduleShape>)]
    schedule: Option<ScheduleShape>,
    /// Augmentation of the training faces: none, light or strong [default: light]
    #[arg(long, value_parser = named::<Preset>)]
    augment: Option<Preset>,
    /// Decay of the exponential moving average of the weights; 0 = none [default: 0.999]
    #[arg(long)]
    ema_decay: Option<f64>,
    /// Start from the weights of a trained network (fine-tuning)
    #[arg(long, value_name = "MODEL", conflicts_with = "arch")]
    pretrained: Option<PathBuf>,
    /// Also learn from trained networks (distillation): run folders, weights files or `embedded`
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',')]
    teacher: Vec<PathBuf>,
    /// Seed of all random choices [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// Stop after N epochs without improvement of the validation accuracy, and return to the best epoch
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Remove copies, and copies with contradicting labels, from the training faces
    #[arg(long)]
    deduplicate: bool,
    /// Overfit the first N faces, to check that the network can learn
    #[arg(long, value_name = "N")]
    overfit: Option<usize>,
    /// Skip bad rows, count and list them, instead of stopping at the first
    #[arg(long)]
    skip_bad: bool,
    /// Run folder to create [default: runs/ARCH-1, -2, …]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    monitoring: Monitoring,
    /// Continue the training of a run folder, where it was ended; --data and --val name moved data
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "usage", "val_split", "arch", "epochs", "minutes", "batch_size", "lr", "optimizer",
        "schedule", "augment", "ema_decay", "seed", "patience", "deduplicate", "overfit", "skip_bad",
        "out", "config", "teacher", "pretrained", "recipe", "set", "print_config",
    ])]
    resume: Option<PathBuf>,
    /// Built-in settings: fast (20 minutes) or best (with --teacher)
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// TOML file with settings, such as the config.toml of a run
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, such as mixup=0.2, init=whitening or augment.erase_probability=0.25; all are
    /// listed in data/recipes/README.md
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the resulting settings as TOML, without training
    #[arg(long)]
    print_config: bool,
}

const MONITORING: &str = "Monitoring";

/// Options that do not change the result; they can differ when a training is resumed.
#[derive(Debug, Default, clap::Args)]
struct Monitoring {
    /// Write no TensorBoard files
    #[arg(long, help_heading = MONITORING)]
    no_tensorboard: bool,
    /// Write TensorBoard histograms every N epochs; 0 = never [default: 1]
    #[arg(long, help_heading = MONITORING, value_name = "N")]
    histogram_every: Option<usize>,
    /// Show the training in the browser of this machine [default port: 4848, or a free one]
    #[arg(long, help_heading = MONITORING, value_name = "PORT", num_args = 0..=1)]
    live: Option<Option<u16>>,
    /// Draw loss and accuracy in the terminal after each epoch
    #[arg(long, help_heading = MONITORING)]
    plot: bool,
}

impl Args {
    /// Combines defaults, recipe, file, single settings and options; each overrides the ones before.
    fn config(&self) -> Result<TrainConfig> {
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
fn with_absolute_paths(mut c: TrainConfig) -> TrainConfig {
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

/// Prepares a new training: reads the data, runs the teachers, creates the run folder.
fn new_trainer(args: &Args, config: TrainConfig) -> Result<Trainer> {
    if let Some(folder) = &args.out {
        run_dir::require_free(folder)?;
    }
    if args.recipe.as_deref() == Some("best") && config.teacher.is_empty() {
        eprintln_safe!(
            "recipe best without --teacher: trains without distillation (see data/recipes/best.toml)"
        );
    }
    require_files(&config)?;
    let (train, validation) = config.load_faces()?;
    if config.overfit.is_none() {
        warn_of_faces(&train, &validation);
    }
    let mut trainer = Trainer::new(config, train, validation)?;
    run_teachers(&mut trainer)?;
    let run = run_dir::create(args.out.as_deref(), &trainer.config.arch)?;
    trainer.write_into(run)?;
    Ok(trainer)
}

/// Refuses faces that could be read only once: a training that is resumed reads them again.
fn require_files(config: &TrainConfig) -> Result<()> {
    for (option, path) in [("--data", &config.data), ("--val", &config.val)] {
        let Some(path) = path else { continue };
        let standard_input = path.file_name().is_some_and(|name| name == "-") && !path.exists();
        let pipe = std::fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir());
        if standard_input || pipe {
            let found = if standard_input { "standard input" } else { "a pipe, socket or device" };
            return Err(Error::Usage(format!(
                "{option}: a training reads its faces again when it is resumed, so it needs a file or a \
                 folder, not {found}; write the faces into a file first: cat > faces.csv"
            )));
        }
    }
    Ok(())
}

/// Reads the faces of a training that is resumed: from `args`, if it says that they were moved.
fn load_again(args: &Args, run: &Path, config: &mut TrainConfig) -> Result<(Dataset, Dataset)> {
    config.data = args.data.clone().or(config.data.take());
    config.val = args.val.clone().or(config.val.take());
    *config = with_absolute_paths(config.clone());
    require_files(config)?;
    for (option, path) in [("--data", &config.data), ("--val", &config.val)] {
        if let Some(path) = path.as_ref().filter(|path| !path.exists()) {
            let message = format!(
                "does not exist; if it was moved: fer train --resume {} {option} NEW",
                run.display()
            );
            return Err(Error::data(path, message));
        }
    }
    config.load_faces()
}

/// Prepares the rest of the training of a run folder.
fn resumed_trainer(args: &Args, folder: &Path) -> Result<Trainer> {
    let mut trainer = Trainer::resume(folder, |config| load_again(args, folder, config))?;
    let now = Context::global().conv.name();
    if let Some(before) = trainer.conv_before.as_deref().filter(|before| *before != now) {
        eprintln_safe!(
            "this training used --conv {before} before and uses --conv {now} from here on, so its \
             weights will not be bit-identical to an uninterrupted training; --conv {before} \
             restores that"
        );
    }
    run_teachers(&mut trainer)?;
    Ok(trainer)
}

pub(crate) fn run(args: Box<Args>) -> Result<()> {
    let trainer = match &args.resume {
        Some(folder) => resumed_trainer(&args, folder)?,
        None => {
            let config = args.config()?;
            if args.print_config {
                return console::print(&config.to_toml()?);
            }
            new_trainer(&args, config)?
        }
    };
    train(trainer, &args.monitoring)
}

/// Trains to the end or until Ctrl-C, and prints the result.
fn train(mut trainer: Trainer, monitoring: &Monitoring) -> Result<()> {
    signals::set_training(false);
    print_start(&trainer);
    let folder = trainer.folder.clone().unwrap_or_default();
    let options = monitor::RecorderOptions {
        tensorboard: !monitoring.no_tensorboard,
        histogram_every: monitoring.histogram_every.unwrap_or(1),
    };
    let recorder = Recorder::new(&trainer, options)?;
    if options.tensorboard {
        eprintln_safe!("TensorBoard: {}", tensorboard::launch_line(&folder));
    }
    let server = monitoring.live.map(|port| Server::start(&folder, port)).transpose()?;
    if let Some(server) = &server {
        eprintln_safe!("live page: {}", server.address());
    }
    let mut display = Display::new(monitoring.plot, recorder);
    let epochs_before = trainer.progress.history.len();
    signals::set_training(true);
    let outcome = trainer.run(&mut display);
    signals::set_training(false);
    display.bar.finish_and_clear();
    display.recorder.end(&trainer, &outcome);
    if let Some(server) = &server {
        server.wait_for_page(PAGE_WAIT);
    }
    if let Err(Error::Io { path, .. }) = &outcome {
        eprintln_safe!(
            "{} could not be written; when there is room, the training goes on from its last checkpoint: \
             fer train --resume {}",
            path.display(),
            folder.display()
        );
    }
    let unwritten = unwritten(&trainer, &display.recorder);
    if let (Err(_) | Ok(Outcome::Stopped), Some(missing)) = (&outcome, &unwritten) {
        eprintln_safe!("{missing}");
    }
    let outcome = outcome?;
    if outcome == Outcome::Stopped {
        return Err(Error::Interrupted(format!(
            "the state is saved; to continue: fer train --resume {}{}",
            folder.display(),
            conv_option()
        )));
    }
    print_result(&trainer, &display.recorder, trainer.progress.history.len() > epochs_before);
    unwritten.map_or(Ok(()), |missing| Err(Error::Failed(missing)))
}

/// The option `--conv` that the resumed training needs for the same bits, if it is not the default.
fn conv_option() -> String {
    match Context::global().conv {
        Algorithm::Auto => String::new(),
        forced => format!(" --conv {forced}"),
    }
}

/// Longest wait for an open page to learn that the training has ended.
const PAGE_WAIT: Duration = Duration::from_secs(3);

/// Runs the teachers on the training faces, with a progress bar. Warns about teachers that may have
/// been trained on validation faces.
fn run_teachers(trainer: &mut Trainer) -> Result<()> {
    for (network, validated_on) in trainer.networks_validated_elsewhere() {
        let why = match validated_on {
            Some(_) => "was validated on other faces",
            None => "does not say which faces it was validated on",
        };
        eprintln_safe!(
            "{}: {why}, so it may have been trained on validation faces of this training; the \
             validation accuracy may be too high",
            network.display()
        );
    }
    let teachers = trainer.config.teacher.len();
    let faces = thousands(trainer.train.len() as u64);
    let bar = progress::bar(1, "teachers");
    let mut started = false;
    let done = trainer.ask_teachers(|done, all| {
        if !std::mem::replace(&mut started, true) {
            eprintln_safe!("{teachers} teachers, ten views of {faces} faces each");
        }
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    done
}
