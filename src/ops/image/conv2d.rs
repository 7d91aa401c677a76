//! Two-dimensional convolution.
//!
//! The plain case first: one image, one channel, one filter, no option. A window of the filter's size slides over
//! the image, and each position gives one number:
//!
//! ```text
//! y[i,j] = b + Σ_{u,v} w[u,v] · x[i+u, j+v]
//! ```
//!
//! Each product w·x sends ȳ·w back to its x and ȳ·x back to its w, as in `mul`, and what meets is added:
//! x̄[i+u, j+v] += ȳ[i,j] · w[u,v] and w̄[u,v] += ȳ[i,j] · x[i+u, j+v]. Everything else counts more of the
//! same: channels add another sum, filters and images another index. Padding puts zeros around the image, stride s
//! reads at i·s instead of i, dilation d reads every d-th pixel, groups let a filter see part of the channels.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{Conv2dGeometry, Layout, Precision};

/// Stride, padding, dilation and groups of a convolution; pairs are (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Step between windows.
    pub stride: [usize; 2],
    /// Zeros added on each side.
    pub padding: [usize; 2],
    /// Distance between neighbouring weights of the kernel, in pixels.
    pub dilation: [usize; 2],
    /// Number of independent groups of channels.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// Computes a convolution; the kernel is not flipped, as usual in neural networks: y\[n,o,i,j\] =
/// b\[o\] + Σ_{c,u,v} w\[o,c,u,v\] · x\[n,c′, i·s + u·d − p, j·s + v·d − p\] with c′ = c +
/// ⌊o·groups/c_out⌋·c_in/groups, the c-th channel of the group of o, and x = 0 outside the image.
/// s, d and p are stride, dilation and padding. Products are in the [precision](Tape::precision) of the
/// tape.
///
/// **Shapes**: x `[n, c_in, h_in, w_in]`, w `[c_out, c_in/groups, k_h, k_w]`, b `[c_out]`,
/// y `[n, c_out, h_out, w_out]`, h_out = ⌊(h_in + 2p − d(k_h − 1) − 1)/s⌋ + 1.
/// **Gradient**: each product w·x of the formula sends ȳ·w to its x and ȳ·x to its w, and what
/// arrives at one element adds up: ∂L/∂w\[o,c,u,v\] = Σ_{n,i,j} ȳ\[n,o,i,j\] · x\[n,c′, i·s + u·d −
/// p, j·s + v·d − p\], ∂L/∂x\[n,c′,y,z\] = Σ ȳ\[n,o,i,j\] · w\[o,c,u,v\] over all o, i, j, u, v
/// with y = i·s + u·d − p and z = j·s + v·d − p, ∂L/∂b\[o\] = Σ_{n,i,j} ȳ\[n,o,i,j\]. Saved: x and
/// w.
/// **Errors**: [`Error::Shape`] if the shapes are not these or the window does not fit.
/// **Source**: `torch.nn.functional.conv2d`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 1, 1, 3])?);
/// let w = tape.leaf(Tensor::from_slice(&[10.0, 1.0], &[1, 1, 1, 2])?);
/// let y = ops::conv2d(&mut tape, &x, &w, None, Default::default())?;
/// assert_eq!(y.value().to_vec(), [12.0, 23.0]); // 10·1 + 1·2, 10·2 + 1·3
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [10.0, 11.0, 1.0]); // the 2 is read twice
/// assert_eq!(gradients.get(&w).unwrap().to_vec(), [3.0, 5.0]); // 1 + 2, 2 + 3
/// # Ok::<(), fer::Error>(())
/// ```
pub fn conv2d<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    weight: &Var<T>,
    bias: Option<&Var<T>>,
    options: Conv2dOptions,
) -> Result<Var<T>> {
    let op = Conv2dBackward::new("conv2d", tape.precision(), [x, weight], bias, options)?;
    let b = bias.map(|b| b.value().as_slice());
    let y = op.output(|precision, g, x, w, y| T::conv2d_forward(precision, g, x, w, b, y));
    Ok(op.record(tape, y, [x, weight], bias))
}

/// Returns the sizes of a convolution of `x` with `weight`. An error names `op`.
pub(crate) fn geometry(
    op: &'static str,
    sx: Shape,
    sw: Shape,
    o: Conv2dOptions,
) -> Result<Conv2dGeometry> {
    let (Ok(input), Ok(kernel)) = ((*sx).try_into(), (*sw).try_into()) else {
        let detail = format!("x {sx:?} and weight {sw:?}, expected four axes each");
        return Err(Error::shape(op, detail));
    };
    Conv2dGeometry::new(input, kernel, o.stride, o.padding, o.dilation, o.groups)
        .map_err(|e| Error::shape(op, e.to_string()))
}

/// The values that a convolution saves for its backward pass.
pub(crate) struct Conv2dBackward<T: Element> {
    /// Name of the op: `conv2d`, or one that does more in the same pass.
    name: &'static str,
    precision: Precision,
    geometry: Conv2dGeometry,
    x: Tensor<T>,
    weight: Tensor<T>,
}

impl<T: Element> Conv2dBackward<T> {
    /// Checks the shapes and brings x and weight into the memory order that the kernels need.
    pub(crate) fn new(
        name: &'static str,
        precision: Precision,
        [x, weight]: [&Var<T>; 2],
        bias: Option<&Var<T>>,
        options: Conv2dOptions,
    ) -> Result<Self> {
        let geometry = geometry(name, x.shape(), weight.shape(), options)?;
        if let Some(b) = bias.filter(|b| *b.shape() != [geometry.c_out]) {
            let detail = format!("bias {:?} for {} output channels", b.shape(), geometry.c_out);
            return Err(Error::shape(name, detail));
        }
        let weight = weight.value().to_layout(Layout::Nchw);
        let x = x.value().to_layout(T::LAYOUT);
        Ok(Self { name, precision, geometry, x, weight })
    }

    pub(crate) fn geometry(&self) -> &Conv2dGeometry {
        &self.geometry
    }

    /// Returns y, which `forward` computes from the precision, the geometry, x and w.
    pub(crate) fn output(
        &self,
        forward: impl FnOnce(Precision, &Conv2dGeometry, &[T], &[T], &mut [T]),
    ) -> Tensor<T> {
        let g = &self.geometry;
        Tensor::build(Shape::new(&[g.n, g.c_out, g.h_out, g.w_out]), T::LAYOUT, |y| {
            forward(self.precision, g, self.x.as_slice(), self.weight.as_slice(), y);
        })
    }

    /// Records the op on the tape.
    pub(crate) fn record(
        self,
        tape: &mut Tape<T>,
        y: Tensor<T>,
        [x, weight]: [&Var<T>; 2],
        bias: Option<&Var<T>>,
    ) -> Var<T> {
        match bias {
            Some(bias) => tape.record(y, &[x, weight, bias], self),
            None => tape.record(y, &[x, weight], self),
        }
    }
}

impl<T: Element> Conv2dBackward<T> {
    fn grad_input(&self, shape: Shape, gy: &[T]) -> Tensor<T> {
        Tensor::build(shape, T::LAYOUT, |gx| {
            let (g, w) = (&self.geometry, self.weight.as_slice());
            T::conv2d_backward_input(self.precision, g, gy, w, gx);
        })
    }

    fn grad_weight(&self, gy: &[T]) -> Tensor<T> {
        Tensor::build(self.weight.shape(), Layout::Nchw, |gw| {
            let (g, x) = (&self.geometry, self.x.as_slice());
            T::conv2d_backward_weight(self.precision, g, x, gy, gw);
        })
    }
}

impl<T: Element> Backward<T> for Conv2dBackward<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let grad_output = grad_output.to_layout(T::LAYOUT);
        let gy = grad_output.as_slice();
        grads.set(0, || Ok(self.grad_input(self.x.shape(), gy)))?;
        grads.set(1, || Ok(self.grad_weight(gy)))?;
        // Without a bias there is no input 2, and `set` does nothing.
        grads.set(2, || grad_output.sum_axes(&[0, 2, 3]).reshape(&[self.geometry.c_out]))
    }
    /// Computes the gradient of x last, when x is freed: it takes the same memory.
    fn backward_once(mut self, grad_output: Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let grad_output = grad_output.to_layout(T::LAYOUT);
        let gy = grad_output.as_slice();
        grads.set(1, || Ok(self.grad_weight(gy)))?;
        grads.set(2, || grad_output.sum_axes(&[0, 2, 3]).reshape(&[self.geometry.c_out]))?;
        let shape = self.x.shape();
        self.x = Tensor::zeros(&[0]);
        grads.set(0, || Ok(self.grad_input(shape, gy)))
    }
}
