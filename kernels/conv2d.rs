//! Convolution.
use crate::{Conv2dGeometry, naive};
fn perm(n: usize, c: usize, p: usize, x: &[f32], to_nchw: bool) -> Vec<f32> {
    let mut y = vec![0.; x.len()];
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
/// forward
pub fn forward(g: &Conv2dGeometry, x: &[f32], w: &[f32], b: Option<&[f32]>, y: &mut [f32]) {
    let x = perm(g.n, g.c_in, g.h_in * g.w_in, x, true);
    let mut t = vec![0.; y.len()];
    naive::conv2d::forward(g, &x, w, b, &mut t);
    y.copy_from_slice(&perm(g.n, g.c_out, g.h_out * g.w_out, &t, false));
}
/// bi
pub fn backward_input(g: &Conv2dGeometry, gy: &[f32], w: &[f32], gx: &mut [f32]) {
    let gy = perm(g.n, g.c_out, g.h_out * g.w_out, gy, true);
    let mut t = vec![0.; gx.len()];
    naive::conv2d::backward_input(g, &gy, w, &mut t);
    gx.copy_from_slice(&perm(g.n, g.c_in, g.h_in * g.w_in, &t, false));
}
/// bw
pub fn backward_weight(g: &Conv2dGeometry, x: &[f32], gy: &[f32], gw: &mut [f32]) {
    let gy = perm(g.n, g.c_out, g.h_out * g.w_out, gy, true);
    let x = perm(g.n, g.c_in, g.h_in * g.w_in, x, true);
    naive::conv2d::backward_weight(g, &x, &gy, gw);
}
