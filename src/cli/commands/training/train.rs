//! `fer train`.

use crate::cli::commands::training::display::Display;
use crate::cli::shared::progress;
use crate::cli::shared::progress::duration;
use crate::cli::shared::signals::Stop;
use crate::console::{self, eprintln_safe};
use crate::dataset::{Augment, Preset};
use crate::model::weights::network_file;
use crate::monitor;
use crate::monitor::Recorder;
use crate::monitor::run_charts;
use crate::monitor::tensorboard;
use crate::optim::{OptimizerKind, ScheduleShape};
use crate::render::format::{short, thousands};
use crate::serve::Server;
use crate::train::config::MAX_EPOCHS;
use crate::train::recipes::Settings;
use crate::train::{Budget, EpochMetrics, Outcome, TrainConfig, Trainer, run_dir};
use crate::{Error, Result};
use clap::ValueEnum;
use fer_kernels::Context;
use fer_kernels::conv2d::Algorithm;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `fer train`. Later places count more: defaults, --recipe, --config, --set, options.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Faces to train on: a CSV (plain or gzip) or a folder of class-named folders [default:
    /// synthetic faces]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Faces to validate on
    #[arg(long, conflicts_with = "val_split")]
    val: Option<PathBuf>,
    /// Share of the training faces to validate on, where --val is not given [default: 0.1]
    #[arg(long)]
    val_split: Option<f64>,
    /// fer-s, fer-m, fer-l, tiny, vgg, or a .toml file [default: fer-s]
    #[arg(long)]
    arch: Option<String>,
    /// Train for so many passes over the data [default: 20]
    #[arg(long, conflicts_with = "minutes")]
    epochs: Option<usize>,
    /// Train for so many minutes
    #[arg(long)]
    minutes: Option<f64>,
    /// Faces a step [default: 128]
    #[arg(long)]
    batch: Option<usize>,
    /// Highest learning rate [default: 0.1; 0.001 for Adam]
    #[arg(long, allow_negative_numbers = true)]
    lr: Option<f64>,
    /// sgd, nesterov, adam or adam-w [default: nesterov]
    #[arg(long, value_parser = optimizer)]
    optimizer: Option<OptimizerKind>,
    /// constant, step, cosine, one-cycle or linear [default: linear]
    #[arg(long, value_parser = shape)]
    schedule: Option<ScheduleShape>,
    /// Variation of the faces [default: light]
    #[arg(long)]
    augment: Option<AugmentArg>,
    /// Decay of the average of the weights; 0 = none [default: 0.999]
    #[arg(long)]
    ema: Option<f64>,
    /// Start from the averaged weights of a trained network, with these settings
    #[arg(long, value_name = "RUN", conflicts_with = "arch")]
    from: Option<PathBuf>,
    /// Learn from trained networks, too: run folders, weights files or `embedded`
    #[arg(long, value_name = "RUN,…", value_delimiter = ',')]
    teacher: Vec<PathBuf>,
    /// Seed of everything random [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// Stop after so many epochs without improvement and return to the best
    #[arg(long)]
    patience: Option<usize>,
    /// Drop copies and contradicting labels from the training faces
    #[arg(long)]
    deduplicate: bool,
    /// Learn the first N faces by heart, as a check
    #[arg(long, value_name = "N")]
    overfit: Option<usize>,
    /// Count and list bad rows instead of ending at the first
    #[arg(long)]
    skip_bad: bool,
    /// Run folder to make [default: runs/ARCH-1, -2, …]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    watching: Watching,
    /// Continue the training of a run folder
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "data", "val", "val_split", "arch", "epochs", "minutes", "batch", "lr", "optimizer",
        "schedule", "augment", "ema", "seed", "patience", "deduplicate", "overfit", "skip_bad",
        "out", "config", "teacher", "from", "recipe", "set", "print_config",
    ])]
    resume: Option<PathBuf>,
    /// Settings that come with the program: fast (20 minutes) or best (with --teacher)
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// A TOML file with any of the settings, such as a run's config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any one setting, such as mixup=0.2, init=whitening or augment.erase_probability=0.25; all
    /// are listed in data/recipes/README.md
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print the resolved settings as TOML and train nothing
    #[arg(long)]
    print_config: bool,
}

/// How the training is watched; changes nothing of its result, and may be changed on resuming.
#[derive(Debug, Default, clap::Args)]
struct Watching {
    /// Write no TensorBoard files
    #[arg(long)]
    no_tensorboard: bool,
    /// TensorBoard histograms after every so many epochs; 0 = none [default: 1]
    #[arg(long, value_name = "N")]
    histogram_every: Option<usize>,
    /// Show the training in the browser, on this machine only [default port: 4848, or a free one]
    #[arg(long, value_name = "PORT", num_args = 0..=1)]
    live: Option<Option<u16>>,
    /// Draw loss and accuracy in the terminal after each epoch
    #[arg(long)]
    plot: bool,
}

/// Presets of augmentation.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AugmentArg {
    None,
    Light,
    Strong,
}

/// Parses a name as serde spells it, so that options and configuration agree.
fn spelled<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into()).map_err(|e| e.to_string())
}
fn optimizer(name: &str) -> Result<OptimizerKind, String> {
    spelled(name)
}
fn shape(name: &str) -> Result<ScheduleShape, String> {
    spelled(name)
}

impl Args {
    /// Defaults, recipe, file, single keys, options: what comes later counts more.
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
        set(&mut c.batch, &self.batch);
        set(&mut c.lr, &self.lr);
        set(&mut c.schedule.shape, &self.schedule);
        set(&mut c.ema, &self.ema);
        set(&mut c.seed, &self.seed);
        c.data = self.data.clone().or(c.data);
        c.val = self.val.clone().or(c.val).filter(|_| self.val_split.is_none());
        c.from = self.from.clone().or(c.from).filter(|_| self.arch.is_none());
        if !self.teacher.is_empty() {
            c.teacher.clone_from(&self.teacher);
        }
        c.skip_bad |= self.skip_bad;
        c.patience = self.patience.or(c.patience);
        c.overfit = self.overfit.or(c.overfit);
        c.deduplicate |= self.deduplicate;
        if let Some(preset) = self.augment {
            c.augment = Augment::preset(match preset {
                AugmentArg::None => Preset::None,
                AugmentArg::Light => Preset::Light,
                AugmentArg::Strong => Preset::Strong,
            });
        }
        if let Some(faces) = c.overfit {
            c = c.for_overfitting(faces);
        }
        c.validate()?;
        Ok(with_absolute_paths(c))
    }
}

/// So that a run can be continued and judged from any folder, whoever named the files.
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

/// The training that is asked for, its folder made and its teachers asked.
fn trainer(args: &Args, config: TrainConfig) -> Result<Trainer> {
    if let Some(folder) = &args.out {
        run_dir::require_free(folder)?;
    }
    if args.recipe.as_deref() == Some("best") && config.teacher.is_empty() {
        eprintln_safe!(
            "recipe best without --teacher: nothing is distilled (data/recipes/best.toml)"
        );
    }
    let (train, validation) = config.load_faces()?;
    let mut trainer = Trainer::new(config, train, validation)?;
    ask_teachers(&mut trainer)?;
    let folder = run_dir::create(args.out.as_deref(), &trainer.config.arch)?;
    trainer.write_into(&folder)?;
    run_charts::draw_class_counts(&trainer)?;
    Ok(trainer)
}

/// The training of a run folder as it was left.
fn resumed(folder: &Path) -> Result<Trainer> {
    let mut trainer = Trainer::resume(folder, TrainConfig::load_faces)?;
    let now = Context::global().conv.name();
    if let Some(before) = trainer.conv_before.as_deref().filter(|before| *before != now) {
        eprintln_safe!(
            "convolutions were computed with --conv {before} before and are with --conv {now} from \
             here on, so the weights will not be those of a training without a stop, to the bit; \
             --conv {before} restores that"
        );
    }
    ask_teachers(&mut trainer)?;
    Ok(trainer)
}

pub(crate) fn run(args: Box<Args>) -> Result<()> {
    let trainer = match &args.resume {
        Some(folder) => resumed(folder)?,
        None => {
            let config = args.config()?;
            if args.print_config {
                return console::print(&config.to_toml()?);
            }
            trainer(&args, config)?
        }
    };
    drive(trainer, &args.watching)
}

/// Trains to the end, or until Ctrl-C, and says how it went.
fn drive(mut trainer: Trainer, watching: &Watching) -> Result<()> {
    let stop = Stop::new()?;
    announce(&trainer);
    let folder = trainer.folder.clone().unwrap_or_default();
    let options = monitor::Options {
        tensorboard: !watching.no_tensorboard,
        histogram_every: watching.histogram_every.unwrap_or(1),
    };
    let recorder = Recorder::new(&trainer, options)?;
    if options.tensorboard {
        eprintln_safe!("to watch: {}", tensorboard::launch_line(&folder));
    }
    let server = watching.live.map(|port| Server::start(&folder, port)).transpose()?;
    if let Some(server) = &server {
        eprintln_safe!("live: {}", server.address());
    }
    let mut display = Display::new(stop.wanted.clone(), watching.plot, recorder);
    let epochs_before = trainer.progress.history.len();
    stop.training(true);
    let outcome = trainer.run(&mut display);
    stop.training(false);
    display.bar.finish_and_clear();
    display.recorder.end(&trainer, &outcome);
    if let Some(server) = &server {
        server.say_goodbye(GOODBYE);
    }
    let outcome = outcome?;
    if outcome == Outcome::Stopped {
        return Err(Error::Interrupted(format!(
            "the state is saved; go on with: fer train --resume {}{}",
            folder.display(),
            conv_option()
        )));
    }
    say_done(&trainer, &display.recorder, trainer.progress.history.len() > epochs_before);
    Ok(())
}

/// The option that a resumed training needs to go on as it was computed, where it is not the default.
fn conv_option() -> String {
    match Context::global().conv {
        Algorithm::Auto => String::new(),
        forced => format!(" --conv {forced}"),
    }
}

/// The last words: what it took and what came of it.
fn say_done(trainer: &Trainer, recorder: &Recorder, went_on: bool) {
    if !went_on {
        eprintln_safe!("nothing left to train: this training has ended before");
    }
    if trainer.is_full() && trainer.fraction() < 1.0 {
        eprintln_safe!(
            "ended before its time: a run holds {MAX_EPOCHS} epochs at most; fer train --from goes on \
             from its weights in another"
        );
    }
    if let Some(kept) = kept_epoch(trainer) {
        let pflop = trainer.progress.history.last().map_or(0.0, |last| last.pflop);
        let folder = trainer.folder.as_deref().unwrap_or(Path::new(""));
        eprintln_safe!(
            "done in {}, {} PFLOP{}: validation accuracy {:.2} % (loss {:.3}); run folder {}",
            duration(trainer.seconds()),
            short(pflop),
            of_teachers(trainer.progress.asked_seconds),
            100.0 * kept.val_accuracy,
            kept.val_loss,
            folder.display()
        );
    }
    if went_on {
        let (spent, share) = (recorder.spent(), recorder.share(trainer));
        eprintln_safe!("watching took {spent:.1} s, {:.1} % of the time", 100.0 * share);
    }
}

/// Most time for an open page to hear that the training has ended.
const GOODBYE: Duration = Duration::from_secs(3);

/// What of the totals asking the teachers took, in words; nothing without teachers.
fn of_teachers(seconds: f64) -> String {
    match seconds > 0.0 {
        true => format!(" (of which {} to ask the teachers)", duration(seconds)),
        false => String::new(),
    }
}

/// The epoch whose weights are the result: the last, or the best if patience ran out.
fn kept_epoch(trainer: &Trainer) -> Option<&EpochMetrics> {
    let history = &trainer.progress.history;
    match trainer.progress.best.filter(|_| trainer.out_of_patience()) {
        Some((best, _)) => {
            let since = trainer.progress.epoch - best;
            eprintln_safe!(
                "no better validation for {since} epochs: back to the weights of epoch {best}"
            );
            history.iter().find(|m| m.epoch == best)
        }
        None => history.last(),
    }
}

/// Asks the teachers, with a bar; says so if a network that is learnt from may know the validation
/// faces.
fn ask_teachers(trainer: &mut Trainer) -> Result<()> {
    for (network, validated_on) in trainer.networks_validated_elsewhere() {
        let why = match validated_on {
            Some(_) => "was validated on other faces",
            None => "does not say which faces it was validated on",
        };
        eprintln_safe!(
            "{}: {why}, so it may have learnt some that this training is validated on; the \
             validation accuracy may flatter",
            network.display()
        );
    }
    let teachers = trainer.config.teacher.len();
    let faces = thousands(trainer.train.len() as u64);
    let bar = progress::bar(1, "asking the teachers");
    let mut asking = false;
    let asked = trainer.ask_teachers(|done, all| {
        if !std::mem::replace(&mut asking, true) {
            eprintln_safe!("teachers: {teachers}, each asked about ten views of {faces} faces");
        }
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    asked
}

fn announce(trainer: &Trainer) {
    let parameters: usize = trainer.network.parameters().iter().map(|p| p.value.elements()).sum();
    let folder = trainer.folder.as_ref().map(|f| f.display().to_string()).unwrap_or_default();
    eprintln_safe!(
        "{}: {parameters} parameters; {} faces to train on, {} to validate; {} threads, {}; {folder}",
        trainer.network.spec.name,
        trainer.train.len(),
        trainer.validation.len(),
        rayon::current_num_threads(),
        Context::global().simd,
    );
}
