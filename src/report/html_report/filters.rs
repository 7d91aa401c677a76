//! Filter results of the report: images of filters and classes by activation maximization, with scores.

use crate::Result;
use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::filter_report::{
    FilterOptions, FilterReport, filter_report, total_steps,
};
use crate::explain::filters::top_activations::LOGITS;
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::{Classifier, LayerInfo, LayerKind, NetworkClassifier};
use crate::report::filters::significance::FilterSignificance;
use crate::report::html_report::{Progress, ReportContext};

/// Number of layers whose filters are visualised.
const LAYERS: usize = 3;
/// Number of real faces whose naturalness is measured.
const NATURAL_FACES: usize = 500;

/// Images and scores of filters and classes.
pub struct FilterResults {
    /// Filters of some convolutions, from the first layer on.
    pub layers: Vec<FilterReport>,
    /// Images of the classes.
    pub classes: FilterReport,
    /// Probability of the class on each image of `classes.pictures`.
    pub ideal: Vec<f64>,
    /// Comparison of the methods over all filters.
    pub significance: FilterSignificance,
}

/// Visualises a few filters of some convolutions and all classes.
pub fn measure_filters(
    context: &ReportContext<'_>,
    training: &TrainingFaces<'_>,
    progress: &mut Progress<'_>,
) -> Result<FilterResults> {
    let model = context.classifier()?;
    let recipes = |recipes: &[MaximizationMethod]| FilterOptions {
        methods: recipes.iter().map(|&r| (r, r.options())).collect(),
        seeds: context.options.starts(),
        seed: context.options.seed,
        ..FilterOptions::default()
    };
    let filters = recipes(&[
        MaximizationMethod::Naive,
        MaximizationMethod::Pixels,
        MaximizationMethod::Maco,
        MaximizationMethod::Face,
    ]);
    let faces =
        recipes(&[MaximizationMethod::Naive, MaximizationMethod::Maco, MaximizationMethod::Face]);
    let chosen: Vec<(LayerInfo, Vec<usize>)> = layers(&model)
        .into_iter()
        .map(|layer| (spread(layer.output[0], context.options.filters()), layer))
        .map(|(filters, layer)| (layer, filters))
        .collect();
    let steps: usize = chosen.iter().map(|(_, k)| total_steps(k.len(), &filters)).sum();
    let total = (steps + total_steps(model.classes(), &faces)).max(1) as f64;
    let mut done = 0;
    let mut step = |n: usize| {
        done += n;
        progress.part(done as f64 / total);
    };
    let mut reports = Vec::with_capacity(chosen.len());
    for (layer, own) in &chosen {
        reports.push(filter_report(&model, &layer.name, own, training, &filters, &mut step)?);
    }
    let classes = filter_report(&model, LOGITS, &[], training, &faces, &mut step)?;
    let numbers: Vec<_> =
        reports.iter().flat_map(|r| &r.pictures).map(|p| p.scores.clone()).collect();
    Ok(FilterResults {
        ideal: ideal(&model, &classes)?,
        significance: FilterSignificance::new(&numbers, &training.naturalness(NATURAL_FACES)),
        layers: reports,
        classes,
    })
}

/// Returns convolutions with maps, evenly spaced over the depth, without the first one (if there are
/// others), whose kernels are shown instead.
fn layers(model: &NetworkClassifier<'_>) -> Vec<LayerInfo> {
    let all = model.layers();
    let convolutions: Vec<LayerInfo> =
        all.into_iter().filter(|l| l.kind == LayerKind::Conv2d && l.has_map()).collect();
    let later = if convolutions.len() > 1 { &convolutions[1..] } else { &convolutions[..] };
    spread(later.len(), LAYERS).into_iter().map(|i| later[i].clone()).collect()
}

/// Returns at most `most` of `n` indices, evenly spaced and centred.
pub(crate) fn spread(n: usize, most: usize) -> Vec<usize> {
    let some = most.min(n);
    (0..some).map(|i| (2 * i + 1) * n / (2 * some)).collect()
}

/// Returns the probability of its class on each image.
fn ideal(model: &NetworkClassifier<'_>, classes: &FilterReport) -> Result<Vec<f64>> {
    let pixels: Vec<f32> = classes.pictures.iter().flat_map(|p| &p.picture).copied().collect();
    let logits = model.logits(&pixels)?;
    let rows = logits.chunks_exact(model.classes()).zip(&classes.pictures);
    Ok(rows.map(|(row, p)| f64::from(model.probabilities(row)[p.scores.filter])).collect())
}

#[cfg(test)]
mod tests {
    use crate::report::html_report::filters::spread;

    #[test]
    fn spread_keeps_away_from_the_ends() {
        assert_eq!(spread(16, 4), [2, 6, 10, 14]);
        assert_eq!(spread(2, 4), [0, 1]);
        assert!(spread(0, 3).is_empty());
    }
}
