//! Attribution: how much each pixel of a face contributes to a score.
//!
//! One file per method, grouped by what the method asks of the network: [`gradient`] (derivatives
//! with respect to the pixels), [`cam`] (feature maps of a layer), [`perturbation`] (scores of
//! faces with hidden parts) and [`lime`] (a linear model over superpixels). [`attribute`] calls any
//! of them by name.

pub mod cam;
pub mod gradient;
pub mod lime;
pub mod map;
pub mod method;
pub mod options;
pub mod perturbation;

use crate::explain::FaceBatch;
use crate::{PIXELS, Result};
use cam::class_activation_map::{Cam, choose_layer};
use gradient::{guided_backprop, integrated_gradients};
use map::{Attribution, Note};
use method::Method;
use options::AttributionOptions;

/// A map with its notes for each face, or the reason why there is none.
type MapsOrRefusal = std::result::Result<Vec<(Vec<f32>, Vec<Note>)>, String>;

/// Explains the target of every face by one method.
///
/// Score-CAM, RISE and LIME explain the probability of the target's class, whatever the target.
/// A map that cannot be trusted is not an error: it is returned as `refused`, so that a page of all
/// methods can say so.
///
/// **Errors**: `Usage` for an unknown layer; errors of the network.
pub fn attribute(
    faces: &FaceBatch<'_>,
    method: Method,
    options: &AttributionOptions,
) -> Result<Vec<Attribution>> {
    if method.explains_probability() && faces.targets().iter().any(|t| t.is_loss()) {
        let title = method.title();
        let why = format!("{title} explains the probability of a class; the loss is none");
        return Ok(refusals(faces, method, &why));
    }
    let maps = if let Some(side) = method.default_map_side() {
        cam_maps(faces, method, options, side)?
    } else if method == Method::Lime {
        return lime_attributions(faces, options);
    } else {
        pixel_maps(faces, method, options)?
    };
    Ok(match maps {
        Ok(maps) => {
            let numbered = maps.into_iter().enumerate();
            numbered
                .map(|(f, (map, notes))| Attribution::new(faces, f, method, map, notes, None))
                .collect()
        }
        Err(why) => refusals(faces, method, &why),
    })
}

fn refusals(faces: &FaceBatch<'_>, method: Method, why: &str) -> Vec<Attribution> {
    let refuse =
        |f| Attribution::new(faces, f, method, vec![0.0; PIXELS], vec![], Some(why.to_owned()));
    (0..faces.len()).map(refuse).collect()
}

fn cam_maps(
    faces: &FaceBatch<'_>,
    method: Method,
    options: &AttributionOptions,
    side: usize,
) -> Result<MapsOrRefusal> {
    let layer = match choose_layer(faces.classifier(), options.layer.as_deref(), side)? {
        Ok(layer) => layer.name,
        Err(why) => return Ok(Err(why)),
    };
    let cams = match method {
        Method::GradCam => cam::grad_cam::grad_cam(faces, &layer)?,
        Method::GradCamPlusPlus => cam::grad_cam_pp::grad_cam_pp(faces, &layer)?,
        Method::LayerCam => cam::layer_cam::layer_cam(faces, &layer)?,
        _ => {
            let baseline = options.picture(options.score_cam_baseline);
            cam::score_cam::score_cam(faces, &layer, &baseline)?
        }
    };
    let with_notes = |cam: Cam| {
        let mut notes = vec![Note::Layer(layer.clone(), cam.native)];
        if !cam.has_positive_evidence() {
            notes.push(Note::NoPositiveEvidence);
        }
        (cam.map, notes)
    };
    Ok(Ok(cams.into_iter().map(with_notes).collect()))
}

fn pixel_maps(
    faces: &FaceBatch<'_>,
    method: Method,
    options: &AttributionOptions,
) -> Result<MapsOrRefusal> {
    use gradient::smooth_grad::{smooth_grad, smooth_grad_squared, var_grad};
    let noise = &options.noise;
    let mut notes = vec![];
    let maps = match method {
        Method::Saliency => gradient::saliency::saliency(faces)?,
        Method::GradXInput => gradient::grad_x_input::grad_x_input(faces)?,
        Method::GuidedBackprop => {
            if let Some(why) = guided_backprop::refusal(faces.classifier()) {
                return Ok(Err(why));
            }
            notes.push(Note::Warning(guided_backprop::WARNING));
            guided_backprop::guided_backprop(faces)?
        }
        Method::Occlusion => perturbation::occlusion::occlusion(faces, &options.window)?,
        Method::IntegratedGradients => return ig_maps(faces, options).map(Ok),
        Method::SmoothIntegratedGradients => {
            notes.push(Note::Baseline(options.baseline));
            let baseline = options.picture(options.baseline);
            integrated_gradients::smooth_integrated_gradients(faces, &baseline)?
        }
        Method::Rise => return rise_maps(faces, options).map(Ok),
        moments => {
            notes.extend([Note::Samples(noise.copies()), Note::Noise(noise.sd)]);
            match moments {
                Method::SmoothGradSquared => smooth_grad_squared(faces, noise)?,
                Method::VarGrad => var_grad(faces, noise)?,
                _ => smooth_grad(faces, noise)?,
            }
        }
    };
    Ok(Ok(maps.chunks_exact(PIXELS).map(|map| (map.to_vec(), notes.clone())).collect()))
}

fn ig_maps(
    faces: &FaceBatch<'_>,
    options: &AttributionOptions,
) -> Result<Vec<(Vec<f32>, Vec<Note>)>> {
    let baseline = options.picture(options.baseline);
    let found = integrated_gradients::integrated_gradients(faces, &baseline)?;
    let notes = |nodes, share, change| {
        let residual = Note::Residual { share, change };
        vec![Note::Baseline(options.baseline), Note::Samples(nodes), residual]
    };
    Ok(found.into_iter().map(|ig| (ig.map, notes(ig.nodes, ig.residual, ig.change))).collect())
}

/// RISE maps minus their mean, so that 0 separates pixels that help from those that do not.
fn rise_maps(
    faces: &FaceBatch<'_>,
    options: &AttributionOptions,
) -> Result<Vec<(Vec<f32>, Vec<Note>)>> {
    let found = perturbation::rise::rise(faces, &options.mean_face, &options.rise)?;
    let centre = |r: perturbation::rise::Rise| {
        let notes = vec![Note::Samples(options.rise.samples), Note::Rise(r.mean, r.standard_error)];
        (r.map.iter().map(|v| v - r.mean).collect(), notes)
    };
    Ok(found.into_iter().map(centre).collect())
}

fn lime_attributions(
    faces: &FaceBatch<'_>,
    options: &AttributionOptions,
) -> Result<Vec<Attribution>> {
    let found = lime::lime(faces, &options.lime)?;
    let explain = |(f, l): (usize, &lime::Lime)| {
        let superpixels = l.coefficients.len();
        let mut notes = vec![
            Note::Samples(options.lime.num_samples),
            Note::Lime(superpixels, l.r2, l.intercept, l.local_prediction, l.model_prediction),
        ];
        notes.extend(l.agreement.map(|a| Note::Agreement(a.rank, a.top5)));
        let map = if l.refused.is_some() { vec![0.0; PIXELS] } else { l.map() };
        Attribution::new(faces, f, Method::Lime, map, notes, l.refused.clone())
    };
    Ok(found.iter().enumerate().map(explain).collect())
}
