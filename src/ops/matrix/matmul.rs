//! C = A·B.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{GemmGeometry, Layout, Precision, Transpose};

/// Multiplies two matrices: C\[i,j\] = Σₚ A\[i,p\] · B\[p,j\].
///
/// **Shapes**: A `[m, k]`, B `[k, n]`, C `[m, n]`.
/// **Gradient**: ∂L/∂A = C̄·Bᵀ `[m,n]·[n,k]`, ∂L/∂B = Aᵀ·C̄ `[k,m]·[m,n]`. Saved: A and B.
/// **Errors**: [`Error::Shape`] if A is not `[m, k]` with B `[k, n]`.
/// **Source**: `torch.mm`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::from_slice(&[1.0, 2.0], &[1, 2])?);
/// let b = tape.leaf(Tensor::from_slice(&[3.0, 4.0], &[2, 1])?);
/// let c = ops::matmul(&mut tape, &a, &b)?;
/// assert_eq!(c.value().item(), 11.0); // 1·3 + 2·4
/// let gradients = tape.backward_from(&c, Tensor::full(&c.shape(), 1.0))?;
/// assert_eq!(gradients.get(&a).unwrap().to_vec(), [3.0, 4.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn matmul<T: Element>(tape: &mut Tape<T>, a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let (sa, sb) = (a.shape(), b.shape());
    if sa.len() != 2 || sb.len() != 2 || sa[1] != sb[0] {
        return Err(Error::shape("matmul", format!("{sa:?} · {sb:?}, expected [m, k] · [k, n]")));
    }
    let c = product(a.value(), Transpose::No, b.value(), Transpose::No);
    let op = MatmulBackward { a: a.value().clone(), b: b.value().clone() };
    Ok(tape.record(c, &[a, b], op))
}

/// Returns op(A)·op(B) of two matrices whose inner sizes agree; op is the identity or the
/// transpose.
fn product<T: Element>(
    a: &Tensor<T>,
    trans_a: Transpose,
    b: &Tensor<T>,
    trans_b: Transpose,
) -> Tensor<T> {
    product_in(Precision::F32, a, trans_a, b, trans_b)
}

/// Computes [`product`] in a precision.
pub(crate) fn product_in<T: Element>(
    precision: Precision,
    a: &Tensor<T>,
    trans_a: Transpose,
    b: &Tensor<T>,
    trans_b: Transpose,
) -> Tensor<T> {
    let sizes = |x: &Tensor<T>, t| match t {
        Transpose::No => (x.shape()[0], x.shape()[1]),
        Transpose::Yes => (x.shape()[1], x.shape()[0]),
    };
    let ((m, k), (_, n)) = (sizes(a, trans_a), sizes(b, trans_b));
    let g = GemmGeometry { m, n, k, trans_a, trans_b };
    Tensor::build(Shape::new(&[m, n]), Layout::Nchw, |c| {
        T::gemm(precision, &g, a.as_slice(), b.as_slice(), c, false);
    })
}

struct MatmulBackward<T: Element> {
    a: Tensor<T>,
    b: Tensor<T>,
}

impl<T: Element> Backward<T> for MatmulBackward<T> {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        // [m,k] = [m,n] · [k,n]ᵀ
        grads.set(0, || Ok(product(grad_output, Transpose::No, &self.b, Transpose::Yes)))?;
        // [k,n] = [m,k]ᵀ · [m,n]
        grads.set(1, || Ok(product(&self.a, Transpose::Yes, grad_output, Transpose::No)))
    }
}
