//! The state of a training: network, optimiser, data, progress, and what follows from them.

use crate::dataset::Dataset;
use crate::limits::MAX_BATCH_VALUES;
use crate::model::mean_face::mean_face;
use crate::model::{Network, Predictions};
use crate::nn::Layer;
use crate::optim::{Ema, Optimizer};
use crate::train::batch::SoftLabels;
use crate::train::config::{Budget, MAX_EPOCHS, TrainConfig};
use crate::train::initial_weights::{initial_network, require_seven_classes};
use crate::train::parallel::step::Plan;
use crate::train::parallel::{Alone, Ranks, agreement};
use crate::train::progress::Progress;
use crate::{Error, Result};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// A training with all its state.
#[derive(Debug)]
pub struct Trainer {
    /// The configuration.
    pub config: TrainConfig,
    /// The network with its current weights.
    pub network: Network<f32>,
    /// The optimiser with its moments.
    pub optimizer: Optimizer<f32>,
    /// Moving average of the weights, if enabled.
    pub ema: Option<Ema<f32>>,
    /// How far the training is.
    pub progress: Progress,
    /// Training faces.
    pub train: Dataset,
    /// Validation faces.
    pub validation: Dataset,
    /// Predictions on the validation faces at the end of the last epoch.
    pub validated: Option<Predictions>,
    /// Side of the faces in the last step, and floating-point operations per face at that size.
    pub(crate) flop_per_face: (usize, f64),
    /// Answers of the teachers.
    pub soft: Option<SoftLabels>,
    /// Checksum of the answers that the training began with; known after resuming.
    pub(crate) soft_checksum: Option<String>,
    /// Convolution algorithm (`--conv`) when the resumed checkpoint was written, where it says so.
    /// Another algorithm rounds differently.
    pub conv_before: Option<String>,
    /// Mean training face; written into the model file for the explanations.
    pub(crate) mean_face: Vec<f32>,
    /// The processes that train together.
    pub ranks: Arc<dyn Ranks>,
    /// Run folder; none = nothing is written.
    pub folder: Option<PathBuf>,
    /// Lock that keeps other trainings out of the run folder.
    pub(crate) lock: Option<File>,
    /// Network of the best epoch, if there is no folder to keep it in and `patience` may restore it.
    pub(crate) best: Option<Network<f32>>,
    /// Start of the training in this session; none before it.
    pub(crate) started: Option<Instant>,
    /// Seconds and share of the training after the first step of this session, which takes longer than
    /// others: buffers are filled, files created.
    pub(crate) warmed_up: Option<(f64, f64)>,
    /// Why `metrics.csv` could not be written after the last epoch.
    pub unwritten: Option<Error>,
}

impl Trainer {
    /// Prepares a new training from the initial weights that the configuration asks for. Mean and
    /// standard deviation of the input come from the training faces, or with the weights of `from`.
    ///
    /// # Errors
    /// [`Error::Model`] if the model of `from` cannot be used, [`Error::Usage`] for an invalid
    /// configuration, [`Error::Data`] for faces that cannot be trained on.
    pub fn new(config: TrainConfig, train: Dataset, validation: Dataset) -> Result<Self> {
        config.validate()?;
        require_trainable(&config, &train, &validation)?;
        let (config, network) = initial_network(config, &train)?;
        Self::with_network(config, network, train, validation)
    }

    /// Prepares a training that starts from the weights of `network`.
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
        require_trainable(&config, &train, &validation)?;
        require_seven_classes(&network)?;
        require_steps_to_work(&config, &network, train.len())?;
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
            flop_per_face: (0, 0.0),
            soft_checksum: None,
            conv_before: None,
            ranks: Arc::new(Alone),
            folder: None,
            lock: None,
            best: None,
            started: None,
            warmed_up: None,
            unwritten: None,
        })
    }

    /// Makes this training one of several processes that train together.
    ///
    /// # Errors
    /// [`Error::Usage`] if they differ in version, faces, settings or weights, or if there are fewer
    /// micro-batches than processes.
    pub fn join(&mut self, ranks: Arc<dyn Ranks>) -> Result<()> {
        if ranks.size() > 1 && self.config.micro_batch.is_none() {
            return Err(Error::Usage("several processes need a --micro-batch".into()));
        }
        if let Some(size) = self.config.micro_batch {
            Plan::new(self.config.batch.min(self.train.len()), size, &*ranks)?;
        }
        agreement::require(self, &*ranks)?;
        self.ranks = ranks;
        Ok(())
    }

    /// Returns the network for evaluation: with EMA weights if enabled, otherwise with the current
    /// weights.
    pub fn evaluated(&self) -> Network<f32> {
        match &self.ema {
            Some(ema) => self.network.with_state(&ema.average),
            None => self.network.clone(),
        }
    }

    /// Returns the number of steps per epoch. An incomplete last batch is left out, because its few
    /// faces would move the batch norms too much; they come up in another epoch.
    pub fn steps_per_epoch(&self) -> usize {
        (self.train.len() / self.config.batch).max(1)
    }

    /// Returns the wall-clock seconds of training and of asking the teachers, earlier sessions
    /// included.
    pub fn seconds(&self) -> f64 {
        self.training_seconds() + self.progress.asked_seconds
    }

    /// Returns the wall-clock seconds of training alone. A budget in minutes counts these, so that it
    /// buys the same training with and without teachers.
    pub fn training_seconds(&self) -> f64 {
        let now = self.started.map_or(0.0, |started| started.elapsed().as_secs_f64());
        self.progress.seconds + now
    }

    /// Returns the share of the training that is done.
    pub fn fraction(&self) -> f64 {
        match self.config.budget {
            Budget::Epochs(n) => self.progress.step as f64 / (n * self.steps_per_epoch()) as f64,
            Budget::Minutes(m) => self.training_seconds() / (60.0 * m),
        }
    }

    /// Returns the learning rate of the next step: the schedule in the middle of the step, so that
    /// neither the first nor the last step has a rate of 0.
    pub fn learning_rate(&self) -> f64 {
        let half = match self.config.budget {
            Budget::Epochs(n) => 0.5 / (n * self.steps_per_epoch()) as f64,
            Budget::Minutes(_) => 0.5 * self.fraction() / (self.progress.step + 1) as f64,
        };
        self.config.lr * self.config.schedule.factor(self.fraction() + half)
    }

    /// Estimates the seconds that are left, from the steps of this session without the first; `None`
    /// before the second step.
    pub fn remaining(&self) -> Option<f64> {
        let (done, seconds) = (self.fraction(), self.training_seconds());
        if let Budget::Minutes(m) = self.config.budget {
            return Some((60.0 * m - seconds).max(0.0));
        }
        let (then, before) = self.warmed_up?;
        let rate = (seconds - then) / (done - before);
        (done > before).then(|| (rate * (1.0 - done)).max(0.0))
    }

    /// Returns whether `patience` is exhausted: too many epochs without a better validation accuracy.
    pub fn out_of_patience(&self) -> bool {
        let since_best = self.progress.epoch - self.progress.best.map_or(0, |(epoch, _)| epoch);
        self.config.patience.is_some_and(|patience| since_best >= patience)
    }

    /// Returns whether [`MAX_EPOCHS`] are reached, which can end a training with a budget in minutes.
    pub fn is_full(&self) -> bool {
        self.progress.epoch >= MAX_EPOCHS
    }
}

/// Checks that a training with these faces makes sense.
fn require_trainable(config: &TrainConfig, train: &Dataset, validation: &Dataset) -> Result<()> {
    let built_in = || PathBuf::from("built-in faces");
    let path = config.data.clone().unwrap_or_else(built_in);
    if config.overfit.is_none() {
        train.require_trainable(&path)?;
    }
    if train.len() < 2 {
        let message = "one training face; batch norm needs at least two per batch";
        return Err(Error::data(path, message));
    }
    if validation.is_empty() || !validation.is_labelled() {
        let found = if validation.is_empty() { "no faces" } else { "faces without labels" };
        let path = config.val.clone().unwrap_or(path);
        return Err(Error::data(
            path,
            format!(
                "{found} for validation; expected labelled faces, of which some are not blank: give others with --data \
             or --val"
            ),
        ));
    }
    Ok(())
}

/// Checks that a step works at every size of the faces: the network takes it, a batch fits memory, and
/// each batch norm sees more than one value per channel.
fn require_steps_to_work(config: &TrainConfig, network: &Network<f32>, faces: usize) -> Result<()> {
    let name = &network.spec.name;
    let batch = config.batch.min(faces);
    let sides = config.sizes.iter().map(|stage| stage.side).chain([config.final_side()]);
    for side in sides {
        let layers = network.walk_from(&[1, side, side]).map_err(|e| {
            Error::Usage(format!(
                "{name} cannot be trained on faces of side {side}: {e}; change `sizes`"
            ))
        })?;
        let values: usize = layers.iter().map(|(_, input)| input.iter().product::<usize>()).sum();
        if values.saturating_mul(batch) > MAX_BATCH_VALUES {
            return Err(Error::Usage(format!(
                "batches of {batch} faces of side {side} are too large for {name}: its layers put out {values} \
                 values for each face, and at most {MAX_BATCH_VALUES} for a batch are allowed; use \
                 --batch-size {}",
                (MAX_BATCH_VALUES / values.max(1)).max(1)
            )));
        }
        for (layer, input) in layers {
            let values = batch * input.iter().skip(1).product::<usize>();
            if matches!(layer, Layer::BatchNorm2d(_)) && values < 2 {
                return Err(Error::Usage(format!(
                    "--batch-size {batch}: {} gets one value per channel, which has no variance; use \
                     --batch-size 2 or more",
                    layer.name()
                )));
            }
        }
    }
    Ok(())
}
