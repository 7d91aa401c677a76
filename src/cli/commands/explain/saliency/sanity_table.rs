//! `fer saliency --sanity-check`: how far the maps of each method can be believed.

use crate::cli::commands::explain::saliency::args::Args;
use crate::cli::commands::explain::saliency::face_set::FaceSet;
use crate::cli::shared::attribution::AttributionTask;
use crate::cli::shared::faces::Model;
use crate::cli::shared::progress;
use crate::explain::sanity::randomisation::{parametrised_layers, randomisation, randomised};
use crate::explain::sanity::sanity_table::{CONTROL_PASSES, SanityChecker, SanityOptions, passes};
use crate::explain::watched::GRADIENT_PASSES;
use crate::explain::{
    Classifier, FaceBatch, Method, NetworkClassifier, Target, Watch, Watched, attribute,
};
use crate::report::saliency::sanity_page::{RandomisationCurve, SanityReport};
use crate::tensor::storage::trim;
use crate::{Result, console};
use indicatif::ProgressBar;

pub(crate) fn run(
    args: &Args,
    model: &Model,
    set: &FaceSet,
    task: &AttributionTask<'_>,
) -> Result<()> {
    let report = check_report(args, model, set, task)?;
    args.write(&report.page(args.theme())?)?;
    match args.json {
        true => console::print_json(&report),
        false => console::print(&report.to_text()),
    }
}

/// Measures the methods, with a bar that counts passes of the network.
fn check_report(
    args: &Args,
    model: &Model,
    set: &FaceSet,
    task: &AttributionTask<'_>,
) -> Result<SanityReport> {
    let (methods, seed) = (args.methods(), args.options.seed);
    let layers = parametrised_layers(model.network()).len();
    let half = randomised(model.network(), Some(layers.div_ceil(2)), seed)?;
    let all = randomised(model.network(), None, seed)?;
    let temperature = model.trained.temperature(false).unwrap_or(1.0);
    let half = NetworkClassifier::new(&half)?.at_temperature(temperature);
    let all = NetworkClassifier::new(&all)?.at_temperature(temperature);
    let count = set.labels.len();
    let weight = |method: Method| {
        let curve = if is_one_pass(method) { GRADIENT_PASSES * layers } else { 0 };
        ((passes(method, task.options) + curve) * count) as u64
    };
    let controls = (CONTROL_PASSES * count) as u64;
    let total = controls + methods.iter().map(|&method| weight(method)).sum::<u64>();
    let bar = progress::bar(total, "passes");
    let [network, half, all] = [task.model, &half as &dyn Classifier, &all]
        .map(|network| Watched::new(network, BarWatch(&bar)));
    let options = SanityOptions {
        attribution: task.options,
        seed,
        half_randomised: Some(&half),
        randomised: Some(&all),
    };
    bar.set_message("controls");
    let task = AttributionTask { model: &network, ..*task };
    let faces = task.faces()?;
    let checker = SanityChecker::new(&faces, &options)?;
    let mut done = controls;
    bar.set_position(done);
    let (mut rows, mut curves) = (Vec::new(), Vec::new());
    for &method in methods {
        bar.set_message(method.name());
        let row = checker.row(method)?;
        if is_one_pass(method) && row.refused == 0 {
            curves.push(randomisation_curve(model, &task, method, seed, &bar)?);
        }
        rows.push(row);
        // The next method needs buffers of other sizes.
        trim::<f32>();
        // Corrects the estimate of the passes.
        done += weight(method);
        bar.set_position(done);
    }
    bar.finish_and_clear();
    Ok(SanityReport {
        model: model.title.clone(),
        faces: set.labels.len(),
        methods: rows,
        randomisation: curves,
    })
}

/// Moves a bar with every pass.
struct BarWatch<'a>(&'a ProgressBar);

impl Watch for BarWatch<'_> {
    fn before(&self, passes: usize) -> Result<()> {
        self.0.inc(passes as u64);
        Ok(())
    }
}

/// Whether a method is cheap enough to be repeated for every layer.
fn is_one_pass(method: Method) -> bool {
    matches!(
        method,
        Method::Saliency
            | Method::GradXInput
            | Method::GuidedBackprop
            | Method::GradCam
            | Method::GradCamPlusPlus
            | Method::LayerCam
    )
}

/// Randomises the layers one by one from the output down, and compares the maps with the original.
fn randomisation_curve(
    model: &Model,
    task: &AttributionTask<'_>,
    method: Method,
    seed: u64,
    bar: &ProgressBar,
) -> Result<RandomisationCurve> {
    let found = attribute(&task.faces()?, method, task.options)?;
    let targets: Vec<Target> = found.iter().map(|a| a.target).collect();
    let original: Vec<f32> = found.into_iter().flat_map(|a| a.map).collect();
    let layers = parametrised_layers(model.network()).len();
    let steps = randomisation(&original, layers, &mut |top| {
        let other = randomised(model.network(), Some(top), seed)?;
        let other = NetworkClassifier::new(&other)?;
        let other = Watched::new(&other, BarWatch(bar));
        let faces = FaceBatch::new(&other, task.pixels, &targets)?;
        let found = attribute(&faces, method, task.options)?;
        Ok(found.into_iter().flat_map(|a| a.map).collect())
    })?;
    Ok(RandomisationCurve { method: method.name().into(), steps })
}
