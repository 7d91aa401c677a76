//! Softmax and its logarithm along rows.

use crate::Scalar;

/// log p\[i,j\] = (x\[i,j\] − m) − ln Σ_k e^(x\[i,k\] − m), m the row's maximum so that nothing overflows.
/// In this order, so that large scores of similar size do not lose the digits they differ in.
pub fn log_softmax<T: Scalar>(cols: usize, x: &[T], y: &mut [T]) {
    for (x, y) in x.chunks(cols.max(1)).zip(y.chunks_mut(cols.max(1))) {
        let m = x.iter().fold(T::NEG_INFINITY, |a, &v| a.max(v));
        let sum = x.iter().fold(T::ZERO, |a, &v| a + (v - m).exp());
        let log_sum = sum.ln();
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - m) - log_sum;
        }
    }
}

/// p\[i,j\] = e^(x\[i,j\] − m) / Σ_k e^(x\[i,k\] − m).
pub fn softmax<T: Scalar>(cols: usize, x: &[T], y: &mut [T]) {
    for (x, y) in x.chunks(cols.max(1)).zip(y.chunks_mut(cols.max(1))) {
        let m = x.iter().fold(T::NEG_INFINITY, |a, &v| a.max(v));
        let mut sum = T::ZERO;
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - m).exp();
            sum += *y;
        }
        for y in y.iter_mut() {
            *y = *y / sum;
        }
    }
}
