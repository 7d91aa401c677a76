//! The loop: epochs of steps, validation, checkpoints, and every way to end.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::mean_face::mean_face;
use crate::model::{Network, Predictions, flop_per_face, predict};
use crate::ops::{CrossEntropyOptions, Targets};
use crate::optim::{Ema, Optimizer};
use crate::train::batch::{SoftLabels, assemble, epoch_order};
use crate::train::config::MAX_EPOCHS;
use crate::train::initial_weights::{first_network, require_seven_classes};
use crate::train::step::StepAddress;
use crate::train::{Budget, TrainConfig};
pub use crate::train::{EpochMetrics, Progress, Sums};
use crate::train::{StepResult, train_step};
use crate::{Error, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Non-finite steps in a row after which a training gives up.
const MAX_BAD_STEPS: u32 = 3;

/// Between two checkpoints inside an epoch.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// What the outside may see and decide while a training runs.
pub trait Observer {
    /// After every step. `false` ends the training with a checkpoint.
    fn step(&mut self, trainer: &Trainer, result: &StepResult) -> bool {
        let _ = (trainer, result);
        true
    }
    /// After every epoch, before its checkpoint is written.
    ///
    /// # Errors
    /// Any error ends the training; the last checkpoint stays.
    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        let _ = (trainer, metrics);
        Ok(())
    }
}

/// Watches nothing.
impl Observer for () {}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The budget is used up, or nothing improved any more.
    Finished,
    /// The observer asked to stop; the state is saved.
    Stopped,
}

/// A training: all its state.
#[derive(Debug)]
pub struct Trainer {
    /// Its configuration.
    pub config: TrainConfig,
    /// The network as trained.
    pub network: Network<f32>,
    /// Moments.
    pub optimizer: Optimizer<f32>,
    /// Average of the weights, if wanted.
    pub ema: Option<Ema<f32>>,
    /// How far it is.
    pub progress: Progress,
    /// Training faces.
    pub train: Dataset,
    /// Validation faces.
    pub validation: Dataset,
    /// What the network that counts said of the validation faces at the end of the last epoch.
    pub validated: Option<Predictions>,
    /// Side of the faces in the last step, and floating-point operations for one of them.
    pub(crate) cost: (usize, f64),
    /// A teacher's answers.
    pub soft: Option<SoftLabels>,
    /// Checksum of the answers that the training began with, on resume.
    pub(crate) soft_checksum: Option<String>,
    /// What `--conv` was when the checkpoint that this training was resumed from was written, where it
    /// says so: another algorithm rounds otherwise.
    pub conv_before: Option<String>,
    /// Mean training face, for those who explain the network.
    pub(crate) mean_face: Vec<f32>,
    /// Run folder; none = nothing is written.
    pub folder: Option<PathBuf>,
    /// Keeps other trainings out of the run folder.
    pub(crate) lock: Option<File>,
    /// The best epoch's network, where there is no folder to keep it in and patience may want it back.
    pub(crate) best: Option<Network<f32>>,
    /// When this session's training began; none = it has not yet.
    started: Option<Instant>,
}

impl Trainer {
    /// A fresh training, from the weights that the configuration asks for. The input's mean and
    /// standard deviation come from the training faces, or with the weights that it starts from.
    ///
    /// # Errors
    /// [`Error::Model`] if it cannot start from the weights that are named,
    /// [`Error::Usage`] for a configuration that cannot be meant, [`Error::Data`] for faces that
    /// cannot be trained on.
    pub fn new(config: TrainConfig, train: Dataset, validation: Dataset) -> Result<Self> {
        config.validate()?;
        check_trainable(&config, &train, &validation)?;
        let (config, network) = first_network(config, &train)?;
        Self::with_network(config, network, train, validation)
    }

    /// A training that starts from a network's present weights.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_network(
        config: TrainConfig,
        network: Network<f32>,
        train: Dataset,
        validation: Dataset,
    ) -> Result<Self> {
        config.validate()?;
        check_trainable(&config, &train, &validation)?;
        require_seven_classes(&network)?;
        let optimizer = Optimizer::new(config.optimizer, &network.parameters());
        let ema = (config.ema > 0.0).then(|| Ema::new(&network.state(), config.ema));
        Ok(Self {
            mean_face: mean_face(&train, config.augment.equalize),
            config,
            network,
            optimizer,
            ema,
            progress: Progress::default(),
            train,
            validation,
            validated: None,
            soft: None,
            cost: (0, 0.0),
            soft_checksum: None,
            conv_before: None,
            folder: None,
            lock: None,
            best: None,
            started: None,
        })
    }

    /// The network that counts: the average of the weights if there is one.
    pub fn evaluated(&self) -> Network<f32> {
        match &self.ema {
            Some(ema) => self.network.with_state(&ema.average),
            None => self.network.clone(),
        }
    }

    /// Steps of one epoch; a last incomplete batch is left out, because its few faces would move
    /// the batch norms too much (they come up in another epoch).
    pub fn steps_per_epoch(&self) -> usize {
        (self.train.len() / self.config.batch).max(1)
    }

    /// Wall-clock seconds of training and of asking the teachers, earlier sessions included.
    pub fn seconds(&self) -> f64 {
        self.training_seconds() + self.progress.asked_seconds
    }

    /// The same without asking: what a budget in minutes counts, so that it buys the same training
    /// with teachers and without.
    pub fn training_seconds(&self) -> f64 {
        let now = self.started.map_or(0.0, |started| started.elapsed().as_secs_f64());
        self.progress.seconds + now
    }

    /// Share of the training that is done.
    pub fn fraction(&self) -> f64 {
        match self.config.budget {
            Budget::Epochs(n) => self.progress.step as f64 / (n * self.steps_per_epoch()) as f64,
            Budget::Minutes(m) => self.training_seconds() / (60.0 * m),
        }
    }

    /// Learning rate of the next step: the schedule's in the middle of it, so that neither the first
    /// nor the last step is lost to a rate of 0.
    pub fn learning_rate(&self) -> f64 {
        let half = match self.config.budget {
            Budget::Epochs(n) => 0.5 / (n * self.steps_per_epoch()) as f64,
            Budget::Minutes(_) => 0.5 * self.fraction() / (self.progress.step + 1) as f64,
        };
        self.config.lr * self.config.schedule.factor(self.fraction() + half)
    }

    /// Seconds that are left, once there is something to judge by.
    pub fn remaining(&self) -> Option<f64> {
        let (done, seconds) = (self.fraction(), self.training_seconds());
        (done > 0.0).then(|| (seconds / done - seconds).max(0.0))
    }

    /// Trains until the budget is used up.
    ///
    /// # Errors
    /// [`Error::Diverged`] after three non-finite steps in a row, and errors of files.
    pub fn run(&mut self, observer: &mut dyn Observer) -> Result<Outcome> {
        self.ask_teachers(|_, _| {})?; // unless that has been done
        self.started = Some(Instant::now());
        let mut saved = Instant::now();
        if self.progress.step == 0 {
            self.save_last()?; // so that there always is a last finite state
        }
        // An epoch that was begun is finished: its validation may be all that is missing.
        let ended = |t: &Self| t.fraction() >= 1.0 || t.out_of_patience() || t.is_full();
        while self.progress.step_in_epoch > 0 || !ended(self) {
            let epoch = self.progress.epoch as u64;
            let seed = self.config.seed;
            let order = epoch_order(&self.train, self.config.class_balanced, seed, epoch);
            // At least one step: the clock may run out between the two looks at it.
            let more = |t: &Self| t.progress.step_in_epoch == 0 || t.fraction() < 1.0;
            while self.progress.step_in_epoch < self.steps_per_epoch() && more(self) {
                let result = self.step(&order)?;
                if !observer.step(self, &result) {
                    self.save_last()?;
                    return Ok(Outcome::Stopped);
                }
                if saved.elapsed() >= CHECKPOINT_EVERY {
                    self.save_last()?;
                    saved = Instant::now();
                }
            }
            self.finish_epoch(observer)?;
            saved = Instant::now();
        }
        if self.out_of_patience() {
            self.return_to_best()?;
        }
        self.write_metrics()?;
        #[cfg(feature = "cli")]
        self.draw_curves()?;
        Ok(Outcome::Finished)
    }

    fn step(&mut self, order: &[usize]) -> Result<StepResult> {
        let begun = Instant::now();
        let (batch, fraction) = (self.config.batch, self.fraction());
        let start = self.progress.step_in_epoch * batch;
        let faces = &order[start..(start + batch).min(order.len())];
        let side = self.config.side(fraction);
        let epoch = self.progress.epoch as u64;
        let soft = self.soft.as_ref();
        let batch = assemble(&self.config, &self.train, soft, faces, side, (epoch, start))?;
        let label_smoothing = match batch.targets {
            Targets::Labels(_) => self.config.label_smoothing,
            Targets::Soft(_) => 0.0, // smoothed where they were mixed
        };
        let loss = CrossEntropyOptions { label_smoothing, class_weights: None };
        let at = StepAddress {
            seed: self.config.seed,
            step: self.progress.step,
            lr: self.learning_rate(),
        };
        let (network, optimizer) = (&mut self.network, &mut self.optimizer);
        let result = train_step(network, optimizer, batch, &loss, at)?;
        if let (true, Some(ema)) = (result.applied, &mut self.ema) {
            ema.update(&self.network.state());
        }
        self.progress.sums.lr = at.lr;
        if self.cost.0 != side {
            self.cost = (side, flop_per_face(&self.network, side));
        }
        self.account(&result, faces.len(), begun.elapsed().as_secs_f64());
        self.give_up_if_diverged(&result)?;
        Ok(result)
    }

    fn account(&mut self, result: &StepResult, faces: usize, seconds: f64) {
        let p = &mut self.progress;
        p.step += 1;
        p.step_in_epoch += 1;
        p.sums.seconds += seconds;
        if result.applied {
            p.bad_steps.1 = 0;
            p.sums.loss += result.loss * faces as f64;
            p.sums.correct += result.correct;
            p.sums.faces += faces;
            p.sums.flop += self.cost.1 * faces as f64;
            p.sums.grad_norm = p.sums.grad_norm.max(result.grad_norm);
        } else {
            p.bad_steps.0 += 1;
            p.sums.skipped += 1;
            p.bad_steps.1 += 1;
        }
    }

    /// A step that was skipped changed nothing, so what is saved here is the last finite state.
    fn give_up_if_diverged(&mut self, result: &StepResult) -> Result<()> {
        if self.progress.bad_steps.1 < MAX_BAD_STEPS {
            return Ok(());
        }
        self.save_last()?;
        let (loss, norm) = (result.loss, result.grad_norm);
        Err(self.diverged(&format!(
            "loss {loss}, gradient norm {norm}, {MAX_BAD_STEPS} steps in a row"
        )))
    }

    fn diverged(&self, found: &str) -> Error {
        Error::Diverged(format!(
            "training diverged at step {}: {found}; the last finite state is saved. Try a lower --lr \
             (now {})",
            self.progress.step, self.config.lr
        ))
    }

    fn finish_epoch(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let evaluated = self.evaluated();
        let equalize = self.config.augment.equalize;
        let (data, views) = (&self.validation, &[View::PLAIN]);
        let predictions = predict(&evaluated, data, views, equalize, |_| {})?;
        let (val_loss, val_accuracy) = predictions.loss_and_accuracy(data);
        if !val_loss.is_finite() {
            return Err(self.diverged(&format!("the validation loss is {val_loss}")));
        }
        if !self.is_finite() {
            return Err(self.diverged("a weight or a moment is not a finite number"));
        }
        let sums = self.progress.sums;
        let faces = sums.faces.max(1) as f64;
        let seconds = self.seconds();
        let p = &mut self.progress;
        p.epoch += 1;
        let metrics = EpochMetrics {
            epoch: p.epoch,
            step: p.step,
            lr: sums.lr,
            loss: sums.loss / faces,
            accuracy: sums.correct as f64 / faces,
            val_loss,
            val_accuracy,
            grad_norm: sums.grad_norm,
            images_per_second: sums.faces as f64 / sums.seconds.max(f64::MIN_POSITIVE),
            seconds,
            skipped_steps: sums.skipped,
            pflop: p.history.last().map_or(0.0, |m| m.pflop) + sums.flop / 1e15,
            asked_seconds: p.asked_seconds,
        };
        p.history.push(metrics);
        p.step_in_epoch = 0;
        p.sums = Sums::default();
        self.validated = Some(predictions);
        let p = &mut self.progress;
        if p.best.is_none_or(|(_, best)| val_accuracy > best) {
            p.best = Some((p.epoch, val_accuracy));
            self.keep_best(evaluated)?;
        }
        observer.epoch(self, &metrics)?;
        self.save_last()?;
        self.write_metrics()?;
        #[cfg(feature = "cli")]
        self.draw_curves()?;
        Ok(())
    }

    /// Whether nothing has improved for as many epochs as the configuration allows.
    pub fn out_of_patience(&self) -> bool {
        let since_best = self.progress.epoch - self.progress.best.map_or(0, |(epoch, _)| epoch);
        self.config.patience.is_some_and(|patience| since_best >= patience)
    }

    /// Whether the history holds as many epochs as it may: a budget in minutes can end so.
    pub fn is_full(&self) -> bool {
        self.progress.epoch >= MAX_EPOCHS
    }

    pub(crate) fn resumed(mut self, progress: Progress, folder: &Path) -> Self {
        self.progress = progress;
        self.folder = Some(folder.to_owned());
        self
    }
}

/// Refuses data on which training would be meaningless.
fn check_trainable(config: &TrainConfig, train: &Dataset, validation: &Dataset) -> Result<()> {
    let built_in = || PathBuf::from("built-in faces");
    let path = config.data.clone().unwrap_or_else(built_in);
    if config.overfit.is_none() {
        train.require_trainable(&path)?;
    }
    if train.len() < 2 {
        let message = "one training face; batch norm needs at least two a batch";
        return Err(Error::data(path, message));
    }
    if validation.is_empty() || !validation.is_labelled() {
        let found = if validation.is_empty() { "no faces" } else { "faces without labels" };
        let path = config.val.clone().unwrap_or(path);
        return Err(Error::data(path, format!("{found} for validation; expected labelled faces")));
    }
    Ok(())
}
