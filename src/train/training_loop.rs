//! The loop of a training: epochs of steps, validation, checkpoints, and the ways it can end.

use crate::dataset::augment::View;
use crate::model::predictions::prediction_batch;
use crate::model::{Network, Predictions, flop_per_face, predict};
use crate::ops::{CrossEntropyOptions, Targets};
use crate::train::batch::{Batch, assemble, epoch_order};
use crate::train::history::EpochMetrics;
use crate::train::parallel::step::{MicroStep, Plan};
use crate::train::step::{StepAddress, StepResult, train_step};
use crate::train::trainer::Trainer;
use crate::{Error, Result};
use std::ops::Range;
use std::time::{Duration, Instant};

/// Number of consecutive non-finite steps after which a training ends as diverged.
const MAX_BAD_STEPS: u32 = 3;

/// Mean training loss of an epoch, as a multiple of that of guessing, from which a training ends as
/// diverged. No training was seen to come back from there.
const BROKEN: f64 = 10_000.0;

/// As [`BROKEN`], for the last epoch: a training may come back from there, but has not.
const MUCH_WORSE: f64 = 10.0;

/// Time between two checkpoints within an epoch.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// Watches a training while it runs.
pub trait Observer {
    /// Called after every step. `false` ends the training with a checkpoint.
    fn step(&mut self, trainer: &Trainer, result: &StepResult) -> bool {
        let _ = (trainer, result);
        true
    }
    /// Called after every epoch, before its checkpoint is written.
    ///
    /// # Errors
    /// Any error ends the training; the last checkpoint stays.
    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        let _ = (trainer, metrics);
        Ok(())
    }
    /// Called when the checkpoint and `metrics.csv` of an epoch have been written, and once more at
    /// the end of the training.
    ///
    /// # Errors
    /// Any error ends the training.
    fn saved(&mut self, trainer: &Trainer) -> Result<()> {
        let _ = trainer;
        Ok(())
    }
}

/// Watches nothing.
impl Observer for () {}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The budget is used up or `patience` is exhausted.
    Finished,
    /// The observer asked to stop; the state is saved.
    Stopped,
}

impl Trainer {
    /// Trains until the budget is used up.
    ///
    /// # Errors
    /// [`Error::Diverged`] after three consecutive non-finite steps; those of files and of the
    /// observer.
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
            // At least one step: time may run out between the two checks.
            let more = |t: &Self| t.progress.step_in_epoch == 0 || t.fraction() < 1.0;
            while self.progress.step_in_epoch < self.steps_per_epoch() && more(self) {
                let result = self.step(&order)?;
                if self.warmed_up.is_none() {
                    self.warmed_up = Some((self.training_seconds(), self.fraction()));
                }
                let go_on = observer.step(self, &result);
                if !self.all_go_on(go_on)? {
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
            self.restore_best()?;
        }
        self.write_metrics();
        observer.saved(self)?;
        self.require_learning()?;
        Ok(Outcome::Finished)
    }

    /// Returns whether no process wants to stop: all stop after the same step.
    fn all_go_on(&self, own: bool) -> Result<bool> {
        if self.ranks.size() == 1 {
            return Ok(own);
        }
        Ok(self.ranks.gather_bytes(&[u8::from(own)])?.iter().all(|answer| answer == &[1]))
    }

    fn step(&mut self, order: &[usize]) -> Result<StepResult> {
        let begun = Instant::now();
        let (batch, fraction) = (self.config.batch, self.fraction());
        let start = self.progress.step_in_epoch * batch;
        let faces = &order[start..(start + batch).min(order.len())];
        let side = self.config.side(fraction);
        let epoch = self.progress.epoch as u64;
        let at = StepAddress {
            seed: self.config.seed,
            step: self.progress.step,
            lr: self.learning_rate(),
            precision: self.config.precision,
        };
        let result = match self.config.micro_batch {
            None => {
                let soft = self.soft.as_ref();
                let batch = assemble(&self.config, &self.train, soft, faces, side, (epoch, start))?;
                let loss = self.loss_options(&batch);
                train_step(&mut self.network, &mut self.optimizer, batch, &loss, at)?
            }
            Some(size) => self.micro_batched(size, faces, side, (epoch, start), at)?,
        };
        if let (true, Some(ema)) = (result.applied, &mut self.ema) {
            ema.update(&self.network.state());
        }
        self.progress.sums.lr = at.lr;
        if self.flop_per_face.0 != side {
            self.flop_per_face = (side, flop_per_face(&self.network, side));
        }
        self.account(&result, faces.len(), begun.elapsed().as_secs_f64());
        self.end_if_diverged(&result)?;
        Ok(result)
    }

    fn loss_options(&self, batch: &Batch) -> CrossEntropyOptions {
        let label_smoothing = match batch.targets {
            Targets::Labels(_) => self.config.label_smoothing,
            Targets::Soft(_) => 0.0, // already in the targets
        };
        CrossEntropyOptions { label_smoothing, class_weights: None }
    }

    /// Runs a step in micro-batches of `size` faces, of which this process computes its own.
    fn micro_batched(
        &mut self,
        size: usize,
        faces: &[usize],
        side: usize,
        (epoch, start): (u64, usize),
        at: StepAddress,
    ) -> Result<StepResult> {
        let ranks = self.ranks.clone();
        let plan = Plan::new(faces.len(), size, &*ranks)?;
        let assemble = |range: &Range<usize>| {
            let (soft, faces) = (self.soft.as_ref(), &faces[range.clone()]);
            assemble(&self.config, &self.train, soft, faces, side, (epoch, start + range.start))
        };
        let own: Result<Vec<Batch>> = match self.config.mixup > 0.0 {
            // Mixup pairs the first face of the batch with the last.
            true => assemble(&(0..faces.len())).and_then(|whole| {
                plan.own(&*ranks).iter().map(|r| whole.part(r.clone())).collect()
            }),
            false => plan.own(&*ranks).iter().map(assemble).collect(),
        };
        let own = own?;
        let loss = own.first().map(|batch| self.loss_options(batch)).unwrap_or_default();
        let (plan, loss, reduce) = (&plan, &loss, self.config.reduce);
        let step = MicroStep { ranks: &ranks, plan, own, loss, at, reduce };
        step.run(&mut self.network, &mut self.optimizer)
    }

    /// Predicts the validation faces. Several processes share them: each takes a run of whole batches of
    /// the prediction, so that the answers have the same bits.
    fn validate(&self, evaluated: &Network<f32>) -> Result<Predictions> {
        let equalize = self.config.augment.equalize;
        let data = &self.validation;
        let run = |data| predict(evaluated, data, &[View::PLAIN], equalize, |_| {});
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        if size == 1 {
            return run(data);
        }
        let batch = prediction_batch(evaluated);
        let batches = data.len().div_ceil(batch);
        let start = |rank: usize| (rank * batches / size * batch).min(data.len());
        let own: Vec<usize> = (start(rank)..start(rank + 1)).collect();
        let found = run(&data.select(&own))?;
        let classes = found.classes;
        let lengths: Vec<usize> =
            (0..size).map(|rank| (start(rank + 1) - start(rank)) * classes).collect();
        let probabilities = self.ranks.gather(&found.probabilities, &lengths)?;
        Ok(Predictions { classes, probabilities })
    }

    /// Adds a step to the sums of the epoch.
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
            p.sums.flop += self.flop_per_face.1 * faces as f64;
            p.sums.grad_norm = p.sums.grad_norm.max(result.grad_norm);
        } else {
            p.bad_steps.0 += 1;
            p.sums.skipped += 1;
            p.bad_steps.1 += 1;
        }
    }

    /// A skipped step changed nothing, so what is saved here is the last finite state.
    fn end_if_diverged(&mut self, result: &StepResult) -> Result<()> {
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
             (now {}) or a larger --batch-size (now {})",
            self.progress.step, self.config.lr, self.config.batch
        ))
    }

    /// Validates, adds the epoch to the history, and writes the checkpoint.
    fn finish_epoch(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let evaluated = self.evaluated();
        let predictions = self.validate(&evaluated)?;
        let (val_loss, val_accuracy) = predictions.loss_and_accuracy(&self.validation);
        if !val_loss.is_finite() {
            return Err(self.diverged(&format!("the validation loss is {val_loss}")));
        }
        if !self.is_finite() {
            return Err(self.diverged("a weight or a moment is not a finite number"));
        }
        let metrics = self.close_epoch(val_loss, val_accuracy);
        self.validated = Some(predictions);
        let p = &mut self.progress;
        if p.best.is_none_or(|(_, best)| val_accuracy > best) {
            p.best = Some((p.epoch, val_accuracy));
            self.save_best(evaluated)?;
        }
        if metrics.loss > BROKEN * self.loss_of_guessing() {
            return Err(self.diverged(&self.far_from_guessing(metrics.loss)));
        }
        observer.epoch(self, &metrics)?;
        self.save_last()?;
        self.write_metrics();
        observer.saved(self)
    }

    /// Returns the loss of a network that gives every class the same probability, ln of their number.
    fn loss_of_guessing(&self) -> f64 {
        (self.network.spec.classes.len().max(2) as f64).ln()
    }

    fn far_from_guessing(&self, loss: f64) -> String {
        let guessing = self.loss_of_guessing();
        format!("the mean loss of an epoch is {loss:.3e}, and guessing would give {guessing:.2}")
    }

    /// Refuses to call a training done whose result is much worse than guessing.
    fn require_learning(&self) -> Result<()> {
        let history = &self.progress.history;
        let kept = match self.progress.best {
            Some((best, _)) if self.out_of_patience() => history.iter().find(|m| m.epoch == best),
            _ => history.last(),
        };
        match kept {
            Some(last) if last.loss > MUCH_WORSE * self.loss_of_guessing() => {
                Err(self.diverged(&self.far_from_guessing(last.loss)))
            }
            _ => Ok(()),
        }
    }

    /// Turns the sums of the epoch into its metrics and resets them.
    fn close_epoch(&mut self, val_loss: f64, val_accuracy: f64) -> EpochMetrics {
        let seconds = self.seconds();
        let p = &mut self.progress;
        let sums = std::mem::take(&mut p.sums);
        let faces = sums.faces.max(1) as f64;
        p.epoch += 1;
        p.step_in_epoch = 0;
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
        metrics
    }
}
