//! Wrong calls of every op: an error that names the op and what did not fit, never a panic.

use fer::autograd::{Tape, Var};
use fer::ops::{self, BatchStatistics, Conv2dOptions, CrossEntropyOptions, Pool2dOptions, Targets};
use fer::random::{Purpose, Rng};
use fer::tensor::Tensor;
use fer::{Error, Result};
use fer_kernels::warp::Border;

/// Ops that accept a tensor of any shape.
const ACCEPT_ALL: &[&str] =
    &["neg", "exp", "ln", "sqrt", "pow", "relu", "leaky_relu", "sigmoid", "tanh"];

/// Wrong calls, made one after the other on one tape.
struct Trial {
    tape: Tape<f64>,
    tried: Vec<&'static str>,
}

impl Trial {
    /// Calls `op` on leaves of these shapes; the error must contain the name of the op and `words`.
    fn refuses<R: std::fmt::Debug>(
        &mut self,
        op: &'static str,
        shapes: &[&[usize]],
        words: &[&str],
        f: impl FnOnce(&mut Tape<f64>, &[Var<f64>]) -> Result<R>,
    ) {
        let leaves: Vec<_> = shapes.iter().map(|s| self.tape.leaf(Tensor::zeros(s))).collect();
        let before = self.tape.len();
        match f(&mut self.tape, &leaves) {
            Err(e @ Error::Shape { .. }) => {
                let text = e.to_string();
                assert!(text.starts_with(&format!("{op}: ")), "{text}");
                assert_eq!(text.matches(op).count(), 1, "names the op twice: {text}");
                for word in words {
                    assert!(text.contains(word), "`{word}` is missing: {text}");
                }
            }
            other => panic!("{op} of {shapes:?}: expected a shape error, found {other:?}"),
        }
        assert_eq!(self.tape.len(), before, "{op} recorded something");
        self.tried.push(op);
    }
}

#[test]
fn wrong_calls_are_errors_that_name_op_and_shapes() {
    let mut trial = Trial { tape: Tape::new(), tried: Vec::new() };
    binary(&mut trial);
    matrices(&mut trial);
    axes(&mut trial);
    classes(&mut trial);
    conv2d(&mut trial);
    pools(&mut trial);
    batch_norm(&mut trial);
    measured(&mut trial);
    fused(&mut trial);
    rest(&mut trial);
    for (op, _) in ops::OPS {
        let covered = trial.tried.contains(op) || ACCEPT_ALL.contains(op);
        assert!(covered, "{op} has no wrong call in this file");
    }
}

fn binary(t: &mut Trial) {
    let shapes: [&[usize]; 2] = [&[2, 3], &[4, 3]];
    let words = ["[2, 3]", "[4, 3]"];
    t.refuses("add", &shapes, &words, |t, v| ops::add(t, &v[0], &v[1]));
    t.refuses("sub", &shapes, &words, |t, v| ops::sub(t, &v[0], &v[1]));
    t.refuses("mul", &shapes, &words, |t, v| ops::mul(t, &v[0], &v[1]));
    t.refuses("div", &shapes, &words, |t, v| ops::div(t, &v[0], &v[1]));
    t.refuses("add", &[&[0], &[2]], &["[0]", "[2]"], |t, v| ops::add(t, &v[0], &v[1]));
}

fn matrices(t: &mut Trial) {
    for (a, b) in [(&[2, 3][..], &[2, 3][..]), (&[3], &[3, 1]), (&[2, 3], &[3]), (&[], &[])] {
        let words = [&*format!("{a:?}"), &*format!("{b:?}")];
        t.refuses("matmul", &[a, b], &words, |t, v| ops::matmul(t, &v[0], &v[1]));
    }
    let wrong: [[&[usize]; 3]; 4] = [
        [&[2, 3], &[4, 5], &[4]],
        [&[2, 3], &[4, 3], &[3]],
        [&[3], &[4, 3], &[4]],
        [&[2, 3], &[4, 3], &[1, 4]],
    ];
    for shapes in wrong {
        let words = shapes.map(|s| format!("{s:?}"));
        let words = words.each_ref().map(|w| &**w);
        t.refuses("linear", &shapes, &words, |t, v| ops::linear(t, &v[0], &v[1], &v[2]));
    }
}

fn axes(t: &mut Trial) {
    let x: [&[usize]; 1] = [&[2, 3]];
    t.refuses("sum", &x, &["[2, 3]", "axis 2"], |t, v| ops::sum(t, &v[0], &[0, 2]));
    t.refuses("mean", &x, &["[2, 3]", "axis 7"], |t, v| ops::mean(t, &v[0], &[7]));
    t.refuses("max", &x, &["[2, 3]", "axis 2"], |t, v| ops::max(t, &v[0], &[2]));
    t.refuses("max", &[&[2, 0]], &["[2, 0]", "[1]"], |t, v| ops::max(t, &v[0], &[1]));
    for order in [&[0][..], &[0, 0], &[1, 2], &[0, 1, 2]] {
        let words = [&*format!("{order:?}"), "[2, 3]"];
        t.refuses("transpose", &x, &words, |t, v| ops::transpose(t, &v[0], order));
    }
    for to in [&[5][..], &[2, 3, 0], &[1, 1, 1, 1, 1, 2, 3], &[usize::MAX, 2, 3]] {
        let words = [&*format!("{to:?}"), "[2, 3]"];
        t.refuses("reshape", &x, &words, |t, v| ops::reshape(t, &v[0], to));
    }
    t.refuses("concat", &[], &["at least one"], |t, _| ops::concat(t, &[], 0));
    t.refuses("concat", &x, &["[2, 3]", "axis 2"], |t, v| ops::concat(t, &[&v[0]], 2));
    for other in [&[2, 4][..], &[2], &[2, 3, 1]] {
        let words = ["[2, 3]", &*format!("{other:?}")];
        let both = [x[0], other];
        t.refuses("concat", &both, &words, |t, v| ops::concat(t, &[&v[0], &v[1]], 0));
    }
}

/// Shape of the logits, targets, options, words of the error.
type LossCall<'a> = (&'a [usize], Targets<f64>, CrossEntropyOptions, [&'a str; 2]);

fn classes(t: &mut Trial) {
    t.refuses("softmax", &[&[]], &["scalar"], |t, v| ops::softmax(t, &v[0]));
    t.refuses("log_softmax", &[&[]], &["scalar"], |t, v| ops::log_softmax(t, &v[0]));
    let plain = CrossEntropyOptions::default;
    let weights = |n: usize| CrossEntropyOptions { class_weights: Some(vec![1.0; n]), ..plain() };
    let smoothing = |e: f64| CrossEntropyOptions { label_smoothing: e, ..plain() };
    let labels = |l: &[usize]| Targets::Labels(l.to_vec());
    let soft = |s: &[usize]| Targets::Soft(Tensor::zeros(s));
    let matrix: &[usize] = &[2, 7];
    let wrong: Vec<LossCall> = vec![
        (&[7], labels(&[0]), plain(), ["[7]", "[n, classes]"]),
        (&[2, 7, 1], labels(&[0, 1]), plain(), ["[2, 7, 1]", "[n, classes]"]),
        (matrix, labels(&[0]), plain(), ["1 labels", "2 rows"]),
        (matrix, labels(&[0, 7]), plain(), ["label 7", "7 classes"]),
        (&[1, 0], labels(&[0]), plain(), ["label 0", "0 classes"]),
        (matrix, soft(&[2, 6]), plain(), ["[2, 6]", "[2, 7]"]),
        (matrix, soft(&[7]), plain(), ["[7]", "[2, 7]"]),
        (matrix, labels(&[0, 1]), weights(6), ["6 class weights", "7 classes"]),
        (matrix, labels(&[0, 1]), smoothing(-0.1), ["label smoothing -0.1", "0 to 1"]),
        (matrix, labels(&[0, 1]), smoothing(f64::NAN), ["label smoothing NaN", "0 to 1"]),
    ];
    for (logits, targets, options, words) in wrong {
        t.refuses("cross_entropy", &[logits], &words, |t, v| {
            ops::cross_entropy(t, &v[0], &targets, &options)
        });
    }
}

/// Shapes of x and weight, options, words of the error.
type ConvolutionCall<'a> = (&'a [usize], &'a [usize], Conv2dOptions, [&'a str; 2]);

fn conv2d(t: &mut Trial) {
    let ok = Conv2dOptions::default();
    let huge = usize::MAX;
    let x: &[usize] = &[1, 4, 5, 5];
    let w: &[usize] = &[2, 4, 3, 3];
    let wrong: Vec<ConvolutionCall> = vec![
        (&[4, 5, 5], w, ok, ["[4, 5, 5]", "[2, 4, 3, 3]"]),
        (x, &[2, 4, 3], ok, ["[1, 4, 5, 5]", "[2, 4, 3]"]),
        (x, &[2, 3, 3, 3], ok, ["[1, 4, 5, 5]", "[2, 3, 3, 3]"]),
        (x, &[2, 4, 6, 3], ok, ["height", "6"]),
        (x, &[2, 4, 3, 6], ok, ["width", "6"]),
        (x, &[2, 4, 0, 3], ok, ["kernel 0", "at least 1"]),
        (x, w, Conv2dOptions { groups: 0, ..ok }, ["[1, 4, 5, 5]", "0 group"]),
        (x, &[3, 2, 3, 3], Conv2dOptions { groups: 2, ..ok }, ["[3, 2, 3, 3]", "2 group"]),
        (x, w, Conv2dOptions { groups: huge, ..ok }, ["[1, 4, 5, 5]", "[2, 4, 3, 3]"]),
        (x, w, Conv2dOptions { stride: [0, 1], ..ok }, ["stride 0", "at least 1"]),
        (x, w, Conv2dOptions { dilation: [1, 0], ..ok }, ["dilation 0", "at least 1"]),
        (x, w, Conv2dOptions { dilation: [3, 1], ..ok }, ["spans 7", "5"]),
        (x, w, Conv2dOptions { dilation: [huge, 1], ..ok }, ["dilation", "too large"]),
        (x, w, Conv2dOptions { padding: [1, huge], ..ok }, ["padding", "too large"]),
    ];
    for (x, w, options, words) in wrong {
        t.refuses("conv2d", &[x, w], &words, |t, v| ops::conv2d(t, &v[0], &v[1], None, options));
        t.refuses("conv2d_statistics", &[x, w], &words, |t, v| {
            ops::conv2d_statistics(t, &v[0], &v[1], None, options)
        });
    }
    let (shapes, words): ([&[usize]; 3], _) = ([x, w, &[3]], ["[3]", "2 output channels"]);
    t.refuses("conv2d", &shapes, &words, |t, v| ops::conv2d(t, &v[0], &v[1], Some(&v[2]), ok));
    t.refuses("conv2d_statistics", &shapes, &words, |t, v| {
        ops::conv2d_statistics(t, &v[0], &v[1], Some(&v[2]), ok)
    });
}

fn pools(t: &mut Trial) {
    let pool = |kernel, stride, padding| Pool2dOptions { kernel, stride, padding };
    let x: &[usize] = &[1, 2, 4, 4];
    let wrong: Vec<(&[usize], Pool2dOptions, [&str; 2])> = vec![
        (&[2, 4, 4], Pool2dOptions::square(2), ["[2, 4, 4]", "[n, c, h, w]"]),
        (x, Pool2dOptions::square(5), ["5", "4"]),
        (x, pool([2, 2], [0, 1], [0, 0]), ["stride 0", "at least 1"]),
        (x, pool([0, 2], [1, 1], [0, 0]), ["kernel 0", "at least 1"]),
        (x, pool([3, 3], [1, 1], [0, 2]), ["[0, 2]", "half"]),
        (x, pool([3, 3], [1, 1], [usize::MAX, 0]), ["half", "[3, 3]"]),
    ];
    for (x, options, words) in wrong {
        t.refuses("max_pool2d", &[x], &words, |t, v| ops::max_pool2d(t, &v[0], options));
        t.refuses("avg_pool2d", &[x], &words, |t, v| ops::avg_pool2d(t, &v[0], options));
    }
    // The largest of no pixels does not exist, and there is no pixel for its gradient.
    t.refuses("max_pool2d", &[&[1, 2, 0, 4]], &["[1, 2, 0, 4]"], |t, v| {
        ops::max_pool2d(t, &v[0], pool([2, 2], [1, 1], [1, 1]))
    });
    for shape in [&[2, 4, 4][..], &[1, 2, 0, 4]] {
        let words = [&*format!("{shape:?}")];
        t.refuses("global_avg_pool2d", &[shape], &words, |t, v| ops::global_avg_pool2d(t, &v[0]));
    }
}

fn batch_norm(t: &mut Trial) {
    let wrong: [[&[usize]; 3]; 4] = [
        [&[2, 3, 4], &[3], &[3]],
        [&[2, 3], &[2], &[3]],
        [&[2, 3, 4, 4], &[3], &[1, 3]],
        [&[3], &[3], &[3]],
    ];
    for shapes in wrong {
        let words = shapes.map(|s| format!("{s:?}"));
        let words = words.each_ref().map(|w| &**w);
        t.refuses("batch_norm", &shapes, &words, |t, v| {
            ops::batch_norm_train(t, &v[0], &v[1], &v[2], 1e-5, None)
        });
    }
    for (one, found) in [(&[1, 3][..], "one"), (&[1, 3, 1, 1], "one"), (&[0, 3], "no")] {
        let words = [&*format!("{one:?}"), &*format!("no variance: {found} element per channel")];
        t.refuses("batch_norm", &[one, &[3], &[3]], &words, |t, v| {
            ops::batch_norm_train(t, &v[0], &v[1], &v[2], 1e-5, None)
        });
    }
    t.refuses("batch_norm", &[&[2, 3], &[3], &[3]], &["[2, 3]", "[2]"], |t, v| {
        let (mean, var) = (Tensor::zeros(&[3]), Tensor::zeros(&[2]));
        ops::batch_norm_eval(t, &v[0], &v[1], &v[2], &mean, &var, 1e-5)
    });
}

/// Statistics that are not those of x.
fn measured(t: &mut Trial) {
    let x: [&[usize]; 3] = [&[2, 3, 2, 2], &[3], &[3]];
    for (mean, var, count) in [(2, 3, 8), (3, 4, 8), (3, 3, 4)] {
        let batch =
            BatchStatistics { mean: Tensor::zeros(&[mean]), var: Tensor::zeros(&[var]), count };
        let found = [mean, var].map(|c| format!("[{c}]"));
        let count = format!("{count} elements");
        let words = [&*found[0], &*found[1], &*count, "[2, 3, 2, 2]", "[3], 8"];
        t.refuses("batch_norm", &x, &words, |t, v| {
            ops::batch_norm_train(t, &v[0], &v[1], &v[2], 1e-5, Some(batch.clone()))
        });
        t.refuses("batch_norm_relu", &x, &words, |t, v| {
            ops::batch_norm_relu_train(t, &v[0], &v[1], &v[2], 1e-5, 1, Some(batch.clone()))
        });
    }
}

fn fused(t: &mut Trial) {
    let wrong: [[&[usize]; 3]; 3] =
        [[&[2, 3, 4], &[3], &[3]], [&[2, 3], &[2], &[3]], [&[3], &[3], &[3]]];
    for shapes in wrong {
        let words = shapes.map(|s| format!("{s:?}"));
        let words = words.each_ref().map(|w| &**w);
        t.refuses("batch_norm_relu", &shapes, &words, |t, v| {
            ops::batch_norm_relu_train(t, &v[0], &v[1], &v[2], 1e-5, 1, None)
        });
        t.refuses("batch_norm_relu", &shapes, &words, |t, v| {
            let fixed = [&Tensor::zeros(&[3]), &Tensor::full(&[3], 1.0)];
            ops::batch_norm_relu_eval(t, &v[0], [&v[1], &v[2]], fixed, 1e-5, 1)
        });
    }
    let one: [&[usize]; 3] = [&[1, 3, 1, 1], &[3], &[3]];
    t.refuses("batch_norm_relu", &one, &["[1, 3, 1, 1]", "no variance"], |t, v| {
        ops::batch_norm_relu_train(t, &v[0], &v[1], &v[2], 1e-5, 1, None)
    });
    let pictures: [&[usize]; 3] = [&[2, 3, 4, 1], &[3], &[3]];
    for (window, words) in [(3, ["window", "3"]), (0, ["window", "0"]), (2, ["width", "1"])] {
        t.refuses("batch_norm_relu", &pictures, &words, |t, v| {
            ops::batch_norm_relu_train(t, &v[0], &v[1], &v[2], 1e-5, window, None)
        });
        t.refuses("batch_norm_relu", &pictures, &words, |t, v| {
            let fixed = [&Tensor::zeros(&[3]), &Tensor::full(&[3], 1.0)];
            ops::batch_norm_relu_eval(t, &v[0], [&v[1], &v[2]], fixed, 1e-5, window)
        });
    }
    let wrong: [[&[usize]; 3]; 3] = [
        [&[2, 3], &[2, 3], &[2, 3]],
        [&[2, 3, 4, 4], &[2, 4], &[2, 3, 4, 4]],
        [&[2, 3, 4, 4], &[2, 3], &[2, 3, 4, 5]],
    ];
    for shapes in wrong {
        let words = shapes.map(|s| format!("{s:?}"));
        let words = words.each_ref().map(|w| &**w);
        t.refuses("scale_add_relu", &shapes, &words, |t, v| {
            ops::scale_add_relu(t, &v[0], &v[1], &v[2])
        });
    }
}

fn rest(t: &mut Trial) {
    for (p, word) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        t.refuses("dropout", &[&[3]], &[word], |t, v| {
            ops::dropout(t, &v[0], p, Rng::new(0, Purpose::Dropout, 0, 0))
        });
    }
    let still = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    for shape in [&[2, 1, 3, 3][..], &[1, 3, 3]] {
        let words = [&*format!("{shape:?}"), "1 matrices"];
        t.refuses("affine_warp", &[shape], &words, |t, v| {
            ops::affine_warp(t, &v[0], &[still], Border::Zeros)
        });
    }
}

#[test]
fn tensors_of_wrong_size_are_refused() {
    for shape in [&[2, 2][..], &[], &[3, 1, 1, 1, 1, 1, 1], &[usize::MAX, 3], &[3, 0]] {
        let e = Tensor::from_slice(&[1.0, 2.0, 3.0], shape).unwrap_err().to_string();
        assert!(e.starts_with("tensor: 3 values") && e.contains(&format!("{shape:?}")), "{e}");
    }
}

/// Warps by matrices that are not finite neither panic nor read outside the image.
#[test]
fn a_warp_by_no_number_does_not_panic() {
    let mut t = Tape::<f64>::new();
    let x = t.leaf(Tensor::full(&[1, 1, 3, 3], 1.0));
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        for border in [Border::Zeros, Border::Edge] {
            let y = ops::affine_warp(&mut t, &x, &[[bad; 6]], border).unwrap();
            let u = Tensor::full(&y.shape(), 1.0);
            t.vjp(&y, u).unwrap();
        }
    }
}
