//! The sanity table: one row of measurements per method, and the reasons why methods fail.

use crate::explain::attribution::gradient::integrated_gradients::{RESIDUAL_GOAL, SMOOTH_NODES};
use crate::explain::sanity::faithfulness::{
    Advantage, Areas, Faithfulness, STEPS, controls, map_areas,
};
use crate::explain::sanity::infidelity::{self, Squares};
use crate::explain::sanity::randomisation::{Similarity, is_empty};
use crate::explain::sanity::sensitivity::{SAMPLES, max_sensitivity};
use crate::explain::significance::TestResult;
use crate::explain::watched::GRADIENT_PASSES;
use crate::explain::{
    Attribution, AttributionOptions, Classifier, FaceBatch, Method, Note, attribute,
};
use crate::stats::mean;
use crate::{PIXELS, Result};

/// Largest correlation with the maps of a randomised network, or of one whose upper half is
/// randomised. A map above it shows the picture rather than what the network learnt, and fails the
/// sanity check of Adebayo et al. 2018 (arXiv 1810.03292). They name no limit; at 0.5 the maps of
/// the randomised network predict a quarter of the variance of the ranks.
pub const RANDOMISATION_LIMIT: f64 = 0.5;
/// Largest relative change of a map under invisible noise.
pub const SENSITIVITY_LIMIT: f64 = 1.0;

/// The measurements of one method over some faces.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SanityRow {
    /// Name on the command line.
    pub method: String,
    /// Deletion (low is good) and insertion (high is good), with both controls.
    pub faithfulness: Option<Faithfulness>,
    /// Advantage over the better control, paired face by face.
    pub advantage: Option<Advantage>,
    /// Share of the score's changes that the map does not predict. Low is good.
    pub infidelity: Option<f64>,
    /// Relative change under invisible noise, mean over the faces whose map is not empty. Low is
    /// good. `None` where it was not measured, because the method needs many forward passes.
    pub max_sensitivity: Option<f64>,
    /// Correlation with the network whose upper half of layers is re-initialised. About 0 is good.
    pub half_randomised: Option<Similarity>,
    /// Correlation with the network whose layers are all re-initialised. About 0 is good.
    pub randomisation: Option<Similarity>,
    /// Completeness residual of integrated gradients: the errors of the sums added up over the
    /// faces, divided by the changes of the score added up, because the residual of one face means
    /// little where its score hardly changes. Low is good.
    pub residual: Option<f64>,
    /// Number of faces that the method refused.
    pub refused: usize,
    /// Why the method fails; empty if it failed no measurement.
    pub failures: Vec<String>,
    /// What these faces are too few to decide.
    pub undecided: Vec<String>,
}

/// Settings and controls of the measurements.
pub struct SanityOptions<'a> {
    /// Options of the methods.
    pub attribution: &'a AttributionOptions,
    /// Seed of the controls and perturbations.
    pub seed: u64,
    /// The network with the upper half of its layers re-initialised by the training initialiser.
    pub half_randomised: Option<&'a dyn Classifier>,
    /// The network with every layer re-initialised.
    pub randomised: Option<&'a dyn Classifier>,
}

/// Measures methods on faces, one row each. Faces that a method refuses are left out of its row.
pub fn sanity_table(
    faces: &FaceBatch<'_>,
    methods: &[Method],
    options: &SanityOptions<'_>,
) -> Result<Vec<SanityRow>> {
    let checker = SanityChecker::new(faces, options)?;
    methods.iter().map(|&m| checker.row(m)).collect()
}

/// The faces of a sanity table, with the measurements that do not depend on the method.
pub struct SanityChecker<'a> {
    faces: &'a FaceBatch<'a>,
    options: &'a SanityOptions<'a>,
    controls: Vec<[Areas; 2]>,
    squares: Squares<'a>,
}

impl<'a> SanityChecker<'a> {
    /// Measures the controls.
    pub fn new(faces: &'a FaceBatch<'a>, options: &'a SanityOptions<'a>) -> Result<Self> {
        let mean_face = &options.attribution.mean_face;
        let controls = controls(faces, mean_face, options.seed)?;
        let squares = Squares::new(faces, mean_face, options.seed)?;
        Ok(SanityChecker { faces, options, controls, squares })
    }

    /// Measures one method.
    pub fn row(&self, method: Method) -> Result<SanityRow> {
        let settings = self.options.attribution;
        let found = attribute(self.faces, method, settings)?;
        let kept: Vec<usize> = (0..found.len()).filter(|&f| found[f].refused.is_none()).collect();
        let mut row = SanityRow {
            method: method.name().into(),
            faithfulness: None,
            advantage: None,
            infidelity: None,
            max_sensitivity: None,
            half_randomised: None,
            randomisation: None,
            residual: residual(&found),
            refused: found.len() - kept.len(),
            failures: vec![],
            undecided: vec![],
        };
        if kept.is_empty() {
            row.failures.extend(found.first().and_then(|a| a.refused.clone()));
            return Ok(row);
        }
        let faces = self.faces.select(&kept);
        let maps: Vec<f32> = kept.iter().flat_map(|&f| found[f].map.iter()).copied().collect();

        let areas = map_areas(&faces, &maps, &settings.mean_face)?;
        let join = |(map, &f): (Areas, &usize)| {
            let [random, centre] = self.controls[f];
            Faithfulness { map, random, centre }
        };
        let areas: Vec<Faithfulness> = areas.into_iter().zip(&kept).map(join).collect();
        row.faithfulness = Some(Faithfulness::mean(&areas));
        row.advantage = Some(Advantage::of(&areas));
        let infidelity = |&f: &usize| self.squares.infidelity(f, &found[f].map, method.map_kind());
        row.infidelity = Some(mean(&kept.iter().map(infidelity).collect::<Vec<_>>()));
        let maps_of = |model: &dyn Classifier, pixels: &[f32]| -> Result<Vec<f32>> {
            let faces = FaceBatch::new(model, pixels, faces.targets())?;
            // Refused maps are zeros. On a randomised network they count as changed altogether.
            Ok(attribute(&faces, method, settings)?.into_iter().flat_map(|a| a.map).collect())
        };
        if !needs_many_passes(method) {
            let change = max_sensitivity(&faces, &maps, self.options.seed, &mut |noisy| {
                maps_of(faces.classifier(), noisy)
            })?;
            let of_full = change.into_iter().zip(maps.chunks_exact(PIXELS));
            let change: Vec<f64> =
                of_full.filter(|(_, map)| !is_empty(map)).map(|(change, _)| change).collect();
            row.max_sensitivity = Some(mean(&change));
        }
        let similarity = |other: Option<&dyn Classifier>| {
            let compare =
                |other: &dyn Classifier| Similarity::of(&maps, &maps_of(other, faces.pixels())?);
            other.map(compare).transpose()
        };
        row.half_randomised = similarity(self.options.half_randomised)?;
        row.randomisation = similarity(self.options.randomised)?;
        row.failures = match is_empty(&maps) {
            true => vec!["every map is empty".into()],
            false => reasons(&row, TestResult::Failed),
        };
        row.undecided = reasons(&row, TestResult::Undecided);
        Ok(row)
    }
}

/// Network passes per face of the measurements that do not depend on the method; for progress bars.
pub const CONTROL_PASSES: usize = 4 * (STEPS + 1) + 1 + infidelity::SAMPLES;

/// Returns about how many network passes a row takes per face, counting a backward pass as two; for
/// progress bars.
pub fn passes(method: Method, options: &AttributionOptions) -> usize {
    let gradient = GRADIENT_PASSES;
    let once = match method {
        Method::SmoothGrad | Method::SmoothGradSquared | Method::VarGrad => {
            gradient * options.noise.samples
        }
        Method::IntegratedGradients => gradient * 250, // as many nodes as a face needs
        Method::SmoothIntegratedGradients => gradient * SMOOTH_NODES,
        Method::ScoreCam => 200,
        Method::Occlusion => 122,
        Method::Rise => options.rise.samples,
        Method::Lime => options.lime.num_samples * options.lime.fits,
        _ => gradient,
    };
    let again = if needs_many_passes(method) { 0 } else { SAMPLES };
    once * (3 + again) + 2 * (STEPS + 1)
}

/// Completeness residual over all faces, where the method has one.
fn residual(found: &[Attribution]) -> Option<f64> {
    let (mut errors, mut changes) = (0.0, 0.0);
    for note in found.iter().flat_map(|a| &a.notes) {
        if let Note::Residual { share, change } = note {
            errors += share * change.abs();
            changes += change.abs();
        }
    }
    (changes > 0.0).then(|| errors / changes)
}

fn needs_many_passes(method: Method) -> bool {
    matches!(method, Method::Rise | Method::Lime | Method::ScoreCam)
}

impl SanityRow {
    /// Tests whether the map beats the controls: on deletion, on insertion. `Passed` where it was
    /// not measured, as in all tests here.
    pub fn control_test(&self) -> [TestResult; 2] {
        let test = |a: Advantage| [a.deletion.above(0.0), a.insertion.above(0.0)];
        self.advantage.map_or([TestResult::Passed; 2], test)
    }

    /// Tests whether the map changes with the weights: half of the layers new, all of them new.
    /// Where every map is empty the test fails.
    pub fn randomisation_test(&self) -> [TestResult; 2] {
        [self.half_randomised, self.randomisation]
            .map(|s| s.map_or(TestResult::Passed, |s| s.spearman.at_most(RANDOMISATION_LIMIT)))
    }

    /// Tests whether the map stays the same under invisible noise.
    pub fn sensitivity_test(&self) -> TestResult {
        at_most(self.max_sensitivity, SENSITIVITY_LIMIT)
    }

    /// Tests whether the map adds up to the change of the score.
    pub fn residual_test(&self) -> TestResult {
        at_most(self.residual, RESIDUAL_GOAL)
    }
}

/// Tests a number without interval.
fn at_most(found: Option<f64>, limit: f64) -> TestResult {
    match found {
        Some(v) if v.is_nan() || v > limit => TestResult::Failed,
        _ => TestResult::Passed,
    }
}

/// Describes the tests with this result.
fn reasons(row: &SanityRow, result: TestResult) -> Vec<String> {
    let mut reasons: Vec<String> = advantage_reason(row, result).into_iter().collect();
    if row.sensitivity_test() == result {
        reasons.push("changes beyond recognition under invisible noise".into());
    }
    reasons.extend(randomisation_reason(row, result));
    if row.residual_test() == result {
        reasons.push("does not add up to the change of the score".into());
    }
    reasons
}

/// Describes the tests of deletion and insertion.
fn advantage_reason(row: &SanityRow, result: TestResult) -> Option<String> {
    let advantage = row.advantage?;
    let named = [("deletion", advantage.deletion), ("insertion", advantage.insertion)];
    let those = named.iter().zip(row.control_test()).filter(|(_, r)| *r == result);
    let (names, numbers): (Vec<&str>, Vec<String>) =
        those.map(|((name, value), _)| (*name, value.signed(3))).unzip();
    let (names, numbers) = (names.join(" and "), numbers.join(", "));
    let words = match result {
        _ if advantage.deletion.too_few() => "measured on too few faces",
        TestResult::Failed => "no better than a control order",
        _ => "not clearly better than a control order",
    };
    (!names.is_empty()).then(|| format!("{names} {words} ({numbers})"))
}

/// Describes the tests with randomised networks.
fn randomisation_reason(row: &SanityRow, result: TestResult) -> Option<String> {
    let found = [(row.half_randomised, "the upper half"), (row.randomisation, "all")];
    let those: Vec<String> = found
        .into_iter()
        .zip(row.randomisation_test())
        .filter(|&(_, r)| r == result)
        .filter_map(|((similarity, which), _)| {
            Some(format!("{} with {which} of them", similarity?.spearman.plain(2)))
        })
        .collect();
    let few = |s: Option<Similarity>| s.is_some_and(|s| s.spearman.too_few());
    let words = match result {
        TestResult::Failed => "changes too little",
        _ if found.iter().any(|(s, _)| few(*s)) => "measured on too few faces whether it changes",
        _ => "may change too little",
    };
    (!those.is_empty()).then(|| {
        format!(
            "{words} when the layers get random weights (rank correlation {}; the limit is \
             {RANDOMISATION_LIMIT})",
            those.join(", ")
        )
    })
}
