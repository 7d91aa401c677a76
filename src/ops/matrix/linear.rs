//! y = x·Wᵀ + b.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::matrix::matmul::product_in;
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::{Precision, Transpose, elementwise};

/// Computes a fully connected layer: y\[n,o\] = b\[o\] + Σᵢ x\[n,i\] · W\[o,i\], its products in the
/// [precision](Tape::precision) of the tape.
///
/// **Shapes**: x `[n, inputs]`, W `[outputs, inputs]`, b `[outputs]`, y `[n, outputs]`.
/// **Gradient**: ∂L/∂x = Ȳ·W, ∂L/∂W = Ȳᵀ·X, ∂L/∂b = Σₙ ȳ\[n,·\]. Saved: x and W.
/// **Errors**: [`Error::Shape`] if the shapes are not these.
/// **Source**: `torch.nn.functional.linear`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0], &[1, 2])?);
/// let w = tape.leaf(Tensor::from_slice(&[3.0, 4.0], &[1, 2])?);
/// let b = tape.leaf(Tensor::from_slice(&[0.5], &[1])?);
/// let y = ops::linear(&mut tape, &x, &w, &b)?;
/// assert_eq!(y.value().item(), 11.5);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&w).unwrap().to_vec(), [1.0, 2.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn linear<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    weight: &Var<T>,
    bias: &Var<T>,
) -> Result<Var<T>> {
    let (sx, sw, sb) = (x.shape(), weight.shape(), bias.shape());
    if sx.len() != 2 || sw.len() != 2 || sx[1] != sw[1] || *sb != [sw[0]] {
        return Err(Error::shape(
            "linear",
            format!("x {sx:?}, weight {sw:?}, bias {sb:?}; expected [n, in], [out, in], [out]"),
        ));
    }
    let precision = tape.precision();
    let mut y = product_in(precision, x.value(), Transpose::No, weight.value(), Transpose::Yes);
    for row in y.as_mut_slice().chunks_mut(sw[0].max(1)) {
        elementwise::update(row, bias.value().as_slice(), |y, b| y + b);
    }
    let op = LinearBackward { precision, x: x.value().clone(), weight: weight.value().clone() };
    Ok(tape.record(y, &[x, weight, bias], op))
}

struct LinearBackward<T: Element> {
    precision: Precision,
    x: Tensor<T>,
    weight: Tensor<T>,
}

impl<T: Element> Backward<T> for LinearBackward<T> {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        // [n,in] = [n,out] · [out,in]
        grads.set(0, || {
            Ok(product_in(self.precision, grad_output, Transpose::No, &self.weight, Transpose::No))
        })?;
        // [out,in] = [n,out]ᵀ · [n,in]
        grads.set(1, || {
            Ok(product_in(self.precision, grad_output, Transpose::Yes, &self.x, Transpose::No))
        })?;
        grads.set(2, || grad_output.sum_axes(&[0]).reshape(&[grad_output.shape()[1]]))
    }
}
