//! Section 3 of the report: how well does the network recognise each expression?

use crate::Result;
use crate::metrics::{ClassReport, ConfusedPair};
use crate::render::chart::confusion_matrix::{Confusion, Normalize};
use crate::render::chart::{BarChart, BarSeries, ChartOptions, bars};
use crate::render::format::thousands;
use crate::render::html::escape;
use crate::render::theme::readable_on;
use crate::render::{Scene, Theme, hex};
use crate::report::EvaluationReport;
use crate::report::evaluation::class_sentences::{accuracy_sentences, by_recall, class_sentences};
use crate::report::html_report::ReportContext;
use crate::report::html_report::lime::{ExplainedMistake, LimeResults};
use crate::report::html_report::lime_section::{errors, lime};
use crate::report::html_report::page::{ReportPage, chart, charts};
use crate::report::i18n::{Language, phrase};
use std::fmt::Write as _;

/// Number of confused pairs.
const PAIRS: usize = 5;

/// Writes the section.
pub(crate) fn write(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    report: &EvaluationReport,
    lime_results: &LimeResults,
    mistakes: &[ExplainedMistake],
) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let e = &report.evaluation;
    page.document.anchor(2, "evaluation", p.question_evaluation);
    let mut all = accuracy_sentences(language, e);
    all.extend(report.unlabelled_sentence(language));
    page.paragraph(&language.paragraph(&all));
    totals(page, report);
    page.part(p.confusion_title);
    confusion(page, report);
    page.findings(&pairs(report, language));
    page.part(p.classes_title);
    classes(page, report);
    class_charts(page, context, report)?;
    page.part(p.why_title);
    let why =
        |c: usize| language.paragraph(&class_sentences(language, e, c, report.distances.as_ref()));
    let mut order = by_recall(e);
    order.extend((0..e.per_class.len()).filter(|&c| e.per_class[c].support == 0));
    page.findings(&order.into_iter().map(why).collect::<Vec<_>>());
    page.part(p.calibration_title);
    calibration(page, report)?;
    page.part(p.lime_title);
    lime(page, context, lime_results)?;
    page.part(p.errors_title);
    errors(page, context, report, mistakes)
}

fn totals(page: &mut ReportPage, report: &EvaluationReport) {
    let (p, language) = (page.language.phrases(), page.language);
    let e = &report.evaluation;
    let row = |name: &str, value: String, meaning: String| vec![name.to_owned(), value, meaning];
    let percent = |v| language.percent(v);
    let low = percent(e.accuracy_interval.low);
    let high = percent(e.accuracy_interval.high);
    let temperature = format!("{:.2}", e.temperature);
    let rows = [
        row(p.accuracy, percent(e.accuracy), phrase!(p.accuracy_means, low = low, high = high)),
        row(p.top2, percent(e.top2), p.top2_means.into()),
        row(p.macro_f1, percent(e.macro_f1), p.macro_f1_means.into()),
        row(p.balanced_accuracy, percent(e.balanced_accuracy), p.balanced_accuracy_means.into()),
        row(p.kappa, format!("{:.3}", e.kappa), p.kappa_means.into()),
        row(p.loss, format!("{:.4}", e.loss), p.loss_means.into()),
        row(p.ece, percent(e.ece), phrase!(p.ece_means, temperature = temperature)),
    ];
    page.table(&[p.head_measure, p.head_value, p.head_meaning], &rows, "", "measures");
}

/// Writes the confusion matrix with counts and shares of the true expression.
fn confusion(page: &mut ReportPage, report: &EvaluationReport) {
    let (p, language) = (page.language.phrases(), page.language);
    let names: Vec<&str> = report.names().iter().map(|&n| language.class(n)).collect();
    let counts = &report.evaluation.confusion.counts;
    let colors = Confusion::new("", &names, counts.clone(), Normalize::Recall);
    let mut html = format!(
        "<div class=\"wide\"><table class=\"matrix\">\n<thead><tr><th class=\"side\">{}</th>",
        escape(p.matrix_corner)
    );
    names.iter().for_each(|n| {
        let _ = write!(html, "<th>{}</th>", escape(n));
    });
    html.push_str("</tr></thead>\n<tbody>\n");
    for (t, row) in counts.iter().enumerate() {
        let _ = write!(html, "<tr><th class=\"side\">{}</th>", escape(names[t]));
        let total: u64 = row.iter().sum();
        for (c, &count) in row.iter().enumerate() {
            let ground = colors.cell_color(t, c, Theme::Light);
            let share = language.whole_percent(count as f64 / total as f64);
            let _ = write!(
                html,
                "<td style=\"background:{};color:{}\">{}<small>{share}</small></td>",
                hex(ground),
                hex(readable_on(ground)),
                thousands(count)
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    page.figure(&html, p.caption_confusion);
}

fn pairs(report: &EvaluationReport, language: Language) -> Vec<String> {
    let p = language.phrases();
    let sentence = |pair: &ConfusedPair| {
        phrase!(
            p.confused_pair,
            truth = language.class(&pair.truth),
            predicted = language.class(&pair.predicted),
            faces = language.faces(pair.count),
            share = language.percent(pair.share)
        )
    };
    report.evaluation.confused_pairs.iter().take(PAIRS).map(sentence).collect()
}

fn classes(page: &mut ReportPage, report: &EvaluationReport) {
    let (p, language) = (page.language.phrases(), page.language);
    let row = |c: &ClassReport| {
        vec![
            language.class(&c.label).to_owned(),
            language.percent(c.recall),
            language.between(c.recall_interval),
            language.percent(c.precision),
            language.between(c.precision_interval),
            language.percent(c.f1),
            thousands(c.support),
            c.trained_on.map_or("–".into(), thousands),
            c.recall_if_balanced.map_or("–".into(), |v| language.percent(v)),
        ]
    };
    let rows: Vec<Vec<String>> = report.evaluation.per_class.iter().map(row).collect();
    let header = [
        p.head_expression, p.head_recall, p.head_interval, p.head_precision, p.head_interval, "F1",
        p.head_faces, p.head_trained_on, p.head_if_balanced,
    ];
    page.table(&header, &rows, p.caption_classes, "numbers");
}

/// Writes charts of recall with intervals, recall against training faces, and face counts.
fn class_charts(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    report: &EvaluationReport,
) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let mut all = vec![chart(|theme| report.recall_bars(language, size(theme)))?];
    if report.class_counts.is_some() {
        all.push(chart(|theme| report.recall_scatter(language, size(theme)))?);
    }
    let judged = context.evaluated.faces.class_counts().map(|n| n as u64);
    let counts = |title: &str, sets: &[(&str, &[u64])]| {
        chart(|theme| count_bars(report, title, sets, language, theme))
    };
    all.push(counts(p.counts_evaluated, &[("", &judged)])?);
    if let Some(split) = &report.class_counts {
        let sets: [(&str, &[u64]); 2] =
            [(p.training, &split.train), (p.validation, &split.validation)];
        all.push(counts(p.counts_split, &sets)?);
    }
    page.figure(&charts(&all), p.caption_class_charts);
    Ok(())
}

fn size(theme: Theme) -> ChartOptions {
    ChartOptions::new(theme).sized(500.0, 330.0)
}

fn count_bars(
    report: &EvaluationReport,
    title: &str,
    sets: &[(&str, &[u64])],
    language: Language,
    theme: Theme,
) -> Result<Scene> {
    let p = language.phrases();
    let total = |counts: &[u64]| counts.iter().sum();
    let words = |(name, counts): &(&str, &[u64])| match *name {
        "" => language.faces(total(counts)),
        name => format!("{name} {}", thousands(total(counts))),
    };
    let chart = BarChart {
        title: title.into(),
        subtitle: language.list(&sets.iter().map(words).collect::<Vec<_>>()),
        y_title: p.head_faces.into(),
        categories: report.categories(language),
        series: sets.iter().map(|(name, counts)| BarSeries::counts(name, counts)).collect(),
        ..BarChart::default()
    };
    bars(&chart, size(theme))
}

fn calibration(page: &mut ReportPage, report: &EvaluationReport) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let drawing = chart(|theme| report.calibration(language, size(theme).sized(640.0, 600.0)))?;
    let html = charts(&[drawing]).replacen("\"charts\"", "\"charts one\"", 1);
    page.figure(&html, p.caption_reliability);
    Ok(())
}

impl EvaluationReport {
    /// Returns the sentence on faces without label.
    fn unlabelled_sentence(&self, language: Language) -> Option<String> {
        let p = language.phrases();
        (self.unlabelled > 0)
            .then(|| phrase!(p.unlabelled, count = thousands(self.unlabelled as u64)))
    }
}
