//! Confusion matrix of the validation faces after an epoch.

use crate::Result;
use crate::metrics::Confusion;
use crate::train::Trainer;

/// Returns the confusion matrix of the last validation; `None` before the first.
pub fn confusion(trainer: &Trainer) -> Result<Option<Confusion>> {
    let Some(predictions) = &trainer.validated else { return Ok(None) };
    let classes = predictions.classes;
    let truth = (0..predictions.len()).filter_map(|i| trainer.validation.label(i).map(usize::from));
    let predicted: Vec<usize> = (0..predictions.len()).map(|i| predictions.class(i)).collect();
    Confusion::new(&truth.collect::<Vec<_>>(), &predicted, classes).map(Some)
}

/// Returns the matrix as a table of text, with a header row and a header column.
pub fn table(confusion: &Confusion, names: &[&str]) -> Vec<Vec<String>> {
    let head = std::iter::once("true \\ predicted").chain(names.iter().copied());
    let mut rows = vec![head.map(String::from).collect::<Vec<_>>()];
    for (name, counts) in names.iter().zip(&confusion.counts) {
        let counts = counts.iter().map(u64::to_string);
        rows.push(std::iter::once(name.to_string()).chain(counts).collect());
    }
    rows
}
