//! The one place that cuts faces into batches: of bounded memory, and of one pass of the network.

use crate::explain::{BackwardRule, Classifier, Target};
use crate::{PIXELS, Result};
use rayon::prelude::*;

/// Faces in one call of a classifier. Bounds the memory whatever the number of perturbed copies,
/// and gives every thread several passes to run.
pub const BATCH: usize = 128;

/// Faces in one pass of the network: few enough that the output of one layer is still in the cache
/// when the next layer reads it.
const FACES_PER_PASS: usize = 16;

/// Calls `run(first, faces)` for every [`FACES_PER_PASS`] of the faces, on all threads. Returns the
/// results in order.
pub(crate) fn in_passes<R: Send>(
    faces: &[f32],
    run: impl Fn(usize, &[f32]) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let passes = faces.par_chunks(FACES_PER_PASS * PIXELS).enumerate();
    passes.map(|(pass, faces)| run(pass * FACES_PER_PASS, faces)).collect()
}

/// Calls `run(first, faces)` on `total` faces in order, at most [`BATCH`] at once. `draw(i, face)`
/// writes face i, on all threads.
fn for_each_batch(
    total: usize,
    draw: impl Fn(usize, &mut [f32]) + Sync,
    mut run: impl FnMut(usize, &[f32]) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0.0; BATCH.min(total) * PIXELS];
    for first in (0..total).step_by(BATCH) {
        let faces = &mut buffer[..BATCH.min(total - first) * PIXELS];
        let numbered = faces.par_chunks_exact_mut(PIXELS).enumerate();
        numbered.for_each(|(i, face)| draw(first + i, face));
        run(first, faces)?;
    }
    Ok(())
}

/// Returns the logits `[total, classes]` of the faces that `draw` writes.
pub fn logits_of(
    model: &dyn Classifier,
    total: usize,
    draw: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<Vec<f32>> {
    let mut logits = Vec::with_capacity(total * model.classes());
    for_each_batch(total, draw, |_, faces| {
        logits.extend(model.logits(faces)?);
        Ok(())
    })?;
    Ok(logits)
}

/// Returns the probability of `class` on each face that `draw` writes.
pub(crate) fn probabilities_of(
    model: &dyn Classifier,
    class: usize,
    total: usize,
    draw: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<Vec<f32>> {
    let logits = logits_of(model, total, draw)?;
    let rows = logits.chunks_exact(model.classes());
    Ok(rows.map(|row| model.probabilities(row)[class]).collect())
}

/// Returns the score of `target(i)` on each face i that `draw` writes.
pub(crate) fn scores_of(
    model: &dyn Classifier,
    total: usize,
    draw: impl Fn(usize, &mut [f32]) + Sync,
    target: impl Fn(usize) -> Target,
) -> Result<Vec<f32>> {
    let logits = logits_of(model, total, draw)?;
    let rows = logits.chunks_exact(model.classes());
    Ok(rows.enumerate().map(|(i, row)| target(i).score(row)).collect())
}

/// Computes the gradients of the faces that `draw` writes, and hands them over in order as
/// `take(i, gradient)`.
pub(crate) fn gradients_of(
    model: &dyn Classifier,
    total: usize,
    rule: BackwardRule,
    draw: impl Fn(usize, &mut [f32]) + Sync,
    target: impl Fn(usize) -> Target,
    mut take: impl FnMut(usize, &[f32]),
) -> Result<()> {
    for_each_batch(total, draw, |first, faces| {
        let n = faces.len() / PIXELS;
        let targets: Vec<Target> = (first..first + n).map(&target).collect();
        let found = model.input_gradient(faces, &targets, rule)?;
        for (i, gradient) in found.gradient.chunks_exact(PIXELS).enumerate() {
            take(first + i, gradient);
        }
        Ok(())
    })
}

/// Returns face i of a slice `[n, 48, 48]`.
pub fn face(faces: &[f32], i: usize) -> &[f32] {
    &faces[i * PIXELS..(i + 1) * PIXELS]
}
