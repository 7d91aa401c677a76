//! Checks of the gradients on one network and one face.
//!
//! The network is cast to f64, where finite differences are accurate. The backward pass is compared
//! with finite differences of pixels and parameters and, in random directions, with the adjoint of
//! the forward pass; the f32 gradient of the maps is compared with the f64 one; and integrated
//! gradients must add up to the change of the score.
//!
//! A network of ReLUs and maxima has no derivative at its kinks, and a face with flat parts (black
//! background, saturated skin) stands on many of them: neighbouring cells of a feature map are equal.
//! There f32 and f64 each give the gradient of one side. So the checks are made at the face plus
//! invisible noise, [`JITTER`](super::kinks::JITTER), where both precisions take the same branch at every unit, and a
//! finite difference counts only where no unit changes its branch on the way. The kinks of the face
//! itself are reported ([`KinksOfFace`]).

use crate::autograd::{Gradients, Var};
use crate::explain::attribution::gradient::integrated_gradients::{
    RESIDUAL_GOAL, integrated_gradients,
};
use crate::explain::attribution::gradient::saliency::saliency;
use crate::explain::face_resize::FaceResize;
use crate::explain::sanity::kinks::{
    KinksOfFace, LayerBranches, away_from_kinks, branches, input, widen,
};
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
    /// Random directions of the adjoint test.
    pub directions: usize,
    /// Parameter tensors that move together in one finite difference.
    pub tensors: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// An error to plant in the backward passes in f64, to test the checks themselves: the gradient
    /// that arrives at every node of this op is multiplied by this factor.
    pub planted: Option<(&'static str, f64)>,
}

impl Default for GradientCheckOptions {
    fn default() -> Self {
        GradientCheckOptions { pixels: 16, directions: 8, tensors: 8, seed: 0, planted: None }
    }
}

impl GradientCheckOptions {
    /// Returns the options for a further face of a network: two cases of each kind at most.
    pub fn brief(self) -> Self {
        let (pixels, directions) = (self.pixels.min(2), self.directions.min(2));
        GradientCheckOptions { pixels, directions, tensors: self.tensors.max(32), ..self }
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

/// The comparisons of one face.
#[derive(Clone, Debug, serde::Serialize)]
pub struct FaceChecks {
    /// The comparisons.
    pub checks: Vec<GradientCheck>,
    /// The kinks of the face.
    pub kinks: KinksOfFace,
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

/// Largest allowed error of a derivative, relative to the largest derivative.
pub const DIFFERENCE_TOLERANCE: f64 = 1e-5;
/// Largest allowed error of the f32 gradient, relative in the Euclidean norm.
pub const SINGLE_TOLERANCE: f64 = 1e-4;
/// Steps of the central differences: the first one on whose way no branch changes is used.
const STEPS: [f64; 3] = [1e-6, 1e-7, 1e-8];

/// Runs all checks for the logit of `class` on one face `[48, 48]`; `baseline` is the start of
/// integrated gradients.
pub fn check_gradients(
    network: &Network<f32>,
    face: &[f32],
    class: usize,
    baseline: &Face,
    options: &GradientCheckOptions,
) -> Result<FaceChecks> {
    let wide = network.cast::<f64>()?;
    let classifier = NetworkClassifier::new(network)?;
    let given = FaceBatch::of_classes(&classifier, face, &[class])?;
    let (point, mut kinks) = away_from_kinks(network, &wide, face, options.seed)?;
    let moved = FaceBatch::of_classes(&classifier, &point, &[class])?;
    let u = one_hot(class, wide.spec.classes.len());
    kinks.gap = distance(&saliency(&given)?, &Probe::new(&wide, face, options)?.pull_back(&u)?);
    let probe = Probe::new(&wide, &point, options)?;
    let checks = vec![
        probe.pixel_differences(class)?,
        probe.parameter_differences(class)?,
        probe.adjoint()?,
        probe.single_precision(&moved)?,
        neighbours(&given, baseline)?,
        completeness(&given, baseline)?,
    ];
    Ok(FaceChecks { checks, kinks })
}

fn one_hot(class: usize, classes: usize) -> Vec<f64> {
    (0..classes).map(|c| if c == class { 1.0 } else { 0.0 }).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A random direction of length 1.
fn direction(rng: &mut Rng, n: usize) -> Vec<f64> {
    let v: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
    let length = norm(&v).max(f64::MIN_POSITIVE);
    v.into_iter().map(|v| v / length).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |top: f64, v| top.max(v.abs())).max(f64::MIN_POSITIVE)
}

/// Largest error and number of the cases that could be judged; NaN where fewer than half could.
fn worst(errors: &[Option<f64>]) -> (f64, usize) {
    let judged: Vec<f64> = errors.iter().flatten().copied().collect();
    let add = |top: f64, e: f64| if e.is_nan() || e > top { e } else { top };
    let top = if 2 * judged.len() < errors.len() { f64::NAN } else { 0.0 };
    (
        judged.iter().copied().fold(top, |top, e| if top.is_nan() { top } else { add(top, e) }),
        judged.len(),
    )
}

/// The network in f64 at one face, with the branches that it takes there.
struct Probe<'a> {
    network: &'a Network<f64>,
    x: Vec<f64>,
    branches: Vec<LayerBranches>,
    scores: Vec<f64>,
    options: &'a GradientCheckOptions,
}

impl<'a> Probe<'a> {
    fn new(
        network: &'a Network<f64>,
        face: &[f32],
        options: &'a GradientCheckOptions,
    ) -> Result<Self> {
        let x = widen(face);
        let (scores, branches) = branches(network, input(network, &x)?)?;
        Ok(Probe { network, x, branches, scores, options })
    }

    fn classes(&self) -> usize {
        self.network.spec.classes.len()
    }

    fn rng(&self, check: u64, case: usize) -> Rng {
        Rng::new(self.options.seed, Purpose::Explain, check, case as u64)
    }

    /// Rounding error of a central difference of the logits, relative to `scale`: each of the two
    /// values has an error of about ε·max |S| (the many roundings of a sum mostly cancel), and
    /// their difference is divided by 2h.
    fn rounding(&self, scale: f64) -> f64 {
        f64::EPSILON * largest(&self.scores) / STEPS[1] / scale
    }

    /// (f(h) − f(−h))/2h of all logits for a curve f through this point; `None` where a branch
    /// changes on the way even for the shortest step.
    fn slope(
        &self,
        at: impl Fn(f64) -> Result<(Vec<f64>, Vec<LayerBranches>)>,
    ) -> Result<Option<Vec<f64>>> {
        let same = |other: &[LayerBranches]| {
            self.branches.iter().zip(other).all(|(a, b)| a.taken == b.taken)
        };
        for h in STEPS {
            let (up, above) = at(h)?;
            if !same(&above) {
                continue;
            }
            let (down, below) = at(-h)?;
            if same(&below) {
                return Ok(Some(up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * h)).collect()));
            }
        }
        Ok(None)
    }

    /// The slope of the logits along a direction of the pixels.
    fn slope_along(&self, direction: &[f64]) -> Result<Option<Vec<f64>>> {
        self.slope(|h| {
            let x: Vec<f64> = self.x.iter().zip(direction).map(|(x, d)| x + h * d).collect();
            branches(self.network, input(self.network, &x)?)
        })
    }

    /// Gradients of Σ_c u_c·S_c, with the planted error if there is one.
    fn gradients(&self, pass: &mut Pass<f64>, out: &Var<f64>, u: &[f64]) -> Result<Gradients<f64>> {
        let seed = Tensor::from_slice(u, &out.shape())?;
        let planted = self.options.planted;
        pass.tape.backward_with(out, seed, &mut |_, op, gradient| match planted {
            Some((name, factor)) if name == op => *gradient = gradient.map(|g| g * factor),
            _ => {}
        })
    }

    /// Jᵀu: the gradient of Σ_c u_c·S_c with respect to the pixels.
    fn pull_back(&self, u: &[f64]) -> Result<Vec<f64>> {
        let mut pass = Pass::eval();
        let pixels = pass.tape.leaf(input(self.network, &self.x)?);
        let out = self.network.forward(&mut pass, &pixels)?;
        let gradients = self.gradients(&mut pass, &out, u)?;
        let back =
            |g: &Tensor<f64>| FaceResize::new(self.network.spec.input[1]).backward(&g.to_vec());
        Ok(gradients.get(&pixels).map_or_else(|| vec![0.0; PIXELS], back))
    }

    fn pixel_differences(&self, class: usize) -> Result<GradientCheck> {
        let gradient = self.pull_back(&one_hot(class, self.classes()))?;
        let scale = largest(&gradient);
        let mut rng = self.rng(20, 0);
        let pixels: Vec<usize> = (0..self.options.pixels).map(|_| rng.below(PIXELS)).collect();
        let error = |&p: &usize| -> Result<Option<f64>> {
            let slope = self.slope_along(&one_hot(p, PIXELS))?;
            Ok(slope.map(|s| (s[class] - gradient[p]).abs() / scale))
        };
        let errors = pixels.par_iter().map(error).collect::<Result<Vec<_>>>()?;
        let (measured, judged) = worst(&errors);
        let detail = format!(
            "{judged} of {} random pixels: finite difference against backward pass, f64, relative \
             to the largest derivative {scale:.3e}",
            errors.len()
        );
        Ok(GradientCheck::new("pixels", detail, measured, DIFFERENCE_TOLERANCE)
            .with_noise(self.rounding(scale)))
    }

    /// Checks the gradients of all parameter tensors, several along one direction: that of the
    /// gradients themselves, which shows an error of scale, plus a random one, which shows all
    /// others. Each tensor moves so far that it changes the score as much as the others.
    fn parameter_differences(&self, class: usize) -> Result<GradientCheck> {
        let mut pass = Pass::new(Mode::Eval, true);
        let out = self.network.forward(&mut pass, &Var::constant(input(self.network, &self.x)?))?;
        let gradients = self.gradients(&mut pass, &out, &one_hot(class, self.classes()))?;
        let parameters = self.network.parameters();
        let zeros = |k: usize| vec![0.0; parameters[k].value.elements()];
        let of = |k: usize| {
            pass.gradient(&gradients, parameters[k]).map_or_else(|| zeros(k), Tensor::to_vec)
        };
        let exact: Vec<Vec<f64>> = (0..parameters.len()).map(of).collect();
        // A tensor without influence is measured against the others.
        let least = 1e-6 * exact.iter().map(|g| norm(g)).fold(f64::MIN_POSITIVE, f64::max);
        let sizes: Vec<f64> = exact.iter().map(|g| norm(g).max(least)).collect();
        let mut by_size: Vec<usize> = (0..exact.len()).collect();
        by_size.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
        let groups: Vec<&[usize]> = by_size.chunks(self.options.tensors.max(1)).collect();
        let error = |group: &&[usize]| -> Result<Option<f64>> {
            let scale = sizes[group[0]];
            let way = |&k: &usize| -> Vec<f64> {
                let random = direction(&mut self.rng(21, k), exact[k].len());
                let along = random.iter().zip(&exact[k]);
                along.map(|(r, g)| (r + g / sizes[k]) * scale / sizes[k]).collect()
            };
            let ways: Vec<Vec<f64>> = group.iter().map(way).collect();
            let slope = self.slope(|h| {
                let mut moved = self.network.clone();
                let mut values = moved.parameters_mut();
                for (&k, way) in group.iter().zip(&ways) {
                    let values = values[k].value.as_mut_slice();
                    values.iter_mut().zip(way).for_each(|(v, d)| *v += h * d);
                }
                branches(&moved, input(&moved, &self.x)?)
            })?;
            let expected: f64 = group.iter().zip(&ways).map(|(&k, way)| dot(&exact[k], way)).sum();
            Ok(slope.map(|s| (s[class] - expected).abs() / scale))
        };
        let errors = groups.par_iter().map(error).collect::<Result<Vec<_>>>()?;
        let (measured, judged) = worst(&errors);
        let detail = format!(
            "all {} parameter tensors, along {judged} of {} directions: finite difference against \
             backward pass, f64, relative to the change by one tensor",
            exact.len(),
            errors.len()
        );
        let smallest = sizes[by_size[0]];
        Ok(GradientCheck::new("parameters", detail, measured, DIFFERENCE_TOLERANCE)
            .with_noise(self.rounding(smallest)))
    }

    /// Checks ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩ with random u on the logits and v on the pixels.
    fn adjoint(&self) -> Result<GradientCheck> {
        let case = |k: usize| -> Result<(Option<f64>, f64)> {
            let v = direction(&mut self.rng(22, 2 * k), PIXELS);
            let mut rng = self.rng(22, 2 * k + 1);
            let u: Vec<f64> = (0..self.classes()).map(|_| rng.normal()).collect();
            let pulled = self.pull_back(&u)?;
            // Relative to the norm, because the product may be 0 by chance.
            let scale = norm(&pulled).max(f64::MIN_POSITIVE);
            let error = |pushed: Vec<f64>| (dot(&u, &pushed) - dot(&pulled, &v)).abs() / scale;
            Ok((self.slope_along(&v)?.map(error), norm(&u) * self.rounding(scale)))
        };
        let cases = (0..self.options.directions).into_par_iter().map(case);
        let (errors, noise): (Vec<_>, Vec<_>) =
            cases.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let (measured, judged) = worst(&errors);
        let detail = format!(
            "{judged} of {} random directions v and cotangents u: ⟨u, Jv⟩ against ⟨Jᵀu, v⟩, f64, \
             relative to ‖Jᵀu‖",
            errors.len()
        );
        Ok(GradientCheck::new("adjoint", detail, measured, DIFFERENCE_TOLERANCE)
            .with_noise(noise.into_iter().fold(0.0, f64::max)))
    }

    fn single_precision(&self, face: &FaceBatch<'_>) -> Result<GradientCheck> {
        let exact = self.pull_back(&one_hot(face.class(0), self.classes()))?;
        let measured = distance(&saliency(face)?, &exact);
        let detail = "gradient of the maps (f32, fast kernels) against f64 (naive kernels), \
                      relative in the Euclidean norm"
            .into();
        Ok(GradientCheck::new("f32 against f64", detail, measured, SINGLE_TOLERANCE)
            .with_noise(f64::from(f32::EPSILON)))
    }
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
