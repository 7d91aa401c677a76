//! Two-dimensional convolution.

use super::sum::sum_axes;
use crate::autograd::tensor::Shape;
use crate::autograd::{Backward, InputGrads, Tape, Tensor, Var};
use crate::error::{Error, Result};
use crate::memory::Element;
use fer_kernels::{Conv2dGeometry, Layout};

/// Steps and borders of a convolution, each (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Step between windows.
    pub stride: [usize; 2],
    /// Zeros added on each side.
    pub padding: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
    /// Independent groups of channels.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// Convolution (without turning the kernel, as the field does):
/// y\[n,o,i,j\] = b\[o\] + Σ_{c,u,v} w\[o,c,u,v\] · x\[n,c, i·s + u·d − p, j·s + v·d − p\].
///
/// **Shapes**: x `[n, c_in, h_in, w_in]`, w `[c_out, c_in/groups, k_h, k_w]`, b `[c_out]`,
/// y `[n, c_out, h_out, w_out]`, h_out = ⌊(h_in + 2p − d(k_h − 1) − 1)/s⌋ + 1.
/// **Gradient**: convolution is linear in x and in w, so each gradient is the adjoint of one of
/// these maps applied to ȳ: `conv2d_backward_input`, `conv2d_backward_weight`; ∂L/∂b = Σ_{n,i,j} ȳ.
/// Saved: x and w.
/// **Errors**: [`Error::Shape`] if the shapes are not these or the window does not fit.
/// **Source**: `torch.nn.functional.conv2d`.
///
/// ```
/// # use fer::{autograd::{Tape, Tensor}, ops};
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 1, 1, 3])?);
/// let w = tape.leaf(Tensor::from_slice(&[10.0, 1.0], &[1, 1, 1, 2])?);
/// let y = ops::conv2d(&mut tape, &x, &w, None, Default::default())?;
/// assert_eq!(y.value().to_vec(), [12.0, 23.0]); // 10·1 + 1·2, 10·2 + 1·3
/// # Ok::<(), fer::Error>(())
/// ```
pub fn conv2d<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    weight: &Var<T>,
    bias: Option<&Var<T>>,
    options: Conv2dOptions,
) -> Result<Var<T>> {
    let geometry = geometry(x.shape(), weight.shape(), options)?;
    let g = &geometry;
    if let Some(b) = bias.filter(|b| *b.shape() != [g.c_out]) {
        let detail = format!("bias {:?} for {} output channels", b.shape(), g.c_out);
        return Err(Error::shape("conv2d", detail));
    }
    let op = Conv2dBackward {
        geometry,
        x: x.value().to_layout(T::LAYOUT),
        weight: weight.value().to_layout(Layout::Nchw),
    };
    let b = bias.map(|b| b.value().as_slice());
    let y = Tensor::build(Shape::new(&[g.n, g.c_out, g.h_out, g.w_out]), T::LAYOUT, |y| {
        T::conv2d_forward(g, op.x.as_slice(), op.weight.as_slice(), b, y);
    });
    Ok(match bias {
        Some(bias) => tape.record(y, &[x, weight, bias], op),
        None => tape.record(y, &[x, weight], op),
    })
}

/// The sizes of a convolution of `x` with `weight`.
pub(crate) fn geometry(sx: Shape, sw: Shape, o: Conv2dOptions) -> Result<Conv2dGeometry> {
    let (Ok(input), Ok(kernel)) = ((*sx).try_into(), (*sw).try_into()) else {
        let detail = format!("x {sx:?} and weight {sw:?}, expected four axes each");
        return Err(Error::shape("conv2d", detail));
    };
    Conv2dGeometry::new(input, kernel, o.stride, o.padding, o.dilation, o.groups)
        .map_err(|e| Error::shape("conv2d", e.to_string()))
}

struct Conv2dBackward<T: Element> {
    geometry: Conv2dGeometry,
    x: Tensor<T>,
    weight: Tensor<T>,
}

impl<T: Element> Backward<T> for Conv2dBackward<T> {
    fn name(&self) -> &'static str {
        "conv2d"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let g = &self.geometry;
        let grad_output = grad_output.to_layout(T::LAYOUT);
        let gy = grad_output.as_slice();
        grads.set(0, || {
            Ok(Tensor::build(self.x.shape(), T::LAYOUT, |gx| {
                T::conv2d_backward_input(g, gy, self.weight.as_slice(), gx);
            }))
        })?;
        grads.set(1, || {
            Ok(Tensor::build(self.weight.shape(), Layout::Nchw, |gw| {
                T::conv2d_backward_weight(g, self.x.as_slice(), gy, gw);
            }))
        })?;
        // Without a bias there is no input 2, and nobody wants its gradient.
        grads.set(2, || sum_axes(&grad_output, &[0, 2, 3])?.reshape(&[g.c_out]))
    }
}
