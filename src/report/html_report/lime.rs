//! LIME explanations of typical faces, and the most confident errors with the maps of both classes.

use crate::explain::attribution::lime::{Lime, LimeOptions, lime};
use crate::explain::regions::face_regions::{Template, fitted_templates};
use crate::explain::{Attribution, AttributionOptions, FaceBatch, Method, Target, attribute};
use crate::metrics::errors::Mistake;
use crate::report::PredictedFace;
use crate::report::html_report::{Progress, ReportContext};
use crate::{PIXELS, Result};

/// LIME explanations of typical faces.
pub struct LimeResults {
    /// One typical face per expression.
    pub faces: Vec<PredictedFace>,
    /// The explanation of each face for its predicted class.
    pub explanations: Vec<Lime>,
    /// The regions of each face.
    pub templates: Vec<Template>,
    /// Settings of the fits.
    pub options: LimeOptions,
}

/// A misclassified face with the saliency maps of two classes.
pub struct ExplainedMistake {
    /// The mistake.
    pub mistake: Mistake,
    /// Pixels of the face, `[48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
    /// Map of the predicted class.
    pub predicted: Attribution,
    /// Map of the labelled class.
    pub labelled: Attribution,
}

/// Runs LIME on typical faces.
pub(crate) fn measure_lime(
    context: &ReportContext<'_>,
    typical: &[PredictedFace],
    progress: &mut Progress<'_>,
) -> Result<LimeResults> {
    let model = context.classifier()?;
    let options = LimeOptions {
        fits: context.options.fits(),
        seed: context.options.seed,
        ..LimeOptions::default()
    };
    let mut explanations = vec![];
    for face in typical {
        let face = FaceBatch::of_classes(&model, &face.pixels, &[face.predicted])?;
        explanations.extend(lime(&face, &options)?);
        progress.part(explanations.len() as f64 / typical.len() as f64);
    }
    let pixels: Vec<f32> = typical.iter().flat_map(|f| &f.pixels).copied().collect();
    let templates = fitted_templates(&pixels)?;
    Ok(LimeResults { faces: typical.to_vec(), explanations, templates, options })
}

/// Computes the saliency maps of mistakes; `mean` is the mean face of the evaluated faces.
pub(crate) fn explain_mistakes(
    context: &ReportContext<'_>,
    mistakes: &[Mistake],
    mean: &[f32],
) -> Result<Vec<ExplainedMistake>> {
    if mistakes.is_empty() {
        return Ok(vec![]);
    }
    let model = context.classifier()?;
    let indices: Vec<usize> = mistakes.iter().map(|m| m.face).collect();
    let pixels = context.pixels(&context.evaluated.faces, &indices);
    let options = AttributionOptions::new(mean.to_vec(), context.options.seed)?;
    let maps_of = |class: fn(&Mistake) -> usize| {
        let targets: Vec<Target> = mistakes.iter().map(|m| Target::Class(class(m))).collect();
        attribute(&FaceBatch::new(&model, &pixels, &targets)?, Method::DEFAULT, &options)
    };
    let maps = maps_of(|m| m.predicted)?.into_iter().zip(maps_of(|m| m.truth)?);
    let faces = pixels.chunks_exact(PIXELS).map(<[f32]>::to_vec);
    let all = mistakes.iter().zip(faces).zip(maps);
    let explained = |((&mistake, pixels), (predicted, labelled))| ExplainedMistake {
        mistake,
        pixels,
        predicted,
        labelled,
    };
    Ok(all.map(explained).collect())
}
