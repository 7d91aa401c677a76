//! Checks of the gradients on one network and one face.
//!
//! The network is cast to f64, where finite differences are accurate. The backward pass is compared
//! with finite differences of pixels and parameters and, in random directions, with the adjoint of
//! the forward pass; the f32 gradient of the maps is compared with the f64 one; and integrated
//! gradients must add up to the change of the score.
//!
//! A face with flat parts (black background, saturated skin) gives neighbouring cells of a feature
//! map the same value. Max pooling has no derivative at such a tie, so finite differences are taken
//! at the face plus invisible noise, [`JITTER`].

use crate::autograd::Var;
use crate::explain::attribution::gradient::integrated_gradients::{
    RESIDUAL_GOAL, integrated_gradients,
};
use crate::explain::attribution::gradient::saliency::saliency;
use crate::explain::face_resize::FaceResize;
use crate::explain::{Face, FaceBatch, NetworkClassifier};
use crate::model::Network;
use crate::nn::{Mode, Pass};
use crate::random::{Purpose, Rng};
use crate::tensor::Tensor;
use crate::{PIXELS, Result};
use rayon::prelude::*;

/// Name of the check of the sum of integrated gradients, the only one that does not test the
/// gradient itself.
pub const COMPLETENESS: &str = "completeness";

/// How many cases to check.
#[derive(Clone, Copy, Debug)]
pub struct GradientCheckOptions {
    /// Random pixels whose derivative is checked.
    pub pixels: usize,
    /// Random parameters whose derivative is checked.
    pub parameters: usize,
    /// Random directions of the adjoint test.
    pub directions: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl Default for GradientCheckOptions {
    fn default() -> Self {
        GradientCheckOptions { pixels: 16, parameters: 16, directions: 8, seed: 0 }
    }
}

/// One comparison.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GradientCheck {
    /// What was checked.
    pub name: &'static str,
    /// How it was checked, in words.
    pub detail: String,
    /// Largest error found.
    pub measured: f64,
    /// Error that rounding alone explains, in the same measure; `None` where rounding does not
    /// limit the comparison.
    pub noise: Option<f64>,
    /// Largest error allowed.
    pub tolerance: f64,
    /// Whether the error is within the tolerance.
    pub passed: bool,
}

impl GradientCheck {
    fn new(name: &'static str, detail: String, measured: f64, tolerance: f64) -> GradientCheck {
        // NaN does not pass.
        GradientCheck {
            name,
            detail,
            measured,
            noise: None,
            tolerance,
            passed: measured <= tolerance,
        }
    }

    fn with_noise(self, noise: f64) -> GradientCheck {
        GradientCheck { noise: Some(noise), ..self }
    }
}

/// Rounding error of a central difference of the logits, relative to `scale`: each of the two
/// values has an error of about ε·max |S| (the many roundings of a sum mostly cancel), and their
/// difference is divided by 2h.
fn rounding(network: &Network<f64>, x: &[f64], scale: f64) -> Result<f64> {
    let scores = logits(network, x)?;
    Ok(f64::EPSILON * largest(&scores[0]) / STEPS[0] / scale)
}

/// Largest allowed error of a derivative, relative to the largest derivative.
pub const DIFFERENCE_TOLERANCE: f64 = 1e-5;
/// Largest allowed error of the f32 gradient, relative in the Euclidean norm.
pub const SINGLE_TOLERANCE: f64 = 1e-4;
/// Amplitude of the uniform noise that separates equal cells.
pub const JITTER: f64 = 0.02;
/// Steps of the central differences. The shorter one is tried where the longer one disagrees, so
/// that a kink of a ReLU or of max pooling within the longer step is no failure.
const STEPS: [f64; 2] = [1e-6, 1e-7];

/// Runs all checks for the logit of `class` on one face `[48, 48]`; `baseline` is the start of
/// integrated gradients.
pub fn check_gradients(
    network: &Network<f32>,
    face: &[f32],
    class: usize,
    baseline: &Face,
    options: &GradientCheckOptions,
) -> Result<Vec<GradientCheck>> {
    let wide = network.cast::<f64>()?;
    let x: Vec<f64> = face.iter().map(|&v| f64::from(v)).collect();
    let mut rng = Rng::new(options.seed, Purpose::Explain, 23, 0);
    let untied: Vec<f64> = x.iter().map(|v| v + rng.uniform_in(-JITTER, JITTER)).collect();
    let classifier = NetworkClassifier::new(network)?;
    let faces = FaceBatch::of_classes(&classifier, face, &[class])?;
    Ok(vec![
        pixel_differences(&wide, &untied, class, options)?,
        parameter_differences(&wide, &untied, class, options)?,
        adjoint(&wide, &untied, options)?,
        single_precision(&faces, &wide, &x)?,
        neighbours(&faces, baseline)?,
        completeness(&faces, baseline)?,
    ])
}

/// Resizes a face to the input of the network, `[1, 1, side, side]`.
fn input(network: &Network<f64>, face: &[f64]) -> Result<Tensor<f64>> {
    let shape = network.spec.input;
    Tensor::from_slice(&FaceResize::new(shape[1]).forward(face), &[1, 1, shape[1], shape[2]])
}

/// Logits of faces in f64, `[n][classes]`, on all threads.
fn logits(network: &Network<f64>, faces: &[f64]) -> Result<Vec<Vec<f64>>> {
    let one = |x: &[f64]| Ok(network.logits(input(network, x)?)?.to_vec());
    faces.par_chunks(PIXELS).map(one).collect()
}

/// Jᵀu: the gradient of Σ_c u_c·S_c with respect to the pixels.
fn pull_back(network: &Network<f64>, x: &[f64], u: &[f64]) -> Result<Vec<f64>> {
    let mut pass = Pass::eval();
    let pixels = pass.tape.leaf(input(network, x)?);
    let out = network.forward(&mut pass, &pixels)?;
    let cotangent = Tensor::from_slice(u, &out.shape())?;
    let gradients = pass.tape.backward_from(&out, cotangent)?;
    let back = |g: &Tensor<f64>| FaceResize::new(network.spec.input[1]).backward(&g.to_vec());
    Ok(gradients.get(&pixels).map_or_else(|| vec![0.0; PIXELS], back))
}

fn one_hot(class: usize, classes: usize) -> Vec<f64> {
    (0..classes).map(|c| if c == class { 1.0 } else { 0.0 }).collect()
}

/// (f(x + h·d) − f(x − h·d))/2h of all logits for each direction, for the step h.
fn differences(
    network: &Network<f64>,
    x: &[f64],
    directions: &[Vec<f64>],
    h: f64,
) -> Result<Vec<Vec<f64>>> {
    let moved =
        |sign: f64, d: &Vec<f64>| x.iter().zip(d).map(move |(x, d)| x + sign * h * d).collect();
    let pictures: Vec<f64> = directions
        .iter()
        .flat_map(|d| [moved(1.0, d), moved(-1.0, d)] as [Vec<f64>; 2])
        .flatten()
        .collect();
    let seen = logits(network, &pictures)?;
    let slope = |pair: &[Vec<f64>]| {
        pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b) / (2.0 * h)).collect()
    };
    Ok(seen.chunks_exact(2).map(slope).collect())
}

/// Largest error over the cases: by the longer step, or by the shorter one where the longer one
/// fails and the shorter one agrees better.
fn worst(errors: impl Fn(f64) -> Result<Vec<f64>>) -> Result<f64> {
    let add = |top: f64, e: f64| if e.is_nan() || e > top { e } else { top };
    let first = errors(STEPS[0])?;
    if first.iter().all(|e| *e <= DIFFERENCE_TOLERANCE) {
        return Ok(first.into_iter().fold(0.0, add));
    }
    let second = errors(STEPS[1])?;
    // f64::min would swallow a NaN.
    let smaller = |(a, b): (f64, f64)| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
    Ok(first.into_iter().zip(second).map(smaller).fold(0.0, add))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |top: f64, v| top.max(v.abs())).max(f64::MIN_POSITIVE)
}

fn pixel_differences(
    network: &Network<f64>,
    x: &[f64],
    class: usize,
    o: &GradientCheckOptions,
) -> Result<GradientCheck> {
    let gradient = pull_back(network, x, &one_hot(class, network.spec.classes.len()))?;
    let scale = largest(&gradient);
    let mut rng = Rng::new(o.seed, Purpose::Explain, 20, 0);
    let pixels: Vec<usize> = (0..o.pixels).map(|_| rng.below(PIXELS)).collect();
    let directions: Vec<Vec<f64>> = pixels.iter().map(|&p| one_hot(p, PIXELS)).collect();
    let errors = |h: f64| -> Result<Vec<f64>> {
        let slopes = differences(network, x, &directions, h)?;
        let error = |(s, &p): (&Vec<f64>, &usize)| (s[class] - gradient[p]).abs() / scale;
        Ok(slopes.iter().zip(&pixels).map(error).collect())
    };
    let measured = worst(errors)?;
    let detail = format!(
        "{} random pixels: finite difference against backward pass, f64, relative to the largest \
         derivative {scale:.3e}",
        o.pixels
    );
    let noise = rounding(network, x, scale)?;
    Ok(GradientCheck::new("pixels", detail, measured, DIFFERENCE_TOLERANCE).with_noise(noise))
}

fn parameter_differences(
    network: &Network<f64>,
    x: &[f64],
    class: usize,
    o: &GradientCheckOptions,
) -> Result<GradientCheck> {
    let mut pass = Pass::new(Mode::Eval, true);
    let pixels = Var::constant(input(network, x)?);
    let out = network.forward(&mut pass, &pixels)?;
    let seed = Tensor::from_slice(&one_hot(class, network.spec.classes.len()), &out.shape())?;
    let gradients = pass.tape.backward_from(&out, seed)?;
    let parameters = network.parameters();
    let mut rng = Rng::new(o.seed, Purpose::Explain, 21, 0);
    let cases: Vec<(usize, usize)> = (0..o.parameters)
        .map(|_| {
            let parameter = rng.below(parameters.len());
            (parameter, rng.below(parameters[parameter].value.elements()))
        })
        .collect();
    // Each parameter tensor has its own unit, so errors are relative to its largest derivative.
    let exact = |&(parameter, at): &(usize, usize)| {
        let all = pass.gradient(&gradients, parameters[parameter]);
        let all = all.map_or(vec![], Tensor::to_vec);
        (all.get(at).copied().unwrap_or(0.0), largest(&all).max(1e-6))
    };
    let exact: Vec<(f64, f64)> = cases.iter().map(exact).collect();
    let errors = |h: f64| -> Result<Vec<f64>> {
        let error = |(&(parameter, at), &(derivative, scale)): (&(usize, usize), &(f64, f64))| {
            let score_at = |offset: f64| -> Result<f64> {
                let mut moved = network.clone();
                moved.parameters_mut()[parameter].value.as_mut_slice()[at] += offset;
                Ok(logits(&moved, x)?[0][class])
            };
            let slope = (score_at(h)? - score_at(-h)?) / (2.0 * h);
            Ok((slope - derivative).abs() / scale)
        };
        cases.par_iter().zip(&exact).map(error).collect()
    };
    let detail = format!(
        "{} random parameters: finite difference against backward pass, f64, relative to the \
         largest derivative of their tensor",
        o.parameters
    );
    let smallest = exact.iter().fold(f64::INFINITY, |low, (_, scale)| low.min(*scale));
    let noise = rounding(network, x, smallest)?;
    Ok(GradientCheck::new("parameters", detail, worst(errors)?, DIFFERENCE_TOLERANCE)
        .with_noise(noise))
}

/// Checks ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩ with random u on the logits and v on the pixels.
fn adjoint(network: &Network<f64>, x: &[f64], o: &GradientCheckOptions) -> Result<GradientCheck> {
    let classes = network.spec.classes.len();
    let draw = |k: usize, n: usize| -> Vec<f64> {
        let mut rng = Rng::new(o.seed, Purpose::Explain, 22, k as u64);
        (0..n).map(|_| rng.normal()).collect()
    };
    let unit = |v: Vec<f64>| {
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        v.into_iter().map(|v| v / norm).collect::<Vec<f64>>()
    };
    let directions: Vec<Vec<f64>> = (0..o.directions).map(|k| unit(draw(2 * k, PIXELS))).collect();
    let cotangents: Vec<Vec<f64>> = (0..o.directions).map(|k| draw(2 * k + 1, classes)).collect();
    let pulled = cotangents.iter().map(|u| pull_back(network, x, u)).collect::<Result<Vec<_>>>()?;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let errors = |h: f64| -> Result<Vec<f64>> {
        let pushed = differences(network, x, &directions, h)?;
        let error = |k: usize| {
            let (left, right) = (dot(&cotangents[k], &pushed[k]), dot(&pulled[k], &directions[k]));
            // Relative to the norm, because the product may be 0 by chance.
            (left - right).abs() / dot(&pulled[k], &pulled[k]).sqrt().max(f64::MIN_POSITIVE)
        };
        Ok((0..o.directions).map(error).collect())
    };
    let measured = worst(errors)?;
    let detail = format!(
        "{} random directions v and cotangents u: ⟨u, Jv⟩ against ⟨Jᵀu, v⟩, f64, relative to ‖Jᵀu‖",
        o.directions
    );
    let norm = |g: &Vec<f64>| dot(g, g).sqrt();
    let smallest = pulled.iter().map(norm).fold(f64::INFINITY, f64::min);
    let loudest = cotangents.iter().map(norm).fold(0.0, f64::max);
    let noise = loudest * rounding(network, x, smallest)?;
    Ok(GradientCheck::new("adjoint", detail, measured, DIFFERENCE_TOLERANCE).with_noise(noise))
}

fn single_precision(face: &FaceBatch<'_>, wide: &Network<f64>, x: &[f64]) -> Result<GradientCheck> {
    let exact = pull_back(wide, x, &one_hot(face.class(0), wide.spec.classes.len()))?;
    let measured = distance(&saliency(face)?, &exact);
    let detail = "gradient of the maps (f32, fast kernels) against f64 (naive kernels), \
                  relative in the Euclidean norm"
        .into();
    let noise = f64::from(f32::EPSILON);
    Ok(GradientCheck::new("f32 against f64", detail, measured, SINGLE_TOLERANCE).with_noise(noise))
}

fn neighbours(face: &FaceBatch<'_>, other: &Face) -> Result<GradientCheck> {
    let three = [other, face.pixels(), other].concat();
    let three = FaceBatch::new(face.classifier(), &three, &[face.targets()[0]; 3])?;
    let alone: Vec<f64> = saliency(face)?.iter().map(|&v| f64::from(v)).collect();
    let measured = distance(&saliency(&three)?[PIXELS..2 * PIXELS], &alone);
    let detail = "gradient of the face alone against the same face among others: batch \
                  normalisation must not couple them"
        .into();
    Ok(GradientCheck::new("neighbours", detail, measured, 1e-6).with_noise(f64::from(f32::EPSILON)))
}

fn completeness(face: &FaceBatch<'_>, baseline: &Face) -> Result<GradientCheck> {
    let found = integrated_gradients(face, baseline)?;
    let (residual, nodes) = found.first().map_or((f64::NAN, 0), |ig| (ig.residual, ig.nodes));
    let detail = format!(
        "integrated gradients, {nodes} nodes: their sum against the change of the score from the \
         mean face, relative"
    );
    Ok(GradientCheck::new(COMPLETENESS, detail, residual, RESIDUAL_GOAL))
}

/// ‖a − b‖/‖b‖.
fn distance(a: &[f32], b: &[f64]) -> f64 {
    let gap: f64 = a.iter().zip(b).map(|(&a, b)| (f64::from(a) - b).powi(2)).sum();
    let norm: f64 = b.iter().map(|b| b * b).sum();
    if gap == 0.0 { 0.0 } else { (gap / norm).sqrt() }
}
