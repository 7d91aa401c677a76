//! The state of a training on disk: checkpoints, from which a resumed training continues bit by bit.

use crate::console::eprintln_safe;
use crate::dataset::Dataset;
#[cfg(feature = "cli")]
use crate::error::Shown as _;
use crate::files::{sweep, write_atomic};
use crate::model::training_record::{CLASS_COUNTS, CONFIG, DATA, DATA_VAL};
use crate::model::weights::{Archive, crash_safe, network_file};
use crate::model::{ClassCounts, Network, mean_face};
use crate::tensor::Tensor;
use crate::train::config::TrainConfig;
use crate::train::history::{METRICS, to_csv};
use crate::train::parallel::{Alone, Ranks};
use crate::train::progress::Progress;
use crate::train::run_dir;
#[cfg(feature = "cli")]
use crate::train::run_dir::RunDir;
use crate::train::trainer::Trainer;
use crate::{Error, Result};
use fer_kernels::Context;
#[cfg(feature = "cli")]
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Entry with the convolution algorithm (`--conv`).
const CONV: &str = "conv";

/// Checkpoint of the whole state in a run folder.
pub(crate) const LAST: &str = "last.safetensors";
/// Weights of the best epoch in a run folder.
const BEST: &str = "best.safetensors";

impl Trainer {
    /// Takes a folder for the files of the training and writes the files that describe the training.
    ///
    /// # Errors
    /// Those of files.
    #[cfg(feature = "cli")]
    pub fn write_into(&mut self, run: RunDir) -> Result<()> {
        sweep(&run.path);
        run_dir::write_description(&run.path, &self.config, &self.network)?;
        (self.lock, self.folder) = (run.lock, Some(run.path));
        self.write_soft_labels()
    }

    /// Writes `metrics.csv` anew from the history, so that a resumed run has no duplicate rows. An error
    /// does not end the training: the file is written again after the next epoch.
    pub(crate) fn write_metrics(&mut self) {
        let Some(folder) = &self.folder else { return };
        let text = to_csv(&self.progress.history);
        let failed = write_atomic(folder.join(METRICS), text.as_bytes()).err();
        if let (Some(e), None) = (&failed, &self.unwritten) {
            eprintln_safe!("{e}; the training goes on, and writes it again after the next epoch");
        }
        self.unwritten = failed;
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
    /// A training that ended before its first checkpoint starts again.
    ///
    /// `load` reads the training and validation faces ([`TrainConfig::load_faces`]); it may change where
    /// they are, because the checkpoint tells whether they are the same. So may `config.toml`. Every
    /// other setting is that of the checkpoint.
    ///
    /// # Errors
    /// [`Error::Model`] if the checkpoint is damaged or was made with other data, [`Error::Usage`] if
    /// another training has the folder.
    pub fn resume(
        folder: &Path,
        load: impl FnOnce(&mut TrainConfig) -> Result<(Dataset, Dataset)>,
    ) -> Result<Self> {
        Self::resume_together(folder, load, Arc::new(Alone))
    }

    /// As [`Trainer::resume`], with several processes: the first reads the folder and sends the
    /// checkpoint to the others, which need no folder.
    ///
    /// # Errors
    /// As [`Trainer::resume`]; [`Error::Usage`] if the processes differ.
    pub fn resume_together(
        folder: &Path,
        load: impl FnOnce(&mut TrainConfig) -> Result<(Dataset, Dataset)>,
        ranks: Arc<dyn Ranks>,
    ) -> Result<Self> {
        let path = folder.join(LAST);
        let is_first = ranks.rank() == 0;
        if is_first && !crash_safe::exists(&path) {
            let mut trainer = match ranks.size() {
                1 => Self::restart(folder, load)?,
                _ => {
                    let found = "holds no checkpoint yet, and only one process can start it again";
                    return Err(Error::model(folder, found));
                }
            };
            trainer.join(ranks)?;
            return Ok(trainer);
        }
        let lock = if is_first { run_dir::lock(folder)? } else { None };
        let archive = shared_archive(&path, &*ranks)?;
        let mut config: TrainConfig = archive.get(&path, CONFIG)?;
        config.validate().map_err(|e| Error::model(&path, format!("its settings: {e}")))?;
        #[cfg(feature = "cli")]
        let edited = is_first && follow_edits(&mut config, folder);
        let written = config.clone();
        let (train, validation) = load(&mut config)?;
        require_same_faces(&path, &archive, [&train, &validation])?;
        let network = network_file::from_network_tensors(&path, &archive, "network")?;
        let mut trainer = Trainer::with_network(config, network, train, validation)?;
        trainer.restore_moments(&path, &archive)?;
        trainer.soft_checksum = archive.find(&path, "soft_labels")?;
        trainer.conv_before = archive.find(&path, CONV)?;
        trainer.lock = lock;
        trainer.progress = archive.get(&path, "progress")?;
        trainer.folder = is_first.then(|| folder.to_owned());
        trainer.join(ranks)?;
        #[cfg(feature = "cli")]
        if is_first && trainer.config != written && !edited {
            run_dir::write_description(folder, &trainer.config, &trainer.network)?;
        }
        #[cfg(not(feature = "cli"))]
        let _ = written;
        Ok(trainer)
    }

    /// Starts the training of a folder again that holds no checkpoint.
    #[cfg(feature = "cli")]
    fn restart(
        folder: &Path,
        load: impl FnOnce(&mut TrainConfig) -> Result<(Dataset, Dataset)>,
    ) -> Result<Self> {
        let mut config = run_dir::read_config(folder)?;
        if folder.join(METRICS).exists() {
            let way_out = format!(
                "train on from its best weights: fer train --pretrained {}",
                folder.join(BEST).shown()
            );
            let found = "its checkpoints last.safetensors and last.safetensors.previous are gone";
            return Err(Error::model(folder, format!("{found}; {way_out}")));
        }
        config.validate()?;
        let lock = run_dir::lock(folder)?;
        eprintln_safe!("{}: ended before its first checkpoint; starts again", folder.shown());
        sweep_run(folder);
        let (train, validation) = load(&mut config)?;
        let mut trainer = Trainer::new(config, train, validation)?;
        trainer.write_into(RunDir { path: folder.to_owned(), lock })?;
        Ok(trainer)
    }

    #[cfg(not(feature = "cli"))]
    fn restart(
        folder: &Path,
        _: impl FnOnce(&mut TrainConfig) -> Result<(Dataset, Dataset)>,
    ) -> Result<Self> {
        Err(Error::model(folder, "is not a run folder: it holds no last.safetensors"))
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

/// Reads a checkpoint, or receives it from the first process.
fn shared_archive(path: &Path, ranks: &dyn Ranks) -> Result<Archive> {
    let first = ranks.rank() == 0;
    let own = first.then(|| crash_safe::read_or_previous(path)).transpose()?;
    if first {
        sweep_run(path.parent().unwrap_or(Path::new("")));
    }
    if let (Some(archive), 1) = (&own, ranks.size()) {
        return Ok(archive.clone());
    }
    let bytes = own.as_ref().map_or(Ok(Vec::new()), Archive::to_bytes)?;
    let all = ranks.gather_bytes(&bytes)?;
    match (own, all.first()) {
        (Some(archive), _) => Ok(archive),
        (None, Some(bytes)) => Archive::from_bytes(path, bytes),
        (None, None) => Err(Error::Failed("the first process sent no checkpoint".into())),
    }
}

/// Refuses other faces than those of the checkpoint.
fn require_same_faces(path: &Path, archive: &Archive, faces: [&Dataset; 2]) -> Result<()> {
    for (key, data) in [DATA, DATA_VAL].into_iter().zip(faces) {
        let (then, now): (String, _) = (archive.get(path, key)?, data.fingerprint());
        if then != now {
            let message = format!("was made with other data ({then}), found {now}");
            let way_out = "resume with the same files; --data and --val say where they are";
            return Err(Error::model(path, format!("{message}; {way_out}")));
        }
    }
    Ok(())
}

/// Removes the temporary files that a crash left in a run folder.
fn sweep_run(folder: &Path) {
    ["", "train", "validation"].iter().for_each(|part| sweep(&folder.join(part)));
}

/// Takes the places of the faces from `config.toml`, which may have been edited since the checkpoint, and
/// says which other settings of it do not count. Returns whether it was edited.
#[cfg(feature = "cli")]
fn follow_edits(config: &mut TrainConfig, folder: &Path) -> bool {
    let file = match run_dir::read_config(folder) {
        Ok(file) => file,
        Err(e) => {
            let file = folder.join("config.toml");
            let found = match std::fs::metadata(&file).map(|file| file.len()) {
                Ok(0) => "it is empty".to_owned(),
                Ok(_) => e.to_string(),
                Err(_) => "it is missing".into(),
            };
            let file = file.shown();
            eprintln_safe!("{file} cannot be used ({found}); the settings of the checkpoint count");
            return true;
        }
    };
    (config.data, config.val) = (file.data.clone(), file.val.clone());
    let [ours, theirs] = [&*config, &file].map(|c| serde_json::to_value(c).unwrap_or_default());
    let keys =
        ours.as_object().into_iter().flatten().chain(theirs.as_object().into_iter().flatten());
    let keys: BTreeSet<&str> = keys.map(|(key, _)| key.as_str()).collect();
    let edited: Vec<&str> = keys.into_iter().filter(|key| ours[key] != theirs[key]).collect();
    if !edited.is_empty() {
        let run = folder.shown();
        eprintln_safe!(
            "{run}/config.toml was edited ({}), but a training goes on as it began: the settings of its \
             checkpoint count. To train on from its weights with other settings: fer train --config \
             {run}/config.toml --pretrained {run} --out NEW",
            edited.join(", ")
        );
    }
    !edited.is_empty()
}
