//! Activation maximization: gradient ascent on a picture that raises the activation of a filter.
//!
//! A [`Parametrization`] defines the free parameters (pixels, a spectrum, phases alone). Each step
//! shows random views of the picture to the network, propagates the gradient back through the views
//! and the parametrization, and updates the parameters by Adam. Pictures do not influence each
//! other, so they run in batches. The picture of one filter is the same alone or in a batch up to
//! rounding, because the algorithm of a convolution may depend on the batch size.

pub mod fourier;
pub mod maco;
pub mod method;
pub mod pixels;
pub mod spectrum;
pub mod warps;

use crate::explain::batch::BATCH;
use crate::explain::{Classifier, Objective};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result, SIDE};
use fer_kernels::update;
use rayon::prelude::*;
use warps::{IDENTITY, WarpRange, draw_crop, warp_all, warp_all_adjoint};

/// A picture as a function of free parameters.
pub trait Parametrization: Sync {
    /// Number of free parameters of a picture.
    fn parameters(&self) -> usize;
    /// Draws the parameters of the first step of a picture.
    fn start(&self, picture: usize, rng: &mut Rng) -> Vec<f32>;
    /// Computes the picture, `[48, 48]` in \[0,1\].
    fn picture(&self, parameters: &[f32]) -> Vec<f32>;
    /// Computes the gradient with respect to the parameters from that with respect to the picture.
    fn gradient(&self, parameters: &[f32], grad_picture: &[f32]) -> Vec<f32>;
    /// Projects the parameters into their domain after a step.
    fn project(&self, _parameters: &mut [f32]) {}
}

/// Settings of the gradient ascent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaximizationOptions {
    /// Number of steps.
    pub steps: usize,
    /// Learning rate of Adam.
    pub learning_rate: f32,
    /// Whether the learning rate falls linearly to 0.
    pub cooling: bool,
    /// Whether Adam uses Nesterov momentum (Nadam).
    pub nesterov: bool,
    /// Views of each picture per step.
    pub views: usize,
    /// Random warps of the views; `None` for none.
    pub warp: Option<WarpRange>,
    /// Random crops instead of warps: their side as a share of the picture at the first and at the
    /// last step.
    pub crop: Option<(f64, f64)>,
    /// Standard deviation of the normal noise added to every view.
    pub noise: f32,
    /// Weight of the total variation (mean squared difference of neighbours), relative to the
    /// objective in standard deviations of the filter.
    pub total_variation: f32,
    /// Weight of the mean of (x − ½)², in the same units.
    pub l2: f32,
}

/// A picture made by activation maximization.
#[derive(Clone, Debug)]
pub struct MaximizedImage {
    /// `[48, 48]` in \[0,1\].
    pub picture: Vec<f32>,
    /// Σ |dJ/dx| over the steps, `[48, 48]`: the importance of each pixel. Zeros for the naive
    /// method.
    pub importance: Vec<f32>,
    /// The objective on the untransformed picture.
    pub value: f32,
}

/// What to maximize.
pub struct MaximizationTask<'a> {
    /// The objective, with one unit per picture.
    pub objective: &'a Objective,
    /// The input of the ReLU, whose gradient is used while the ReLU outputs 0 everywhere.
    pub pre_activation: Option<&'a Objective>,
    /// Standard deviation of the objective over the training faces, one per picture.
    pub sd: &'a [f32],
    /// Key of the random stream of each picture.
    pub keys: &'a [u64],
    /// Seed.
    pub seed: u64,
}

/// Steps between evaluations of the objective on the untransformed pictures, of which the best is
/// kept.
const EVALUATION_INTERVAL: usize = 32;
/// First random stream of the steps; the other explanations use smaller numbers.
const STREAM: u64 = 1000;

/// Maximizes the objective for all pictures. `progress` receives the number of pictures after each
/// of their steps.
pub fn maximize(
    model: &dyn Classifier,
    parametrization: &dyn Parametrization,
    task: &MaximizationTask<'_>,
    options: &MaximizationOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<MaximizedImage>> {
    let n = task.objective.units().len();
    let group = (BATCH / options.views.max(1)).max(1);
    let mut done = Vec::with_capacity(n);
    for first in (0..n).step_by(group) {
        let members: Vec<usize> = (first..(first + group).min(n)).collect();
        done.extend(maximize_group(model, parametrization, task, options, &members, progress)?);
    }
    Ok(done)
}

fn maximize_group(
    model: &dyn Classifier,
    parametrization: &dyn Parametrization,
    task: &MaximizationTask<'_>,
    options: &MaximizationOptions,
    members: &[usize],
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<MaximizedImage>> {
    let rng = |f: usize, step: usize| {
        Rng::new(task.seed, Purpose::Explain, STREAM + step as u64, task.keys[f])
    };
    let size = parametrization.parameters();
    let mut parameters: Vec<f32> =
        members.iter().flat_map(|&f| parametrization.start(f, &mut rng(f, 0))).collect();
    let mut adam = Adam::new(parameters.len(), options.learning_rate, options.nesterov);
    let mut best: Vec<MaximizedImage> = members
        .iter()
        .map(|_| MaximizedImage {
            picture: vec![],
            importance: vec![0.0; PIXELS],
            value: f32::NEG_INFINITY,
        })
        .collect();
    for step in 1..=options.steps {
        let pictures = draw_all(parametrization, &parameters);
        let mut gradient = picture_gradient(model, task, options, members, &pictures, step, &rng)?;
        for (k, image) in best.iter_mut().enumerate() {
            let gradient = &mut gradient[k * PIXELS..(k + 1) * PIXELS];
            image.importance.iter_mut().zip(&*gradient).for_each(|(s, g)| *s += g.abs());
            subtract_penalties(&pictures[k * PIXELS..(k + 1) * PIXELS], options, gradient);
        }
        let steps: Vec<f32> = parameters
            .par_chunks_exact(size)
            .zip(gradient.par_chunks_exact(PIXELS))
            .flat_map_iter(|(p, g)| parametrization.gradient(p, g))
            .collect();
        if options.cooling {
            let left = (options.steps - step + 1) as f32 / options.steps as f32;
            adam.learning_rate = options.learning_rate * left;
        }
        adam.step(&mut parameters, &steps);
        parameters.par_chunks_exact_mut(size).for_each(|p| parametrization.project(p));
        if step % EVALUATION_INTERVAL == 0 || step == options.steps {
            let pictures = draw_all(parametrization, &parameters);
            keep_best(model, task, members, &pictures, &mut best)?;
        }
        progress(members.len());
    }
    Ok(best)
}

/// Pictures `[n, 48, 48]` of n sets of parameters.
fn draw_all(parametrization: &dyn Parametrization, parameters: &[f32]) -> Vec<f32> {
    parameters
        .par_chunks_exact(parametrization.parameters())
        .flat_map_iter(|p| parametrization.picture(p))
        .collect()
}

/// Gradient of the objective, in standard deviations, with respect to the pictures: mean over their
/// views.
fn picture_gradient(
    model: &dyn Classifier,
    task: &MaximizationTask<'_>,
    options: &MaximizationOptions,
    members: &[usize],
    pictures: &[f32],
    step: usize,
    rng: &(dyn Fn(usize, usize) -> Rng + Sync),
) -> Result<Vec<f32>> {
    let each = options.views.max(1);
    let progress = step as f64 / options.steps.max(1) as f64;
    let mut rngs: Vec<Rng> = members.iter().map(|&f| rng(f, step)).collect();
    let mut matrices = Vec::with_capacity(members.len() * each);
    for rng in &mut rngs {
        for _ in 0..each {
            matrices.push(match (options.crop, options.warp) {
                (Some((from, to)), _) => draw_crop(rng, from + (to - from) * progress),
                (None, Some(range)) => range.draw(rng),
                (None, None) => IDENTITY,
            });
        }
    }
    let mut views = warp_all(pictures, &matrices, each);
    if options.noise > 0.0 {
        views.par_chunks_exact_mut(each * PIXELS).zip(&mut rngs).for_each(|(views, rng)| {
            views.iter_mut().for_each(|v| *v += options.noise * rng.normal() as f32);
        });
    }
    let units: Vec<usize> = members
        .iter()
        .flat_map(|&f| std::iter::repeat_n(task.objective.units()[f], each))
        .collect();
    let mut gradient =
        model.objective_gradient(&task.objective.with_units(units), &views)?.gradient;
    if let Some(objective) = task.pre_activation {
        replace_dead_gradients(model, objective, members, each, &views, &mut gradient)?;
    }
    for (k, gradient) in gradient.chunks_exact_mut(each * PIXELS).enumerate() {
        let scale = 1.0 / (each as f32 * task.sd[members[k]].max(1e-12));
        gradient.iter_mut().for_each(|g| *g *= scale);
    }
    Ok(warp_all_adjoint(&gradient, &matrices, each))
}

/// Replaces a gradient that is 0 everywhere, because the ReLU outputs 0, by the gradient of the
/// pre-activation. View k belongs to picture `members[k / each]`.
pub(crate) fn replace_dead_gradients(
    model: &dyn Classifier,
    objective: &Objective,
    members: &[usize],
    each: usize,
    views: &[f32],
    gradient: &mut [f32],
) -> Result<()> {
    let is_zero = |k: &usize| gradient[k * PIXELS..(k + 1) * PIXELS].iter().all(|&g| g == 0.0);
    let dead: Vec<usize> = (0..members.len() * each).filter(is_zero).collect();
    if dead.is_empty() {
        return Ok(());
    }
    let faces: Vec<f32> =
        dead.iter().flat_map(|&k| &views[k * PIXELS..(k + 1) * PIXELS]).copied().collect();
    let units = dead.iter().map(|&k| objective.units()[members[k / each]]).collect();
    let found = model.objective_gradient(&objective.with_units(units), &faces)?;
    for (&k, g) in dead.iter().zip(found.gradient.chunks_exact(PIXELS)) {
        gradient[k * PIXELS..(k + 1) * PIXELS].copy_from_slice(g);
    }
    Ok(())
}

/// Subtracts the gradient of the penalties: total variation, and the mean of (x − ½)².
fn subtract_penalties(x: &[f32], options: &MaximizationOptions, gradient: &mut [f32]) {
    let scale = 2.0 / PIXELS as f32;
    let tv = scale * options.total_variation;
    if tv > 0.0 {
        let mut pull = |p: usize, q: usize| {
            gradient[p] -= tv * (x[p] - x[q]);
            gradient[q] -= tv * (x[q] - x[p]);
        };
        for p in 0..PIXELS {
            if p % SIDE + 1 < SIDE {
                pull(p, p + 1);
            }
            if p + SIDE < PIXELS {
                pull(p, p + SIDE);
            }
        }
    }
    if options.l2 > 0.0 {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g -= scale * options.l2 * (x - 0.5));
    }
}

/// Keeps each picture whose objective is the largest so far.
fn keep_best(
    model: &dyn Classifier,
    task: &MaximizationTask<'_>,
    members: &[usize],
    pictures: &[f32],
    best: &mut [MaximizedImage],
) -> Result<()> {
    let units = members.iter().map(|&f| task.objective.units()[f]).collect();
    let values = values_of(model, &task.objective.with_units(units), pictures)?;
    for (k, value) in values.into_iter().enumerate() {
        if value > best[k].value || best[k].picture.is_empty() {
            best[k].value = value;
            best[k].picture = pictures[k * PIXELS..(k + 1) * PIXELS].to_vec();
        }
    }
    Ok(())
}

/// Computes the objective on pictures `[n, 48, 48]`, without gradient, in batches.
pub fn values_of(
    model: &dyn Classifier,
    objective: &Objective,
    pictures: &[f32],
) -> Result<Vec<f32>> {
    let mut values = Vec::with_capacity(pictures.len() / PIXELS);
    for (faces, units) in pictures.chunks(BATCH * PIXELS).zip(objective.units().chunks(BATCH)) {
        let objective = objective.with_units(units.to_vec());
        let maps = match objective.layer() {
            Some(layer) => model.activations(layer, faces)?,
            None => model.logit_maps(faces)?,
        };
        values.extend(objective.values(&maps));
    }
    Ok(values)
}

/// Adam (Kingma & Ba 2014) for gradient ascent; with Nesterov momentum it is Nadam (Dozat 2016).
pub struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
    learning_rate: f32,
    nesterov: bool,
}

impl Adam {
    /// Starts with moments of 0 for n parameters.
    pub fn new(n: usize, learning_rate: f32, nesterov: bool) -> Self {
        Adam { first: vec![0.0; n], second: vec![0.0; n], steps: 0, learning_rate, nesterov }
    }
    /// Takes one step up the gradient: β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32]) {
        let (beta1, beta2) = (0.9_f32, 0.999_f32);
        self.steps += 1;
        let adam = update::Adam {
            lr: self.learning_rate,
            beta1,
            beta2,
            eps: 1e-8,
            correction1: 1.0 - beta1.powi(self.steps),
            correction2: 1.0 - beta2.powi(self.steps),
            l2: 0.0,
            decoupled_decay: 0.0,
            grad_scale: 1.0,
        };
        let next_correction = 1.0 - beta1.powi(self.steps + 1);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            let (mean, deviation) = adam.moments(g, m, v);
            let direction = match self.nesterov {
                true => beta1 * *m / next_correction + (1.0 - beta1) * g / adam.correction1,
                false => mean,
            };
            *p += adam.lr * direction / deviation;
        }
    }
}

/// Returns (v − mean)/(sd + 1e-8), and sd + 1e-8.
pub(crate) fn standardise(values: &[f32]) -> (Vec<f32>, f32) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let sd = variance.sqrt() + 1e-8;
    (values.iter().map(|&v| ((f64::from(v) - mean) / sd) as f32).collect(), sd as f32)
}

/// Returns the adjoint of [`standardise`] at its result y: (g − mean g − y·mean(g·y))/sd.
pub(crate) fn standardise_backward(y: &[f32], sd: f32, grad: &[f32]) -> Vec<f32> {
    let n = y.len() as f64;
    let mean = (grad.iter().map(|&g| f64::from(g)).sum::<f64>() / n) as f32;
    let dot = grad.iter().zip(y).map(|(&g, &y)| f64::from(g) * f64::from(y)).sum::<f64>();
    let along = (dot / n) as f32;
    grad.iter().zip(y).map(|(g, y)| (g - mean - y * along) / sd).collect()
}

/// 1/(1 + e^{−v}).
pub(crate) fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}
