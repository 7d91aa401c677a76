//! y = max(0, a + s·b) in one pass over memory.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{ChannelView, Layout};

/// Computes the end of a residual block with squeeze and excitation: scales the branch b by s, adds
/// the shortcut a, and applies ReLU: y\[n,c,i,j\] = max(0, a\[n,c,i,j\] + s\[n,c\]·b\[n,c,i,j\]).
///
/// It equals [`mul`](crate::ops::mul()), [`add`](crate::ops::add()) and
/// [`relu`](crate::ops::relu()) one after the other, without writing their intermediate results to
/// memory.
///
/// **Shapes**: a, b, y `[n, c, h, w]`; s `[n, c]`.
/// **Gradient**: with g′ = ȳ where y > 0, else 0: ∂L/∂a = g′, ∂L/∂s = Σ_{i,j} g′·b, ∂L/∂b = s·g′.
/// Saved: y, s, b.
/// **Errors**: [`Error::Shape`] if the shapes are not these.
/// **Source**: Hu et al. 2018, figure 3.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::from_slice(&[1.0, -9.0], &[1, 1, 1, 2])?);
/// let b = tape.leaf(Tensor::from_slice(&[2.0, 2.0], &[1, 1, 1, 2])?);
/// let s = tape.leaf(Tensor::from_slice(&[0.5], &[1, 1])?);
/// let y = ops::scale_add_relu(&mut tape, &a, &s, &b)?;
/// assert_eq!(y.value().to_vec(), [2.0, 0.0]); // 1 + ½·2, and −9 + ½·2 cut off
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&s).unwrap().to_vec(), [2.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn scale_add_relu<T: Element>(
    tape: &mut Tape<T>,
    a: &Var<T>,
    s: &Var<T>,
    b: &Var<T>,
) -> Result<Var<T>> {
    let shape = a.shape();
    if shape.len() != 4 || b.shape() != shape || *s.shape() != shape[..2] {
        let detail = format!(
            "a {shape:?}, s {:?}, b {:?}; expected [n, c, h, w], [n, c], [n, c, h, w]",
            s.shape(),
            b.shape()
        );
        return Err(Error::shape("scale_add_relu", detail));
    }
    let v = ChannelView { outer: shape[0], channels: shape[1], inner: shape[2] * shape[3] };
    let [a_value, b_value] = [a, b].map(|x| x.value().to_layout(T::LAYOUT));
    let y = Tensor::build(shape, T::LAYOUT, |y| {
        T::scale_add_relu(&v, a_value.as_slice(), s.value().as_slice(), b_value.as_slice(), y);
    });
    let op = ScaleAddReluBackward { v, y: y.clone(), s: s.value().clone(), b: b_value };
    Ok(tape.record(y, &[a, s, b], op))
}

struct ScaleAddReluBackward<T: Element> {
    v: ChannelView,
    y: Tensor<T>,
    s: Tensor<T>,
    b: Tensor<T>,
}

impl<T: Element> Backward<T> for ScaleAddReluBackward<T> {
    fn name(&self) -> &'static str {
        "scale_add_relu"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let gy = grad_output.to_layout(T::LAYOUT);
        let mut grad_a = unfilled(self.y.shape(), T::LAYOUT);
        let mut grad_b = unfilled(self.y.shape(), T::LAYOUT);
        let mut grad_s = unfilled(self.s.shape(), Layout::Nchw);
        T::scale_add_relu_backward(
            &self.v,
            self.y.as_slice(),
            self.s.as_slice(),
            self.b.as_slice(),
            gy.as_slice(),
            grad_a.as_mut_slice(),
            grad_s.as_mut_slice(),
            grad_b.as_mut_slice(),
        );
        grads.set(0, || Ok(grad_a))?;
        grads.set(1, || Ok(grad_s))?;
        grads.set(2, || Ok(grad_b))
    }
}

/// Creates a tensor whose elements the caller must write, every one.
fn unfilled<T: Element>(shape: Shape, layout: Layout) -> Tensor<T> {
    Tensor::build(shape, layout, |_| {})
}
