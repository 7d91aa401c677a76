//! Images shifted, rotated and scaled.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::warp::{self, Affine, Border, WarpGeometry};

/// Warps images by affine maps with bilinear interpolation: y\[n,k,i,j\] is x\[n,k\] at row a·i +
/// b·j + c and column d·i + e·j + f, where `[a, b, c, d, e, f]` is the matrix of image n. Outside
/// the image, x is 0 or the nearest pixel of the edge, as `border` says.
///
/// **Shapes**: x and y `[n, c, h, w]`; n matrices.
/// **Gradient**: the warp is linear in x; its adjoint adds ȳ to the four neighbours with the same
/// weights. Saved: the matrices, which get no gradient.
/// **Units**: pixels.
/// **Errors**: [`Error::Shape`] if x does not have four axes, or there is not one matrix per image.
/// **Source**: `torch.nn.functional.grid_sample(align_corners=True)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # use fer_kernels::warp::Border;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 1, 1, 3])?);
/// let half_a_pixel = [1.0, 0.0, 0.0, 0.0, 1.0, 0.5];
/// let y = ops::affine_warp(&mut tape, &x, &[half_a_pixel], Border::Edge)?;
/// assert_eq!(y.value().to_vec(), [1.5, 2.5, 3.0]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.5, 1.0, 1.5]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn affine_warp<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    matrices: &[Affine],
    border: Border,
) -> Result<Var<T>> {
    let s = x.shape();
    if s.len() != 4 || s[0] != matrices.len() {
        let detail =
            format!("x {s:?} and {} matrices, expected [n, c, h, w] and n", matrices.len());
        return Err(Error::shape("affine_warp", detail));
    }
    let layout = x.value().layout();
    let geometry = WarpGeometry { n: s[0], c: s[1], h: s[2], w: s[3], border, layout };
    let y = Tensor::build(s, layout, |y| {
        warp::forward(&geometry, matrices, x.value().as_slice(), y);
    });
    let op = AffineWarpBackward { geometry, matrices: matrices.to_vec() };
    Ok(tape.record(y, &[x], op))
}

struct AffineWarpBackward {
    geometry: WarpGeometry,
    matrices: Vec<Affine>,
}

impl<T: Element> Backward<T> for AffineWarpBackward {
    fn name(&self) -> &'static str {
        "affine_warp"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let g = &self.geometry;
        let gy = grad_output.to_layout(g.layout);
        grads.set(0, || {
            Ok(Tensor::build(gy.shape(), g.layout, |gx| {
                warp::backward_input(g, &self.matrices, gy.as_slice(), gx);
            }))
        })
    }
}
