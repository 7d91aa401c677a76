//! Softmax and log-softmax of the rows of a matrix, and their gradients.

use crate::Scalar;

/// Computes log p\[i,j\] = (x\[i,j\] − m) − ln Σ_k e^(x\[i,k\] − m), where m is the row's maximum,
/// which prevents overflow. Subtracting m first keeps the digits in which large logits of similar
/// size differ.
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

/// Computes p\[i,j\] = e^(x\[i,j\] − m) / Σ_k e^(x\[i,k\] − m).
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

/// Computes grad_input\[i,j\] = g\[i,j\] − e^(y\[i,j\]) · Σ_k g\[i,k\], where y is the result of
/// [`log_softmax`].
pub fn log_softmax_backward<T: Scalar>(
    cols: usize,
    y: &[T],
    grad_output: &[T],
    grad_input: &mut [T],
) {
    let cols = cols.max(1);
    let rows = y.chunks(cols).zip(grad_output.chunks(cols));
    for (x, (y, g)) in grad_input.chunks_mut(cols).zip(rows) {
        let sum = g.iter().fold(T::ZERO, |s, &g| s + g);
        for ((x, &y), &g) in x.iter_mut().zip(y).zip(g) {
            *x = g - y.exp() * sum;
        }
    }
}

/// Computes grad_input\[i,j\] = p\[i,j\] · (g\[i,j\] − Σ_k g\[i,k\]·p\[i,k\]), where p is the
/// result of [`softmax`].
pub fn softmax_backward<T: Scalar>(cols: usize, p: &[T], grad_output: &[T], grad_input: &mut [T]) {
    let cols = cols.max(1);
    let rows = p.chunks(cols).zip(grad_output.chunks(cols));
    for (x, (p, g)) in grad_input.chunks_mut(cols).zip(rows) {
        let dot = p.iter().zip(g).fold(T::ZERO, |s, (&p, &g)| s + p * g);
        for ((x, &p), &g) in x.iter_mut().zip(p).zip(g) {
            *x = p * (g - dot);
        }
    }
}
