//! The backward pass of a linear map is its adjoint: ⟨f(x), g⟩ = ⟨x, fᵀ(g)⟩ for every x and g.
//!
//! This identity holds up to rounding, also for sizes at which finite differences would be too
//! slow. An op that is affine in one input while the others are fixed (a convolution in x, in w and
//! in b) is tested as x ↦ f(x) − f(0).

use crate::support::samples::{self, Precision, Sample, cotangent};
use fer::autograd::{Tape, Var};
use fer::tensor::Tensor;
use fer_kernels::Layout;

/// Ops that are linear or affine in at least one input.
const LINEAR: &[&str] = &[
    "add", "sub", "mul", "div", "neg", "matmul", "linear", "transpose", "reshape", "concat", "sum",
    "mean", "conv2d", "conv2d_statistics", "avg_pool2d", "global_avg_pool2d", "batch_norm",
    "dropout", "affine_warp",
];

/// Ops with f(c·x) = c·f(x) for c > 0: there ⟨f(x), g⟩ = ⟨x, J(x)ᵀ g⟩ (Euler).
const HOMOGENEOUS: &[&str] = &["relu", "leaky_relu", "max", "max_pool2d"];

/// Σ a·b, and Σ |a·b|, which bounds its rounding.
fn dot(a: &[f64], b: &[f64]) -> (f64, f64) {
    let products = a.iter().zip(b).map(|(a, b)| a * b);
    (products.clone().sum(), products.map(f64::abs).sum())
}

/// f with input `zeroed` set to 0.
fn value_without<T: Precision>(sample: &Sample, zeroed: usize) -> Vec<f64> {
    let input = |(k, x): (usize, &Tensor<f64>)| {
        Var::constant(if k == zeroed { Tensor::zeros(&x.shape()) } else { x.cast() })
    };
    let vars: Vec<_> = sample.inputs.iter().enumerate().map(input).collect();
    T::run(sample)(&mut Tape::new(), &vars).unwrap().value().cast::<f64>().to_vec()
}

/// |⟨f(x), g⟩ − ⟨f(0), g⟩ − ⟨x, fᵀ(g)⟩| ≤ tolerance · the sum of absolute values.
fn check<T: Precision>(sample: &Sample, input: usize, affine: bool, tolerance: f64) {
    let outcome = sample.evaluate::<T>([Layout::Nchw; 2], |k| k == input);
    let g = cotangent(&outcome.value.shape()).to_vec();
    let (mut left, mut size) = dot(&outcome.value.to_vec(), &g);
    if affine {
        let (constant, more) = dot(&value_without::<T>(sample, input), &g);
        (left, size) = (left - constant, size + more);
    }
    let grad = outcome.grads[input].as_ref().unwrap();
    let (right, more) = dot(&sample.inputs[input].to_vec(), grad);
    let allowed = tolerance * (size + more).max(1.0);
    assert!(
        (left - right).abs() <= allowed,
        "{}, input {input}: ⟨f(x), g⟩ = {left}, ⟨x, fᵀ(g)⟩ = {right}",
        sample.name()
    );
}

#[test]
fn linear_ops_match_their_adjoints() {
    for op in LINEAR {
        let mut checked = 0;
        for sample in samples::of(op) {
            for &input in sample.affine_in.iter().filter(|&&k| k < sample.inputs.len()) {
                check::<f64>(&sample, input, true, 1e-10);
                check::<f32>(&sample, input, true, 1e-5);
                checked += 1;
            }
        }
        assert!(checked >= samples::FEWEST, "{op}: only {checked} identities");
    }
}

#[test]
fn homogeneous_ops_match_their_adjoints() {
    for op in HOMOGENEOUS {
        for sample in samples::of(op) {
            check::<f64>(&sample, 0, false, 1e-10);
            check::<f32>(&sample, 0, false, 1e-5);
        }
    }
}

/// The samples say in which inputs an op is affine, and the lists above leave none out.
#[test]
fn no_linear_op_is_left_out() {
    for sample in samples::all() {
        let listed = LINEAR.contains(&sample.op);
        assert!(listed || sample.affine_in.is_empty(), "{} is not in the list", sample.name());
    }
}
