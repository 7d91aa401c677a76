//! Sending many faces through the network, a bounded number at once.

use crate::explain::BackwardRule;
use crate::explain::{Classifier, Target};
use crate::{PIXELS, Result};
use rayon::prelude::*;

/// Faces in one call of the network: bounds the memory, whatever the number of samples, and leaves
/// every thread several passes to run.
pub const BATCH: usize = 128;

/// Calls `run(first, faces)` on `total` faces, at most [`BATCH`] at once and in order; face i is
/// drawn by `make(i, face)`, on all threads.
pub(crate) fn for_each_batch(
    total: usize,
    make: impl Fn(usize, &mut [f32]) + Sync,
    mut run: impl FnMut(usize, &[f32]) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0.0; BATCH.min(total) * PIXELS];
    for first in (0..total).step_by(BATCH) {
        let faces = &mut buffer[..BATCH.min(total - first) * PIXELS];
        let numbered = faces.par_chunks_exact_mut(PIXELS).enumerate();
        numbered.for_each(|(i, face)| make(first + i, face));
        run(first, faces)?;
    }
    Ok(())
}

/// Logits `[total, classes]` of the faces that `make` draws.
pub fn logits_of(
    model: &dyn Classifier,
    total: usize,
    make: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<Vec<f32>> {
    let mut logits = Vec::with_capacity(total * model.classes());
    for_each_batch(total, make, |_, faces| {
        logits.extend(model.logits(faces)?);
        Ok(())
    })?;
    Ok(logits)
}

/// Probability of `class(i)` for each face that `make` draws.
pub(crate) fn probabilities_of(
    model: &dyn Classifier,
    total: usize,
    make: impl Fn(usize, &mut [f32]) + Sync,
    class: impl Fn(usize) -> usize,
) -> Result<Vec<f32>> {
    let logits = logits_of(model, total, make)?;
    let rows = logits.chunks_exact(model.classes());
    Ok(rows.enumerate().map(|(i, row)| model.probabilities(row)[class(i)]).collect())
}

/// Target scores of the faces that `make` draws.
pub(crate) fn scores_of(
    model: &dyn Classifier,
    total: usize,
    make: impl Fn(usize, &mut [f32]) + Sync,
    target: impl Fn(usize) -> Target,
) -> Result<Vec<f32>> {
    let logits = logits_of(model, total, make)?;
    let rows = logits.chunks_exact(model.classes());
    Ok(rows.enumerate().map(|(i, row)| target(i).score(row)).collect())
}

/// Gradients of the faces that `make` draws, handed over in order as `take(i, score, gradient)`.
pub(crate) fn gradients_of(
    model: &dyn Classifier,
    total: usize,
    rule: BackwardRule,
    make: impl Fn(usize, &mut [f32]) + Sync,
    target: impl Fn(usize) -> Target,
    mut take: impl FnMut(usize, f32, &[f32]),
) -> Result<()> {
    for_each_batch(total, make, |first, faces| {
        let n = faces.len() / PIXELS;
        let targets: Vec<Target> = (first..first + n).map(&target).collect();
        let found = model.input_gradient(faces, &targets, rule)?;
        for (i, gradient) in found.gradient.chunks_exact(PIXELS).enumerate() {
            take(first + i, found.scores[i], gradient);
        }
        Ok(())
    })
}

/// Face i of a slice.
pub fn face(faces: &[f32], i: usize) -> &[f32] {
    &faces[i * PIXELS..(i + 1) * PIXELS]
}
