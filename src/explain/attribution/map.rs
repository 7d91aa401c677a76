//! The attribution map of one face, and the notes for its caption.

use crate::explain::attribution::gradient::integrated_gradients::Baseline;
use crate::explain::attribution::method::Method;
use crate::explain::batch::face;
use crate::explain::image_ops::{display_scale, max_abs, min_max, to_signed_display};
use crate::explain::{FaceBatch, Target};
use std::fmt;

/// The attribution map of one face by one method.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// The method.
    pub method: Method,
    /// What was explained; never [`Target::Predicted`].
    pub target: Target,
    /// The class of the target.
    pub class: usize,
    /// The target's score.
    pub score: f32,
    /// Probability of `class`.
    pub probability: f32,
    /// Signed map in the method's own unit, `[48, 48]`; zeros where refused.
    pub map: Vec<f32>,
    /// Largest magnitude of the map.
    pub raw_max: f32,
    /// Value drawn as full colour: the 99th percentile of the magnitude.
    pub scale: f32,
    /// Notes for the caption, in order.
    pub notes: Vec<Note>,
    /// Why there is no map; `None` where there is one.
    pub refused: Option<String>,
}

/// The warning where noise is scaled by a range of 0.
const NO_NOISE: &str = "every pixel is the same, so the noise is 0 and all copies are equal";

/// The warning of a map without content.
const ZERO: &str = "the map is 0 everywhere";

impl Attribution {
    /// Completes the map of face f with what the caption says about its target.
    pub(crate) fn new(
        faces: &FaceBatch<'_>,
        f: usize,
        method: Method,
        map: Vec<f32>,
        mut notes: Vec<Note>,
        refused: Option<String>,
    ) -> Attribution {
        let (target, class) = (faces.targets()[f], faces.class(f));
        let (low, high) = min_max(face(faces.pixels(), f));
        if low == high && notes.iter().any(|note| matches!(note, Note::Noise(_))) {
            notes.push(Note::Warning(NO_NOISE));
        }
        if refused.is_none() && max_abs(&map) == 0.0 && !notes.contains(&Note::NoPositiveEvidence) {
            notes.push(Note::Warning(ZERO));
        }
        Attribution {
            method,
            target,
            class,
            score: target.score(faces.logits(f)),
            probability: faces.classifier().probabilities(faces.logits(f))[class],
            raw_max: max_abs(&map),
            scale: display_scale(&map),
            map,
            notes,
            refused,
        }
    }

    /// Returns the map for a diverging colour scale, in \[−1, 1\] about 0. `scale` replaces the
    /// map's own scale, for pictures that share one.
    pub fn signed_display(&self, scale: Option<f32>) -> Vec<f32> {
        to_signed_display(&self.map, scale.unwrap_or(self.scale))
    }

    /// Returns the magnitude for a sequential colour scale, in \[0, 1\].
    pub fn display(&self, scale: Option<f32>) -> Vec<f32> {
        self.signed_display(scale).iter().map(|v| v.abs()).collect()
    }
}

/// One note for the caption of a map.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Layer of a class activation map, with its rows and columns.
    Layer(String, [usize; 2]),
    /// The map is zero everywhere.
    NoPositiveEvidence,
    /// Number of samples, masks, windows or nodes.
    Samples(usize),
    /// Standard deviation of the noise, as a share of the face's range.
    Noise(f32),
    /// Completeness residual of integrated gradients.
    Residual {
        /// As a share of the change of the score.
        share: f64,
        /// The change of the score from the baseline to the face.
        change: f64,
    },
    /// Start of the path of integrated gradients.
    Baseline(Baseline),
    /// Mean of RISE's probabilities, which was subtracted from the map, and its standard error.
    Rise(f32, f32),
    /// LIME: superpixels, weighted R², intercept, probability by the linear model and by the
    /// network.
    Lime(usize, f64, f64, f64, f64),
    /// LIME: mean rank correlation and mean overlap of the five strongest superpixels over pairs of
    /// fits.
    Agreement(f64, f64),
    /// A warning that goes with every picture of the method.
    Warning(&'static str),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Layer(name, [h, w]) => write!(f, "{name}, {h}×{w} cells"),
            Note::NoPositiveEvidence => write!(f, "nothing in this layer raises the target"),
            Note::Samples(n) => write!(f, "n = {n}"),
            Note::Noise(sd) => write!(f, "noise {:.0} % of the range", 100.0 * sd),
            Note::Residual { share, change } => {
                write!(f, "residual {:.2} % of {change:.2}", 100.0 * share)
            }
            Note::Baseline(Baseline::Black) => write!(f, "from black"),
            Note::Baseline(Baseline::MeanFace) => write!(f, "from the mean face"),
            Note::Rise(mean, se) => write!(f, "above the mean of {mean:.3}, s.e. {se:.4}"),
            Note::Lime(superpixels, r2, intercept, local, network) => write!(
                f,
                "{superpixels} superpixels, R² {r2:.2}, intercept {intercept:.2}, linear model \
                 {local:.2}, network {network:.2}"
            ),
            Note::Agreement(rank, top5) => {
                write!(f, "agreement of fits: rank {rank:.2}, top five {:.0} %", 100.0 * top5)
            }
            Note::Warning(text) => f.write_str(text),
        }
    }
}
