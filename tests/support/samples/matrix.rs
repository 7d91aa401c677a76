//! Samples of products, changes of shape, and reductions.

use crate::support::samples::{Sample, distinct, normal, sample};
use fer::ops;

/// m, k, n: sizes of 0 and 1, and on both sides of a vector register.
const PRODUCTS: &[[usize; 3]] = &[
    [1, 1, 1],
    [0, 3, 2],
    [2, 0, 3],
    [2, 3, 0],
    [2, 3, 4],
    [1, 17, 1],
    [7, 1, 5],
    [8, 16, 8],
    [9, 7, 17],
    [65, 33, 31],
];

const REDUCTIONS: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[1], &[0]),
    (&[7], &[0]),
    (&[3, 5], &[0]),
    (&[3, 5], &[1]),
    (&[3, 5], &[]),
    (&[3, 5], &[1, 0]),
    (&[0, 3], &[1]),
    (&[2, 3, 4], &[0, 2]),
    (&[2, 3, 4, 5], &[1]),
    (&[2, 3, 4, 5], &[3]),
    (&[2, 3, 4, 5], &[2, 3]),
    (&[2, 3, 4, 5], &[0, 2, 3]),
    (&[2, 3, 4, 5], &[1, 3]),
    (&[2, 3, 4, 5], &[0, 1, 2, 3]),
    (&[2, 1, 3, 1, 2, 2], &[2, 4, 1]),
    (&[33, 1021], &[0]),
    (&[33, 1021], &[0, 1]),
    (&[2, 17, 33, 31], &[0, 2, 3]),
];

pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    products(&mut all);
    shapes(&mut all);
    concat(&mut all);
    for (shape, axes) in REDUCTIONS {
        let about = format!("over {axes:?}");
        let x = || vec![normal(shape, 1)];
        all.push(sample!("sum", about, x(), &[0], move |t, v| ops::sum(t, &v[0], axes)));
        all.push(sample!("mean", about, x(), &[0], move |t, v| ops::mean(t, &v[0], axes)));
        let x = vec![distinct(shape, 1)];
        all.push(sample!("max", about, x, &[], move |t, v| ops::max(t, &v[0], axes)));
    }
    // Nothing to add up is 0; the mean of nothing is not a number.
    let x = || vec![normal(&[0, 3], 1)];
    all.push(sample!("sum", "of nothing", x(), &[0], move |t, v| ops::sum(t, &v[0], &[0])));
    all.push(sample!("mean", "of nothing", x(), &[], move |t, v| ops::mean(t, &v[0], &[0])));
    all
}

fn products(all: &mut Vec<Sample>) {
    for &[m, k, n] in PRODUCTS {
        let (a, b) = (normal(&[m, k], 1), normal(&[k, n], 2));
        all.push(sample!("matmul", "", vec![a, b], &[0, 1], move |t, v| {
            ops::matmul(t, &v[0], &v[1])
        }));
        let inputs = vec![normal(&[m, k], 1), normal(&[n, k], 2), normal(&[n], 3)];
        all.push(sample!("linear", "", inputs, &[0, 1, 2], move |t, v| {
            ops::linear(t, &v[0], &v[1], &v[2])
        }));
    }
}

fn shapes(all: &mut Vec<Sample>) {
    let permutations: &[(&[usize], &[usize])] = &[
        (&[], &[]),
        (&[5], &[0]),
        (&[1, 4], &[1, 0]),
        (&[3, 5], &[1, 0]),
        (&[3, 5], &[0, 1]),
        (&[0, 3], &[1, 0]),
        (&[2, 3, 4], &[2, 0, 1]),
        (&[2, 3, 4, 5], &[0, 2, 3, 1]),
        (&[2, 3, 4, 5], &[3, 0, 1, 2]),
        (&[2, 3, 4, 5], &[1, 0, 3, 2]),
        (&[2, 1, 3, 2, 1, 2], &[5, 3, 0, 4, 2, 1]),
        (&[129, 257], &[1, 0]),
    ];
    for (shape, axes) in permutations {
        let x = vec![normal(shape, 1)];
        all.push(sample!("transpose", format!("{axes:?}"), x, &[0], move |t, v| {
            ops::transpose(t, &v[0], axes)
        }));
    }
    let reshapes: &[(&[usize], &[usize])] = &[
        (&[], &[1, 1]),
        (&[1], &[]),
        (&[6], &[2, 3]),
        (&[0, 3], &[7, 0]),
        (&[2, 3], &[3, 2]),
        (&[2, 3], &[2, 3]),
        (&[2, 3, 4, 5], &[2, 60]),
        (&[2, 3, 4, 5], &[5, 4, 3, 2]),
        (&[6, 20], &[2, 3, 4, 5]),
        (&[2, 3, 4, 5], &[2, 3, 2, 2, 5, 1]),
    ];
    for (shape, to) in reshapes {
        let x = vec![normal(shape, 1)];
        all.push(sample!("reshape", format!("to {to:?}"), x, &[0], move |t, v| {
            ops::reshape(t, &v[0], to)
        }));
    }
}

fn concat(all: &mut Vec<Sample>) {
    let joins: &[(&[&[usize]], usize)] = &[
        (&[&[3]], 0),
        (&[&[1], &[2]], 0),
        (&[&[0], &[2], &[0]], 0),
        (&[&[2, 3], &[1, 3]], 0),
        (&[&[2, 3], &[2, 1], &[2, 2]], 1),
        (&[&[0, 3], &[0, 2]], 1),
        (&[&[2, 3, 4], &[2, 0, 4], &[2, 2, 4]], 1),
        (&[&[2, 3, 4, 5], &[2, 1, 4, 5]], 1),
        (&[&[2, 3, 4, 5], &[2, 3, 4, 2]], 3),
        (&[&[1, 3, 2, 2], &[2, 3, 2, 2]], 0),
        (&[&[1, 2, 1, 2, 1, 2], &[1, 2, 1, 2, 3, 2]], 4),
    ];
    for (shapes, axis) in joins {
        let inputs: Vec<_> = (1..).zip(*shapes).map(|(k, s)| normal(s, k)).collect();
        all.push(sample!("concat", format!("along {axis}"), inputs, &[0, 1, 2], move |t, v| {
            ops::concat(t, &v.iter().collect::<Vec<_>>(), *axis)
        }));
    }
}
