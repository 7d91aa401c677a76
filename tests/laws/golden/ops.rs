//! The differentiable ops against PyTorch: values and gradients, in f64 and, through the fast
//! kernels and in both layouts, in f32.

use crate::laws::golden::{Case, load};
use crate::support::samples::assert_near;
use fer::Result;
use fer::autograd::{Tape, Var};
use fer::ops::{self, Conv2dOptions, CrossEntropyOptions, Pool2dOptions, Targets};
use fer::tensor::{Element, Tensor};
use fer_kernels::Layout;
use fer_kernels::warp::{Affine, Border};

/// Layout and tolerance, relative to the largest number of a tensor.
type How = (Layout, f64);

const F64: [How; 2] = [(Layout::Nchw, 1e-9), (Layout::Nhwc, 1e-9)];
const F32: [How; 2] = [(Layout::Nchw, 1e-5), (Layout::Nhwc, 1e-5)];

fn tensor<T: Element>(case: &Case, name: &str, layout: Layout) -> Tensor<T> {
    let (shape, data) = case.tensor(name);
    Tensor::from_slice(&data, &shape).unwrap().cast::<T>().to_layout(layout)
}

fn assert_golden<T: Element>(case: &Case, name: &str, got: &Tensor<T>, tolerance: f64) {
    let (shape, want) = case.tensor(name);
    assert_eq!(*got.shape(), *shape, "{}: shape of {name}", case.name);
    let got = got.cast::<f64>().to_vec();
    if size_of::<T>() == 8 {
        case.assert_close(name, &got);
    }
    assert_near(&format!("{}: {name}", case.name), &got, &want, tolerance);
}

/// Runs f on leaves of the named tensors and compares `y` and each `grad_…`; `suffix` names the
/// step of a case.
fn check<T: Element>(
    case: &Case,
    (layout, tolerance): How,
    names: &[&str],
    suffix: &str,
    f: impl FnOnce(&mut Tape<T>, &[Var<T>]) -> Result<Var<T>>,
) {
    let of = |name: &str| format!("{name}{suffix}");
    let stored = |name: &str| if case.has(&of(name)) { of(name) } else { name.to_owned() };
    let mut tape = Tape::new();
    let vars: Vec<_> =
        names.iter().map(|name| tape.leaf(tensor(case, &stored(name), layout))).collect();
    let y = f(&mut tape, &vars).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    assert_golden(case, &of("y"), y.value(), tolerance);
    let grad_output = tensor(case, &of("grad_output"), layout);
    let gradients = tape.backward_from(&y, grad_output).unwrap();
    for (name, x) in names.iter().zip(&vars) {
        let gradient = gradients.get(x).unwrap();
        assert_golden(case, &of(&format!("grad_{name}")), gradient, tolerance);
    }
}

/// A test of one op: `$check` in both precisions and layouts, for every case of the file.
macro_rules! golden {
    ($name:ident, $file:literal, $check:ident) => {
        #[test]
        fn $name() {
            for case in load($file) {
                F64.iter().for_each(|how| $check::<f64>(&case, *how));
                F32.iter().for_each(|how| $check::<f32>(&case, *how));
            }
        }
    };
}
golden!(conv2d_matches_golden, "conv2d", conv2d);
golden!(linear_matches_golden, "linear", linear);
golden!(batch_norm_matches_golden, "batch_norm", batch_norm);
golden!(pools_match_golden, "pool", pool);
golden!(softmax_matches_golden, "softmax", softmax);
golden!(cross_entropy_matches_golden, "cross_entropy", cross_entropy);
golden!(activations_match_golden, "activations", activation);
golden!(affine_warp_matches_golden, "warp", warp);

fn conv2d<T: Element>(case: &Case, how: How) {
    let options = Conv2dOptions {
        stride: case.pair("stride"),
        padding: case.pair("padding"),
        dilation: case.pair("dilation"),
        groups: case.size("groups"),
    };
    let names = ["x", "weight", "bias"];
    let names = if case.has("bias") { &names[..] } else { &names[..2] };
    check::<T>(case, how, names, "", |t, v| ops::conv2d(t, &v[0], &v[1], v.get(2), options));
}

fn linear<T: Element>(case: &Case, how: How) {
    let names = ["x", "weight", "bias"];
    check::<T>(case, how, &names, "", |t, v| ops::linear(t, &v[0], &v[1], &v[2]));
}

/// Training: two steps, and the running statistics that follow from the batch statistics,
/// new = (1 − m)·old + m·batch with the unbiased variance. Evaluation: fixed statistics.
fn batch_norm<T: Element>(case: &Case, how: How) {
    let (eps, momentum) = (case.number("eps"), case.number("momentum"));
    let names = ["x", "gamma", "beta"];
    if case.text("mode") == "eval" {
        let [mean, var] =
            ["running_mean", "running_var"].map(|name| tensor(case, name, Layout::Nchw));
        return check::<T>(case, how, &names, "", |t, v| {
            ops::batch_norm_eval(t, &v[0], &v[1], &v[2], &mean, &var, eps)
        });
    }
    let mut running: [Tensor<f64>; 2] =
        ["running_mean_0", "running_var_0"].map(|name| tensor(case, name, Layout::Nchw));
    for suffix in ["_1", "_2"] {
        let mut batch = None;
        check::<T>(case, how, &names, suffix, |t, v| {
            let (y, statistics) = ops::batch_norm_train(t, &v[0], &v[1], &v[2], eps, None)?;
            batch = Some(statistics);
            Ok(y)
        });
        let batch = batch.unwrap();
        let unbias = batch.count as f64 / (batch.count - 1) as f64;
        let fresh = [batch.mean.cast(), batch.var.cast::<f64>().map(|v| v * unbias)];
        for ((old, new), name) in running.iter_mut().zip(&fresh).zip(["mean", "var"]) {
            *old = old.zip("test", new, |o, n| (1.0 - momentum) * o + momentum * n).unwrap();
            let name = format!("running_{name}{suffix}");
            assert_golden(case, &name, &old.cast::<T>(), how.1);
        }
    }
}

fn pool<T: Element>(case: &Case, how: How) {
    let op = case.text("op");
    if op == "global_average_pool2d" {
        return check::<T>(case, how, &["x"], "", |t, v| ops::global_avg_pool2d(t, &v[0]));
    }
    let [kernel, stride, padding] = ["kernel", "stride", "padding"].map(|name| case.pair(name));
    let options = Pool2dOptions { kernel, stride, padding };
    check::<T>(case, how, &["x"], "", |t, v| match op {
        "max_pool2d" => ops::max_pool2d(t, &v[0], options),
        _ => ops::avg_pool2d(t, &v[0], options),
    });
}

fn softmax<T: Element>(case: &Case, how: How) {
    check::<T>(case, how, &["x"], "", |t, v| match case.text("op") {
        "softmax" => ops::softmax(t, &v[0]),
        _ => ops::log_softmax(t, &v[0]),
    });
}

fn cross_entropy<T: Element>(case: &Case, how: How) {
    let targets = match case.text("target") {
        "labels" => Targets::Labels(case.indices("target")),
        _ => Targets::Soft(tensor(case, "target", Layout::Nchw)),
    };
    let options = CrossEntropyOptions {
        label_smoothing: case.number("label_smoothing"),
        class_weights: case.has("class_weights").then(|| case.data("class_weights")),
    };
    check::<T>(case, how, &["logits"], "", |t, v| ops::cross_entropy(t, &v[0], &targets, &options));
}

fn activation<T: Element>(case: &Case, how: How) {
    check::<T>(case, how, &["x"], "", |t, v| match case.text("op") {
        "relu" => ops::relu(t, &v[0]),
        "leaky_relu" => ops::leaky_relu(t, &v[0], case.number("slope")),
        "sigmoid" => ops::sigmoid(t, &v[0]),
        "tanh" => ops::tanh(t, &v[0]),
        other => panic!("no activation {other}"),
    });
}

fn warp<T: Element>(case: &Case, how: How) {
    let border = if case.text("border") == "zeros" { Border::Zeros } else { Border::Edge };
    let matrices: Vec<Affine> = case.data("matrices").as_chunks().0.to_vec();
    check::<T>(case, how, &["x"], "", |t, v| ops::affine_warp(t, &v[0], &matrices, border));
}
