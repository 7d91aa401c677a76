//! Cross-entropy, the loss of a classifier.
//!
//! Numbers first. Logits 0 and 0 mean p = ½ and ½. If class 1 is right, the loss is −ln ½ = 0.693, and the
//! gradient of the logits is p − t = (½, ½) − (0, 1) = (½, −½): push the wrong logit down by as much as the
//! right one up. A perfect answer, p = t, has gradient 0.
//!
//! # Why p − t, and why one op
//!
//! With pᵢ = eᶻⁱ/Σₖeᶻᵏ, ln pᵢ = zᵢ − ln Σₖeᶻᵏ, and the derivative of the last term by zⱼ is eᶻʲ/Σₖeᶻᵏ = pⱼ. So for
//! targets that sum to 1
//!
//! ```text
//! L = −Σᵢ tᵢ·ln pᵢ = −Σᵢ tᵢ·zᵢ + ln Σₖeᶻᵏ          ∂L/∂zⱼ = −tⱼ + pⱼ
//! ```
//!
//! Two ops in a row, softmax and then logarithm, compute the same on paper and fail on a machine. Logits 0 and
//! 1000: p = (0, 1) in floats, ln 0 = −∞, and the backward pass multiplies 1/p = ∞ by p·(…) = 0, which is NaN. In
//! one op the exponentials of the forward pass are of z − max z, at most 1, and the division by p never happens:
//! it cancels in the formula above. The loss is then 1000 and the gradient (−1, 1).

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::{Layout, softmax};

/// The correct answers of a batch.
#[derive(Clone, Debug)]
pub enum Targets<T: Element = f32> {
    /// One class per row.
    Labels(Vec<usize>),
    /// One probability per row and class, shape `[n, classes]` (distillation, mixup).
    Soft(Tensor<T>),
}

/// Options of the cross-entropy. The default is no smoothing and no weights.
#[derive(Clone, Debug, Default)]
pub struct CrossEntropyOptions {
    /// ε: the target becomes (1 − ε)·t + ε/classes (Szegedy et al. 2016).
    pub label_smoothing: f64,
    /// One weight per class.
    pub class_weights: Option<Vec<f64>>,
}

/// Computes the mean cross-entropy of softmax(logits) against the targets:
/// L = −Σₙ Σ_c w_c · t\[n,c\] · log p\[n,c\] / W.
///
/// t is the (smoothed) target and w the class weights (1 without them). For labels, W is the sum
/// over the rows of the weight of the row's class; for soft targets, it is the number of rows.
///
/// **Shapes**: logits `[n, classes]`; targets n labels, or `[n, classes]`; L a scalar.
/// **Gradient**: ∂L/∂logits\[n,c\] = L̄ · (p\[n,c\] · Σₖ wₖ t\[n,k\] − w_c t\[n,c\]) / W.
/// Saved: p and w·t. The targets get no gradient.
/// **Errors**: [`Error::Shape`] if the shapes are not these, a label is not a class, or ε is
/// outside 0 to 1.
/// **Source**: `torch.nn.functional.cross_entropy`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # use fer::ops::{CrossEntropyOptions, Targets};
/// # let mut tape = Tape::new();
/// let logits = tape.leaf(Tensor::from_slice(&[0.0, 0.0], &[1, 2])?);
/// let plain = CrossEntropyOptions::default();
/// let loss = ops::cross_entropy(&mut tape, &logits, &Targets::Labels(vec![1]), &plain)?;
/// assert_eq!(loss.value().item(), 2_f64.ln());
/// assert_eq!(tape.backward(&loss)?.get(&logits).unwrap().to_vec(), [0.5, -0.5]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn cross_entropy<T: Element>(
    tape: &mut Tape<T>,
    logits: &Var<T>,
    targets: &Targets<T>,
    options: &CrossEntropyOptions,
) -> Result<Var<T>> {
    let [rows, classes] = *logits.shape() else {
        let detail = format!("logits {:?}, expected [n, classes]", logits.shape());
        return Err(Error::shape("cross_entropy", detail));
    };
    let (weighted, total) = weighted_targets(targets, options, rows, classes)?;
    let x = logits.value().to_layout(Layout::Nchw);
    let log_p = Tensor::build(x.shape(), Layout::Nchw, |y| {
        softmax::log_softmax(classes.max(1), x.as_slice(), y);
    });
    // A target of 0 contributes 0 even where log p is −∞.
    let terms = weighted.as_slice().iter().zip(log_p.as_slice());
    let sum = terms.fold(0.0, |s, (&t, &l)| match t == T::ZERO {
        true if !l.is_nan() => s,
        _ => s - t.to_f64() * l.to_f64(),
    });
    let loss = Tensor::scalar(T::from_f64(sum / total));
    let p = log_p.map(T::exp);
    Ok(tape.record(loss, &[logits], CrossEntropyBackward { p, weighted, total }))
}

/// Returns w_c · t\[n,c\] and W.
fn weighted_targets<T: Element>(
    targets: &Targets<T>,
    options: &CrossEntropyOptions,
    rows: usize,
    classes: usize,
) -> Result<(Tensor<T>, f64)> {
    let bad = |detail: String| Err(Error::shape("cross_entropy", detail));
    if !(0.0..=1.0).contains(&options.label_smoothing) {
        return bad(format!("label smoothing {}, expected 0 to 1", options.label_smoothing));
    }
    let weight = |c: usize| options.class_weights.as_ref().map_or(1.0, |w| w[c]);
    if let Some(w) = options.class_weights.as_ref().filter(|w| w.len() != classes) {
        return bad(format!("{} class weights for {classes} classes", w.len()));
    }
    let smooth = |t: f64, c| {
        let e = options.label_smoothing;
        T::from_f64(weight(c) * ((1.0 - e) * t + e / classes as f64))
    };
    match targets {
        Targets::Labels(labels) => {
            if labels.len() != rows {
                return bad(format!("{} labels for {rows} rows", labels.len()));
            }
            if let Some(label) = labels.iter().find(|&&l| l >= classes) {
                return bad(format!("label {label} is not one of {classes} classes"));
            }
            let hot = |i: usize| f64::from(u8::from(labels[i / classes] == i % classes));
            let t = Tensor::from_fn(&[rows, classes], |i| smooth(hot(i), i % classes));
            Ok((t, labels.iter().map(|&l| weight(l)).sum()))
        }
        Targets::Soft(soft) => {
            if *soft.shape() != [rows, classes] {
                return bad(format!("soft targets {:?} for [{rows}, {classes}]", soft.shape()));
            }
            let soft = soft.to_layout(Layout::Nchw);
            let t = |i: usize| smooth(soft.as_slice()[i].to_f64(), i % classes);
            Ok((Tensor::from_fn(&[rows, classes], t), rows as f64))
        }
    }
}

struct CrossEntropyBackward<T: Element> {
    p: Tensor<T>,
    weighted: Tensor<T>,
    total: f64,
}

impl<T: Element> Backward<T> for CrossEntropyBackward<T> {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let classes = self.p.shape()[1].max(1);
        let scale = T::from_f64(grad_output.item().to_f64() / self.total);
        grads.set(0, || {
            Ok(Tensor::build(self.p.shape(), Layout::Nchw, |x| {
                let rows = self.p.as_slice().chunks(classes);
                let rows = rows.zip(self.weighted.as_slice().chunks(classes));
                for (x, (p, t)) in x.chunks_mut(classes).zip(rows) {
                    let sum = t.iter().fold(T::ZERO, |s, &t| s + t);
                    for ((x, &p), &t) in x.iter_mut().zip(p).zip(t) {
                        *x = scale * (p * sum - t);
                    }
                }
            }))
        })
    }
}
