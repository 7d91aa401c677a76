//! Samples of batch norm in both modes, and of the ops that do several layers' work in one pass.

use crate::support::samples::{Sample, normal, positive, sample};
use fer::ops;
use fer::tensor::Tensor;

pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    let train: &[&[usize]] = &[
        &[2, 1],
        &[4, 3],
        &[5, 17],
        &[3, 0],
        &[3, 1, 1, 1],
        &[1, 2, 1, 3],
        &[2, 3, 4, 5],
        &[3, 8, 2, 2],
        &[2, 0, 3, 3],
        &[1, 17, 3, 3],
        &[4, 33, 12, 12],
    ];
    for (k, shape) in train.iter().enumerate() {
        let eps = [1e-5, 1e-3, 0.1][k % 3];
        let about = format!("train, eps {eps}");
        all.push(sample!("batch_norm", about, inputs(shape), &[1, 2], move |t, v| {
            Ok(ops::batch_norm_train(t, &v[0], &v[1], &v[2], eps, None)?.0)
        }));
    }
    let eval: &[&[usize]] = &[
        &[1, 1],
        &[0, 3],
        &[4, 3],
        &[5, 17],
        &[0, 2, 3, 3],
        &[1, 1, 1, 1],
        &[2, 3, 4, 5],
        &[1, 17, 3, 3],
        &[4, 33, 12, 12],
    ];
    for shape in eval {
        let (mean, var) = (normal(&shape[1..2], 4), positive(&shape[1..2], 5));
        all.push(sample!("batch_norm", "eval", inputs(shape), &[0, 1, 2], {
            let (mean, var) = (mean.clone(), var.clone());
            move |t, v| {
                let (mean, var) = (mean.cast(), var.cast());
                ops::batch_norm_eval(t, &v[0], &v[1], &v[2], &mean, &var, 1e-5)
            }
        }));
    }
    all.extend(fused());
    all.extend(residual_ends());
    all
}

/// Shortcut, weight a channel, branch.
fn residual_ends() -> Vec<Sample> {
    let shapes: [[usize; 4]; 8] = [
        [1, 1, 1, 1],
        [0, 2, 3, 3],
        [2, 0, 3, 3],
        [2, 3, 4, 5],
        [3, 8, 2, 2],
        [1, 17, 3, 3],
        [2, 33, 5, 6],
        [2, 16, 1, 7],
    ];
    let sample = |shape: [usize; 4]| {
        let inputs = vec![normal(&shape, 1), normal(&shape[..2], 2), normal(&shape, 3)];
        sample!("scale_add_relu", "", inputs, &[], |t, v| {
            ops::scale_add_relu(t, &v[0], &v[1], &v[2])
        })
    };
    shapes.into_iter().map(sample).collect()
}

/// Batch norm, ReLU and pooling in one op, with windows of 1 and 2 and pixels outside of any.
fn fused() -> Vec<Sample> {
    let mut all = Vec::new();
    let shapes: &[(&[usize], usize)] = &[
        (&[4, 3], 1),
        (&[3, 0], 1),
        (&[5, 17], 1),
        (&[2, 3, 4, 5], 1),
        (&[2, 3, 4, 5], 2),
        (&[1, 2, 2, 3], 2),
        (&[2, 0, 3, 3], 2),
        (&[3, 17, 5, 7], 2),
        (&[2, 33, 6, 6], 2),
        (&[2, 35, 3, 4], 1),
    ];
    for &(shape, window) in shapes {
        let about = format!("train, window {window}");
        all.push(sample!("batch_norm_relu", about, inputs(shape), &[], move |t, v| {
            Ok(ops::batch_norm_relu_train(t, &v[0], &v[1], &v[2], 1e-3, window, None)?.0)
        }));
        let (mean, var) = (normal(&shape[1..2], 4), positive(&shape[1..2], 5));
        let about = format!("eval, window {window}");
        all.push(sample!("batch_norm_relu", about, inputs(shape), &[], {
            let (mean, var) = (mean.clone(), var.clone());
            move |t, v| {
                let (mean, var) = (mean.cast(), var.cast());
                let (factors, fixed) = ([&v[1], &v[2]], [&mean, &var]);
                ops::batch_norm_relu_eval(t, &v[0], factors, fixed, 1e-3, window)
            }
        }));
    }
    all
}

/// x with a mean and a spread of its own in each channel, γ and β.
fn inputs(shape: &[usize]) -> Vec<Tensor<f64>> {
    let c = shape[1];
    let inner: usize = shape[2..].iter().product();
    let noise = normal(shape, 1).to_vec();
    let of = |i: usize| (i / inner % c) as f64 / 4.0;
    let x = Tensor::from_fn(shape, |i| f64::from((noise[i] * (1.0 + of(i)) - of(i)) as f32));
    vec![x, normal(&[c], 2), normal(&[c], 3)]
}
