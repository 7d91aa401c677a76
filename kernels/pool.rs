//! Pooling.
use crate::{Pool2dGeometry, naive};
fn perm<T: Copy + Default>(n: usize, c: usize, p: usize, x: &[T], to_nchw: bool) -> Vec<T> {
    let mut y = vec![T::default(); x.len()];
    for a in 0..n {
        for b in 0..c {
            for q in 0..p {
                let i = (a * c + b) * p + q;
                let j = (a * p + q) * c + b;
                if to_nchw { y[i] = x[j] } else { y[j] = x[i] }
            }
        }
    }
    y
}
/// f
pub fn max_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32], a: &mut [u32]) {
    let x = perm(g.n, g.c, g.h_in * g.w_in, x, true);
    let mut t = vec![0.; y.len()];
    let mut u = vec![0u32; y.len()];
    naive::pool::max_forward(g, &x, &mut t, &mut u);
    y.copy_from_slice(&perm(g.n, g.c, g.h_out * g.w_out, &t, false));
    a.copy_from_slice(&perm(g.n, g.c, g.h_out * g.w_out, &u, false));
}
/// b
pub fn max_backward_input(g: &Pool2dGeometry, gy: &[f32], a: &[u32], gx: &mut [f32]) {
    let gy = perm(g.n, g.c, g.h_out * g.w_out, gy, true);
    let a = perm(g.n, g.c, g.h_out * g.w_out, a, true);
    let mut t = vec![0.; gx.len()];
    naive::pool::max_backward_input(g, &gy, &a, &mut t);
    gx.copy_from_slice(&perm(g.n, g.c, g.h_in * g.w_in, &t, false));
}
/// f
pub fn avg_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    let x = perm(g.n, g.c, g.h_in * g.w_in, x, true);
    let mut t = vec![0.; y.len()];
    naive::pool::avg_forward(g, &x, &mut t);
    y.copy_from_slice(&perm(g.n, g.c, g.h_out * g.w_out, &t, false));
}
/// b
pub fn avg_backward_input(g: &Pool2dGeometry, gy: &[f32], gx: &mut [f32]) {
    let gy = perm(g.n, g.c, g.h_out * g.w_out, gy, true);
    let mut t = vec![0.; gx.len()];
    naive::pool::avg_backward_input(g, &gy, &mut t);
    gx.copy_from_slice(&perm(g.n, g.c, g.h_in * g.w_in, &t, false));
}
