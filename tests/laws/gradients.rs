//! For every op and every input, the gradient is the derivative.
//!
//! For each sample of `samples/`: backpropagation in f64 against central differences (rtol 1e-5,
//! atol 1e-7); every layout of inputs and cotangent in f64, and in f32 through the fast kernels,
//! against that (1e-4 of the gradient's scale); and gradients only for those inputs that are
//! leaves.

use crate::support::samples::{self, FEWEST, Outcome, Precision, Sample, assert_near, cotangent};
use fer::autograd::{Tape, Var, gradcheck};
use fer::ops;
use fer::random::{Purpose, Rng};
use fer::tensor::Tensor;
use fer_kernels::Layout::{Nchw, Nhwc};

/// One test module for each op, and the list of them.
macro_rules! ops {
    ($($op:ident)*) => {
        const CHECKED: &[&str] = &[$(stringify!($op)),*];
        $(mod $op {
            const OP: &str = stringify!($op);
            #[test]
            fn gradient_matches_finite_difference() {
                super::each(OP, super::finite_difference);
            }
            #[test]
            fn gradient_is_the_same_in_every_layout_and_precision() {
                super::each(OP, super::layouts_and_precisions);
            }
            #[test]
            fn gradient_is_computed_only_if_needed() {
                super::each(OP, super::leaves_only);
            }
        })*
    };
}
ops! {
    add sub mul div neg exp ln sqrt pow relu leaky_relu sigmoid tanh matmul linear transpose
    reshape concat sum mean max softmax log_softmax cross_entropy conv2d conv2d_statistics
    max_pool2d avg_pool2d global_avg_pool2d batch_norm batch_norm_relu scale_add_relu dropout affine_warp
}

fn each(op: &str, law: fn(&Sample)) {
    samples::of(op).iter().for_each(law);
}

/// Every op is in [`ops::OPS`], has samples, and is in the list above.
#[test]
fn every_op_has_samples() {
    let all = samples::all();
    let table: Vec<&str> = ops::OPS.iter().map(|(name, _)| *name).collect();
    for op in &table {
        let count = all.iter().filter(|s| s.op == *op).count();
        assert!(
            count >= FEWEST,
            "{op} has {count} samples in tests/support/samples, needs {FEWEST}"
        );
        assert!(CHECKED.contains(op), "{op} is missing from the list of tests/laws/gradients.rs");
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    let rooms = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let files = rooms.filter(|r| r.is_dir()).flat_map(|r| std::fs::read_dir(r).unwrap());
    for path in files.map(|e| e.unwrap().path()) {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_op = std::fs::read_to_string(&path).unwrap().contains("Backward<T> for");
        assert!(!is_op || table.contains(&&*stem), "src/ops/{stem}.rs is missing from ops::OPS");
    }
    for sample in &all {
        assert!(table.contains(&sample.op), "samples of {}, which is not an op", sample.op);
    }
}

/// Above this many elements differences are taken along random directions instead of each axis.
const FEW: usize = 600;

fn finite_difference(sample: &Sample) {
    let recorded = sample.evaluate::<f64>([Nchw; 2], |_| true).recorded;
    assert_eq!(recorded, [sample.op], "{}: ops on the tape", sample.name());
    if sample.elements() > FEW {
        return (0..6).for_each(|direction| along(sample, direction));
    }
    let run = f64::run(sample);
    let found = gradcheck(&sample.inputs, 1e-5, 1e-7, run)
        .unwrap_or_else(|e| panic!("{}: {e}", sample.name()));
    assert!(found.error <= 1.0, "{}: {found}", sample.name());
}

/// ⟨∇, d⟩ = d/dh ⟨u, f(x + h·d)⟩ for a random direction d.
fn along(sample: &Sample, direction: u64) {
    let mut rng = Rng::new(17, Purpose::Test, direction, 0);
    let d: Vec<Vec<f64>> =
        (sample.inputs.iter()).map(|x| (0..x.elements()).map(|_| rng.normal()).collect()).collect();
    let at = |h: f64| -> f64 {
        let vars: Vec<_> = (sample.inputs.iter().zip(&d))
            .map(|(x, d)| {
                Var::constant(Tensor::from_fn(&x.shape(), |i| x.as_slice()[i] + h * d[i]))
            })
            .collect();
        let y = f64::run(sample)(&mut Tape::new(), &vars).unwrap();
        let u = cotangent(&y.shape());
        y.value().to_vec().iter().zip(u.as_slice()).map(|(y, u)| y * u).sum()
    };
    let grads = sample.evaluate::<f64>([Nchw; 2], |_| true).grads;
    let analytic: f64 = (grads.iter().zip(&d))
        .map(|(g, d)| g.as_ref().unwrap().iter().zip(d).map(|(g, d)| g * d).sum::<f64>())
        .sum();
    const H: f64 = 1e-5;
    let numeric = (at(H) - at(-H)) / (2.0 * H);
    let error = (analytic - numeric).abs();
    let allowed = 1e-6 + 1e-5 * analytic.abs().max(numeric.abs());
    assert!(error <= allowed, "{}: {analytic} by backpropagation, {numeric}", sample.name());
}

fn layouts_and_precisions(sample: &Sample) {
    let want = sample.evaluate::<f64>([Nchw; 2], |_| true);
    let compare = |how: &str, got: &Outcome, tolerance: f64| {
        let name = format!("{} ({how})", sample.name());
        assert_eq!(got.value.shape(), want.value.shape(), "{name}: shape of the result");
        assert_near(&name, &got.value.to_vec(), &want.value.to_vec(), tolerance / 10.0);
        for (k, (got, want)) in got.grads.iter().zip(&want.grads).enumerate() {
            let what = format!("{name}: gradient of input {k}");
            assert_near(&what, got.as_ref().unwrap(), want.as_ref().unwrap(), tolerance);
        }
    };
    for layouts in [[Nchw, Nchw], [Nchw, Nhwc], [Nhwc, Nchw], [Nhwc, Nhwc]] {
        let [f64, f32] = ["f64", "f32"].map(|precision| format!("{precision}, {layouts:?}"));
        compare(&f64, &sample.evaluate::<f64>(layouts, |_| true), 1e-12);
        compare(&f32, &sample.evaluate::<f32>(layouts, |_| true), 1e-4);
    }
}

/// Whichever inputs are leaves, they get the gradient they always get, bit for bit, and the
/// others get none; without leaves nothing is recorded.
fn leaves_only(sample: &Sample) {
    if sample.elements() > FEW {
        return;
    }
    let full = sample.evaluate::<f32>([Nhwc; 2], |_| true);
    for wanted in 0..(1_u32 << sample.inputs.len()) {
        let leaf = |k: usize| wanted & (1 << k) != 0;
        let some = sample.evaluate::<f32>([Nhwc; 2], leaf);
        assert_eq!(some.recorded.is_empty(), wanted == 0, "{}", sample.name());
        for (k, (some, full)) in some.grads.iter().zip(&full.grads).enumerate() {
            let full = full.as_ref().filter(|_| leaf(k));
            let bits = |g: &Vec<f64>| g.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(some.as_ref().map(bits), full.map(bits), "{}: input {k}", sample.name());
        }
    }
}

/// Gradient of f at `x` for a cotangent of 1, 2, 3, …
fn gradient_at(
    x: &[f64],
    f: impl Fn(&mut Tape<f64>, &Var<f64>) -> fer::Result<Var<f64>>,
) -> Vec<f64> {
    let mut tape = Tape::new();
    let x = tape.leaf(Tensor::from_slice(x, &[x.len()]).unwrap());
    let y = f(&mut tape, &x).unwrap();
    let u = Tensor::from_fn(&y.shape(), |i| (i + 1) as f64);
    let gradients = tape.backward_from(&y, u).unwrap();
    gradients.get(&x).unwrap().to_vec()
}

/// Where an op has no derivative, it returns the number that its documentation names.
#[test]
fn gradients_at_kinks_are_as_documented() {
    let kink = [-1.0, 0.0, -0.0, 1.0];
    assert_eq!(gradient_at(&kink, ops::relu), [0.0, 0.0, 0.0, 4.0]);
    assert_eq!(gradient_at(&kink, |t, x| ops::leaky_relu(t, x, 0.5)), [0.5, 1.0, 1.5, 4.0]);
    // The arg-max is the first among equals, and never in the padding.
    let ties = [2.0, 5.0, 5.0, 1.0, 5.0];
    assert_eq!(gradient_at(&ties, |t, x| ops::max(t, x, &[0])), [0.0, 1.0, 0.0, 0.0, 0.0]);
    let options = ops::Pool2dOptions { kernel: [1, 3], stride: [1, 1], padding: [0, 1] };
    let pooled = |t: &mut Tape<f64>, x: &Var<f64>| {
        let x = ops::reshape(t, x, &[1, 1, 1, 4])?;
        ops::max_pool2d(t, &x, options)
    };
    assert_eq!(gradient_at(&[-1.0; 4], pooled), [3.0, 3.0, 4.0, 0.0]);
}

/// x⁰ is the constant 1, also at x = 0; x¹ has the derivative 1 there.
#[test]
fn gradient_of_pow_at_zero() {
    assert_eq!(gradient_at(&[0.0, 2.0], |t, x| ops::pow(t, x, 0.0)), [0.0, 0.0]);
    assert_eq!(gradient_at(&[0.0, 2.0], |t, x| ops::pow(t, x, 1.0)), [1.0, 2.0]);
    assert_eq!(gradient_at(&[0.0, 3.0], |t, x| ops::pow(t, x, 2.0)), [0.0, 12.0]);
}

/// The mean over no rows is NaN, and its gradient is empty.
#[test]
fn cross_entropy_of_no_rows_is_nan() {
    use ops::Targets;
    let mut tape = Tape::<f64>::new();
    let x = tape.leaf(Tensor::zeros(&[0, 7]));
    let labels = Targets::Labels(Vec::new());
    let loss = ops::cross_entropy(&mut tape, &x, &labels, &Default::default()).unwrap();
    assert!(loss.value().item().is_nan());
    let gradients = tape.backward(&loss).unwrap();
    assert_eq!(*gradients.get(&x).unwrap().shape(), [0, 7]);
}

/// A failing check names the place, both numbers and their ratio, and guesses the cause.
#[test]
fn a_failing_check_says_what_may_be_wrong() {
    let check = |slope: fn(f64) -> f64| {
        let x = Tensor::from_slice(&[0.5, 2.0, 3.0], &[3]).unwrap();
        let wrong = move |tape: &mut Tape<f64>, x: &[Var<f64>]| {
            let op = Wrong { x: x[0].value().clone(), slope };
            Ok(tape.record(x[0].value().map(|x| x * x), &[&x[0]], op))
        };
        gradcheck(&[x], 1e-5, 1e-7, wrong).unwrap().to_string()
    };
    let sign = check(|x| -2.0 * x);
    assert!(sign.contains("ratio -1.00 everywhere: a sign?"), "{sign}");
    assert!(sign.starts_with("input 0, element ") && sign.contains("x = "), "{sign}");
    assert!(check(|x| x).contains("ratio 0.50 everywhere: a factor of 2?"));
    assert!(check(|_| 0.0).contains("is the gradient set at all?"));
    assert!(check(|x| if x > 2.5 { 0.0 } else { 2.0 * x }).contains("in which case is it right?"));
    assert!(check(|_| f64::NAN).contains("overflow"));
    let flat = gradcheck(&[Tensor::zeros(&[2])], 1e-5, 1e-7, |t, x| ops::relu(t, &x[0])).unwrap();
    assert!(!flat.all_zero, "a kink is no flat place: {flat:?}");
    let below = Tensor::full(&[2], -1.0);
    let flat = gradcheck(&[below], 1e-5, 1e-7, |t, x| ops::relu(t, &x[0])).unwrap();
    assert!(flat.to_string().contains("shows nothing"), "{flat}");
}

/// y = x² with a gradient of its own.
struct Wrong {
    x: Tensor<f64>,
    slope: fn(f64) -> f64,
}

impl fer::autograd::Backward<f64> for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn backward(
        &self,
        grad_output: &Tensor<f64>,
        grads: &mut fer::autograd::InputGrads<f64>,
    ) -> fer::Result<()> {
        grads.set(0, || grad_output.zip("wrong", &self.x, |g, x| g * (self.slope)(x)))
    }
}
