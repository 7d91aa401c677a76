//! One call for every attribution method, and what a caption has to say about the result.

use crate::explain::Method;
use crate::explain::attribution::cam::class_activation_map::{Cam, choose_layer};
use crate::explain::attribution::cam::grad_cam::grad_cam;
use crate::explain::attribution::cam::grad_cam_pp::grad_cam_pp;
use crate::explain::attribution::cam::layer_cam::layer_cam;
use crate::explain::attribution::cam::score_cam::score_cam;
use crate::explain::attribution::gradient::grad_x_input::grad_x_input;
use crate::explain::attribution::gradient::guided_backprop;
use crate::explain::attribution::gradient::integrated_gradients::{Baseline, integrated_gradients};
use crate::explain::attribution::gradient::saliency::saliency;
use crate::explain::attribution::gradient::smooth_grad::{
    Noise, smooth_grad, smooth_grad_squared, var_grad,
};
use crate::explain::attribution::lime::{LimeOptions, lime};
use crate::explain::attribution::perturbation::occlusion::{Window, occlusion};
use crate::explain::attribution::perturbation::rise::{RiseOptions, rise};
use crate::explain::image_ops::{display_scale, max_abs, to_signed_display};
use crate::explain::validate::{check, check_picture};
use crate::explain::{Classifier, Target};
use crate::{PIXELS, Result};

/// What the methods need to know beyond the face.
#[derive(Clone, Debug)]
pub struct AttributionOptions {
    /// Mean training face, `[48, 48]`.
    pub mean_face: Vec<f32>,
    /// Start of the path of integrated gradients.
    pub baseline: Baseline,
    /// What Score-CAM shows where its mask is 0.
    pub score_cam_baseline: Baseline,
    /// Layer of a class activation map; `None` for the method's own choice.
    pub layer: Option<String>,
    /// Noise of SmoothGrad and its kin.
    pub noise: Noise,
    /// Window of occlusion.
    pub window: Window,
    /// Masks of RISE.
    pub rise: RiseOptions,
    /// LIME's sampling.
    pub lime: LimeOptions,
}

impl AttributionOptions {
    /// Defaults around a mean training face, every draw by `seed`.
    ///
    /// **Errors**: `Shape` where the mean face is not 48×48.
    pub fn new(mean_face: Vec<f32>, seed: u64) -> Result<AttributionOptions> {
        check_picture("mean face", &mean_face)?;
        let gray = mean_face.iter().sum::<f32>() / PIXELS as f32;
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

    fn picture(&self, baseline: Baseline) -> Vec<f32> {
        match baseline {
            Baseline::Black => vec![0.0; PIXELS],
            Baseline::MeanFace => self.mean_face.clone(),
        }
    }
}

/// One face explained.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// How.
    pub method: Method,
    /// What was explained, [`Target::Predicted`] resolved to a class.
    pub target: Target,
    /// The class the target speaks of.
    pub class: usize,
    /// The target's score.
    pub score: f32,
    /// Probability of `class`.
    pub probability: f32,
    /// Signed map in the method's own unit, `[48, 48]`; zeros where refused.
    pub map: Vec<f32>,
    /// Largest magnitude of the map, the number on the scale bar.
    pub raw_max: f32,
    /// Value drawn as full colour: the 99th percentile of the magnitude.
    pub scale: f32,
    /// Facts for the caption, in order.
    pub notes: Vec<Note>,
    /// Why there is no picture, in plain words.
    pub refused: Option<String>,
}

impl Attribution {
    /// The map for a diverging colour scale, \[−1, 1\] about 0; `scale` replaces its own, for
    /// pictures that share one.
    pub fn signed_display(&self, scale: Option<f32>) -> Vec<f32> {
        to_signed_display(&self.map, scale.unwrap_or(self.scale))
    }
    /// The magnitude for a sequential colour scale, \[0, 1\].
    pub fn display(&self, scale: Option<f32>) -> Vec<f32> {
        self.signed_display(scale).iter().map(|v| v.abs()).collect()
    }
    /// Target, scale and notes in one line.
    pub fn caption(&self, class_names: &[&str]) -> String {
        let name = class_names.get(self.class).copied().unwrap_or("?");
        let mut parts = vec![self.method.title().to_string()];
        parts.push(if self.method.explains_probability() {
            format!("probability of {name}")
        } else {
            self.target.describe(name)
        });
        parts.push(format!("p({name}) {:.2}", self.probability));
        if let Some(why) = &self.refused {
            parts.push(why.clone());
            return parts.join(" · ");
        }
        parts.push(format!("max {:.3e}", self.raw_max));
        parts.extend(self.notes.iter().map(Note::to_string));
        parts.join(" · ")
    }
}

/// Something a caption must say.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Layer and native size of a class activation map.
    Layer(String, [usize; 2]),
    /// Nothing speaks for the class: an all-zero map.
    NoPositiveEvidence,
    /// Samples, masks, windows or nodes.
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
    /// Start of the path.
    Baseline(Baseline),
    /// Mean of RISE's probabilities, which the map is relative to, and its standard error.
    Rise(f32, f32),
    /// LIME: pieces, weighted R², intercept, local and model prediction.
    Lime(usize, f64, f64, f64, f64),
    /// LIME: rank correlation and top-5 share between fits.
    Agreement(f64, f64),
    /// A warning that goes with every picture of the method.
    Warning(&'static str),
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
            Note::Lime(pieces, r2, intercept, local, model) => write!(
                f,
                "{pieces} pieces, R² {r2:.2}, intercept {intercept:.2}, local model {local:.2}, \
                 network {model:.2}"
            ),
            Note::Agreement(rank, top5) => {
                write!(f, "agreement of fits: rank {rank:.2}, top five {:.0} %", 100.0 * top5)
            }
            Note::Warning(text) => f.write_str(text),
        }
    }
}

/// Maps with their notes, or why there are none.
type Maps = std::result::Result<Vec<(Vec<f32>, Vec<Note>)>, String>;

/// Explains the target of every face by a method.
///
/// [`Target::Predicted`] is resolved on the face as given and held fixed on perturbed copies.
/// Score-CAM, RISE and LIME explain the probability of the target's class whatever the target.
///
/// **Errors**: `Shape` where counts disagree; `Usage` for an unknown class or layer. What cannot
/// be trusted is no error but `refused`, so that a page of all methods can say so.
pub fn attribute(
    model: &dyn Classifier,
    method: Method,
    faces: &[f32],
    targets: &[Target],
    options: &AttributionOptions,
) -> Result<Vec<Attribution>> {
    check(model, faces, targets)?;
    let draw = |i: usize, out: &mut [f32]| {
        out.copy_from_slice(&faces[i * PIXELS..(i + 1) * PIXELS]);
    };
    let logits = crate::explain::batch::logits_of(model, targets.len(), draw)?;
    let rows: Vec<&[f32]> = logits.chunks_exact(model.classes()).collect();
    let fixed: Vec<Target> = targets.iter().zip(&rows).map(|(t, l)| t.resolve(l)).collect();
    let classes: Vec<usize> = fixed.iter().zip(&rows).map(|(t, l)| t.class(l)).collect();

    let of_loss = fixed.iter().any(|t| matches!(t, Target::Loss(_)));
    let maps = if method.explains_probability() && of_loss {
        let title = method.title();
        Err(format!("{title} explains the probability of a class; the loss is none"))
    } else if let Some(side) = method.default_map_side() {
        cam_maps(model, method, faces, &fixed, &classes, options, side)?
    } else if method == Method::Lime {
        return lime_attributions(model, faces, &fixed, &classes, &rows, options);
    } else {
        pixel_maps(model, method, faces, &fixed, &classes, options)?
    };
    Ok((0..targets.len())
        .map(|f| match &maps {
            Ok(found) => {
                let (map, notes) = found[f].clone();
                attribution(model, method, fixed[f], rows[f], map, notes, None)
            }
            Err(why) => {
                let zeros = vec![0.0; PIXELS];
                attribution(model, method, fixed[f], rows[f], zeros, vec![], Some(why.clone()))
            }
        })
        .collect())
}

fn attribution(
    model: &dyn Classifier,
    method: Method,
    target: Target,
    logits: &[f32],
    map: Vec<f32>,
    notes: Vec<Note>,
    refused: Option<String>,
) -> Attribution {
    let class = target.class(logits);
    Attribution {
        method,
        target,
        class,
        score: target.score(logits),
        probability: model.probabilities(logits)[class],
        raw_max: max_abs(&map),
        scale: display_scale(&map),
        map,
        notes,
        refused,
    }
}

fn cam_maps(
    model: &dyn Classifier,
    method: Method,
    faces: &[f32],
    targets: &[Target],
    classes: &[usize],
    options: &AttributionOptions,
    side: usize,
) -> Result<Maps> {
    let layer = match choose_layer(model, options.layer.as_deref(), side)? {
        Ok(layer) => layer.name,
        Err(why) => return Ok(Err(why)),
    };
    let cams = match method {
        Method::GradCam => grad_cam(model, &layer, faces, targets)?,
        Method::GradCamPlusPlus => grad_cam_pp(model, &layer, faces, targets)?,
        Method::LayerCam => layer_cam(model, &layer, faces, targets)?,
        _ => {
            let baseline = options.picture(options.score_cam_baseline);
            score_cam(model, &layer, faces, classes, &baseline)?
        }
    };
    let with_facts = |cam: Cam| {
        let mut notes = vec![Note::Layer(layer.clone(), cam.native)];
        if !cam.has_positive_evidence() {
            notes.push(Note::NoPositiveEvidence);
        }
        (cam.map, notes)
    };
    Ok(Ok(cams.into_iter().map(with_facts).collect()))
}

fn pixel_maps(
    model: &dyn Classifier,
    method: Method,
    faces: &[f32],
    targets: &[Target],
    classes: &[usize],
    options: &AttributionOptions,
) -> Result<Maps> {
    let noise = &options.noise;
    let mut notes = vec![];
    let maps = match method {
        Method::Saliency => saliency(model, faces, targets)?,
        Method::GradXInput => grad_x_input(model, faces, targets)?,
        Method::GuidedBackprop => {
            if let Some(why) = guided_backprop::refusal(model) {
                return Ok(Err(why));
            }
            notes.push(Note::Warning(guided_backprop::WARNING));
            guided_backprop::guided_backprop(model, faces, targets)?
        }
        Method::Occlusion => occlusion(model, faces, targets, &options.window)?,
        Method::IntegratedGradients => return ig_maps(model, faces, targets, options).map(Ok),
        Method::Rise => return rise_maps(model, faces, classes, options).map(Ok),
        moments => {
            notes.extend([Note::Samples(noise.copies()), Note::Noise(noise.sd)]);
            match moments {
                Method::SmoothGradSquared => smooth_grad_squared(model, faces, targets, noise)?,
                Method::VarGrad => var_grad(model, faces, targets, noise)?,
                _ => smooth_grad(model, faces, targets, noise)?,
            }
        }
    };
    Ok(Ok(maps.chunks_exact(PIXELS).map(|map| (map.to_vec(), notes.clone())).collect()))
}

fn ig_maps(
    model: &dyn Classifier,
    faces: &[f32],
    targets: &[Target],
    options: &AttributionOptions,
) -> Result<Vec<(Vec<f32>, Vec<Note>)>> {
    let start = options.picture(options.baseline);
    let found = integrated_gradients(model, faces, targets, &start)?;
    let notes = |nodes, share, change| {
        let residual = Note::Residual { share, change };
        vec![Note::Baseline(options.baseline), Note::Samples(nodes), residual]
    };
    Ok(found.into_iter().map(|ig| (ig.map, notes(ig.nodes, ig.residual, ig.change))).collect())
}

/// RISE relative to its mean, so that 0 separates pixels that help from those that do not.
fn rise_maps(
    model: &dyn Classifier,
    faces: &[f32],
    classes: &[usize],
    options: &AttributionOptions,
) -> Result<Vec<(Vec<f32>, Vec<Note>)>> {
    let found = rise(model, faces, classes, &options.mean_face, &options.rise)?;
    let centre = |r: crate::explain::attribution::perturbation::rise::Rise| {
        let notes = vec![Note::Samples(options.rise.samples), Note::Rise(r.mean, r.standard_error)];
        (r.map.iter().map(|v| v - r.mean).collect(), notes)
    };
    Ok(found.into_iter().map(centre).collect())
}

fn lime_attributions(
    model: &dyn Classifier,
    faces: &[f32],
    targets: &[Target],
    classes: &[usize],
    logits: &[&[f32]],
    options: &AttributionOptions,
) -> Result<Vec<Attribution>> {
    let found = lime(model, faces, classes, &options.lime)?;
    let explain = |(f, l): (usize, &crate::explain::attribution::lime::Lime)| {
        let pieces = l.coefficients.len();
        let mut notes = vec![
            Note::Samples(options.lime.num_samples),
            Note::Lime(pieces, l.r2, l.intercept, l.local_prediction, l.model_prediction),
        ];
        notes.extend(l.agreement.map(|a| Note::Agreement(a.rank, a.top5)));
        let map = if l.refused.is_some() { vec![0.0; PIXELS] } else { l.map() };
        attribution(model, Method::Lime, targets[f], logits[f], map, notes, l.refused.clone())
    };
    Ok(found.iter().enumerate().map(explain).collect())
}
