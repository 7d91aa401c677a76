//! `fer train`: a new training, or the rest of an earlier one.

use crate::cli::commands::training::display::Display;
use crate::cli::commands::training::messages::{print_result, print_start, unwritten};
use crate::cli::commands::training::processes::{self, MICRO_BATCH};
pub use crate::cli::commands::training::train_args::Args;
use crate::cli::commands::training::train_args::{Monitoring, with_absolute_paths};
use crate::cli::shared::precision::noted;
use crate::cli::shared::{progress, signals};
use crate::console::{self, eprintln_safe};
use crate::dataset::Dataset;
use crate::dataset::source::warn_of_faces;
use crate::error::Shown as _;
use crate::monitor::{self, Recorder, tensorboard};
use crate::render::format::thousands;
use crate::serve::LivePage;
use crate::train::parallel::Ranks;
use crate::train::{Observer, Outcome, StepResult, TrainConfig, Trainer, run_dir};
use crate::{Error, Result};
use fer_kernels::conv2d::Algorithm;
use fer_kernels::{Context, on_pool};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Prepares a new training: reads the data, runs the teachers, creates the run folder, `out` or the
/// next free one. Of several processes the first has the folder.
///
/// # Errors
/// [`Error::Usage`] if the folder is taken; those of [`Trainer::new`] and of reading the faces.
pub fn new_trainer(
    mut config: TrainConfig,
    out: Option<&Path>,
    ranks: Arc<dyn Ranks>,
) -> Result<Trainer> {
    let is_first = ranks.rank() == 0;
    out.filter(|_| is_first).map_or(Ok(()), run_dir::require_free)?;
    if ranks.size() > 1 && config.micro_batch.is_none() {
        config.micro_batch = Some(MICRO_BATCH);
        eprintln_safe!("several processes train in micro-batches: --micro-batch {MICRO_BATCH}");
    }
    require_files(&config)?;
    let (train, validation) = config.load_faces()?;
    if config.overfit.is_none() {
        warn_of_faces(&train, &validation);
    }
    let mut trainer = Trainer::new(config, train, validation)?;
    trainer.join(ranks)?;
    run_teachers(&mut trainer)?;
    if is_first {
        let run = run_dir::create(out, &trainer.config.arch)?;
        trainer.write_into(run)?;
    }
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

/// Reads the faces of a training that is resumed: from `data` and `val` where they were moved.
fn load_again(
    run: &Path,
    [data, val]: [Option<&Path>; 2],
    config: &mut TrainConfig,
) -> Result<(Dataset, Dataset)> {
    config.data = data.map(Path::to_owned).or(config.data.take());
    config.val = val.map(Path::to_owned).or(config.val.take());
    *config = with_absolute_paths(config.clone());
    require_files(config)?;
    for (option, path) in [("--data", &config.data), ("--val", &config.val)] {
        if let Some(path) = path.as_ref().filter(|path| !path.exists()) {
            let message = format!(
                "does not exist; if it was moved: fer train --resume {} {option} NEW",
                run.shown()
            );
            return Err(Error::data(path, message));
        }
    }
    config.load_faces()
}

/// Prepares the rest of the training of a run folder. `moved` says where the training and the
/// validation faces are, if they were moved.
///
/// # Errors
/// Those of [`Trainer::resume`] and of reading the faces.
pub fn resumed_trainer(
    folder: &Path,
    moved: [Option<&Path>; 2],
    ranks: Arc<dyn Ranks>,
) -> Result<Trainer> {
    let load = |config: &mut TrainConfig| load_again(folder, moved, config);
    let mut trainer = Trainer::resume_together(folder, load, ranks)?;
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
    if args.print_config {
        return console::print(&args.config()?.to_toml()?);
    }
    processes::run(|ranks| run_with(&args, ranks))
}

/// Trains as one of `ranks`: on a thread of the pool, unless threads of its own wait for each other.
fn run_with(args: &Args, ranks: Arc<dyn Ranks>) -> Result<()> {
    let trainer = on_pool(|| prepared(args, ranks))?;
    let run = |trainer: Trainer| match trainer.ranks.rank() {
        0 => train(trainer, &args.monitoring),
        _ => follow(trainer),
    };
    match trainer.config.micro_batch {
        None => on_pool(|| run(trainer)),
        Some(_) => run(trainer),
    }
}

/// Prepares what the arguments ask for.
fn prepared(args: &Args, ranks: Arc<dyn Ranks>) -> Result<Trainer> {
    if let Some(folder) = &args.resume {
        return resumed_trainer(folder, [args.data.as_deref(), args.val.as_deref()], ranks);
    }
    let config = args.config()?;
    if args.recipe.as_deref() == Some("best") && config.teacher.is_empty() {
        eprintln_safe!(
            "recipe best without --teacher: trains without distillation (see data/recipes/best.toml)"
        );
    }
    new_trainer(config, args.out.as_deref(), ranks)
}

/// Trains as another process than the first, which writes and speaks.
fn follow(mut trainer: Trainer) -> Result<()> {
    /// Ends the training at the first signal.
    struct Signals;
    impl Observer for Signals {
        fn step(&mut self, _: &Trainer, _: &StepResult) -> bool {
            !signals::stop_requested()
        }
    }
    signals::set_training(true);
    let outcome = trainer.run(&mut Signals);
    signals::set_training(false);
    match outcome? {
        Outcome::Finished => Ok(()),
        Outcome::Stopped => Err(Error::Interrupted("the first process has saved the state".into())),
    }
}

/// Trains to the end or until Ctrl-C, and prints the result.
fn train(mut trainer: Trainer, monitoring: &Monitoring) -> Result<()> {
    signals::set_training(false);
    noted(trainer.config.precision);
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
    let server = monitoring.live.map(|port| LivePage::start(&folder, port)).transpose()?;
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
            path.shown(),
            folder.shown()
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
            folder.shown(),
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
            network.shown()
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
