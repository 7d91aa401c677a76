//! `fer saliency --check`: one row a method, and plain words on which ones fail.

use super::attribute::{Attribution, Fact, Options, attribute};
use super::batch::{face, logits_of};
use super::faithfulness::{Faithfulness, faithfulness};
use super::infidelity::infidelity;
use super::integrated_gradients::RESIDUAL_GOAL;
use super::method::Method;
use super::model::{Classifier, Target, check};
use super::randomisation::mean_spearman;
use super::sensitivity::max_sensitivity;
use super::stats::mean;
use crate::Result;

/// A correlation with the fully randomised network above this means that the map shows the
/// picture rather than the network.
pub const RANDOMISATION_LIMIT: f64 = 0.5;
/// A map that changes by more than its own size under invisible noise cannot be read.
pub const SENSITIVITY_LIMIT: f64 = 1.0;

/// One method, judged over some faces.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CheckRow {
    /// Name on the command line.
    pub method: String,
    /// Deletion (low is good) and insertion (high is good), with both controls.
    pub faithfulness: Option<Faithfulness>,
    /// Share of the score's changes that the map does not foretell. Low is good.
    pub infidelity: Option<f64>,
    /// Relative change under invisible noise. Low is good. `None` where it was not measured:
    /// methods of many forward passes would take ten times their own time.
    pub max_sensitivity: Option<f64>,
    /// Correlation with the network whose layers are all re-initialised. About 0 is good.
    pub randomisation: Option<f64>,
    /// Completeness residual, for integrated gradients: mean over the faces. Low is good.
    pub residual: Option<f64>,
    /// Faces that the method refused.
    pub refused: usize,
    /// Why the method should not be believed here; empty if it passed everything measured.
    pub failures: Vec<String>,
}

/// What a check may spend and ask.
pub struct CheckOptions<'a> {
    /// Options of the methods.
    pub attribution: &'a Options,
    /// Seed of controls and perturbations.
    pub seed: u64,
    /// The network with every layer re-initialised by the training initialiser.
    pub randomised: Option<&'a dyn Classifier>,
}

/// Judges methods on faces. Faces that a method refuses are left out of its row.
pub fn check_table(
    model: &dyn Classifier,
    methods: &[Method],
    faces: &[f32],
    targets: &[Target],
    options: &CheckOptions<'_>,
) -> Result<Vec<CheckRow>> {
    check(model, faces, targets)?;
    let draw = |i: usize, out: &mut [f32]| out.copy_from_slice(face(faces, i));
    let logits = logits_of(model, targets.len(), draw)?;
    let rows = logits.chunks_exact(model.classes());
    let fixed: Vec<Target> = targets.iter().zip(rows).map(|(t, l)| t.resolve(l)).collect();
    methods.iter().map(|&m| check_method(model, m, faces, &fixed, options)).collect()
}

fn check_method(
    model: &dyn Classifier,
    method: Method,
    faces: &[f32],
    targets: &[Target],
    options: &CheckOptions<'_>,
) -> Result<CheckRow> {
    let settings = options.attribution;
    let found = attribute(model, method, faces, targets, settings)?;
    let kept: Vec<usize> = (0..found.len()).filter(|&f| found[f].refused.is_none()).collect();
    let mut row = CheckRow {
        method: method.name().into(),
        faithfulness: None,
        infidelity: None,
        max_sensitivity: None,
        randomisation: None,
        residual: residual(&found),
        refused: found.len() - kept.len(),
        failures: vec![],
    };
    if kept.is_empty() {
        row.failures.extend(found.first().and_then(|a| a.refused.clone()));
        return Ok(row);
    }
    let faces: Vec<f32> = kept.iter().flat_map(|&f| face(faces, f)).copied().collect();
    let maps: Vec<f32> = kept.iter().flat_map(|&f| found[f].map.iter()).copied().collect();
    let targets: Vec<Target> = kept.iter().map(|&f| targets[f]).collect();
    let classes: Vec<usize> = kept.iter().map(|&f| found[f].class).collect();

    let areas = faithfulness(model, &faces, &maps, &classes, &settings.mean_face, options.seed)?;
    row.faithfulness = Some(Faithfulness::mean(&areas));
    let missed = infidelity(model, &faces, &maps, &targets, &settings.mean_face, options.seed)?;
    row.infidelity = Some(mean(&missed));
    let mut again = |faces: &[f32]| maps_of(model, method, faces, &targets, settings);
    if !needs_many_passes(method) {
        let change = max_sensitivity(&faces, &maps, options.seed, &mut again)?;
        row.max_sensitivity = Some(mean(&change));
    }
    if let Some(random) = options.randomised {
        let after = maps_of(random, method, &faces, &targets, settings)?;
        row.randomisation = Some(mean_spearman(&maps, &after)?);
    }
    row.failures = failures(&row);
    Ok(row)
}

/// Mean completeness residual, where the method has one.
fn residual(found: &[Attribution]) -> Option<f64> {
    let residuals: Vec<f64> = found
        .iter()
        .flat_map(|a| &a.facts)
        .filter_map(|f| if let Fact::Residual(r) = f { Some(*r) } else { None })
        .collect();
    (!residuals.is_empty()).then(|| mean(&residuals))
}

/// Maps even where refused, so that a refusal on a destroyed network counts as a change.
fn maps_of(
    model: &dyn Classifier,
    method: Method,
    faces: &[f32],
    targets: &[Target],
    options: &Options,
) -> Result<Vec<f32>> {
    let found = attribute(model, method, faces, targets, options)?;
    Ok(found.into_iter().flat_map(|a| a.map).collect())
}

/// Whether a map takes thousands of forward passes.
pub fn needs_many_passes(method: Method) -> bool {
    matches!(method, Method::Rise | Method::Lime | Method::ScoreCam)
}

fn failures(row: &CheckRow) -> Vec<String> {
    let mut failures = vec![];
    if let Some(f) = row.faithfulness.filter(|f| !f.beats_controls()) {
        let (worse_del, worse_ins) = (
            f.map.deletion >= f.random.deletion.min(f.centre.deletion),
            f.map.insertion <= f.random.insertion.max(f.centre.insertion),
        );
        let which = match (worse_del, worse_ins) {
            (true, true) => "deletion and insertion",
            (true, false) => "deletion",
            _ => "insertion",
        };
        failures.push(format!("{which} no better than an order that knows nothing"));
    }
    if row.max_sensitivity.is_some_and(|s| s.is_nan() || s > SENSITIVITY_LIMIT) {
        failures.push("changes beyond recognition under invisible noise".into());
    }
    if row.randomisation.is_some_and(|r| r > RANDOMISATION_LIMIT) {
        failures.push("hardly changes when the network's weights are randomised".into());
    }
    if row.residual.is_some_and(|r| r.is_nan() || r > RESIDUAL_GOAL) {
        failures.push("does not add up to the change of the score".into());
    }
    failures
}
