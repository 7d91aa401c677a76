//! Winograd convolution: 3×3 filters, stride 1, with fewer products.
mod backward_weight;
mod forward;
mod tiles;
mod transform;
mod variant;

use crate::Conv2dGeometry;
use crate::conv2d::Filters;
use variant::F2;

/// The convolution described by `g` (3×3, stride 1, one group).
pub(crate) fn correlate(
    g: &Conv2dGeometry,
    x: &[f32],
    filters: &Filters,
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    forward::correlate::<F2, 2, 4>(g, x, filters, bias, y);
}

/// grad_weight of the convolution described by `g` (3×3, stride 1, one group).
pub(crate) fn backward_weight(
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    backward_weight::backward_weight::<F2, 2, 4>(g, x, grad_output, grad_weight);
}
