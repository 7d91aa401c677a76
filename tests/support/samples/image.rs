//! Samples of the ops on images: convolution, pooling, warping.

use crate::support::samples::{Sample, distinct, normal, sample};
use fer::ops::{self, Conv2dOptions, Pool2dOptions};
use fer_kernels::warp::{Affine, Border};

pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    conv2d(&mut all);
    pools(&mut all);
    global_average(&mut all);
    warps(&mut all);
    all
}

/// What it is about; x; weight; stride, padding, dilation; groups.
type Convolution = (&'static str, [usize; 4], [usize; 4], [[usize; 2]; 3], usize);

const PLAIN: [[usize; 2]; 3] = [[1, 1], [0, 0], [1, 1]];
const SAME: [[usize; 2]; 3] = [[1, 1], [1, 1], [1, 1]];

const CONVOLUTIONS: &[Convolution] = &[
    ("one of everything", [1, 1, 1, 1], [1, 1, 1, 1], PLAIN, 1),
    ("no image", [0, 2, 3, 3], [2, 2, 3, 3], SAME, 1),
    ("no filter", [2, 2, 3, 3], [0, 2, 3, 3], SAME, 1),
    ("no channel", [2, 0, 3, 3], [2, 0, 3, 3], SAME, 1),
    ("only padding", [2, 2, 0, 3], [2, 2, 2, 2], SAME, 1),
    ("3x3 same", [2, 2, 4, 5], [3, 2, 3, 3], SAME, 1),
    ("3x3 on one pixel", [2, 3, 1, 1], [2, 3, 3, 3], SAME, 1),
    ("1x1", [2, 5, 3, 2], [3, 5, 1, 1], PLAIN, 1),
    ("1x1, stride 2", [1, 3, 5, 4], [2, 3, 1, 1], [[2, 2], [0, 0], [1, 1]], 1),
    ("stride 2, rows left over", [2, 2, 6, 7], [2, 2, 3, 3], [[2, 2], [1, 1], [1, 1]], 1),
    ("stride over kernel", [1, 2, 8, 7], [2, 2, 2, 2], [[3, 4], [0, 0], [1, 1]], 1),
    ("padding over kernel", [1, 1, 3, 2], [2, 1, 2, 2], [[1, 1], [3, 2], [1, 1]], 1),
    ("dilation", [1, 2, 7, 6], [2, 2, 3, 2], [[1, 1], [2, 1], [2, 3]], 1),
    ("whole image", [3, 2, 4, 3], [2, 2, 4, 3], PLAIN, 1),
    ("groups", [2, 4, 4, 3], [6, 2, 3, 3], SAME, 2),
    ("depthwise", [1, 3, 4, 5], [3, 1, 3, 3], SAME, 3),
    ("depthwise, twice the channels", [1, 3, 4, 4], [6, 1, 3, 3], SAME, 3),
    ("everything at once", [2, 4, 7, 6], [4, 2, 3, 2], [[2, 3], [2, 1], [2, 1]], 2),
    ("rows and columns differ", [1, 2, 3, 9], [2, 2, 1, 5], [[1, 2], [0, 2], [1, 1]], 1),
    ("beyond a vector register", [1, 17, 3, 3], [9, 17, 3, 3], SAME, 1),
    ("a layer", [3, 16, 13, 12], [24, 16, 3, 3], SAME, 1),
    ("a layer of groups", [2, 32, 9, 9], [32, 4, 3, 3], [[2, 2], [1, 1], [1, 1]], 8),
    ("first layer", [2, 1, 24, 24], [16, 1, 5, 5], [[1, 1], [2, 2], [1, 1]], 1),
];

fn conv2d(all: &mut Vec<Sample>) {
    for &(about, x, weight, [stride, padding, dilation], groups) in CONVOLUTIONS {
        let options = Conv2dOptions { stride, padding, dilation, groups };
        let inputs = || vec![normal(&x, 1), normal(&weight, 2)];
        all.push(sample!("conv2d", about, inputs(), &[0, 1], move |t, v| {
            ops::conv2d(t, &v[0], &v[1], None, options)
        }));
        all.push(sample!("conv2d_statistics", about, inputs(), &[0, 1], move |t, v| {
            Ok(ops::conv2d_statistics(t, &v[0], &v[1], None, options)?.0)
        }));
        let mut with_bias = inputs();
        with_bias.push(normal(&weight[..1], 3));
        let about = format!("{about}, bias");
        all.push(sample!("conv2d", about, with_bias.clone(), &[0, 1, 2], move |t, v| {
            ops::conv2d(t, &v[0], &v[1], Some(&v[2]), options)
        }));
        all.push(sample!("conv2d_statistics", about, with_bias, &[0, 1, 2], move |t, v| {
            Ok(ops::conv2d_statistics(t, &v[0], &v[1], Some(&v[2]), options)?.0)
        }));
    }
}

fn pools(all: &mut Vec<Sample>) {
    let windows = [
        // x, kernel, stride, padding
        ([1, 1, 1, 1], [1, 1], [1, 1], [0, 0]),
        ([0, 2, 4, 4], [2, 2], [2, 2], [0, 0]),
        ([2, 0, 4, 4], [2, 2], [2, 2], [0, 0]),
        ([2, 3, 4, 6], [2, 2], [2, 2], [0, 0]),
        ([1, 2, 7, 5], [2, 2], [2, 2], [0, 0]),
        ([2, 2, 5, 5], [3, 3], [2, 2], [1, 1]),
        ([2, 2, 4, 5], [3, 3], [1, 1], [1, 1]),
        ([1, 2, 7, 8], [2, 2], [3, 4], [0, 0]),
        ([1, 3, 5, 4], [3, 2], [2, 1], [1, 1]),
        ([1, 2, 1, 6], [2, 4], [1, 3], [1, 2]),
        ([3, 1, 3, 3], [3, 3], [1, 1], [0, 0]),
        ([2, 17, 5, 3], [2, 3], [1, 2], [1, 0]),
        ([3, 33, 24, 24], [2, 2], [2, 2], [0, 0]),
    ];
    for (x, kernel, stride, padding) in windows {
        let options = Pool2dOptions { kernel, stride, padding };
        let about = format!("kernel {kernel:?} stride {stride:?} padding {padding:?}");
        all.push(sample!("max_pool2d", about, vec![distinct(&x, 1)], &[], move |t, v| {
            ops::max_pool2d(t, &v[0], options)
        }));
        all.push(sample!("avg_pool2d", about, vec![normal(&x, 1)], &[0], move |t, v| {
            ops::avg_pool2d(t, &v[0], options)
        }));
    }
}

fn global_average(all: &mut Vec<Sample>) {
    let shapes = [
        [1, 1, 1, 1],
        [0, 3, 2, 2],
        [2, 0, 2, 2],
        [2, 3, 1, 1],
        [2, 1, 4, 5],
        [2, 3, 4, 5],
        [3, 17, 1, 7],
        [1, 5, 7, 1],
        [4, 33, 16, 16],
    ];
    for shape in shapes {
        all.push(sample!("global_avg_pool2d", "", vec![normal(&shape, 1)], &[0], move |t, v| {
            ops::global_avg_pool2d(t, &v[0])
        }));
    }
}

fn warps(all: &mut Vec<Sample>) {
    let matrices: [(&str, Affine); 7] = [
        ("still", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ("whole pixels", [1.0, 0.0, 1.0, 0.0, 1.0, -2.0]),
        ("parts of pixels", [1.0, 0.0, -0.3, 0.0, 1.0, 0.8]),
        ("mirror", [1.0, 0.0, 0.0, 0.0, -1.0, 4.0]),
        ("turn", [0.8, -0.6, 1.1, 0.6, 0.8, -0.7]),
        ("zoom and shear", [0.6, 0.1, 0.4, -0.2, 1.7, 1.1]),
        ("all outside", [1.0, 0.0, 9.5, 0.0, 1.0, 0.0]),
    ];
    let shapes = [[1, 1, 1, 1], [2, 3, 5, 4], [1, 2, 1, 6], [3, 1, 4, 5]];
    for border in [Border::Zeros, Border::Edge] {
        for (k, (about, matrix)) in matrices.into_iter().enumerate() {
            let shape = shapes[k % 4];
            // Each picture of the batch has its own matrix.
            let each: Vec<Affine> =
                (0..shape[0]).map(|n| matrix.map(|m| m + 0.25 * n as f64)).collect();
            let about = format!("{about}, {border:?}");
            all.push(sample!("affine_warp", about, vec![normal(&shape, 1)], &[0], {
                let each = each.clone();
                move |t, v| ops::affine_warp(t, &v[0], &each, border)
            }));
        }
        for shape in [[0, 2, 3, 3], [1, 0, 3, 3], [1, 2, 0, 3], [1, 2, 3, 0]] {
            let each = vec![matrices[4].1; shape[0]];
            all.push(sample!("affine_warp", "empty", vec![normal(&shape, 1)], &[0], {
                let each = each.clone();
                move |t, v| ops::affine_warp(t, &v[0], &each, border)
            }));
        }
    }
}
