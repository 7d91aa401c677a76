//! The HTML report: four questions about a network, answered with figures and sentences on one
//! self-contained page.
//!
//! `saliency`, `filters` and `lime` compute the results; [`crate::metrics`] and
//! [`crate::train::history`] have the others. The `*_section` files write them to the page. The phrases
//! are in [`crate::report::i18n`].

mod context;
mod evaluation_section;
mod filters;
mod filters_section;
mod lime;
mod lime_section;
mod page;
mod progress;
mod provenance;
mod saliency;
mod saliency_section;
mod training_section;

pub use context::{NamedFaces, ReportContext, ReportOptions};
pub use progress::Progress;
pub use provenance::Machine;

use crate::explain::filters::activation_maximization::spectrum::Extension;
use crate::explain::filters::filter_report::{FilterReport, FilterScores};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::regions::region_lift::Lift;
use crate::model::mean_face::mean_of;
use crate::model::weights::network_file::EMBEDDED;
use crate::render::Theme;
use crate::render::format::thousands;
use crate::render::html::escape;
use crate::report::evaluation::class_sentences::{accuracy_sentences, best_and_worst_sentences};
use crate::report::filters::layer_page::LayerPageContext;
use crate::report::html_report::filters::FilterResults;
use crate::report::html_report::page::ReportPage;
use crate::report::html_report::provenance::Selection;
use crate::report::i18n::{capital, phrase};
use crate::report::saliency::region_sentences::region_sentences;
use crate::report::{EvaluationReport, PredictedFace, typical_faces};
use crate::stats::evenly_spread;
use crate::train::{CurveSummary, TrainConfig};
use crate::{Error, Result};
use serde::Serialize;

/// Misclassified faces shown.
const MISTAKES: usize = 8;

/// A finished report.
pub struct HtmlReport {
    /// The page without the last section, which needs the total time.
    page: ReportPage,
    selection: Selection,
    /// The numbers of the report.
    pub numbers: ReportNumbers,
}

/// The numbers of the report, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct ReportNumbers {
    /// Name of the network.
    pub model: String,
    /// Language of the page.
    pub language: &'static str,
    /// Hash of the evaluated faces.
    pub data_hash: String,
    /// The evaluation.
    pub evaluation: EvaluationReport,
    /// Lifts of the face regions.
    pub lifts: Vec<Lift>,
    /// Scores of the filter images.
    pub filters: Vec<FilterScores>,
    /// Summary of the training curves, if known.
    pub training: Option<CurveSummary>,
}

impl HtmlReport {
    /// Computes the results and writes the sections.
    ///
    /// # Errors
    /// [`Error::Data`] for faces without label, [`Error::Usage`] for a network that does not take faces of
    /// 48×48.
    pub fn new(context: &ReportContext<'_>, progress: &mut Progress<'_>) -> Result<HtmlReport> {
        let language = context.options.language;
        let faces = &context.evaluated.faces;
        context.classifier()?;
        progress.begin("evaluation", 0.06);
        let count = faces.len().max(1) as f64;
        let (report, features) =
            context::evaluate(context, |done| progress.part(done as f64 / count))?;
        let all: Vec<usize> = (0..faces.len()).collect();
        let mean = context.model().mean_face();
        let mean = mean.unwrap_or_else(|| mean_of(&context.pixels(faces, &all)));
        let typical = typical(context, features.as_deref())?;
        progress.begin("saliency", 0.14);
        let saliency = saliency::measure_saliency(context, &typical, &mean, progress)?;
        progress.begin("filters", 0.62);
        let learnt = context.training_faces.unwrap_or(faces);
        let chosen = evenly_spread(learnt.len(), context.options.training_faces());
        let pixels = context.pixels(learnt, &chosen);
        let labels: Vec<usize> =
            chosen.iter().map(|&i| learnt.label(i).map_or(usize::MAX, usize::from)).collect();
        let training = TrainingFaces::new(&pixels, &labels, Extension::Hann)?;
        let filters = filters::measure_filters(context, &training, progress)?;
        progress.begin("LIME", 0.17);
        let lime = lime::measure_lime(context, &typical, progress)?;
        let shown = &report.mistakes[..report.mistakes.len().min(MISTAKES)];
        let mistakes = lime::explain_mistakes(context, shown, &mean)?;
        progress.begin("writing", 0.01);

        let title = phrase!(language.phrases().title, name = named(context));
        let mut page = ReportPage::new(&title, language);
        let names = context.names();
        let classes = &context.model().network.spec.classes;
        let page_context = LayerPageContext {
            training: &training,
            faces: training_faces_text(context, chosen.len()),
            model: "",
            class_names: classes,
            theme: Theme::Light,
        };
        let answer = filters_section::answer(&filters, &page_context, language);
        opening(&mut page, context, &report, &saliency.lifts, &answer);
        saliency_section::write(&mut page, &saliency, &names)?;
        let face = typical.iter().find(|f| f.label.is_some_and(|l| names[l] == "happy"));
        let face = face.or(typical.first());
        if let Some(face) = face {
            filters_section::write(&mut page, context, &filters, &page_context, face)?;
        }
        evaluation_section::write(&mut page, context, &report, &lime, &mistakes)?;
        training_section::write(&mut page, context)?;
        let numbers = ReportNumbers {
            model: context.title(),
            language: language.code(),
            data_hash: context.evaluated.hash(),
            evaluation: report,
            lifts: saliency.lifts,
            filters: filters_section::numbers(&filters),
            training: context.curve_summary(),
        };
        let maps = filters_section::shown_maps(&context.classifier()?);
        let maps = maps.into_iter().map(|(layer, filters)| (layer.name, filters)).collect();
        let selection = selection(&filters, &typical, face, maps);
        Ok(HtmlReport { page, selection, numbers })
    }

    /// Returns the page; `command` is the command line that made it.
    pub fn to_html(
        mut self,
        context: &ReportContext<'_>,
        command: &str,
        machine: &Machine,
    ) -> String {
        provenance::write(&mut self.page, context, command, &self.selection, machine);
        self.page.document.finish()
    }
}

/// Returns which faces the top patches come from: “1,000 of 27,434 training faces”.
fn training_faces_text(context: &ReportContext<'_>, shown: usize) -> String {
    let (p, shown) = (context.options.language.phrases(), thousands(shown as u64));
    match context.training_faces {
        Some(all) => phrase!(p.of_training_faces, shown = shown, all = thousands(all.len() as u64)),
        None => phrase!(p.of_evaluated_faces, shown = shown),
    }
}

/// Returns what the page shows, for the commands that reproduce it.
fn selection(
    results: &FilterResults,
    typical: &[PredictedFace],
    face: Option<&PredictedFace>,
    maps: Vec<(String, Vec<usize>)>,
) -> Selection {
    let filters = |r: &FilterReport| r.statistics.iter().map(|s| s.filter).collect();
    let number = |f: &PredictedFace| f.origin.trim_start_matches('#').parse().ok();
    Selection {
        layers: results.layers.iter().map(|r| (r.layer.name.clone(), filters(r))).collect(),
        typical: typical.iter().filter_map(number).collect(),
        face: face.and_then(number),
        maps,
    }
}

/// Returns the network's name within a sentence: that of a file, or “the embedded network (fer-l)”.
fn named(context: &ReportContext<'_>) -> String {
    let (model, p) = (context.model(), context.options.language.phrases());
    match model.path.as_os_str() == EMBEDDED {
        true => phrase!(p.the_network, name = model.network.spec.name),
        false => context.title(),
    }
}

/// Writes the summary: data, the first sentences of each section, links.
fn opening(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    report: &EvaluationReport,
    lifts: &[Lift],
    filters: &[String],
) {
    let (p, language) = (page.language.phrases(), page.language);
    let faces = language.faces(report.evaluation.n as u64);
    let data = match &context.evaluated.path {
        Some(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        None => p.validation_faces.into(),
    };
    let names = context.names();
    page.paragraph(&phrase!(
        p.opening,
        name = capital(&named(context)),
        classes = names.len(),
        faces = faces,
        data = data
    ));
    let saliency = region_sentences(lifts, &names, language);
    let mut evaluation = accuracy_sentences(language, &report.evaluation);
    evaluation.truncate(1);
    evaluation.extend(best_and_worst_sentences(language, &report.evaluation));
    let training = match context.curve_summary() {
        Some(summary) => {
            let config = TrainConfig::of_model(context.model());
            training_section::words(&summary, config.as_ref(), language)
        }
        None => vec![p.no_history.into()],
    };
    let row = |id: &str, title: &str, answer: String| {
        let (title, answer) = (escape(title), escape(&answer));
        format!("<li><a href=\"#{id}\"><b>{title}</b></a> {answer}</li>\n")
    };
    let first = |words: &[String], n: usize| language.paragraph(&words[..words.len().min(n)]);
    let rows = [
        row("saliency", p.question_saliency, first(&saliency, 2)),
        row("filters", p.question_filters, first(filters, 2)),
        row("evaluation", p.question_evaluation, first(&evaluation, 3)),
        row("training", p.question_training, first(&training, 2)),
    ]
    .concat();
    page.document.raw(&format!("<nav class=\"short\"><ol>\n{rows}</ol></nav>\n"));
}

/// Returns one typical face per class with its prediction.
fn typical(context: &ReportContext<'_>, features: Option<&[f32]>) -> Result<Vec<PredictedFace>> {
    let (faces, labels) = (&context.evaluated.faces, context.labels());
    let model = context.classifier()?;
    let all: Vec<usize> = (0..faces.len()).collect();
    let predict = |chosen: &[usize]| -> Result<Vec<PredictedFace>> {
        let own: Vec<Option<usize>> = chosen.iter().map(|&f| Some(labels[f])).collect();
        let origins: Vec<String> = chosen.iter().map(|f| format!("#{f}")).collect();
        PredictedFace::predict(&model, &context.pixels(faces, chosen), &own, &origins)
    };
    let predictions = predict(&all)?;
    let predicted: Vec<usize> = predictions.iter().map(|f| f.predicted).collect();
    // Without features, pixels are used.
    let pixels;
    let features = match features {
        Some(features) => features,
        None => {
            pixels = context.pixels(faces, &all);
            &pixels
        }
    };
    let found = typical_faces(features, &labels, &predicted, context.names().len());
    let shown: Vec<PredictedFace> =
        found.into_iter().flatten().map(|f| predictions[f].clone()).collect();
    match shown.is_empty() {
        true => Err(Error::Usage("no face has a label that is a class of the network".into())),
        false => Ok(shown),
    }
}
