//! Samples of softmax and of the losses built on it.

use crate::support::samples::{Sample, normal, positive, sample};
use fer::ops::{self, CrossEntropyOptions, Targets};

pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    let shapes: &[&[usize]] = &[
        &[1],
        &[7],
        &[0, 3],
        &[2, 0],
        &[3, 1],
        &[2, 7],
        &[5, 17],
        &[2, 3, 4],
        &[2, 3, 4, 5],
        &[700, 33],
    ];
    for shape in shapes {
        let x = || vec![normal(shape, 1)];
        all.push(sample!("softmax", "", x(), &[], |t, v| ops::softmax(t, &v[0])));
        all.push(sample!("log_softmax", "", x(), &[], |t, v| ops::log_softmax(t, &v[0])));
    }
    cross_entropy(&mut all);
    all
}

/// Labels or soft targets, each plain, smoothed, weighted, and both.
fn cross_entropy(all: &mut Vec<Sample>) {
    for (k, [rows, classes]) in (1..).zip([[1, 1], [1, 5], [4, 2], [5, 7], [9, 17]]) {
        for variant in 0..4 {
            let options = CrossEntropyOptions {
                label_smoothing: if variant & 1 == 1 { 0.1 } else { 0.0 },
                class_weights: (variant & 2 == 2).then(|| positive(&[classes], 3).to_vec()),
            };
            let labels: Vec<usize> = (0..rows).map(|i| (i * i + i + variant) % classes).collect();
            let logits = || vec![normal(&[rows, classes], k)];
            let o = || options.clone();
            all.push(sample!("cross_entropy", format!("labels, {options:?}"), logits(), &[], {
                let (labels, o) = (labels.clone(), o());
                move |t, v| ops::cross_entropy(t, &v[0], &Targets::Labels(labels.clone()), &o)
            }));
            // Rows that do not add up to 1 are legal too.
            let soft = positive(&[rows, classes], 4).map(|v| v / classes as f64);
            all.push(sample!("cross_entropy", format!("soft, {options:?}"), logits(), &[], {
                let (soft, o) = (soft.clone(), o());
                move |t, v| ops::cross_entropy(t, &v[0], &Targets::Soft(soft.cast()), &o)
            }));
        }
    }
}
