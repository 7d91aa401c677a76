//! Sum over axes.

use crate::autograd::tensor::Shape;
use crate::autograd::{Backward, InputGrads, Tape, Tensor, Var};
use crate::error::{Error, Result};
use crate::layout::memory_order;
use crate::memory::Element;
use fer_kernels::reduce::{self, Runs};

/// Sum over the given axes, which stay with size 1: y\[…,0,…\] = Σₐ x\[…,a,…\].
///
/// **Shapes**: x any; y as x with the summed axes of size 1.
/// **Gradient**: ∂L/∂x = ȳ repeated along the summed axes. Nothing is saved.
/// **Errors**: [`Error::Shape`] if an axis does not exist.
/// **Source**: `torch.sum(keepdim=True)`.
///
/// ```
/// # use fer::{autograd::{Tape, Tensor}, ops};
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[2, 2])?);
/// assert_eq!(ops::sum(&mut tape, &x, &[1])?.value().to_vec(), [3.0, 7.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn sum<T: Element>(tape: &mut Tape<T>, x: &Var<T>, axes: &[usize]) -> Result<Var<T>> {
    check_axes("sum", &x.shape(), axes)?;
    let y = sum_axes(x.value(), axes)?;
    Ok(tape.record(y, &[x], SumBackward { shape: x.shape() }))
}

/// Refuses axes that the shape does not have.
pub(crate) fn check_axes(op: &'static str, shape: &Shape, axes: &[usize]) -> Result<()> {
    match axes.iter().find(|&&a| a >= shape.len()) {
        Some(a) => Err(Error::shape(op, format!("shape {shape:?} has no axis {a}"))),
        None => Ok(()),
    }
}

/// The sum without a tape; reduced axes stay with size 1.
///
/// Neighbouring axes are summed together, in the order in which they lie in memory: images that
/// lie channels-last are summed over rows and columns in one sweep.
pub(crate) fn sum_axes<T: Element>(x: &Tensor<T>, axes: &[usize]) -> Result<Tensor<T>> {
    let mut x = x.clone();
    loop {
        let (dims, order) = memory_order(&x.shape(), x.layout());
        let pending = |i: usize| axes.contains(&order[i]) && dims[i] != 1;
        let Some(last) = (0..dims.len()).rev().find(|&i| pending(i)) else { return Ok(x) };
        let first = (0..=last).rev().take_while(|&i| pending(i)).last().unwrap_or(last);
        let runs = Runs {
            outer: dims[..first].iter().product(),
            reduced: dims[first..=last].iter().product(),
            inner: dims[last + 1..].iter().product(),
        };
        let mut shape = x.shape();
        for i in first..=last {
            shape.sizes[order[i]] = 1;
        }
        x = Tensor::build(shape, x.layout(), |y| reduce::sum(&runs, x.as_slice(), y));
    }
}

/// ȳ repeated to `shape`, times `factor`.
pub(crate) fn repeat<T: Element>(
    grad_output: &Tensor<T>,
    shape: &Shape,
    factor: T,
) -> Result<Tensor<T>> {
    let layout = grad_output.layout();
    let ones = Tensor::build(*shape, layout, |y| y.fill(factor));
    super::broadcast::zip_broadcast("sum", &ones, grad_output, |one, g| one * g)
}

struct SumBackward {
    shape: Shape,
}

impl<T: Element> Backward<T> for SumBackward {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || repeat(grad_output, &self.shape, T::ONE))
    }
}
