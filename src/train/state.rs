//! A training on disk: checkpoints that a resumed training continues bit by bit.

use crate::dataset::Dataset;
use crate::model::Network;
use crate::model::loaded_model;
use crate::model::loaded_model::{DATA, DATA_VAL};
use crate::model::mean_face;
use crate::model::weights::{Archive, durable, network_file};
use crate::tensor::Tensor;
use crate::train::ClassCounts;
use crate::train::TrainConfig;
use crate::train::run_dir;
use crate::train::{Progress, Trainer};
use crate::{Error, Result};
use fer_kernels::Context;
use std::path::Path;

/// What `--conv` is, in the checkpoint.
const CONV: &str = "conv";

/// Checkpoint of the whole state, and weights of the best epoch, in a run folder.
pub(crate) const LAST: &str = "last.safetensors";
pub(crate) const BEST: &str = "best.safetensors";

impl Trainer {
    /// Everything, as one archive.
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
        archive.put("config", &self.config)?;
        archive.put("progress", &progress)?;
        archive.put("optimizer_steps", &self.optimizer.steps)?;
        archive.put("ema_updates", &self.ema.as_ref().map_or(0, |e| e.updates))?;
        archive.put("class_counts", &ClassCounts::of(&self.train, &self.validation))?;
        archive.put(mean_face::ENTRY, &self.mean_face)?;
        archive.put(DATA, &fingerprint(&self.train))?;
        archive.put(DATA_VAL, &fingerprint(&self.validation))?;
        archive.put(CONV, &Context::global().conv.name())?;
        if let Some(soft) = &self.soft {
            archive.put("soft_labels", &soft.checksum())?;
        }
        Ok(archive)
    }

    /// Whether every weight, average and running statistic is a finite number.
    pub(crate) fn is_finite(&self) -> bool {
        let finite = |t: &Tensor| t.as_slice().iter().all(|v| v.is_finite());
        self.network.state().into_iter().all(|(_, t)| finite(t))
            && self.ema.iter().flat_map(|e| &e.average).all(finite)
            && self.optimizer.first.iter().chain(&self.optimizer.second).all(finite)
    }

    /// Writes `last.safetensors`, if there is a run folder and the state is finite: what stands
    /// there is always the last finite state.
    pub(crate) fn save_last(&self) -> Result<()> {
        let Some(folder) = self.folder.as_ref().filter(|_| self.is_finite()) else {
            return Ok(());
        };
        durable::write_keeping_previous(&folder.join(LAST), &self.archive()?.to_bytes()?)
    }

    /// Keeps the best epoch's weights: `best.safetensors` in the run folder; without one, in memory if
    /// patience may want them back.
    pub(crate) fn keep_best(&mut self, evaluated: Network<f32>) -> Result<()> {
        let Some(folder) = &self.folder else {
            self.best = self.config.patience.is_some().then_some(evaluated);
            return Ok(());
        };
        let mut archive = network_file::archive(&evaluated)?;
        archive.put("config", &self.config)?;
        archive.put("class_counts", &ClassCounts::of(&self.train, &self.validation))?;
        archive.put(mean_face::ENTRY, &self.mean_face)?;
        archive.put(DATA, &fingerprint(&self.train))?;
        archive.put(DATA_VAL, &fingerprint(&self.validation))?;
        archive.put("best", &self.progress.best)?;
        crate::files::write_atomic(folder.join(BEST), &archive.to_bytes()?)
    }

    /// Takes the best epoch's weights as the result.
    pub(crate) fn return_to_best(&mut self) -> Result<()> {
        let best = match (&self.folder, self.best.take()) {
            (Some(folder), _) => {
                let path = folder.join(BEST);
                network_file::from_archive(&path, &Archive::read(&path)?)?
            }
            (None, Some(best)) => best,
            (None, None) => return Ok(()), // taken before
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

    /// Continues the training of a run folder, from which other trainings are kept out from now on.
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
        let archive = durable::read_or_previous(&path)?;
        durable::sweep(folder)?;
        let config: TrainConfig = archive.get(&path, "config")?;
        let (train, validation) = load(&config)?;
        for (key, data) in [(DATA, &train), (DATA_VAL, &validation)] {
            let (then, now): (String, _) = (archive.get(&path, key)?, fingerprint(data));
            if then != now {
                let message = format!("was made with other data ({then}), found {now}");
                return Err(Error::model(&path, message + "; resume with the same files"));
            }
        }
        let network = network_file::from_network_tensors(&path, &archive, "network")?;
        let mut trainer = Trainer::with_network(config, network, train, validation)?;
        trainer.restore_moments(&path, &archive)?;
        if archive.meta.contains_key("soft_labels") {
            trainer.soft_checksum = Some(archive.get(&path, "soft_labels")?);
        }
        trainer.conv_before = loaded_model::entry(&path, &archive, CONV)?;
        trainer.lock = lock;
        let progress: Progress = archive.get(&path, "progress")?;
        Ok(trainer.resumed(progress, folder))
    }

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

/// Number of faces and a checksum over pixels and labels.
pub(crate) fn fingerprint(data: &Dataset) -> String {
    let mut crc = crc32fast::Hasher::new();
    crc.update(data.pixels());
    let labels: Vec<u8> = data.labels().iter().map(|l| l.unwrap_or(u8::MAX)).collect();
    crc.update(&labels);
    format!("{} faces, {:08x}", data.len(), crc.finalize())
}
