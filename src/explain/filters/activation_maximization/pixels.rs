//! Free pixels: the naive method, for comparison, and Adam on the pixels.

use super::{
    MaximizationOptions, MaximizationTask, MaximizedImage, Parametrization, replace_dead_gradients,
    standardise, values_of,
};
use crate::explain::Classifier;
use crate::explain::batch::BATCH;
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result};

/// The parametrization by the pixels themselves, clipped to \[0,1\].
pub struct Pixels;

impl Pixels {
    /// The default: 256 steps of Adam at 0.02 on the untransformed picture.
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
    fn start(&self, _picture: usize, rng: &mut Rng) -> Vec<f32> {
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

/// Gray noise, (128 + 20·(U − ½))/255 with U uniform.
fn gray_noise(rng: &mut Rng) -> Vec<f32> {
    (0..PIXELS).map(|_| ((128.0 + 20.0 * (rng.uniform() - 0.5)) / 255.0) as f32).collect()
}

/// Steps of the naive method.
pub const NAIVE_STEPS: usize = 20;

/// Runs the naive method: gray noise, then 20 steps of the gradient divided by its root mean
/// square, each one gray level of 255, without penalties; shown as 0.1·(x − mean)/sd + ½, clipped.
/// While the ReLU outputs 0 everywhere, the gradient of its input is used, as in the other methods.
///
/// **Source**: Chollet 2016, "How convolutional neural networks see the world", the Keras blog.
pub fn naive(
    model: &dyn Classifier,
    task: &MaximizationTask<'_>,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<MaximizedImage>> {
    let n = task.objective.units().len();
    let mut pictures: Vec<f32> = task
        .keys
        .iter()
        .flat_map(|&key| gray_noise(&mut Rng::new(task.seed, Purpose::Explain, 999, key)))
        .collect();
    for first in (0..n).step_by(BATCH) {
        let last = (first + BATCH).min(n);
        let batch = &mut pictures[first * PIXELS..last * PIXELS];
        let objective = task.objective.with_units(task.objective.units()[first..last].to_vec());
        let members: Vec<usize> = (first..last).collect();
        for _ in 0..NAIVE_STEPS {
            let mut gradient = model.objective_gradient(&objective, batch)?.gradient;
            if let Some(pre) = task.pre_activation {
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
        let (y, _) = standardise(x);
        x.iter_mut().zip(y).for_each(|(x, y)| *x = (0.1 * y + 0.5).clamp(0.0, 1.0));
    }
    let values = values_of(model, task.objective, &pictures)?;
    let image = |(x, value): (&[f32], f32)| MaximizedImage {
        picture: x.to_vec(),
        importance: vec![0.0; PIXELS],
        value,
    };
    Ok(pictures.chunks_exact(PIXELS).zip(values).map(image).collect())
}
