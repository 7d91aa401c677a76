//! Saliency results of the report: maps of typical faces, mean maps, lifts of the face regions.

use crate::Result;
use crate::explain::regions::class_maps::{ClassMaps, class_maps, mean_faces};
use crate::explain::regions::face_regions::fitted_templates;
use crate::explain::regions::region_lift::{Lift, LiftOptions, region_lift};
use crate::explain::sanity::randomisation::randomised;
use crate::explain::{
    Attribution, AttributionOptions, FaceBatch, Method, NetworkClassifier, Target, attribute,
};
use crate::report::PredictedFace;
use crate::report::html_report::{Progress, ReportContext};

/// Saliency maps of typical faces, mean maps per class, and lifts of the face regions.
pub struct SaliencyResults {
    /// One typical face per expression.
    pub faces: Vec<PredictedFace>,
    /// Map of each typical face for its predicted class, by the default method.
    pub maps: Vec<Attribution>,
    /// Gradient of the same score with respect to the pixels of each typical face.
    pub gradients: Vec<Attribution>,
    /// Number of faces behind mean maps and lifts.
    pub count: usize,
    /// Mean maps per class.
    pub class_maps: ClassMaps,
    /// Mean faces per class.
    pub mean_faces: Vec<Vec<f32>>,
    /// Mean face.
    pub mean_face: Vec<f32>,
    /// Lifts of the face regions, with controls.
    pub lifts: Vec<Lift>,
}

/// Computes the results. `typical` are the faces shown, `mean` is the mean face.
pub fn measure_saliency(
    context: &ReportContext<'_>,
    typical: &[PredictedFace],
    mean: &[f32],
    progress: &mut Progress<'_>,
) -> Result<SaliencyResults> {
    let model = context.classifier()?;
    let options = AttributionOptions::new(mean.to_vec(), context.options.seed)?;
    let own: Vec<f32> = typical.iter().flat_map(|f| &f.pixels).copied().collect();
    let targets = vec![Target::Predicted; typical.len()];
    let own = FaceBatch::new(&model, &own, &targets)?;
    let maps = attribute(&own, Method::DEFAULT, &options)?;
    let gradients = attribute(&own, Method::Saliency, &options)?;

    let labels = context.labels();
    let most = context.options.faces_of_a_class();
    let chosen = first_of_each(&labels, most, context.names().len());
    let pixels = context.pixels(&context.evaluated.faces, &chosen);
    let labels: Vec<usize> = chosen.iter().map(|&f| labels[f]).collect();
    let faces = FaceBatch::new(&model, &pixels, &vec![Target::Predicted; labels.len()])?;
    let found = saliency(&faces, &options, &mut |share| progress.part(share / 2.0))?;
    // The control explains the same classes.
    let targets: Vec<Target> = found.iter().map(|a| a.target).collect();
    let other = randomised(&context.model().network, None, context.options.seed)?;
    let other = NetworkClassifier::new(&other)?;
    let mut control = |_: &[f32]| -> Result<Vec<f32>> {
        let faces = FaceBatch::new(&other, &pixels, &targets)?;
        let found = saliency(&faces, &options, &mut |share| progress.part(0.5 + share / 2.0))?;
        Ok(found.into_iter().flat_map(|a| a.map).collect())
    };
    let flat: Vec<f32> = found.iter().flat_map(|a| &a.map).copied().collect();
    let templates = fitted_templates(&pixels)?;
    let lift_options = LiftOptions::new(context.options.seed);
    let lifts =
        region_lift(&pixels, &labels, &flat, &templates, &lift_options, Some(&mut control))?;
    let predicted: Vec<usize> = found.iter().map(|a| a.class).collect();
    let classes = context.names().len();
    Ok(SaliencyResults {
        faces: typical.to_vec(),
        maps,
        gradients,
        count: labels.len(),
        class_maps: class_maps(&flat, &labels, &predicted, classes)?,
        mean_faces: mean_faces(&pixels, &labels, classes),
        mean_face: mean.to_vec(),
        lifts,
    })
}

/// Returns the first `most` faces of each class, class by class, as `fer saliency --balanced-faces` does.
fn first_of_each(labels: &[usize], most: usize, classes: usize) -> Vec<usize> {
    let of_class = |c: usize| (0..labels.len()).filter(move |&f| labels[f] == c).take(most);
    (0..classes).flat_map(of_class).collect()
}

/// Explains faces in parts; `progress` receives the share that is done.
fn saliency(
    faces: &FaceBatch<'_>,
    options: &AttributionOptions,
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<Attribution>> {
    let mut found = Vec::with_capacity(faces.len());
    for part in faces.parts() {
        found.extend(attribute(&part, Method::DEFAULT, options)?);
        progress(found.len() as f64 / faces.len() as f64);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::report::html_report::saliency::first_of_each;

    #[test]
    fn classes_are_drawn_evenly() {
        assert_eq!(first_of_each(&[0, 2, 0, 0, 1, 0, 2], 2, 4), [0, 2, 4, 1, 6]);
        assert!(first_of_each(&[], 2, 2).is_empty());
    }
}
