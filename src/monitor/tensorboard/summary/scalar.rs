//! Scalars: one number per step, drawn as a curve.

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;

/// Returns the summary of `value`, an f32 tensor without dimensions. NaN and infinity are kept:
/// TensorBoard marks them on the curve.
pub fn scalar(tag: &str, value: f32) -> Summary {
    Summary::new(tag, "scalars", tensor::floats(&[], &[value]))
}
