//! `fer saliency --check`: one row a method, and plain words on which ones fail.

use crate::explain::Method;
use crate::explain::attribution::gradient::integrated_gradients::RESIDUAL_GOAL;
use crate::explain::batch::{face, logits_of};
use crate::explain::sanity::faithfulness::{Advantage, Areas, Faithfulness, controls, map_areas};
use crate::explain::sanity::infidelity::Squares;
use crate::explain::sanity::randomisation::{Similarity, is_empty};
use crate::explain::sanity::sensitivity::max_sensitivity;
use crate::explain::sanity::significance::TestResult;
use crate::explain::validate::check;
use crate::explain::{Attribution, AttributionOptions, Note, attribute};
use crate::explain::{Classifier, Target};
use crate::stats::mean;
use crate::{PIXELS, Result};

/// A correlation above this with the maps of a randomised network, or of one whose upper half is
/// randomised, means that the map shows the picture rather than what the network learnt: it fails
/// the sanity check of Adebayo et al. 2018 (arXiv 1810.03292). They name no limit; at 0.5 a network
/// that lost its training foretells a quarter of the variance of the ranks.
pub const RANDOMISATION_LIMIT: f64 = 0.5;
/// A map that changes by more than its own size under invisible noise cannot be read.
pub const SENSITIVITY_LIMIT: f64 = 1.0;

/// One method, judged over some faces.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SanityRow {
    /// Name on the command line.
    pub method: String,
    /// Deletion (low is good) and insertion (high is good), with both controls.
    pub faithfulness: Option<Faithfulness>,
    /// By how much it beats the better control, paired face by face.
    pub leads: Option<Advantage>,
    /// Share of the score's changes that the map does not foretell. Low is good.
    pub infidelity: Option<f64>,
    /// Relative change under invisible noise, mean over the faces whose map is not empty. Low is
    /// good. `None` where it was not measured:
    /// methods of many forward passes would take ten times their own time.
    pub max_sensitivity: Option<f64>,
    /// Correlation with the network whose upper half of layers is re-initialised. About 0 is good.
    pub half_randomised: Option<Similarity>,
    /// Correlation with the network whose layers are all re-initialised. About 0 is good.
    pub randomisation: Option<Similarity>,
    /// Completeness residual, for integrated gradients: errors of the sums by changes of the score,
    /// both added up over the faces, for the share alone is no measure where a score hardly changes.
    /// Low is good.
    pub residual: Option<f64>,
    /// Faces that the method refused.
    pub refused: usize,
    /// Why the method should not be believed here; empty if it failed nothing measured.
    pub failures: Vec<String>,
    /// What these faces are too few to decide.
    pub undecided: Vec<String>,
}

/// What a check may spend and ask.
pub struct SanityOptions<'a> {
    /// AttributionOptions of the methods.
    pub attribution: &'a AttributionOptions,
    /// Seed of controls and perturbations.
    pub seed: u64,
    /// The network with the upper half of its layers re-initialised by the training initialiser.
    pub half_randomised: Option<&'a dyn Classifier>,
    /// The network with every layer re-initialised.
    pub randomised: Option<&'a dyn Classifier>,
}

/// Judges methods on faces. Faces that a method refuses are left out of its row.
pub fn sanity_table(
    model: &dyn Classifier,
    methods: &[Method],
    faces: &[f32],
    targets: &[Target],
    options: &SanityOptions<'_>,
) -> Result<Vec<SanityRow>> {
    let checker = SanityChecker::new(model, faces, targets, options)?;
    methods.iter().map(|&m| checker.judge(m)).collect()
}

/// Faces on which methods are judged, with all that does not depend on the method.
pub struct SanityChecker<'a> {
    model: &'a dyn Classifier,
    faces: &'a [f32],
    targets: Vec<Target>,
    classes: Vec<usize>,
    options: &'a SanityOptions<'a>,
    controls: Vec<[Areas; 2]>,
    squares: Squares<'a>,
}

impl<'a> SanityChecker<'a> {
    /// Fixes the targets, and asks the network what the controls need.
    ///
    /// **Errors**: `Shape` where counts disagree; `Usage` for an unknown class.
    pub fn new(
        model: &'a dyn Classifier,
        faces: &'a [f32],
        targets: &[Target],
        options: &'a SanityOptions<'a>,
    ) -> Result<Self> {
        check(model, faces, targets)?;
        let draw = |i: usize, out: &mut [f32]| out.copy_from_slice(face(faces, i));
        let logits = logits_of(model, targets.len(), draw)?;
        let rows = || logits.chunks_exact(model.classes());
        let targets: Vec<Target> = targets.iter().zip(rows()).map(|(t, l)| t.resolve(l)).collect();
        let classes: Vec<usize> = targets.iter().zip(rows()).map(|(t, l)| t.class(l)).collect();
        let mean_face = &options.attribution.mean_face;
        let controls = controls(model, faces, &classes, mean_face, options.seed)?;
        let squares = Squares::new(model, faces, &targets, mean_face, options.seed)?;
        Ok(SanityChecker { model, faces, targets, classes, options, controls, squares })
    }

    /// One row of the table.
    ///
    /// **Errors**: those of the method.
    pub fn judge(&self, method: Method) -> Result<SanityRow> {
        let settings = self.options.attribution;
        let found = attribute(self.model, method, self.faces, &self.targets, settings)?;
        let kept: Vec<usize> = (0..found.len()).filter(|&f| found[f].refused.is_none()).collect();
        let mut row = SanityRow {
            method: method.name().into(),
            faithfulness: None,
            leads: None,
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
        let faces: Vec<f32> = kept.iter().flat_map(|&f| face(self.faces, f)).copied().collect();
        let maps: Vec<f32> = kept.iter().flat_map(|&f| found[f].map.iter()).copied().collect();
        let targets: Vec<Target> = kept.iter().map(|&f| self.targets[f]).collect();
        let classes: Vec<usize> = kept.iter().map(|&f| self.classes[f]).collect();

        let areas = map_areas(self.model, &faces, &maps, &classes, &settings.mean_face)?;
        let join = |(map, &f): (Areas, &usize)| {
            let [random, centre] = self.controls[f];
            Faithfulness { map, random, centre }
        };
        let areas: Vec<Faithfulness> = areas.into_iter().zip(&kept).map(join).collect();
        row.faithfulness = Some(Faithfulness::mean(&areas));
        row.leads = Some(Advantage::of(&areas));
        let missed = |&f: &usize| self.squares.missed(f, &found[f].map, method.map_kind());
        row.infidelity = Some(mean(&kept.iter().map(missed).collect::<Vec<_>>()));
        let mut again = |faces: &[f32]| maps_of(self.model, method, faces, &targets, settings);
        if !needs_many_passes(method) {
            let change = max_sensitivity(&faces, &maps, self.options.seed, &mut again)?;
            let of_full = change.into_iter().zip(maps.chunks_exact(PIXELS));
            let change: Vec<f64> =
                of_full.filter(|(_, map)| !is_empty(map)).map(|(change, _)| change).collect();
            row.max_sensitivity = Some(mean(&change));
        }
        let similarity = |other: Option<&dyn Classifier>| {
            let compare = |other: &dyn Classifier| {
                Similarity::of(&maps, &maps_of(other, method, &faces, &targets, settings)?)
            };
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

/// Network passes that judging a method takes on one face, roughly and counting a backward pass as
/// two: what a progress bar needs to foretell the end.
pub fn passes(method: Method, options: &AttributionOptions) -> usize {
    let gradient = 3;
    let once = match method {
        Method::SmoothGrad | Method::SmoothGradSquared | Method::VarGrad => {
            gradient * options.noise.samples
        }
        Method::IntegratedGradients => gradient * 100,
        Method::ScoreCam => 200,
        Method::Occlusion => 122,
        Method::Rise => options.rise.samples,
        Method::Lime => options.lime.num_samples * options.lime.fits,
        _ => gradient,
    };
    let again =
        if needs_many_passes(method) { 0 } else { crate::explain::sanity::sensitivity::SAMPLES };
    once * (3 + again) + 2 * (crate::explain::sanity::faithfulness::STEPS + 1)
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

/// FeatureMaps even where refused: what is refused on a destroyed network is mostly empty, and counts as a
/// change like every map that vanishes ([`Similarity`]).
fn maps_of(
    model: &dyn Classifier,
    method: Method,
    faces: &[f32],
    targets: &[Target],
    options: &AttributionOptions,
) -> Result<Vec<f32>> {
    let found = attribute(model, method, faces, targets, options)?;
    Ok(found.into_iter().flat_map(|a| a.map).collect())
}

fn needs_many_passes(method: Method) -> bool {
    matches!(method, Method::Rise | Method::Lime | Method::ScoreCam)
}

impl SanityRow {
    /// Whether the map beats orders that know nothing: on deletion, on insertion. Passed where it
    /// was not measured, as everywhere here.
    pub fn beats_controls(&self) -> [TestResult; 2] {
        let verdict = |l: Advantage| [l.deletion.above(0.0), l.insertion.above(0.0)];
        self.leads.map_or([TestResult::Passed; 2], verdict)
    }

    /// Whether the map changes with the weights: half of them new, all of them new. Where every map
    /// is empty there is nothing that speaks for it.
    pub fn knows_weights(&self) -> [TestResult; 2] {
        [self.half_randomised, self.randomisation]
            .map(|s| s.map_or(TestResult::Passed, |s| s.spearman.at_most(RANDOMISATION_LIMIT)))
    }

    /// Whether it stays the same under invisible noise.
    pub fn is_steady(&self) -> TestResult {
        at_most(self.max_sensitivity, SENSITIVITY_LIMIT)
    }

    /// Whether it adds up to the change of the score.
    pub fn adds_up(&self) -> TestResult {
        at_most(self.residual, RESIDUAL_GOAL)
    }
}

/// Of a number without interval.
fn at_most(found: Option<f64>, limit: f64) -> TestResult {
    match found {
        Some(v) if v.is_nan() || v > limit => TestResult::Failed,
        _ => TestResult::Passed,
    }
}

/// What has this verdict, in words.
fn reasons(row: &SanityRow, verdict: TestResult) -> Vec<String> {
    let mut reasons: Vec<String> = lead_words(row, verdict).into_iter().collect();
    if row.is_steady() == verdict {
        reasons.push("changes beyond recognition under invisible noise".into());
    }
    reasons.extend(weight_words(row, verdict));
    if row.adds_up() == verdict {
        reasons.push("does not add up to the change of the score".into());
    }
    reasons
}

/// Deletion and insertion.
fn lead_words(row: &SanityRow, verdict: TestResult) -> Option<String> {
    let leads = row.leads?;
    let named = [("deletion", leads.deletion), ("insertion", leads.insertion)];
    let those = named.iter().zip(row.beats_controls()).filter(|(_, v)| *v == verdict);
    let (names, numbers): (Vec<&str>, Vec<String>) =
        those.map(|((name, lead), _)| (*name, lead.signed(3))).unzip();
    let (names, numbers) = (names.join(" and "), numbers.join(", "));
    let words = match verdict {
        _ if leads.deletion.too_few() => "measured on too few faces",
        TestResult::Failed => "no better than an order that knows nothing",
        _ => "not clearly better than an order that knows nothing",
    };
    (!names.is_empty()).then(|| format!("{names} {words} ({numbers})"))
}

/// Which randomised networks have nearly the same maps.
fn weight_words(row: &SanityRow, verdict: TestResult) -> Option<String> {
    let found = [(row.half_randomised, "the upper half"), (row.randomisation, "all")];
    let those: Vec<String> = found
        .into_iter()
        .zip(row.knows_weights())
        .filter(|&(_, v)| v == verdict)
        .filter_map(|((similarity, which), _)| {
            Some(format!("{} with {which} of them", similarity?.spearman.words(2)))
        })
        .collect();
    let few = |s: Option<Similarity>| s.is_some_and(|s| s.spearman.too_few());
    let words = match verdict {
        TestResult::Failed => "changes too little",
        _ if found.iter().any(|(s, _)| few(*s)) => "too few faces tell whether it changes",
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
