//! Samples of the ops that work element by element, with broadcasting.

use crate::support::samples::{Sample, distinct, normal, positive, sample};
use fer::ops;
use fer::random::{Purpose, Rng};

/// The last is more than one task of a parallel loop, and no multiple of one.
const SHAPES: &[&[usize]] = &[
    &[],
    &[1],
    &[0],
    &[7],
    &[17],
    &[2, 0, 3],
    &[3, 5],
    &[1, 9],
    &[2, 3, 4, 5],
    &[3, 2, 5, 1],
    &[1, 2, 1, 3, 2, 1],
    &[5, 6571],
];

const PAIRS: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[1], &[1]),
    (&[0], &[0]),
    (&[0, 3], &[1, 3]),
    (&[17], &[17]),
    (&[3], &[1]),
    (&[3], &[]),
    (&[2, 3], &[3]),
    (&[2, 1], &[1, 3]),
    (&[2, 3, 4, 5], &[2, 3, 4, 5]),
    (&[2, 3, 4, 5], &[]),
    (&[2, 3, 4, 5], &[5]),
    (&[2, 3, 4, 5], &[1, 3, 1, 1]),
    (&[2, 3, 4, 5], &[2, 3, 1, 1]),
    (&[3, 1, 1], &[2, 3, 4, 5]),
    (&[1, 3, 1, 5], &[2, 1, 4, 1]),
    (&[2, 1, 3], &[4, 1, 1, 1, 3]),
    (&[3, 1, 2, 1, 2], &[2, 1, 1, 1, 3, 1]),
    (&[2, 17, 33, 31], &[17, 1, 1]),
];

/// Samples of a function of one tensor.
macro_rules! unary {
    ($all:ident, $op:literal, $affine:expr, $data:ident, $f:expr) => {
        for (k, shape) in (0..).zip(SHAPES) {
            $all.push(sample!($op, "", vec![$data(shape, k)], $affine, $f));
        }
    };
}

/// Samples of a function of two tensors that broadcast.
macro_rules! binary {
    ($all:ident, $op:literal, $affine:expr, $f:expr) => {
        for (a, b) in PAIRS {
            // Denominators stay away from 0 and take both signs.
            let b = positive(b, 2).map(|v| if v > 1.5 { -v } else { v });
            $all.push(sample!($op, "", vec![normal(a, 1), b], $affine, $f));
        }
    };
}

pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    binary!(all, "add", &[0, 1], |t, v| ops::add(t, &v[0], &v[1]));
    binary!(all, "sub", &[0, 1], |t, v| ops::sub(t, &v[0], &v[1]));
    binary!(all, "mul", &[0, 1], |t, v| ops::mul(t, &v[0], &v[1]));
    binary!(all, "div", &[0], |t, v| ops::div(t, &v[0], &v[1]));
    unary!(all, "neg", &[0], normal, |t, v| ops::neg(t, &v[0]));
    unary!(all, "exp", &[], normal, |t, v| ops::exp(t, &v[0]));
    unary!(all, "ln", &[], positive, |t, v| ops::ln(t, &v[0]));
    unary!(all, "sqrt", &[], positive, |t, v| ops::sqrt(t, &v[0]));
    unary!(all, "relu", &[], distinct, |t, v| ops::relu(t, &v[0]));
    unary!(all, "sigmoid", &[], normal, |t, v| ops::sigmoid(t, &v[0]));
    unary!(all, "tanh", &[], normal, |t, v| ops::tanh(t, &v[0]));
    with_options(&mut all);
    all
}

fn with_options(all: &mut Vec<Sample>) {
    for (k, shape) in SHAPES.iter().enumerate() {
        let seed = k as u64;
        let slope = [0.01, 0.2, -0.5, 0.0][k % 4];
        let x = vec![distinct(shape, seed)];
        all.push(sample!("leaky_relu", format!("slope {slope}"), x, &[], move |t, v| {
            ops::leaky_relu(t, &v[0], slope)
        }));
        let p = [2.0, 0.5, -1.0, 3.0, 1.0, -1.5, 0.0, 2.5][k % 8];
        let x = vec![positive(shape, seed)];
        all.push(sample!("pow", format!("p {p}"), x, &[], move |t, v| ops::pow(t, &v[0], p)));
        let drop = [0.25, 0.5, 0.0, 0.9][k % 4];
        let x = vec![normal(shape, seed)];
        all.push(sample!("dropout", format!("p {drop}"), x, &[0], move |t, v| {
            ops::dropout(t, &v[0], drop, Rng::new(1, Purpose::Dropout, 0, seed))
        }));
    }
    for p in [1.0, 2.0, 3.0, -2.0] {
        let x = vec![distinct(&[3, 5], 1).map(|v| 8.0 * v)];
        all.push(sample!("pow", format!("p {p}, both signs"), x, &[], move |t, v| {
            ops::pow(t, &v[0], p)
        }));
    }
}
