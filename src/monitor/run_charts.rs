//! The charts in a run folder: faces per class, and the curves of accuracy and loss.

use crate::Result;
use crate::model::ClassCounts;
use crate::render::Scene;
use crate::render::chart::{ChartOptions, Epoch, Run, class_counts, curves};
use crate::render::write::write_both;
use crate::train::{EpochMetrics, Trainer};

impl From<&EpochMetrics> for Epoch {
    fn from(m: &EpochMetrics) -> Self {
        Epoch {
            epoch: m.epoch as u32,
            train_accuracy: m.accuracy,
            train_loss: m.loss,
            validation_accuracy: m.val_accuracy,
            validation_loss: m.val_loss,
        }
    }
}

/// Draws accuracy and loss of one run, or of several in the same panels.
pub fn curve_chart(runs: &[(String, Vec<EpochMetrics>)], options: ChartOptions) -> Result<Scene> {
    let title = match runs {
        [(name, _)] => format!("Training of {name}"),
        _ => format!("Training of {} runs", runs.len()),
    };
    let run = |(name, h): &(String, Vec<EpochMetrics>)| {
        Run::new(name, h.iter().map(Epoch::from).collect())
    };
    curves(&title, &runs.iter().map(run).collect::<Vec<_>>(), options.sized(980.0, 440.0))
}

/// Draws `class_counts` (of the data) and `class_counts_split` (training and validation) into the run
/// folder; nothing without a run folder.
pub fn draw_class_counts(trainer: &Trainer) -> Result<()> {
    let Some(folder) = &trainer.folder else { return Ok(()) };
    let names: Vec<&str> = trainer.network.spec.classes.iter().map(String::as_str).collect();
    let counts = ClassCounts::of(&trainer.train, &trainer.validation);
    let one_source = trainer.config.val.is_none() && trainer.config.overfit.is_none();
    let data: Vec<u64> = match one_source {
        true => counts.train.iter().zip(&counts.validation).map(|(a, b)| a + b).collect(),
        false => counts.train.clone(),
    };
    let look = ChartOptions::default();
    let scene = class_counts("Faces of each class in the data", &names, &[("", &data)], look)?;
    write_both(&scene, folder, "class_counts")?;
    let sets: [(&str, &[u64]); 2] =
        [("training", &counts.train), ("validation", &counts.validation)];
    let scene = class_counts("Faces of each class in the split", &names, &sets, look)?;
    write_both(&scene, folder, "class_counts_split")
}

/// Draws `curves` into the run folder; nothing without a run folder or before the first epoch ends.
pub fn draw_curves(trainer: &Trainer) -> Result<()> {
    let history = &trainer.progress.history;
    let Some(folder) = trainer.folder.as_ref().filter(|_| !history.is_empty()) else {
        return Ok(());
    };
    let name = crate::files::name(folder);
    write_both(&curve_chart(&[(name, history.clone())], ChartOptions::default())?, folder, "curves")
}
