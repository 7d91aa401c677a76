//! What the attribution methods need to know beyond the faces.

use crate::Result;
use crate::explain::Face;
use crate::explain::attribution::gradient::integrated_gradients::Baseline;
use crate::explain::attribution::gradient::smooth_grad::Noise;
use crate::explain::attribution::lime::LimeOptions;
use crate::explain::attribution::perturbation::occlusion::Window;
use crate::explain::attribution::perturbation::rise::RiseOptions;

/// Settings of all attribution methods.
#[derive(Clone, Debug)]
pub struct AttributionOptions {
    /// Mean training face.
    pub mean_face: Face,
    /// Start of the path of integrated gradients.
    pub baseline: Baseline,
    /// What Score-CAM shows where its mask is 0.
    pub score_cam_baseline: Baseline,
    /// Layer of a class activation map; `None` for the method's own choice.
    pub layer: Option<String>,
    /// Noise of SmoothGrad, SmoothGrad² and VarGrad.
    pub noise: Noise,
    /// Window of occlusion.
    pub window: Window,
    /// Masks of RISE.
    pub rise: RiseOptions,
    /// Sampling and fit of LIME.
    pub lime: LimeOptions,
}

impl AttributionOptions {
    /// The defaults around a mean training face, with `seed` for every random draw.
    ///
    /// **Errors**: `Shape` where the mean face is not 48×48 finite pixels.
    pub fn new(mean_face: impl Into<Vec<f32>>, seed: u64) -> Result<AttributionOptions> {
        let mean_face = Face::new("mean face", mean_face)?;
        let gray = mean_face.iter().sum::<f32>() / mean_face.len() as f32;
        Ok(AttributionOptions {
            mean_face,
            baseline: Baseline::MeanFace,
            score_cam_baseline: Baseline::Black,
            layer: None,
            noise: Noise { seed, ..Default::default() },
            window: Window::with_fill(gray),
            rise: RiseOptions { seed, ..Default::default() },
            lime: LimeOptions { seed, ..Default::default() },
        })
    }

    /// The picture that a baseline stands for.
    pub(crate) fn picture(&self, baseline: Baseline) -> Face {
        match baseline {
            Baseline::Black => Face::gray(0.0),
            Baseline::MeanFace => self.mean_face.clone(),
        }
    }
}
