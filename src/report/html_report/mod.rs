//! The whole answer on one page: four questions put to a network, with figures, and with words
//! that follow from the measured numbers. One HTML file; nothing is loaded, nothing is run.
//!
//! Each question has a file that measures (`look`, `want`, `evidence`; `metrics` and
//! [`crate::train::history`] for the others) and one that writes it down (`*_page`). The words are in
//! [`crate::report::i18n`].

mod context;
mod evaluation_section;
mod filters;
mod filters_section;
mod lime_section;
mod page;
mod progress;
mod provenance;
mod saliency;
mod saliency_section;
mod training_section;

pub use context::{NamedFaces, PaperOptions, Subject};
pub use progress::Meter;
pub use provenance::Machine;

use crate::report::html_report::provenance::Drawn;

use crate::explain::filters::filter_report::{FilterReport, FilterScores};
use crate::explain::filters::spectrum::Extension;
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::image_ops::mean_face;
use crate::explain::regions::region_lift::Lift;
use crate::render::format::thousands;
use crate::report::html_report::page::Sheet;
use crate::report::i18n::say;
use crate::report::{EvaluationReport, ShownFace};
use crate::train::Course;
use crate::{Error, Result};
use serde::Serialize;

/// A finished report.
pub struct Paper {
    /// Everything but the last part, which needs the time that it took.
    sheet: Sheet,
    drawn: Drawn,
    /// The numbers behind the words.
    pub numbers: PaperNumbers,
}

/// The numbers behind the words, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct PaperNumbers {
    /// The network.
    pub model: String,
    /// Language of the page.
    pub language: &'static str,
    /// Fingerprint of the judged faces.
    pub data_hash: String,
    /// How it judges.
    pub evaluation: EvaluationReport,
    /// Where it looks.
    pub lifts: Vec<Lift>,
    /// What the filters want to see.
    pub filters: Vec<FilterScores>,
    /// How training went, where it is known.
    pub training: Option<Course>,
}

impl Paper {
    /// Asks the four questions and writes the answers down.
    ///
    /// # Errors
    /// [`Error::Data`] for faces without label, [`Error::Usage`] for a network that does not take
    /// faces of 48×48.
    pub fn new(subject: &Subject<'_>, meter: &mut Meter<'_>) -> Result<Paper> {
        let language = subject.options.language;
        let faces = &subject.judged.faces;
        subject.explained()?;
        meter.begin("judging the faces", 0.06);
        let count = faces.len().max(1) as f64;
        let (report, features) =
            context::evaluate(subject, |done| meter.part(done as f64 / count))?;
        let all: Vec<usize> = (0..faces.len()).collect();
        let mean = subject.trained().mean_face();
        let mean = mean.unwrap_or_else(|| mean_face(&subject.pixels(faces, &all)));
        let typical = typical(subject, features.as_deref())?;
        meter.begin("where it looks", 0.14);
        let look = saliency::look(subject, &typical, &mean, meter)?;
        meter.begin("what filters want", 0.62);
        let learnt = subject.learnt.unwrap_or(faces);
        let chosen = evenly(learnt.len(), subject.options.training_faces());
        let pixels = subject.pixels(learnt, &chosen);
        let labels: Vec<usize> =
            chosen.iter().map(|&i| learnt.label(i).map_or(usize::MAX, usize::from)).collect();
        let training = TrainingFaces::new(&pixels, &labels, Extension::Hann)?;
        let want = filters::want(subject, &training, meter)?;
        meter.begin("LIME", 0.17);
        let evidence = lime_section::evidence(subject, &report, &typical, &mean, meter)?;
        meter.begin("writing", 0.01);

        let title = say!(language.phrases().title, name = subject.title());
        let mut sheet = Sheet::new(&title, language);
        let names = subject.names();
        opening(&mut sheet, subject, &report, &look.lifts, &want);
        saliency_section::write(&mut sheet, &look, &names)?;
        let classes = &subject.trained().network.spec.classes;
        let context =
            filters_section::context(&training, context_words(subject, chosen.len()), classes);
        let face = typical.iter().find(|f| f.label.is_some_and(|l| names[l] == "happy"));
        let face = face.or(typical.first());
        if let Some(face) = face {
            filters_section::write(&mut sheet, subject, &want, &context, face)?;
        }
        evaluation_section::write(&mut sheet, subject, &report, &evidence)?;
        training_section::write(&mut sheet, subject)?;
        let numbers = PaperNumbers {
            model: subject.title(),
            language: language.code(),
            data_hash: subject.judged.hash(),
            evaluation: report,
            lifts: look.lifts,
            filters: filters_section::numbers(&want),
            training: Course::of(subject.history, subject.trained().config.as_ref()),
        };
        let drawn = drawn(&want, &typical, face);
        Ok(Paper { sheet, drawn, numbers })
    }

    /// The page, with what made it: the command that was typed and the machine.
    pub fn to_html(mut self, subject: &Subject<'_>, command: &str, machine: &Machine) -> String {
        provenance::write(&mut self.sheet, subject, command, &self.drawn, machine);
        // A number and its unit stay on one line.
        self.sheet.document.finish().replace(" %", "\u{a0}%")
    }
}

/// “1,000 of 27,434 training faces”: among how many faces the filters' patches were looked for.
fn context_words(subject: &Subject<'_>, shown: usize) -> String {
    let (p, shown) = (subject.options.language.phrases(), thousands(shown as u64));
    match subject.learnt {
        Some(all) => say!(p.of_training_faces, shown = shown, all = thousands(all.len() as u64)),
        None => say!(p.of_judged_faces, shown = shown),
    }
}

/// What the page shows, for the commands that draw it again.
fn drawn(want: &filters::Want, typical: &[ShownFace], face: Option<&ShownFace>) -> Drawn {
    let filters = |r: &FilterReport| r.surveys.iter().map(|s| s.filter).collect();
    let number = |f: &ShownFace| f.origin.trim_start_matches('#').parse().ok();
    Drawn {
        layers: want.layers.iter().map(|r| (r.layer.name.clone(), filters(r))).collect(),
        typical: typical.iter().filter_map(number).collect(),
        face: face.and_then(number),
    }
}

/// What is judged, the four answers in a sentence or two each, and links.
fn opening(
    sheet: &mut Sheet,
    subject: &Subject<'_>,
    report: &EvaluationReport,
    lifts: &[Lift],
    want: &filters::Want,
) {
    let (p, language) = (sheet.language.phrases(), sheet.language);
    let faces = thousands(report.evaluation.n as u64);
    let data = match &subject.judged.path {
        Some(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        None => p.made_validation.into(),
    };
    let names = subject.names();
    sheet.paragraph(&say!(
        p.opening,
        name = subject.title(),
        classes = names.len(),
        faces = faces,
        data = data
    ));
    let look = crate::report::saliency::region_words::region_sentences(lifts, &names, language);
    let wants = filters_section::words(want, language);
    let judge = crate::report::evaluation::class_words::summary(language, &report.evaluation);
    let config = subject.trained().config.as_ref();
    let training = match Course::of(subject.history, config) {
        Some(course) => training_section::words(&course, config, language),
        None => vec![p.no_history.into()],
    };
    let row = |id: &str, title: &str, answer: String| {
        let (title, answer) =
            (crate::render::html::escape(title), crate::render::html::escape(&answer));
        format!("<li><a href=\"#{id}\"><b>{title}</b></a> {answer}</li>\n")
    };
    let first = |words: &[String], n: usize| language.paragraph(&words[..words.len().min(n)]);
    let rows = [
        row("look", p.question_look, first(&look, 2)),
        row("want", p.question_want, first(&wants, 1)),
        row("judge", p.question_judge, first(&judge, 2)),
        row("training", p.question_training, first(&training, 2)),
    ]
    .concat();
    sheet.document.raw(&format!("<nav class=\"short\"><ol>\n{rows}</ol></nav>\n"));
}

/// A typical face of each class, judged.
fn typical(subject: &Subject<'_>, features: Option<&[f32]>) -> Result<Vec<ShownFace>> {
    let (faces, labels) = (&subject.judged.faces, subject.labels());
    let model = subject.explained()?;
    let all: Vec<usize> = (0..faces.len()).collect();
    let judge = |chosen: &[usize]| -> Result<Vec<ShownFace>> {
        let own: Vec<Option<usize>> = chosen.iter().map(|&f| Some(labels[f])).collect();
        let origins: Vec<String> = chosen.iter().map(|f| format!("#{f}")).collect();
        ShownFace::judge(&model, &subject.pixels(faces, chosen), &own, &origins)
    };
    let judged = judge(&all)?;
    let predicted: Vec<usize> = judged.iter().map(|f| f.predicted).collect();
    // Without features, what the pixels say must do.
    let pixels;
    let features = match features {
        Some(features) => features,
        None => {
            pixels = subject.pixels(faces, &all);
            &pixels
        }
    };
    let found = context::typical_faces(features, &labels, &predicted, subject.names().len());
    let shown: Vec<ShownFace> = found.into_iter().flatten().map(|f| judged[f].clone()).collect();
    match shown.is_empty() {
        true => Err(Error::Usage("no face has a label that the network knows".into())),
        false => Ok(shown),
    }
}

/// At most `most` of `n`, spread evenly.
fn evenly(n: usize, most: usize) -> Vec<usize> {
    let some = most.min(n);
    (0..some).map(|i| i * n / some.max(1)).collect()
}
