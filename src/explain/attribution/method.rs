//! The attribution methods by name.

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// An attribution method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// [`crate::explain::attribution::gradient::saliency::saliency`].
    Saliency,
    /// [`crate::explain::attribution::gradient::grad_x_input::grad_x_input`].
    GradXInput,
    /// [`crate::explain::attribution::gradient::smooth_grad::smooth_grad`].
    SmoothGrad,
    /// [`crate::explain::attribution::gradient::smooth_grad::smooth_grad_squared`].
    SmoothGradSquared,
    /// [`crate::explain::attribution::gradient::smooth_grad::var_grad`].
    VarGrad,
    /// [`crate::explain::attribution::gradient::integrated_gradients::integrated_gradients`].
    IntegratedGradients,
    /// [`crate::explain::attribution::gradient::integrated_gradients::smooth_integrated_gradients`].
    SmoothIntegratedGradients,
    /// [`crate::explain::attribution::gradient::guided_backprop::guided_backprop`].
    GuidedBackprop,
    /// [`crate::explain::attribution::cam::grad_cam::grad_cam`].
    GradCam,
    /// [`crate::explain::attribution::cam::grad_cam_pp::grad_cam_pp`].
    GradCamPlusPlus,
    /// [`crate::explain::attribution::cam::layer_cam::layer_cam`].
    LayerCam,
    /// [`crate::explain::attribution::cam::score_cam::score_cam`].
    ScoreCam,
    /// [`crate::explain::attribution::perturbation::occlusion::occlusion`].
    Occlusion,
    /// [`crate::explain::attribution::perturbation::rise::rise`].
    Rise,
    /// [`crate::explain::attribution::lime::lime`].
    Lime,
}

/// The meaning of a map's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// A derivative: change of the score per unit of pixel.
    Gradient,
    /// The pixel's share of the score, in units of the score.
    Contribution,
}

impl Method {
    /// The method of a map where none is named.
    pub const DEFAULT: Method = Method::SmoothIntegratedGradients;
    /// Why it is the default, in one line.
    pub const DEFAULT_REASON: &'static str = "smooth-ig is the default because it passes the sanity \
         checks on the network in the program: what it marks ruins and restores the answer faster than \
         the centre or a random order does, and it changes with the weights; --method gradient shows the \
         gradient itself";

    /// All methods, in the order in which a page shows them.
    pub const ALL: [Method; 15] = [
        Method::Saliency,
        Method::GradXInput,
        Method::SmoothGrad,
        Method::SmoothGradSquared,
        Method::VarGrad,
        Method::IntegratedGradients,
        Method::SmoothIntegratedGradients,
        Method::GuidedBackprop,
        Method::GradCam,
        Method::GradCamPlusPlus,
        Method::LayerCam,
        Method::ScoreCam,
        Method::Occlusion,
        Method::Rise,
        Method::Lime,
    ];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Saliency => "saliency",
            Method::GradXInput => "grad-x-input",
            Method::SmoothGrad => "smoothgrad",
            Method::SmoothGradSquared => "smoothgrad-sq",
            Method::VarGrad => "vargrad",
            Method::IntegratedGradients => "ig",
            Method::SmoothIntegratedGradients => "smooth-ig",
            Method::GuidedBackprop => "guided-backprop",
            Method::GradCam => "gradcam",
            Method::GradCamPlusPlus => "gradcam++",
            Method::LayerCam => "layercam",
            Method::ScoreCam => "scorecam",
            Method::Occlusion => "occlusion",
            Method::Rise => "rise",
            Method::Lime => "lime",
        }
    }

    /// Name in a title.
    pub fn title(self) -> &'static str {
        match self {
            Method::Saliency => "Saliency",
            Method::GradXInput => "Gradient × input",
            Method::SmoothGrad => "SmoothGrad",
            Method::SmoothGradSquared => "SmoothGrad²",
            Method::VarGrad => "VarGrad",
            Method::IntegratedGradients => "Integrated gradients",
            Method::SmoothIntegratedGradients => "Smoothed integrated gradients",
            Method::GuidedBackprop => "Guided backpropagation",
            Method::GradCam => "Grad-CAM",
            Method::GradCamPlusPlus => "Grad-CAM++",
            Method::LayerCam => "LayerCAM",
            Method::ScoreCam => "Score-CAM",
            Method::Occlusion => "Occlusion",
            Method::Rise => "RISE",
            Method::Lime => "LIME",
        }
    }

    /// What it computes, in a few words for a caption; S is the target's score, x the pixels in
    /// \[0,1\].
    pub fn definition(self) -> &'static str {
        match self {
            Method::Saliency => "Gradient ∂S/∂x",
            Method::GradXInput => "∂S/∂z times z, with z = (x − mean)/std, the standardised pixel",
            Method::SmoothGrad => "Mean gradient over noisy copies, signs kept",
            Method::SmoothGradSquared => "Mean squared gradient over noisy copies",
            Method::VarGrad => "Variance of the gradient over noisy copies",
            Method::IntegratedGradients => "Gradient integrated along the path from a baseline",
            Method::SmoothIntegratedGradients => {
                "Gradient integrated along the path from the mean face, smoothed over 2 pixels"
            }
            Method::GuidedBackprop => "Gradient with negative values set to 0 at every ReLU",
            Method::GradCam => "Feature maps weighted by their mean gradient, positive part",
            Method::GradCamPlusPlus => "Feature maps weighted by positive gradients, positive part",
            Method::LayerCam => "Feature maps weighted cell by cell by positive gradients",
            Method::ScoreCam => {
                "Feature maps weighted by the probability of the face masked with them"
            }
            Method::Occlusion => "Drop of the score when an 8×8 window is hidden",
            Method::Rise => "Probability when a pixel is shown, minus the mean over random masks",
            Method::Lime => "Linear model of the probability over superpixels shown or hidden",
        }
    }

    /// Unit of the map's values.
    pub fn unit(self) -> &'static str {
        match self {
            Method::Saliency | Method::SmoothGrad | Method::GuidedBackprop => "score per pixel",
            Method::SmoothGradSquared | Method::VarGrad => "(score per pixel)²",
            Method::GradXInput
            | Method::IntegratedGradients
            | Method::SmoothIntegratedGradients
            | Method::Occlusion => "score",
            Method::Rise | Method::Lime => "probability",
            Method::GradCam | Method::GradCamPlusPlus | Method::LayerCam | Method::ScoreCam => {
                "weighted activation"
            }
        }
    }

    /// The meaning of the map's values.
    pub fn map_kind(self) -> MapKind {
        match self {
            Method::Saliency | Method::SmoothGrad | Method::GuidedBackprop => MapKind::Gradient,
            _ => MapKind::Contribution,
        }
    }

    /// Whether values below 0 can occur and mean evidence against the target.
    pub fn is_signed(self) -> bool {
        !matches!(
            self,
            Method::SmoothGradSquared
                | Method::VarGrad
                | Method::GradCam
                | Method::GradCamPlusPlus
                | Method::LayerCam
                | Method::ScoreCam
        )
    }

    /// Whether red and blue of a map mean evidence for and against: its values are signed shares of
    /// the score. The sign of a gradient only says whether the pixel should be brighter.
    pub fn shows_evidence(self) -> bool {
        self.is_signed() && self.map_kind() == MapKind::Contribution
    }

    /// Whether the map has no detail as fine as a pixel and is drawn smoothly.
    pub fn is_smooth(self) -> bool {
        self.default_map_side().is_some() || self == Method::SmoothIntegratedGradients
    }

    /// Whether the method explains the probability of the target's class rather than its score.
    pub fn explains_probability(self) -> bool {
        matches!(self, Method::ScoreCam | Method::Rise | Method::Lime)
    }

    /// Least number of cells per side of the default layer of a class activation map; `None` for
    /// other methods. LayerCAM gets a larger map because it keeps its detail.
    pub fn default_map_side(self) -> Option<usize> {
        match self {
            Method::GradCam | Method::GradCamPlusPlus | Method::ScoreCam => Some(6),
            Method::LayerCam => Some(12),
            _ => None,
        }
    }

    /// Whether the method draws random noise or masks.
    pub fn draws_samples(self) -> bool {
        use Method::{Lime, Rise, SmoothGrad, SmoothGradSquared, VarGrad};
        matches!(self, SmoothGrad | SmoothGradSquared | VarGrad | Rise | Lime)
    }
}

/// Other names of methods, without hyphens.
const OTHER_NAMES: [(&str, Method); 8] = [
    ("gradient", Method::Saliency),
    ("gradients", Method::Saliency),
    ("vanilla", Method::Saliency),
    ("gradientxinput", Method::GradXInput),
    ("smoothgradsquared", Method::SmoothGradSquared),
    ("integratedgradients", Method::IntegratedGradients),
    ("guidedbackpropagation", Method::GuidedBackprop),
    ("gradcampp", Method::GradCamPlusPlus),
];

impl FromStr for Method {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        // Other libraries write grad-cam, GradCAM, integrated_gradients.
        let plain = |name: &str| name.to_lowercase().replace(['-', '_', ' '], "");
        let asked = plain(name);
        let other = OTHER_NAMES.iter().find(|(other, _)| *other == asked).map(|(_, m)| *m);
        let found = Method::ALL.into_iter().find(|m| plain(m.name()) == asked).or(other);
        found.ok_or_else(|| {
            let names: Vec<&str> = Method::ALL.iter().map(|m| m.name()).collect();
            Error::Usage(format!("no method `{name}`; there are {}", names.join(", ")))
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
