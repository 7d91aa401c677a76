//! Pixels as they are: the naive recipe, kept as "before", and the best that pixels alone can do.

use crate::explain::Classifier;
use crate::explain::batch::BATCH;
use crate::explain::filters::activation_maximization::{
    MaximizationOptions, MaximizationTask, MaximizedImage, Parametrization, replace_dead_gradients,
    values_of,
};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result};

/// Free pixels, clipped to \[0,1\]: with Adam the strongest recipe without a prior.
pub struct Pixels;

impl Pixels {
    /// 256 steps of Adam at 0.02 on the picture as it is.
    pub fn options() -> MaximizationOptions {
        MaximizationOptions {
            steps: 256,
            learning_rate: 0.02,
            cooling: false,
            nesterov: false,
            views: 1,
            warp: None,
            crop: None,
            noise: 0.0,
            total_variation: 0.0,
            l2: 0.0,
        }
    }
}

impl Parametrization for Pixels {
    fn parameters(&self) -> usize {
        PIXELS
    }
    fn start(&self, rng: &mut Rng) -> Vec<f32> {
        gray_noise(rng)
    }
    fn picture(&self, parameters: &[f32]) -> Vec<f32> {
        parameters.to_vec()
    }
    fn gradient(&self, _parameters: &[f32], grad_picture: &[f32]) -> Vec<f32> {
        grad_picture.to_vec()
    }
    fn project(&self, parameters: &mut [f32]) {
        parameters.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
    }
}

/// 128 + 20·(U − ½) on 0…255.
fn gray_noise(rng: &mut Rng) -> Vec<f32> {
    (0..PIXELS).map(|_| ((128.0 + 20.0 * (rng.uniform() - 0.5)) / 255.0) as f32).collect()
}

/// Steps of the naive recipe.
pub const NAIVE_STEPS: usize = 20;

/// The naive recipe: gray noise, 20 steps of the gradient divided by its root mean square, one
/// gray level of 255 a step, no prior; shown as 0.1·(x − mean)/sd + ½, clipped. Where gray noise
/// leaves the ReLU dead, the gradient before it is taken, as in the other recipes: noise that never
/// moved would be no picture of the filter.
///
/// **Source**: Chollet 2016, "How convolutional neural networks see the world", the Keras blog.
pub fn naive(
    model: &dyn Classifier,
    goals: &MaximizationTask<'_>,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<MaximizedImage>> {
    let n = goals.objective.units().len();
    let mut pictures: Vec<f32> = goals
        .keys
        .iter()
        .flat_map(|&key| gray_noise(&mut Rng::new(goals.seed, Purpose::Explain, 999, key)))
        .collect();
    for first in (0..n).step_by(BATCH) {
        let last = (first + BATCH).min(n);
        let batch = &mut pictures[first * PIXELS..last * PIXELS];
        let objective = goals.objective.with_units(goals.objective.units()[first..last].to_vec());
        let members: Vec<usize> = (first..last).collect();
        for _ in 0..NAIVE_STEPS {
            let mut gradient = model.objective_gradient(&objective, batch)?.gradient;
            if let Some(pre) = goals.pre_activation {
                replace_dead_gradients(model, pre, &members, 1, batch, &mut gradient)?;
            }
            for (x, g) in batch.chunks_exact_mut(PIXELS).zip(gradient.chunks_exact(PIXELS)) {
                let square = g.iter().map(|g| g * g).sum::<f32>();
                let rms = (square / PIXELS as f32).sqrt() + 1e-5;
                x.iter_mut().zip(g).for_each(|(x, g)| *x += g / rms / 255.0);
            }
            progress(last - first);
        }
    }
    for x in pictures.chunks_exact_mut(PIXELS) {
        let (y, _) = crate::explain::filters::activation_maximization::standardise(x);
        x.iter_mut().zip(y).for_each(|(x, y)| *x = (0.1 * y + 0.5).clamp(0.0, 1.0));
    }
    let values = values_of(model, goals.objective, &pictures)?;
    let raised = |(x, value): (&[f32], f32)| MaximizedImage {
        picture: x.to_vec(),
        importance: vec![0.0; PIXELS],
        value,
    };
    Ok(pictures.chunks_exact(PIXELS).zip(values).map(raised).collect())
}
