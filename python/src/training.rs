//! Training, with the files of `fer train`.

use crate::errors::raise;
use crate::faces::dataset;
use fer::Result;
use fer::dataset::Dataset;
use fer::monitor::{Recorder, RecorderOptions};
use fer::train::parallel::Alone;
use fer::train::recipes::Settings;
use fer::train::{EpochMetrics, Observer, Outcome, StepResult, TrainConfig, Trainer, run_dir};
use numpy::PyReadonlyArray3;
use pyo3::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Faces `[n, 48, 48]` and their labels.
type Labelled<'py> = (PyReadonlyArray3<'py, u8>, Vec<i64>);

/// Trains a network by settings, which are `recipe`, `file` or `key` with its value, and returns its run folder, whether it was stopped, and the epochs as JSON. The
/// callback gets the epoch as JSON; where it returns `False`, the training stops with a checkpoint.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub fn train(
    py: Python<'_>,
    settings: Vec<(String, String)>,
    faces: Option<Labelled<'_>>,
    validation: Option<Labelled<'_>>,
    out: Option<PathBuf>,
    resume: Option<PathBuf>,
    tensorboard: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<(PathBuf, bool, String)> {
    let arrays = |given: Option<Labelled<'_>>| {
        given.map(|(faces, labels)| dataset(&faces, Some(labels))).transpose()
    };
    let given = [arrays(faces)?, arrays(validation)?];
    let prepare = || match &resume {
        Some(folder) => fer::cli::resumed_trainer(folder, [None, None], Arc::new(Alone)),
        None => prepare(&settings, given, out.as_deref()),
    };
    let mut trainer = py.detach(prepare).map_err(raise)?;
    let mut raised = None;
    let run = || {
        let options = RecorderOptions { tensorboard, ..RecorderOptions::default() };
        let recorder = Recorder::new(&trainer, options)?;
        let mut watch = Watch { recorder, callback: &callback, raised: &mut raised, stop: false };
        let outcome = trainer.run(&mut watch);
        watch.recorder.end(&trainer, &outcome);
        outcome
    };
    let outcome = py.detach(run);
    if let Some(raised) = raised {
        return Err(raised);
    }
    let stopped = outcome.map_err(raise)? == Outcome::Stopped;
    let history = serde_json::to_string(&trainer.progress.history);
    let history = history.map_err(|e| raise(fer::Error::Failed(e.to_string())))?;
    Ok((trainer.folder.clone().unwrap_or_default(), stopped, history))
}

fn prepare(
    given: &[(String, String)],
    [faces, validation]: [Option<Dataset>; 2],
    out: Option<&Path>,
) -> Result<Trainer> {
    let mut settings = Settings::new()?;
    for (kind, value) in given {
        match kind.as_str() {
            "recipe" => settings.recipe(value)?,
            "file" => settings.file(Path::new(value))?,
            _ => settings.key(value)?,
        }
    }
    let config = settings.resolve(None)?;
    config.validate()?;
    let config = fer::cli::with_absolute_paths(config);
    match (faces, validation) {
        (Some(faces), Some(validation)) => of_arrays(config, faces, validation, out),
        _ => fer::cli::new_trainer(config, out, Arc::new(Alone)),
    }
}

fn of_arrays(
    config: TrainConfig,
    faces: Dataset,
    validation: Dataset,
    out: Option<&Path>,
) -> Result<Trainer> {
    out.map_or(Ok(()), run_dir::require_free)?;
    let mut trainer = Trainer::new(config, faces, validation)?;
    let run = run_dir::create(out, &trainer.config.arch)?;
    trainer.write_into(run)?;
    Ok(trainer)
}

/// Records the training, calls the callback, and asks Python for Ctrl-C after every step.
struct Watch<'a> {
    recorder: Recorder,
    callback: &'a Option<Py<PyAny>>,
    raised: &'a mut Option<PyErr>,
    stop: bool,
}

impl Watch<'_> {
    fn call(&self, py: Python<'_>, metrics: &EpochMetrics) -> PyResult<bool> {
        let Some(callback) = self.callback else { return Ok(true) };
        let json = serde_json::to_string(metrics).unwrap_or_default();
        let answer = callback.call1(py, (json,))?;
        Ok(!answer.bind(py).is_exact_instance_of::<pyo3::types::PyBool>()
            || answer.is_truthy(py)?)
    }
}

impl Observer for Watch<'_> {
    fn step(&mut self, trainer: &Trainer, result: &StepResult) -> bool {
        self.recorder.step(trainer, result);
        if let Err(e) = Python::attach(|py| py.check_signals()) {
            self.raised.get_or_insert(e);
        }
        self.raised.is_none() && !self.stop
    }

    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> Result<()> {
        self.recorder.epoch(trainer, metrics)?;
        match Python::attach(|py| self.call(py, metrics)) {
            Ok(go_on) => self.stop |= !go_on,
            Err(e) => drop(self.raised.get_or_insert(e)),
        }
        Ok(())
    }

    fn saved(&mut self, trainer: &Trainer) -> Result<()> {
        self.recorder.saved(trainer)
    }
}
