//! Matrix product in three loops.

use crate::{GemmGeometry, Scalar, Transpose};

/// Computes C\[i,j\] = Σ_p A\[i,p\] · B\[p,j\]; with `accumulate` the product is added to C.
pub fn gemm<T: Scalar>(g: &GemmGeometry, a: &[T], b: &[T], c: &mut [T], accumulate: bool) {
    for i in 0..g.m {
        for j in 0..g.n {
            let mut sum = if accumulate { c[i * g.n + j] } else { T::ZERO };
            for p in 0..g.k {
                let a_ip = match g.trans_a {
                    Transpose::No => a[i * g.k + p],
                    Transpose::Yes => a[p * g.m + i],
                };
                let b_pj = match g.trans_b {
                    Transpose::No => b[p * g.n + j],
                    Transpose::Yes => b[j * g.k + p],
                };
                sum += a_ip * b_pj;
            }
            c[i * g.n + j] = sum;
        }
    }
}
