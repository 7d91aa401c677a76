//! The state of a training on disk: checkpoints, from which a resumed training continues bit by bit.

use crate::dataset::Dataset;
use crate::files::write_atomic;
use crate::model::training_record::{CLASS_COUNTS, CONFIG, DATA, DATA_VAL};
use crate::model::weights::{Archive, crash_safe, network_file};
use crate::model::{ClassCounts, Network, mean_face};
use crate::tensor::Tensor;
use crate::train::config::TrainConfig;
use crate::train::history::{METRICS, to_csv};
use crate::train::progress::Progress;
use crate::train::run_dir;
use crate::train::trainer::Trainer;
use crate::{Error, Result};
use fer_kernels::Context;
use std::path::Path;

/// Entry with the convolution algorithm (`--conv`).
const CONV: &str = "conv";

/// Checkpoint of the whole state in a run folder.
const LAST: &str = "last.safetensors";
/// Weights of the best epoch in a run folder.
const BEST: &str = "best.safetensors";

impl Trainer {
    /// Takes a folder for the files of the training, locks it against other trainings, and writes the
    /// files that describe the training.
    ///
    /// # Errors
    /// [`Error::Usage`] if another training has the folder; those of files.
    #[cfg(feature = "cli")]
    pub fn write_into(&mut self, folder: &Path) -> Result<()> {
        self.lock = run_dir::lock(folder)?;
        run_dir::write_description(folder, &self.config, &self.network)?;
        self.folder = Some(folder.to_owned());
        self.write_soft_labels()
    }

    /// Writes `metrics.csv` anew from the history, so that a resumed run has no duplicate rows.
    pub(crate) fn write_metrics(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        write_atomic(folder.join(METRICS), to_csv(&self.progress.history).as_bytes())
    }

    /// Adds what a model file says of its training.
    fn put_record(&self, archive: &mut Archive) -> Result<()> {
        archive.put(CONFIG, &self.config)?;
        archive.put(CLASS_COUNTS, &ClassCounts::of(&self.train, &self.validation))?;
        archive.put(mean_face::ENTRY, &self.mean_face)?;
        archive.put(DATA, &self.train.fingerprint())?;
        archive.put(DATA_VAL, &self.validation.fingerprint())
    }

    /// Returns the whole state as one archive.
    fn archive(&self) -> Result<Archive> {
        let mut archive = network_file::archive(&self.network)?;
        let names: Vec<String> = self.network.parameters().iter().map(|p| p.name.clone()).collect();
        let mut put = |prefix: &str, names: &[String], tensors: &[Tensor]| {
            for (name, t) in names.iter().zip(tensors) {
                archive
                    .tensors
                    .insert(format!("{prefix}/{name}"), (t.shape().to_vec(), t.to_vec()));
            }
        };
        put("optimizer/first", &names, &self.optimizer.first);
        put("optimizer/second", &names, &self.optimizer.second);
        if let Some(ema) = &self.ema {
            let names: Vec<String> = self.network.state().into_iter().map(|(n, _)| n).collect();
            put("ema", &names, &ema.average);
        }
        let progress = Progress { seconds: self.training_seconds(), ..self.progress.clone() };
        self.put_record(&mut archive)?;
        archive.put("progress", &progress)?;
        archive.put("optimizer_steps", &self.optimizer.steps)?;
        archive.put("ema_updates", &self.ema.as_ref().map_or(0, |e| e.updates))?;
        archive.put(CONV, &Context::global().conv.name())?;
        if let Some(soft) = &self.soft {
            archive.put("soft_labels", &soft.checksum())?;
        }
        Ok(archive)
    }

    /// Returns whether every weight, average, moment and running statistic is a finite number.
    pub(crate) fn is_finite(&self) -> bool {
        let finite = |t: &Tensor| t.as_slice().iter().all(|v| v.is_finite());
        self.network.state().into_iter().all(|(_, t)| finite(t))
            && self.ema.iter().flat_map(|e| &e.average).all(finite)
            && self.optimizer.first.iter().chain(&self.optimizer.second).all(finite)
    }

    /// Writes `last.safetensors`, if there is a run folder and the state is finite. The file therefore
    /// always holds the last finite state.
    pub(crate) fn save_last(&self) -> Result<()> {
        let Some(folder) = self.folder.as_ref().filter(|_| self.is_finite()) else {
            return Ok(());
        };
        crash_safe::write_keeping_previous(&folder.join(LAST), &self.archive()?.to_bytes()?)
    }

    /// Saves the weights of the best epoch: as `best.safetensors` in the run folder, or without one in
    /// memory if `patience` may restore them.
    pub(crate) fn save_best(&mut self, evaluated: Network<f32>) -> Result<()> {
        let Some(folder) = &self.folder else {
            self.best = self.config.patience.is_some().then_some(evaluated);
            return Ok(());
        };
        let mut archive = network_file::archive(&evaluated)?;
        self.put_record(&mut archive)?;
        archive.put("best", &self.progress.best)?;
        write_atomic(folder.join(BEST), &archive.to_bytes()?)
    }

    /// Restores the weights of the best epoch and saves them as the last state.
    pub(crate) fn restore_best(&mut self) -> Result<()> {
        let best = match (&self.folder, self.best.take()) {
            (Some(folder), _) => {
                let path = folder.join(BEST);
                network_file::from_archive(&path, &Archive::read(&path)?)?
            }
            (None, Some(best)) => best,
            (None, None) => return Ok(()), // already restored
        };
        let mut copy = self.network.clone();
        for ((_, to), (_, from)) in copy.state_mut().into_iter().zip(best.state()) {
            *to = from.clone();
        }
        if let Some(ema) = &mut self.ema {
            ema.average = best.state().into_iter().map(|(_, t)| t.clone()).collect();
        }
        self.network = copy;
        self.save_last()
    }

    /// Reads the training of a run folder to continue it, and locks the folder against other trainings.
    /// `load` reads the training and validation faces ([`TrainConfig::load_faces`]).
    ///
    /// # Errors
    /// [`Error::Model`] if the checkpoint is damaged or was made with other data, [`Error::Usage`] if
    /// another training has the folder.
    pub fn resume(
        folder: &Path,
        load: impl FnOnce(&TrainConfig) -> Result<(Dataset, Dataset)>,
    ) -> Result<Self> {
        let path = folder.join(LAST);
        if !path.exists() {
            let message = "is not a run folder: it holds no last.safetensors";
            return Err(Error::model(folder, message));
        }
        let lock = run_dir::lock(folder)?;
        let archive = crash_safe::read_or_previous(&path)?;
        crash_safe::remove_temporaries(folder)?;
        let config: TrainConfig = archive.get(&path, CONFIG)?;
        let (train, validation) = load(&config)?;
        for (key, data) in [(DATA, &train), (DATA_VAL, &validation)] {
            let (then, now): (String, _) = (archive.get(&path, key)?, data.fingerprint());
            if then != now {
                let message = format!("was made with other data ({then}), found {now}");
                return Err(Error::model(&path, message + "; resume with the same files"));
            }
        }
        let network = network_file::from_network_tensors(&path, &archive, "network")?;
        let mut trainer = Trainer::with_network(config, network, train, validation)?;
        trainer.restore_moments(&path, &archive)?;
        trainer.soft_checksum = archive.find(&path, "soft_labels")?;
        trainer.conv_before = archive.find(&path, CONV)?;
        trainer.lock = lock;
        trainer.progress = archive.get(&path, "progress")?;
        trainer.folder = Some(folder.to_owned());
        Ok(trainer)
    }

    /// Restores the optimiser's moments and the EMA weights.
    fn restore_moments(&mut self, path: &Path, archive: &Archive) -> Result<()> {
        let names: Vec<String> = self.network.parameters().iter().map(|p| p.name.clone()).collect();
        let restore = |prefix: &str, names: &[String], tensors: &mut [Tensor]| -> Result<()> {
            for (name, tensor) in names.iter().zip(tensors) {
                *tensor = network_file::tensor(path, archive, &format!("{prefix}/{name}"), tensor)?;
            }
            Ok(())
        };
        restore("optimizer/first", &names, &mut self.optimizer.first)?;
        restore("optimizer/second", &names, &mut self.optimizer.second)?;
        self.optimizer.steps = archive.get(path, "optimizer_steps")?;
        if let Some(ema) = &mut self.ema {
            let names: Vec<String> = self.network.state().into_iter().map(|(n, _)| n).collect();
            restore("ema", &names, &mut ema.average)?;
            ema.updates = archive.get(path, "ema_updates")?;
        }
        Ok(())
    }
}
