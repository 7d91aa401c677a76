//! Gradient and perturbation methods on models solved by hand.

use crate::support::models::{Polynomial, batch, noise_faces, soft_faces, tiny_net};
use fer::PIXELS;
use fer::explain::attribution::gradient::grad_x_input::grad_x_input;
use fer::explain::attribution::gradient::integrated_gradients::{
    integrated_gradients, smooth_integrated_gradients,
};
use fer::explain::attribution::gradient::saliency::saliency;
use fer::explain::attribution::gradient::smooth_grad::{
    Noise, smooth_grad, smooth_grad_squared, var_grad,
};
use fer::explain::attribution::perturbation::occlusion::{Window, occlusion};
use fer::explain::attribution::perturbation::rise::{RiseOptions, rise};
use fer::explain::image_ops::gaussian_blur;
use fer::explain::{AttributionOptions, BackwardRule, Classifier, Face, Method, Target, attribute};

fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1e-2), "at {i}: {a} is not {b}");
    }
}

/// On a linear score, gradient × input = integrated gradients from the mean gray = one-pixel
/// occlusion with the mean gray = w·(x − mean).
#[test]
fn three_methods_agree_on_a_linear_model() {
    let model = Polynomial::linear();
    let faces = noise_faces(2);
    let targets = [Target::Class(1), Target::Class(2)];
    let expected: Vec<f32> = (0..2 * PIXELS)
        .map(|p| model.linear[(1 + p / PIXELS) * PIXELS + p % PIXELS] * (faces[p] - 0.5))
        .collect();
    close(&grad_x_input(&batch(&model, &faces, &targets)).unwrap(), &expected, 1e-6);

    let found = integrated_gradients(&batch(&model, &faces, &targets), &Face::gray(0.5)).unwrap();
    let maps: Vec<f32> = found.iter().flat_map(|ig| ig.map.clone()).collect();
    close(&maps, &expected, 1e-5);
    assert!(found.iter().all(|ig| ig.residual < 1e-4 && ig.nodes == 50));

    let window = Window { side: 1, stride: 1, fill: 0.5 };
    // Each value is the difference of two scores near 1: f32 keeps six digits of those.
    let maps = occlusion(&batch(&model, &faces, &targets), &window).unwrap();
    assert!(maps.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 2e-6));
}

#[test]
fn occlusion_is_divided_by_coverage() {
    // With one window of the mean the map is the sum of w·(x − fill) over the window.
    let mut model = Polynomial::linear();
    model.linear.fill(1.0 / 64.0);
    let faces = vec![1.0; PIXELS];
    let window = Window::with_fill(0.0);
    let maps = occlusion(&batch(&model, &faces, &[Target::Class(0)]), &window).unwrap();
    // Every window of 8×8 takes 1 from the score, in the corner as in the middle.
    assert!(maps.iter().all(|v| (v - 1.0).abs() < 1e-5));
}

/// S = w·x + ½q·x²: the gradient is w + q·x, and noise of deviation s adds nothing to its mean
/// (exactly, thanks to the pairs), q²s² to its mean square, and gives it the variance q²s².
#[test]
fn smooth_grad_matches_its_expectation_on_a_quadratic() {
    let model = Polynomial::quadratic();
    let faces = noise_faces(1);
    let targets = [Target::Class(1)];
    let noise = Noise { samples: 400, sd: 0.2, seed: 5 };
    let exact: Vec<f32> = (0..PIXELS)
        .map(|p| model.linear[PIXELS + p] + model.square[PIXELS + p] * faces[p])
        .collect();
    close(&smooth_grad(&batch(&model, &faces, &targets), &noise).unwrap(), &exact, 1e-4);

    let variance = |p: usize| (model.square[PIXELS + p] * 0.2).powi(2);
    let total: f32 = (0..PIXELS).map(variance).sum();
    let found: f32 = var_grad(&batch(&model, &faces, &targets), &noise).unwrap().iter().sum();
    // The range of the face is 0.999. 400 samples estimate a variance to 7 %, and the sum of 2304
    // variances far better.
    assert!((found / total - 1.0).abs() < 0.02, "{found} instead of {total}");

    let squares = smooth_grad_squared(&batch(&model, &faces, &targets), &noise).unwrap();
    let expected: f32 = (0..PIXELS).map(|p| exact[p].powi(2) + variance(p)).sum();
    let found: f32 = squares.iter().sum();
    assert!((found / expected - 1.0).abs() < 0.01, "{found} instead of {expected}");
}

#[test]
fn integrated_gradients_are_complete_on_a_network() {
    let model = tiny_net(0);
    let faces = soft_faces(3);
    let targets = [Target::Class(0), Target::Contrast(1), Target::Loss(2)];
    let baseline = Face::gray(0.4);
    let found = integrated_gradients(&batch(&model, &faces, &targets), &baseline).unwrap();
    for (f, ig) in found.iter().enumerate() {
        let score = |x: &[f32]| targets[f].score(&model.logits(x).unwrap());
        let change = score(&faces[f * PIXELS..(f + 1) * PIXELS]) - score(&baseline);
        let sum: f32 = ig.map.iter().sum();
        assert!((sum - change).abs() < 0.01 * change.abs(), "{sum} instead of {change}");
        assert!(ig.residual < 0.01, "{ig:?}");
    }
}

#[test]
fn gradient_of_every_target_matches_finite_difference() {
    let model = Polynomial::quadratic();
    let faces = noise_faces(1);
    let step = 1e-2;
    for target in
        [Target::Predicted, Target::True(2), Target::Class(1), Target::Loss(0), Target::Contrast(1)]
    {
        let found = saliency(&batch(&model, &faces, &[target])).unwrap();
        let fixed = target.resolve(&model.logits(&faces).unwrap());
        for p in [0, 777, 2303] {
            let score = |d: f32| {
                let mut x = faces.clone();
                x[p] += d;
                f64::from(fixed.score(&model.logits(&x).unwrap()))
            };
            let numeric = (score(step) - score(-step)) / (2.0 * f64::from(step));
            assert!((f64::from(found[p]) - numeric).abs() < 5e-4, "{target:?} at {p}");
        }
    }
}

#[test]
fn guided_backprop_uses_the_guided_rule() {
    let model = tiny_net(0);
    let faces = soft_faces(1);
    let of = |rule| model.input_gradient(&faces, &[Target::Class(0)], rule).unwrap().gradient;
    let options = AttributionOptions::new(vec![0.5; PIXELS], 0).unwrap();
    let map = |method| {
        attribute(&batch(&model, &faces, &[Target::Class(0)]), method, &options).unwrap()[0]
            .map
            .clone()
    };
    assert_eq!(map(Method::Saliency), of(BackwardRule::Standard));
    assert_eq!(map(Method::GuidedBackprop), of(BackwardRule::Guided));
    assert_ne!(map(Method::Saliency), map(Method::GuidedBackprop));
}

#[test]
fn rise_on_a_linear_probability_finds_the_bright_quarter() {
    // Only the top-left quarter changes the logit, and raises it.
    let mut model = Polynomial::linear();
    let in_quarter = |p: usize| p / 48 < 24 && p % 48 < 24;
    model.linear.fill(0.0);
    (0..PIXELS).filter(|&p| in_quarter(p)).for_each(|p| model.linear[p] = 0.004);
    let faces = vec![1.0; PIXELS];
    let masks = RiseOptions { samples: 1000, ..Default::default() };
    let found =
        &rise(&batch(&model, &faces, &[Target::Class(0)]), &Face::gray(0.0), &masks).unwrap()[0];
    let mean = |inside: bool| {
        let chosen: Vec<f32> =
            (0..PIXELS).filter(|&p| in_quarter(p) == inside).map(|p| found.map[p]).collect();
        chosen.iter().sum::<f32>() / chosen.len() as f32
    };
    assert!(mean(true) > found.mean && mean(false) < mean(true));
    let gap = mean(true) - mean(false);
    assert!(found.standard_error < gap / 5.0, "{} against {gap}", found.standard_error);
}

/// On a linear network integrated gradients are exact with any number of nodes: the smoothed map is
/// the blurred w·(x − b).
#[test]
fn smooth_integrated_gradients_of_a_linear_model_by_hand() {
    let model = Polynomial::linear();
    let faces = noise_faces(2);
    let batch = batch(&model, &faces, &[Target::Class(1), Target::Class(0)]);
    let found = smooth_integrated_gradients(&batch, &Face::gray(0.25)).unwrap();
    for (f, map) in found.chunks_exact(PIXELS).enumerate() {
        let w = &model.linear[(1 - f) * PIXELS..];
        let x = &faces[f * PIXELS..];
        let sharp: Vec<f32> = (0..PIXELS).map(|p| w[p] * (x[p] - 0.25)).collect();
        let blurred = gaussian_blur(&sharp, 2.0);
        assert!(map.iter().zip(&blurred).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn methods_have_the_names_of_other_libraries() {
    for (name, method) in [
        ("grad-cam", Method::GradCam),
        ("GradCAM", Method::GradCam),
        ("grad-cam++", Method::GradCamPlusPlus),
        ("ig", Method::IntegratedGradients),
        ("integrated_gradients", Method::IntegratedGradients),
        ("gradient", Method::Saliency),
        ("smooth-ig", Method::DEFAULT),
    ] {
        assert_eq!(name.parse::<Method>().unwrap(), method, "{name}");
    }
    for method in Method::ALL {
        assert_eq!(method.name().parse::<Method>().unwrap(), method);
    }
    assert!("magic".parse::<Method>().is_err());
}

/// Red never stands for evidence against: maps of contributions have two colours.
#[test]
fn signed_contributions_are_drawn_in_two_colours() {
    assert!(Method::DEFAULT.shows_evidence() && Method::Occlusion.shows_evidence());
    assert!(!Method::Saliency.shows_evidence() && !Method::LayerCam.shows_evidence());
}
