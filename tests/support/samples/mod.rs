//! The samples: calls of every op, on which every law is tested (gradients, adjoints, layouts,
//! precision).
//!
//! A new op gets its samples in one of the files below, at least [`FEWEST`] of them, with sizes of
//! 0 and 1 and odd sizes. Values at which an op has no derivative are tested in
//! `laws/gradients.rs`.

pub mod classes;
pub mod elementwise;
pub mod image;
pub mod matrix;
pub mod norm;

use fer::Result;
use fer::autograd::{Tape, Var};
use fer::random::{Purpose, Rng};
use fer::tensor::Tensor;
use fer::tensor::storage::{Element, Pooled, Storage};
use fer_kernels::Layout;

/// Smallest number of samples per op.
pub const FEWEST: usize = 8;

/// A call of an op: a function of its differentiable inputs.
pub type Run<T> = Box<dyn Fn(&mut Tape<T>, &[Var<T>]) -> Result<Var<T>>>;

/// One call of one op, in both precisions.
pub struct Sample {
    /// Its name in `fer::ops::OPS`.
    pub op: &'static str,
    /// What this sample tests.
    pub about: String,
    /// Values that f32 holds exactly, so that both precisions see the same numbers.
    pub inputs: Vec<Tensor<f64>>,
    /// The numbers of the inputs in which the op is affine while the others are fixed.
    pub affine_in: &'static [usize],
    /// Its function in double precision.
    pub f64: Run<f64>,
    /// The same in single precision.
    pub f32: Run<f32>,
}

/// `sample!(op, about, inputs, affine inputs, |tape, vars| …)`: the closure is compiled for f64
/// and for f32.
macro_rules! sample {
    ($op:literal, $about:expr, $inputs:expr, $affine_in:expr, $f:expr) => {
        $crate::support::samples::Sample {
            op: $op,
            about: $about.to_string(),
            inputs: $inputs,
            affine_in: $affine_in,
            f64: Box::new($f),
            f32: Box::new($f),
        }
    };
}
pub(crate) use sample;

/// An element type that samples run in.
pub trait Precision: Element {
    /// The sample's function.
    fn run(sample: &Sample) -> &Run<Self>;
}
impl Precision for f64 {
    fn run(sample: &Sample) -> &Run<f64> {
        &sample.f64
    }
}
impl Precision for f32 {
    fn run(sample: &Sample) -> &Run<f32> {
        &sample.f32
    }
}

/// The result of a sample, row-major.
pub struct Outcome {
    /// The result.
    pub value: Tensor<f64>,
    /// The gradient of each input; `None` where there is none.
    pub grads: Vec<Option<Vec<f64>>>,
    /// Names of the recorded ops.
    pub recorded: Vec<&'static str>,
}

impl Sample {
    /// Op, purpose and shapes, for messages.
    pub fn name(&self) -> String {
        let shapes: Vec<_> = self.inputs.iter().map(Tensor::shape).collect();
        format!("{} {} {shapes:?}", self.op, self.about)
    }

    /// Number of elements of all inputs together.
    pub fn elements(&self) -> usize {
        self.inputs.iter().map(Tensor::elements).sum()
    }

    /// Runs the sample forward and, if any input is a leaf, backward from [`cotangent`]. `layouts`
    /// are the orders in memory of the inputs and of the cotangent.
    pub fn evaluate<T: Precision>(
        &self,
        layouts: [Layout; 2],
        leaf: impl Fn(usize) -> bool,
    ) -> Outcome {
        let mut tape = Tape::<T>::new();
        let place = |x: &Tensor<f64>, layout| x.cast::<T>().to_layout(layout);
        let vars: Vec<_> = (self.inputs.iter().map(|x| place(x, layouts[0])).enumerate())
            .map(|(k, x)| if leaf(k) { tape.leaf(x) } else { Var::constant(x) })
            .collect();
        poison::<T>();
        let y = T::run(self)(&mut tape, &vars).unwrap_or_else(|e| panic!("{}: {e}", self.name()));
        let recorded = tape.nodes().map(|(_, name, _, _)| name).filter(|n| *n != "leaf").collect();
        let mut grads = vec![None; vars.len()];
        if y.requires_grad() {
            let u = place(&cotangent(&y.shape()), layouts[1]);
            poison::<T>();
            let all = tape.backward_from(&y, u).unwrap_or_else(|e| panic!("{}: {e}", self.name()));
            for (grad, x) in grads.iter_mut().zip(&vars) {
                if let Some(g) = all.get(x) {
                    assert_eq!(g.shape(), x.shape(), "{}: shape of a gradient", self.name());
                    *grad = Some(g.cast::<f64>().to_vec());
                }
            }
        }
        Outcome { value: y.value().cast(), grads, recorded }
    }
}

/// Fills the buffers that the next tensors get with NaN, four of each size up to 4096, and those of
/// the next arg-max indices with an index that does not exist: then an element that is not written
/// is found.
fn poison<T: Element>() {
    // Beyond 128 buffers have eight sizes between two powers of two.
    let beyond = (4..=8).flat_map(|k| (9..=16).map(move |eighths| eighths << k));
    for len in (1..=128).chain(beyond) {
        drop([(); 4].map(|()| filled(len, T::from_f64(f64::NAN))));
        drop(filled(len, u32::MAX));
    }
}

fn filled<T: Pooled>(len: usize, value: T) -> Storage<T> {
    let mut buffer = Storage::unfilled(len);
    buffer.make_mut().fill(value);
    buffer
}

/// All samples of all ops.
pub fn all() -> Vec<Sample> {
    let mut all = elementwise::samples();
    all.extend(matrix::samples());
    all.extend(classes::samples());
    all.extend(image::samples());
    all.extend(norm::samples());
    all
}

/// The samples of one op.
pub fn of(op: &str) -> Vec<Sample> {
    all().into_iter().filter(|s| s.op == op).collect()
}

/// A random gradient for a result of this shape. Never all ones: with those a transposed or
/// permuted backward pass can look right.
pub fn cotangent(shape: &[usize]) -> Tensor<f64> {
    normal(shape, 1000)
}

/// Standard normal values; `k` tells the inputs of a sample apart.
pub fn normal(shape: &[usize], k: u64) -> Tensor<f64> {
    let mut rng = Rng::new(11, Purpose::Test, k, 0);
    Tensor::from_fn(shape, |_| f64::from(rng.normal() as f32))
}

/// Values between 0.5 and 2.5: far from 0, for logarithms, roots and denominators.
pub fn positive(shape: &[usize], k: u64) -> Tensor<f64> {
    let mut rng = Rng::new(12, Purpose::Test, k, 0);
    Tensor::from_fn(shape, |_| f64::from(rng.uniform_in(0.5, 2.5) as f32))
}

/// Values of both signs in random order, no two nearer than 1/64 and none nearer to 0 than 1/128:
/// a finite difference never crosses a kink.
pub fn distinct(shape: &[usize], k: u64) -> Tensor<f64> {
    let n: usize = shape.iter().product();
    let mut order: Vec<usize> = (0..n).collect();
    Rng::new(13, Purpose::Test, k, 0).shuffle(&mut order);
    Tensor::from_fn(shape, |i| (order[i] as f64 - (n / 2) as f64 + 0.5) / 64.0)
}

/// Fails, naming the element, unless `got` is `want` within `tolerance` times the largest number
/// of `want`, which counts as at least 0.1 (cotangents are of size 1). NaN equals NaN.
pub fn assert_near(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: number of elements");
    let scale = want.iter().filter(|w| w.is_finite()).fold(0.1, |m: f64, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g == w || (g.is_nan() && w.is_nan()) || (g - w).abs() <= tolerance * scale;
        assert!(same, "{what}: element {i} is {g}, expected {w} (scale {scale})");
    }
}
