//! Convolution, and the statistics of its output that a batch norm needs.

use crate::Result;
use crate::autograd::{Tape, Var};
use crate::ops::BatchStatistics;
use crate::ops::image::conv2d::{Conv2dBackward, Conv2dOptions};
use crate::tensor::{Element, Shape, Tensor};

/// Computes a convolution, and mean and (biased) variance of each channel of its output: y as in
/// [`conv2d`](crate::ops::conv2d()), mean\[o\] = Σ_{n,i,j} y\[n,o,i,j\] / m,
/// var\[o\] = Σ_{n,i,j} (y\[n,o,i,j\] − mean\[o\])² / m, m = n·h_out·w_out.
///
/// The statistics have the same bits as those that
/// [`batch_norm_train`](crate::ops::batch_norm_train()) computes from y. Here they are computed
/// while y is in cache, which saves one read of y from memory. Pass them to the batch norm of this
/// y.
///
/// **Shapes**: as [`conv2d`](crate::ops::conv2d()); mean and var `[c_out]`.
/// **Gradient**: that of [`conv2d`](crate::ops::conv2d()). The statistics are not variables of the
/// tape and carry no gradient. No gradient is lost: the ∂L/∂x of the batch norm, which arrives here
/// as ȳ, contains the paths through its mean and variance. Saved: x and w.
/// **Errors**: [`Error::Shape`](crate::Error::Shape) as [`conv2d`](crate::ops::conv2d()). If m = 0,
/// the statistics are NaN, and the batch norm returns an error.
/// **Source**: Ioffe and Szegedy 2015; Jung et al. 2019, *Restructuring Batch Normalization to
/// Accelerate CNN Training*.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 1, 1, 3])?);
/// let w = tape.leaf(Tensor::from_slice(&[10.0, 1.0], &[1, 1, 1, 2])?);
/// let (y, batch) = ops::conv2d_statistics(&mut tape, &x, &w, None, Default::default())?;
/// assert_eq!(y.value().to_vec(), [12.0, 23.0]); // 10·1 + 1·2, 10·2 + 1·3
/// assert_eq!((batch.mean.item(), batch.var.item()), (17.5, 30.25)); // (12 + 23)/2, 5.5²
/// # Ok::<(), fer::Error>(())
/// ```
pub fn conv2d_statistics<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    weight: &Var<T>,
    bias: Option<&Var<T>>,
    options: Conv2dOptions,
) -> Result<(Var<T>, BatchStatistics<T>)> {
    let op =
        Conv2dBackward::new("conv2d_statistics", tape.precision(), [x, weight], bias, options)?;
    let g = op.geometry();
    let count = g.n * g.h_out * g.w_out;
    let channel = Shape::new(&[g.c_out]);
    let (mut mean, mut var) = (Tensor::zeros(&channel), Tensor::zeros(&channel));
    let b = bias.map(|b| b.value().as_slice());
    let y = op.output(|precision, g, x, w, y| {
        let statistics = [mean.as_mut_slice(), var.as_mut_slice()];
        T::conv2d_forward_statistics(precision, g, x, w, b, y, statistics);
    });
    let y = op.record(tape, y, [x, weight], bias);
    Ok((y, BatchStatistics { mean, var, count }))
}
