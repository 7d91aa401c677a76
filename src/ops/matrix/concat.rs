//! Concatenation: tensors joined along an axis.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::Layout;

/// Concatenates tensors along an axis.
///
/// **Shapes**: inputs equal except along `axis`, where the size of y is their sum.
/// **Gradient**: to each input its part of ȳ. Nothing is saved.
/// **Errors**: [`Error::Shape`] if there is no input, the axis does not exist, or another size
/// differs.
/// **Source**: `torch.cat`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::from_slice(&[1.0, 2.0], &[2, 1])?);
/// let b = tape.leaf(Tensor::from_slice(&[3.0, 4.0], &[2, 1])?);
/// let y = ops::concat(&mut tape, &[&a, &b], 1)?;
/// assert_eq!(y.value().to_vec(), [1.0, 3.0, 2.0, 4.0]);
/// let gradients = tape.backward_from(&y, Tensor::from_slice(&[5.0, 6.0, 7.0, 8.0], &[2, 2])?)?;
/// assert_eq!(gradients.get(&b).unwrap().to_vec(), [6.0, 8.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn concat<T: Element>(tape: &mut Tape<T>, inputs: &[&Var<T>], axis: usize) -> Result<Var<T>> {
    let Some(first) = inputs.first() else {
        return Err(Error::shape("concat", "needs at least one tensor"));
    };
    let mut shape = first.shape();
    if axis >= shape.len() {
        return Err(Error::shape("concat", format!("shape {shape:?} has no axis {axis}")));
    }
    for x in inputs {
        let fits = x.shape().len() == shape.len()
            && (0..shape.len()).all(|a| a == axis || x.shape()[a] == shape[a]);
        if !fits {
            let detail =
                format!("{shape:?} and {:?} differ in an axis other than {axis}", x.shape());
            return Err(Error::shape("concat", detail));
        }
    }
    let sizes: Vec<usize> = inputs.iter().map(|x| x.shape()[axis]).collect();
    shape.sizes[axis] = sizes.iter().sum();
    let inner: usize = shape[axis + 1..].iter().product();
    let parts: Vec<_> = inputs.iter().map(|x| x.value().to_layout(Layout::Nchw)).collect();
    let y = Tensor::build(shape, Layout::Nchw, |y| {
        let row = shape[axis] * inner;
        let mut start = 0;
        for (part, size) in parts.iter().zip(&sizes) {
            let len = size * inner;
            for (y, x) in y.chunks_mut(row.max(1)).zip(part.as_slice().chunks(len.max(1))) {
                y[start..start + len].copy_from_slice(x);
            }
            start += len;
        }
    });
    Ok(tape.record(y, inputs, ConcatBackward { shape, axis, sizes }))
}

struct ConcatBackward {
    shape: Shape,
    axis: usize,
    sizes: Vec<usize>,
}

impl<T: Element> Backward<T> for ConcatBackward {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let grad_output = grad_output.to_layout(Layout::Nchw);
        let inner: usize = self.shape[self.axis + 1..].iter().product();
        let row = self.shape[self.axis] * inner;
        let mut start = 0;
        for (i, size) in self.sizes.iter().enumerate() {
            let len = size * inner;
            grads.set(i, || {
                let mut shape = self.shape;
                shape.sizes[self.axis] = *size;
                Ok(Tensor::build(shape, Layout::Nchw, |x| {
                    let rows = grad_output.as_slice().chunks(row.max(1));
                    for (x, g) in x.chunks_mut(len.max(1)).zip(rows) {
                        x.copy_from_slice(&g[start..start + len]);
                    }
                }))
            })?;
            start += len;
        }
        Ok(())
    }
}
