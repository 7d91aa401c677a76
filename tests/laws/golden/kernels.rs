//! The specification (`fer_kernels::naive`) and the kernels that serve every element type,
//! against PyTorch.

use crate::laws::golden::{Case, load};
use fer_kernels::reduce::{self, ReduceGeometry};
use fer_kernels::update::{self, Adam, Sgd};
use fer_kernels::warp::{self, Affine, Border, WarpGeometry};
use fer_kernels::{
    ChannelView, Conv2dGeometry, GemmGeometry, Layout, Pool2dGeometry, Transpose, naive, softmax,
};

/// Σ over images and pixels of \[n, c, p\]: the gradient of a bias.
fn sum_per_channel(n: usize, c: usize, p: usize, x: &[f64]) -> Vec<f64> {
    let mut per_image = vec![0.0; n * c];
    reduce::sum(&ReduceGeometry { outer: n * c, reduced: p, inner: 1 }, x, &mut per_image);
    let mut sum = vec![0.0; c];
    reduce::sum(&ReduceGeometry { outer: 1, reduced: n, inner: c }, &per_image, &mut sum);
    sum
}

#[test]
fn conv2d_naive_matches_golden() {
    for case in load("conv2d") {
        let g = Conv2dGeometry::new(
            case.shape("x"),
            case.shape("weight"),
            case.pair("stride"),
            case.pair("padding"),
            case.pair("dilation"),
            case.size("groups"),
        )
        .unwrap();
        let y_shape: [usize; 4] = case.shape("y");
        assert_eq!([g.n, g.c_out, g.h_out, g.w_out], y_shape, "{}", case.name);
        let (x, w, grad_output) = (case.data("x"), case.data("weight"), case.data("grad_output"));
        let bias = case.has("bias").then(|| case.data("bias"));

        let mut y = vec![f64::NAN; g.output_len()];
        naive::conv2d::forward(&g, &x, &w, bias.as_deref(), &mut y);
        case.assert_close("y", &y);
        let mut grad_x = vec![f64::NAN; g.input_len()];
        naive::conv2d::backward_input(&g, &grad_output, &w, &mut grad_x);
        case.assert_close("grad_x", &grad_x);
        let mut grad_weight = vec![f64::NAN; g.weight_len()];
        naive::conv2d::backward_weight(&g, &x, &grad_output, &mut grad_weight);
        case.assert_close("grad_weight", &grad_weight);
        if bias.is_some() {
            let grad_bias = sum_per_channel(g.n, g.c_out, g.h_out * g.w_out, &grad_output);
            case.assert_close("grad_bias", &grad_bias);
        }
    }
}

/// y = x·wᵀ + b, grad_x = g·w, grad_w = gᵀ·x, each one matrix product.
#[test]
fn gemm_naive_matches_golden_linear() {
    use Transpose::{No, Yes};
    let product = |[m, n, k]: [usize; 3], trans_a, trans_b, a: &[f64], b: &[f64], c: &mut [f64]| {
        let g = GemmGeometry { m, n, k, trans_a, trans_b };
        naive::gemm::gemm(&g, a, b, c, true);
    };
    for case in load("linear") {
        let [rows, inputs] = case.shape("x");
        let [outputs, _] = case.shape("weight");
        let (x, w, grad_output) = (case.data("x"), case.data("weight"), case.data("grad_output"));

        let mut y = case.data("bias").repeat(rows);
        product([rows, outputs, inputs], No, Yes, &x, &w, &mut y);
        case.assert_close("y", &y);
        let mut grad_x = vec![0.0; x.len()];
        product([rows, inputs, outputs], No, No, &grad_output, &w, &mut grad_x);
        case.assert_close("grad_x", &grad_x);
        let mut grad_weight = vec![0.0; w.len()];
        product([outputs, inputs, rows], Yes, No, &grad_output, &x, &mut grad_weight);
        case.assert_close("grad_weight", &grad_weight);
        case.assert_close("grad_bias", &sum_per_channel(rows, outputs, 1, &grad_output));
    }
}

/// A rank-4 or rank-2 tensor of a case, seen by its channels.
fn channel_view(case: &Case, name: &str) -> ChannelView {
    let (shape, _) = case.tensor(name);
    ChannelView { outer: shape[0], channels: shape[1], inner: shape[2..].iter().product() }
}

/// γ/√(var + eps) and β − mean·scale: batch norm as one multiplication and one addition.
fn scale_shift(case: &Case, mean: &[f64], inv_std: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (gamma, beta) = (case.data("gamma"), case.data("beta"));
    let scale: Vec<f64> = gamma.iter().zip(inv_std).map(|(g, s)| g * s).collect();
    let shift = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    (scale, shift)
}

fn inverse_std(var: &[f64], eps: f64) -> Vec<f64> {
    var.iter().map(|v| 1.0 / (v + eps).sqrt()).collect()
}

/// One training step (`_1` or `_2`); returns the running statistics after it.
fn check_train_step(case: &Case, step: usize, running: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let of = |name: &str| format!("{name}_{step}");
    let v = channel_view(case, &of("x"));
    let (x, grad_output) = (case.data(&of("x")), case.data(&of("grad_output")));
    let (mut mean, mut var) = (vec![f64::NAN; v.channels], vec![f64::NAN; v.channels]);
    naive::batch_norm::statistics(&v, &x, &mut mean, &mut var);
    let inv_std = inverse_std(&var, case.number("eps"));

    let (scale, shift) = scale_shift(case, &mean, &inv_std);
    let mut y = vec![f64::NAN; v.len()];
    naive::batch_norm::channel_affine(&v, &x, &scale, &shift, &mut y);
    case.assert_close(&of("y"), &y);

    let (mut grad_gamma, mut grad_beta) = (vec![f64::NAN; v.channels], vec![f64::NAN; v.channels]);
    let (go, gg, gb) = (&grad_output, &mut grad_gamma, &mut grad_beta);
    naive::batch_norm::backward_reduce(&v, &x, go, &mean, &inv_std, gg, gb);
    case.assert_close(&of("grad_gamma"), &grad_gamma);
    case.assert_close(&of("grad_beta"), &grad_beta);
    let mut grad_x = vec![f64::NAN; v.len()];
    naive::batch_norm::backward_input(
        &v,
        &x,
        &grad_output,
        &mean,
        &inv_std,
        &case.data("gamma"),
        &grad_gamma,
        &grad_beta,
        &mut grad_x,
    );
    case.assert_close(&of("grad_x"), &grad_x);

    let (momentum, m) = (case.number("momentum"), v.per_channel() as f64);
    let track = |old: &[f64], new: &[f64], unbias: f64| -> Vec<f64> {
        old.iter().zip(new).map(|(o, n)| (1.0 - momentum) * o + momentum * n * unbias).collect()
    };
    let [old_mean, old_var] = running;
    let running = [track(&old_mean, &mean, 1.0), track(&old_var, &var, m / (m - 1.0))];
    case.assert_close(&of("running_mean"), &running[0]);
    case.assert_close(&of("running_var"), &running[1]);
    running
}

/// With fixed statistics batch norm is linear in x, so its gradient is the scale alone.
fn check_eval(case: &Case) {
    let v = channel_view(case, "x");
    let (x, grad_output) = (case.data("x"), case.data("grad_output"));
    let mean = case.data("running_mean");
    let inv_std = inverse_std(&case.data("running_var"), case.number("eps"));
    let (scale, shift) = scale_shift(case, &mean, &inv_std);
    let mut out = vec![f64::NAN; v.len()];
    naive::batch_norm::channel_affine(&v, &x, &scale, &shift, &mut out);
    case.assert_close("y", &out);
    let none = vec![0.0; v.channels];
    naive::batch_norm::channel_affine(&v, &grad_output, &scale, &none, &mut out);
    case.assert_close("grad_x", &out);
    let (mut grad_gamma, mut grad_beta) = (none.clone(), none);
    let (go, gg, gb) = (&grad_output, &mut grad_gamma, &mut grad_beta);
    naive::batch_norm::backward_reduce(&v, &x, go, &mean, &inv_std, gg, gb);
    case.assert_close("grad_gamma", &grad_gamma);
    case.assert_close("grad_beta", &grad_beta);
}

#[test]
fn batch_norm_naive_matches_golden() {
    for case in load("batch_norm") {
        match case.text("mode") {
            "train" => {
                let before = [case.data("running_mean_0"), case.data("running_var_0")];
                let after = check_train_step(&case, 1, before);
                check_train_step(&case, 2, after);
            }
            _ => check_eval(&case),
        }
    }
}

fn check_max_pool(case: &Case, g: &Pool2dGeometry) {
    let (mut y, mut argmax) = (vec![f64::NAN; g.output_len()], vec![u32::MAX; g.output_len()]);
    naive::pool::max_forward(g, &case.data("x"), &mut y, &mut argmax);
    case.assert_close("y", &y);
    let places: Vec<usize> = argmax.iter().map(|&a| a as usize).collect();
    assert_eq!(places, case.indices("argmax"), "{}", case.name);
    let mut grad_x = vec![f64::NAN; g.input_len()];
    naive::pool::max_backward_input(g, &case.data("grad_output"), &argmax, &mut grad_x);
    case.assert_close("grad_x", &grad_x);
}

fn check_avg_pool(case: &Case, g: &Pool2dGeometry) {
    let mut y = vec![f64::NAN; g.output_len()];
    naive::pool::avg_forward(g, &case.data("x"), &mut y);
    case.assert_close("y", &y);
    let mut grad_x = vec![f64::NAN; g.input_len()];
    naive::pool::avg_backward_input(g, &case.data("grad_output"), &mut grad_x);
    case.assert_close("grad_x", &grad_x);
}

#[test]
fn pool_naive_matches_golden() {
    for case in load("pool") {
        let shape: [usize; 4] = case.shape("x");
        let g = |kernel, stride, padding| Pool2dGeometry::new(shape, kernel, stride, padding);
        let windows = || g(case.pair("kernel"), case.pair("stride"), case.pair("padding")).unwrap();
        match case.text("op") {
            "max_pool2d" => check_max_pool(&case, &windows()),
            "avg_pool2d" => check_avg_pool(&case, &windows()),
            // The window is the image.
            _ => check_avg_pool(&case, &g([shape[2], shape[3]], [1, 1], [0, 0]).unwrap()),
        }
    }
}

#[test]
fn softmax_matches_golden() {
    for case in load("softmax") {
        let [_, cols] = case.shape("x");
        let x = case.data("x");
        let mut y = vec![f64::NAN; x.len()];
        match case.text("op") {
            "softmax" => softmax::softmax(cols, &x, &mut y),
            _ => softmax::log_softmax(cols, &x, &mut y),
        }
        case.assert_close("y", &y);
    }
}

/// Label smoothing, soft targets and class weights are all one formula over log p:
/// −Σ w_c·t_c·log p_c, with the labels as one-hot targets mixed with 1/C.
#[test]
fn log_softmax_matches_golden_cross_entropy() {
    for case in load("cross_entropy") {
        let [n, c] = case.shape("logits");
        let weights =
            if case.has("class_weights") { case.data("class_weights") } else { vec![1.0; c] };
        let mut target = vec![0.0; n * c];
        let mut total = n as f64;
        if case.text("target") == "labels" {
            let labels = case.indices("target");
            labels.iter().enumerate().for_each(|(i, &label)| target[i * c + label] = 1.0);
            total = labels.iter().map(|&label| weights[label]).sum();
        } else {
            target = case.data("target");
        }
        let s = case.number("label_smoothing");
        let mut log_p = vec![f64::NAN; n * c];
        softmax::log_softmax(c, &case.data("logits"), &mut log_p);
        let term = |k: usize| {
            let t = (1.0 - s) * target[k] + s / c as f64;
            -weights[k % c] * t * log_p[k]
        };
        let loss: f64 = (0..n * c).map(term).sum::<f64>() / total;
        case.assert_close("y", &[loss]);
    }
}

#[test]
fn warp_matches_golden() {
    for case in load("warp") {
        let [n, c, h, w] = case.shape("x");
        let border = if case.text("border") == "zeros" { Border::Zeros } else { Border::Edge };
        let flat = case.data("matrices");
        let matrices: Vec<Affine> = flat.as_chunks().0.to_vec();
        let g = WarpGeometry { n, c, h, w, border, layout: Layout::Nchw };
        let mut out = vec![f64::NAN; n * c * h * w];
        warp::forward(&g, &matrices, &case.data("x"), &mut out);
        case.assert_close("y", &out);
        warp::backward_input(&g, &matrices, &case.data("grad_output"), &mut out);
        case.assert_close("grad_x", &out);
    }
}

/// Five steps of the case's optimiser; each moves `param` and the two moments.
#[test]
fn update_matches_golden_optimizers() {
    for case in load("optimizers") {
        let mut param = case.data("param");
        let (mut m, mut v) = (vec![0.0; param.len()], vec![0.0; param.len()]);
        let decay = case.number("weight_decay");
        let grads = case.data("grads");
        let mut path = Vec::new();
        for (t, (grad, lr)) in grads.chunks(param.len()).zip(case.data("lr")).enumerate() {
            match case.text("optimizer") {
                "sgd" => {
                    let s = Sgd {
                        lr,
                        momentum: case.number("momentum"),
                        nesterov: case.flag("nesterov"),
                        weight_decay: decay,
                        grad_scale: 1.0,
                    };
                    update::sgd(&s, &mut param, grad, &mut v);
                }
                kind => {
                    let [beta1, beta2] = case.pair::<f64>("betas");
                    let power = t as i32 + 1;
                    let adamw = kind == "adamw";
                    let a = Adam {
                        lr,
                        beta1,
                        beta2,
                        eps: case.number("eps"),
                        correction1: 1.0 - beta1.powi(power),
                        correction2: 1.0 - beta2.powi(power),
                        l2: if adamw { 0.0 } else { decay },
                        decoupled_decay: if adamw { decay } else { 0.0 },
                        grad_scale: 1.0,
                    };
                    update::adam(&a, &mut param, grad, &mut m, &mut v);
                }
            }
            path.extend_from_slice(&param);
        }
        case.assert_close("params", &path);
    }
}
