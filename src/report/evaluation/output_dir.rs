//! An evaluation as a folder: charts as PNG and SVG, contact sheets, the numbers as JSON, an index.

use crate::dataset::Dataset;
use crate::files::{FileSet, make_folder};
use crate::metrics::errors::Mistake;
use crate::render::chart::confusion_matrix::{Confusion, Normalize};
use crate::render::chart::{ChartOptions, class_counts};
use crate::render::format::{percent, thousands};
use crate::render::html::Document;
use crate::render::write::add_both;
use crate::render::{Scene, Theme};
use crate::report::evaluation::class_sentences::BETWEEN_PARAGRAPHS;
use crate::report::i18n::Language;
use crate::report::{EvaluationReport, mistake_sheet};
use crate::{Error, Result};
use std::path::Path;

/// File of the index page.
const INDEX: &str = "index.html";
/// Language of the charts.
const LANGUAGE: Language = Language::English;
/// File of the numbers.
const NUMBERS: &str = "evaluation.json";

/// Writes the report on `faces` into `folder`, which is created if missing. Files of an earlier report
/// are replaced: all of them, or none if one cannot be written.
pub fn write_evaluation_dir(
    report: &EvaluationReport,
    faces: &Dataset,
    folder: &Path,
) -> Result<()> {
    make_folder(folder)?;
    let json = serde_json::to_string_pretty(report).map_err(|e| Error::Usage(e.to_string()))?;
    let (mut written, document) = (FileSet::default(), Document::new("Evaluation", "en"));
    written.add(folder.join(NUMBERS), (json + "\n").as_bytes())?;
    let files = vec![NUMBERS.into()];
    let mut page = EvaluationPage { document, report, folder, files, written };
    page.document.paragraph(&report.title());
    report.summary.split(BETWEEN_PARAGRAPHS).for_each(|text| {
        page.document.paragraph(text);
    });
    page.totals();
    page.confusions()?;
    page.classes(faces)?;
    page.calibration()?;
    page.mistakes(faces)?;
    let links: Vec<(&str, &str)> = page.files.iter().map(|f| (f.as_str(), f.as_str())).collect();
    page.document.heading(2, "Files").links(&links);
    page.written.add(folder.join(INDEX), page.document.finish().as_bytes())?;
    page.written.commit()
}

/// The index page while it is written, and its folder.
struct EvaluationPage<'a> {
    document: Document,
    report: &'a EvaluationReport,
    folder: &'a Path,
    /// Files beside the page, linked at its end.
    files: Vec<String>,
    written: FileSet,
}

impl EvaluationPage<'_> {
    /// Writes a drawing in the light theme to a file, and in both themes into the page.
    fn figure(
        &mut self,
        stem: &str,
        caption: &str,
        draw: impl Fn(Theme) -> Result<Scene>,
    ) -> Result<()> {
        let light = draw(Theme::Light)?;
        self.write(&light, stem)?;
        let dark = draw(Theme::Dark)?.to_svg()?;
        self.document.themed_svg(&light.to_svg()?, &dark, caption);
        Ok(())
    }

    fn write(&mut self, scene: &Scene, stem: &str) -> Result<()> {
        self.files.extend([format!("{stem}.png"), format!("{stem}.svg")]);
        add_both(scene, self.folder, stem, &mut self.written)
    }

    fn totals(&mut self) {
        let e = &self.report.evaluation;
        let interval = &e.accuracy_interval;
        let row = |name: &str, value: String, words: &str| vec![name.into(), value, words.into()];
        let between = format!("{} to {}", percent(interval.low), percent(interval.high));
        let majority =
            format!("always predicting the most frequent: {}", percent(e.majority_accuracy));
        let rows = [
            row("accuracy", percent(e.accuracy), &format!("95 % interval {between}; {majority}")),
            row("top-2 accuracy", percent(e.top2), "the label is one of the two most probable"),
            row("macro F1", percent(e.macro_f1), "mean F1 over the expressions"),
            row(
                "balanced accuracy",
                percent(e.balanced_accuracy),
                "mean recall over the expressions",
            ),
            row(
                "Cohen's kappa",
                format!("{:.3}", e.kappa),
                "agreement beyond chance; 1 is perfect, 0 is chance",
            ),
            row("Matthews' correlation", format!("{:.3}", e.mcc), "1 is perfect, 0 is chance"),
            row("loss", format!("{:.4}", e.loss), "mean cross-entropy in nats"),
            row("calibration error", percent(e.ece), "expected calibration error, 15 bins"),
        ];
        self.document.table(&["measure", "value", "meaning"], &rows, "");
    }

    fn confusions(&mut self) -> Result<()> {
        self.document.heading(2, "Confusion matrix");
        let report = self.report;
        self.document.raw("<div class=\"side-by-side\">");
        for (stem, title, normalize) in [
            ("confusion_counts", "Confusion matrix, number of faces", Normalize::Counts),
            (
                "confusion_recall",
                "Confusion matrix, share of the true expression",
                Normalize::Recall,
            ),
            (
                "confusion_precision",
                "Confusion matrix, share of the predicted expression",
                Normalize::Precision,
            ),
        ] {
            let counts = &report.evaluation.confusion.counts;
            let chart = Confusion::new(title, &report.names(), counts.clone(), normalize);
            self.figure(stem, "", |theme| chart.draw(theme))?;
        }
        self.document.raw("</div>");
        let pair = |p: &crate::metrics::ConfusedPair| {
            let words = format!("{} predicted as {}", p.truth, p.predicted);
            vec![words, thousands(p.count), percent(p.share)]
        };
        let rows: Vec<Vec<String>> = report.evaluation.confused_pairs.iter().map(pair).collect();
        self.document.table(&["confusion", "faces", "share of the expression"], &rows, "");
        Ok(())
    }

    fn classes(&mut self, faces: &Dataset) -> Result<()> {
        self.document.heading(2, "Each expression");
        let report = self.report;
        let row = |c: &crate::metrics::ClassReport| {
            let interval = &c.recall_interval;
            vec![
                c.label.clone(),
                percent(c.precision),
                percent(c.recall),
                format!("{} to {}", percent(interval.low), percent(interval.high)),
                percent(c.f1),
                thousands(c.support),
                c.trained_on.map_or("–".into(), thousands),
                c.recall_if_balanced.map_or("–".into(), percent),
            ]
        };
        let rows: Vec<Vec<String>> = report.evaluation.per_class.iter().map(row).collect();
        let header = [
            "expression", "precision", "recall", "95 % interval", "F1", "faces", "training faces",
            "recall, equal priors",
        ];
        let caption = "Recall, equal priors: recall if all expressions had been equally frequent in training.";
        self.document.table(&header, &rows, caption);
        self.figure("recall", "", |theme| report.recall_bars(LANGUAGE, ChartOptions::new(theme)))?;
        if report.class_counts.is_some() {
            self.figure("recall_by_training_faces", "", |theme| {
                report.recall_scatter(LANGUAGE, ChartOptions::new(theme))
            })?;
        }
        self.document.heading(2, "The data");
        let names = report.names();
        let counts = faces.class_counts().map(|n| n as u64);
        self.figure("class_counts", "", |theme| {
            let title = "Evaluated faces per class";
            class_counts(title, &names, &[("", &counts)], ChartOptions::new(theme))
        })?;
        let Some(split) = &report.class_counts else { return Ok(()) };
        self.figure("class_counts_split", "", |theme| {
            let title = "Training and validation faces per class";
            let sets: [(&str, &[u64]); 2] =
                [("training", &split.train), ("validation", &split.validation)];
            class_counts(title, &names, &sets, ChartOptions::new(theme))
        })
    }

    fn calibration(&mut self) -> Result<()> {
        self.document.heading(2, "Calibration");
        let report = self.report;
        self.figure("reliability", "", |theme| {
            report.calibration(LANGUAGE, ChartOptions::new(theme).sized(640.0, 620.0))
        })
    }

    fn mistakes(&mut self, faces: &Dataset) -> Result<()> {
        let report = self.report;
        let suspected = "Confident learning (Northcutt et al. 2021): the probability of another class is at \
                         least the mean probability of that class on its own faces. Use this \
                         only for faces that the network was not trained on.";
        self.sheet(faces, "confident_errors", "The most confident mistakes", "", &report.mistakes)?;
        if let Some(maps) = report.maps.as_ref().filter(|_| !report.mistakes.is_empty()) {
            self.page("confident_errors_maps", &maps.errors)?;
            self.page("confusions_maps", &maps.pairs)?;
        }
        self.sheet(faces, "suspected_labels", "Suspected label errors", suspected, &report.suspects)
    }

    fn sheet(
        &mut self,
        faces: &Dataset,
        stem: &str,
        title: &str,
        remark: &str,
        mistakes: &[Mistake],
    ) -> Result<()> {
        self.document.heading(2, title);
        if mistakes.is_empty() {
            self.document.paragraph("None.");
            return Ok(());
        }
        if !remark.is_empty() {
            self.document.paragraph(remark);
        }
        let mut sheet = mistake_sheet(
            title,
            faces,
            mistakes,
            &self.report.names(),
            &|i| self.report.place(faces, i),
            Theme::Light,
        )?;
        sheet.caption = remark.into();
        self.write(&sheet.scene(), stem)?;
        let source = format!("{stem}.png");
        self.document.linked(&source, "faces with prediction and label", "");
        Ok(())
    }

    /// Writes a page of saliency maps.
    fn page(&mut self, stem: &str, page: &crate::render::panel::Page) -> Result<()> {
        self.document.heading(2, &page.title);
        self.write(&page.scene(), stem)?;
        let source = format!("{stem}.png");
        self.document.linked(
            &source,
            "faces with the maps of the predicted class and the label",
            "",
        );
        Ok(())
    }
}
