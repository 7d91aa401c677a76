//! ±1000, 0, −0, ties and NaN belong to the inputs of every op.
//!
//! A formula may be right and fail on a machine: ln(1 + eˣ) is about 1000 at x = 1000, and infinite in floats.

use crate::support::samples::{self, Precision, Sample, cotangent, sample};
use fer::autograd::{Backward, InputGrads, Tape, Var};
use fer::ops;
use fer::tensor::{Element, Tensor};

/// Ops whose value or slope is infinite, or not a number, for some of these inputs.
const UNBOUNDED: [&str; 5] = ["div", "exp", "ln", "sqrt", "pow"];

/// Ops that may leave out the element that is NaN: it lies outside of what they read.
const MAY_SKIP: [&str; 1] = ["affine_warp"];

const EXTREMES: [f64; 8] = [1000.0, -1000.0, 0.0, -0.0, 5.0, 5.0, -1000.0, 1000.0];

/// Inputs larger than this are left out.
const FEW: usize = 200;

/// Values and gradients with input `k` made of extremes; the first is `first` where it is given.
fn run<T: Precision>(sample: &Sample, k: usize, first: Option<f64>) -> (Vec<f64>, Vec<f64>) {
    let mut tape = Tape::<T>::new();
    let extreme = |i: usize| match first {
        Some(first) if i == 0 => first,
        _ => EXTREMES[i % EXTREMES.len()],
    };
    let inputs = sample.inputs.iter().enumerate();
    let vars: Vec<Var<T>> = inputs
        .map(|(j, x)| match j == k {
            true => tape.leaf(Tensor::from_fn(&x.shape(), |i| T::from_f64(extreme(i)))),
            false => tape.leaf(x.cast()),
        })
        .collect();
    let y = T::run(sample)(&mut tape, &vars).unwrap_or_else(|e| panic!("{}: {e}", sample.name()));
    let u = cotangent(&y.shape()).cast();
    let gradients = tape.backward_from(&y, u).unwrap();
    let all = vars.iter().filter_map(|x| gradients.get(x));
    let grads = all.flat_map(|g| g.cast::<f64>().to_vec()).collect();
    (y.value().cast::<f64>().to_vec(), grads)
}

/// What is wrong with an op at extreme inputs, if anything.
fn fault<T: Precision>(sample: &Sample) -> Option<String> {
    for k in 0..sample.inputs.len() {
        let (values, grads) = run::<T>(sample, k, None);
        for (what, numbers) in [("value", values), ("gradient", grads)] {
            if let Some(i) = numbers.iter().position(|v| !v.is_finite()) {
                let x = EXTREMES[i % EXTREMES.len()];
                return Some(format!(
                    "{}: with ±1000, 0 and −0 in input {k}, {what} {i} is {} (x = {x} if the op works \
                     element by element). Does an intermediate overflow, as eˣ does? Use e^−|x|, or \
                     subtract the largest exponent first",
                    sample.name(),
                    numbers[i]
                ));
            }
        }
    }
    None
}

fn small_samples(op: &str) -> Vec<Sample> {
    samples::of(op).into_iter().filter(|s| (1..FEW).contains(&s.elements())).collect()
}

#[test]
fn bounded_ops_stay_finite() {
    let bounded = ops::OPS.iter().filter(|(op, _)| !UNBOUNDED.contains(op));
    for sample in bounded.flat_map(|(op, _)| small_samples(op)) {
        let found = fault::<f64>(&sample).or_else(|| fault::<f32>(&sample));
        assert!(found.is_none(), "{}", found.unwrap());
    }
}

/// A NaN that disappears would hide a training that has diverged.
#[test]
fn nan_is_not_lost() {
    for (op, _) in ops::OPS.iter().filter(|(op, _)| !MAY_SKIP.contains(op)) {
        let has_nan = |sample: &Sample| {
            sample.inputs.first().is_some_and(|x| x.elements() > 0)
                && run::<f32>(sample, 0, Some(f64::NAN)).0.iter().any(|y| y.is_nan())
        };
        assert!(small_samples(op).iter().any(has_nan), "{op} loses a NaN of its first input");
    }
}

/// y = ln(1 + eˣ) as it stands.
fn unstable_softplus<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> fer::Result<Var<T>> {
    let y = x.value().map(|x| (T::ONE + x.exp()).ln());
    Ok(tape.record(y, &[x], UnstableSoftplus { x: x.value().clone() }))
}

struct UnstableSoftplus<T: Element> {
    x: Tensor<T>,
}

impl<T: Element> Backward<T> for UnstableSoftplus<T> {
    fn name(&self) -> &'static str {
        "softplus"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> fer::Result<()> {
        grads.set(0, || grad_output.zip("softplus", &self.x, |g, x| g / (T::ONE + (-x).exp())))
    }
}

/// It passes every test with inputs of usual size.
#[test]
fn an_unstable_softplus_is_caught() {
    let x = vec![Tensor::zeros(&[3])];
    let sample = sample!("softplus", "", x, &[], |t, v| unstable_softplus(t, &v[0]));
    let found = fault::<f64>(&sample).unwrap();
    assert!(found.contains("softplus") && found.contains("value 0 is inf (x = 1000"), "{found}");
    assert!(found.contains("e^−|x|"), "{found}");
}
