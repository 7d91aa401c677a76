//! Section 4 of the report: how did the training go?

use crate::optim::ScheduleShape;
use crate::render::chart::{
    ChartOptions, CurveWords, Epoch, Measure, Run, curve_panel, rate_panel,
};
use crate::render::format::thousands;
use crate::report::html_report::ReportContext;
use crate::report::html_report::page::{ReportPage, chart, charts};
use crate::report::i18n::{Language, minus, phrase};
use crate::train::{CurveSummary, TrainConfig};
use crate::{Result, files};

/// Smallest difference of the accuracies that is called overfitting.
const GAP: f64 = 0.02;

/// Writes the section.
pub(crate) fn write(page: &mut ReportPage, context: &ReportContext<'_>) -> Result<()> {
    let p = page.language.phrases();
    page.document.anchor(2, "training", p.question_training);
    let config = TrainConfig::of_model(context.model());
    let Some(summary) = context.curve_summary() else {
        page.paragraph(p.no_history);
        return Ok(());
    };
    page.findings(&words(&summary, config.as_ref(), page.language));
    let curve_words = CurveWords {
        accuracy: p.accuracy,
        loss: p.loss_curve,
        rate: p.learning_rate,
        training: p.training,
        validation: p.validation,
        best_epoch: p.best_epoch,
        epoch: p.epoch,
    };
    let run = Run::new("", context.history.iter().map(Epoch::from).collect());
    let size = |theme| ChartOptions::new(theme).sized(500.0, 360.0);
    let panel = |measure| chart(|theme| curve_panel(measure, &run, &curve_words, size(theme)));
    let rates: Vec<(f64, f64)> = context.history.iter().map(|m| (m.epoch as f64, m.lr)).collect();
    let rate = chart(|theme| rate_panel(&rates, &curve_words, size(theme).sized(500.0, 260.0)))?;
    let html = charts(&[panel(Measure::Accuracy)?, panel(Measure::Loss)?, rate]);
    page.figure(&html, p.caption_curves);
    Ok(())
}

/// Returns the sentences on the curves.
pub(crate) fn words(
    summary: &CurveSummary,
    config: Option<&TrainConfig>,
    language: Language,
) -> Vec<String> {
    let p = language.phrases();
    let percent = |v| language.percent(v);
    let mut text = vec![phrase!(
        p.training_best,
        epochs = summary.epochs,
        best = summary.best_epoch,
        accuracy = percent(summary.best_accuracy),
        last = percent(summary.last_accuracy)
    )];
    text.extend(gap_words(summary, language));
    text.extend((summary.epochs > 1).then(|| loss_words(summary, language)));
    text.extend(rate_words(summary, config, language));
    text.extend(config.and_then(|config| size_words(config, language)));
    text
}

/// Returns the sentence on the validation loss.
fn loss_words(summary: &CurveSummary, language: Language) -> String {
    let p = language.phrases();
    let loss = |v: f64| format!("{v:.3}");
    match (summary.harmed, summary.lowest_loss_epoch == summary.epochs) {
        (true, _) => phrase!(
            p.loss_rose,
            epoch = summary.lowest_loss_epoch,
            lowest = loss(summary.lowest_loss),
            last = loss(summary.last_loss)
        ),
        (false, true) => phrase!(p.loss_falling, last = loss(summary.last_loss)),
        (false, false) => phrase!(
            p.loss_level,
            epoch = summary.lowest_loss_epoch,
            lowest = loss(summary.lowest_loss),
            last = loss(summary.last_loss)
        ),
    }
}

/// Returns the sentence on overfitting, if the accuracies can be compared.
fn gap_words(summary: &CurveSummary, language: Language) -> Option<String> {
    let p = language.phrases();
    let points = |v: f64| minus(format!("{:.1}", 100.0 * v));
    let training = language.percent(summary.last_training_accuracy);
    let validation = language.percent(summary.last_accuracy);
    let first = summary.compared_from?;
    let Some(epoch) = summary.gap_begins.filter(|_| summary.gap_at_end >= GAP) else {
        return Some(phrase!(p.training_no_gap, training = training, validation = validation));
    };
    // A gap at the first comparable epoch may have begun earlier.
    let from = if epoch == first && first > 1 { p.gap_from_latest } else { p.gap_from };
    Some(phrase!(
        p.training_gap,
        from = phrase!(from, epoch = epoch),
        training = training,
        validation = validation,
        end = points(summary.gap_at_end)
    ))
}

/// Returns the sentence on smaller training faces, if there were any.
fn size_words(config: &TrainConfig, language: Language) -> Option<String> {
    let stages = &config.sizes;
    let small = stages.iter().take_while(|stage| stage.side < config.final_side());
    let sides: Vec<String> = small.clone().map(|stage| stage.side.to_string()).collect();
    let share = language.whole_percent(small.last()?.until);
    Some(phrase!(language.phrases().training_sizes, share = share, sides = sides.join(", ")))
}

/// Formats a small number without trailing zeros.
fn rate(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

/// Returns the sentences on the learning rate.
fn rate_words(
    summary: &CurveSummary,
    config: Option<&TrainConfig>,
    language: Language,
) -> Vec<String> {
    let p = language.phrases();
    let points = |v: f64| minus(format!("{:+.1}", 100.0 * v));
    let mut text: Vec<String> = summary
        .steps
        .iter()
        .map(|step| {
            phrase!(
                p.rate_step,
                epoch = step.epoch,
                from = rate(step.from),
                to = rate(step.to),
                gain = points(step.gain)
            )
        })
        .collect();
    let shape = match config.map(|c| c.schedule.shape) {
        Some(ScheduleShape::Linear) => p.shape_linear,
        Some(ScheduleShape::Cosine) => p.shape_cosine,
        Some(ScheduleShape::OneCycle) => p.shape_one_cycle,
        Some(ScheduleShape::Step) => p.shape_step,
        Some(ScheduleShape::Constant) => p.shape_constant,
        None => p.shape_unknown,
    };
    if text.is_empty() {
        let (highest, last) = (rate(summary.highest_rate), rate(summary.last_rate));
        text.push(phrase!(p.rate_smooth, shape = shape, highest = highest, last = last));
    }
    if let Some((epoch, gain)) = summary.small_rate {
        text.push(phrase!(p.rate_small, epoch = epoch, gain = points(gain)));
    }
    text
}

/// Returns the training settings as rows of a table.
pub(crate) fn settings(context: &ReportContext<'_>, language: Language) -> Vec<[String; 2]> {
    let p = language.phrases();
    let Some(config) = TrainConfig::of_model(context.model()) else { return vec![] };
    let source = match &config.data {
        Some(path) => path.display().to_string(),
        None => phrase!(p.drawn_faces, count = thousands(config.synthetic as u64)),
    };
    let budget = match config.budget {
        crate::train::Budget::Epochs(n) => phrase!(p.budget_epochs, count = n),
        crate::train::Budget::Minutes(m) => phrase!(p.budget_minutes, count = m),
    };
    let recipe = phrase!(
        p.training_settings,
        batch = config.batch,
        lr = rate(config.lr),
        decay = rate(config.optimizer.weight_decay),
        smoothing = rate(config.label_smoothing),
        seed = config.seed
    );
    let teachers: Vec<_> = config.teacher.iter().map(|path| files::name(path)).collect();
    // An export of an earlier version names no file, whatever the faces were.
    let is_known = context.model().record.config.is_some() || !context.history.is_empty();
    let rows = [
        (is_known, [p.row_trained_on.into(), source]),
        (!teachers.is_empty(), [p.row_teachers.into(), teachers.join(", ")]),
        (true, [p.row_budget.into(), budget]),
        (true, [p.row_settings.into(), recipe]),
    ];
    rows.into_iter().filter_map(|(is_said, row)| is_said.then_some(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::EpochMetrics;
    use crate::train::config::SizeStage;

    fn epoch(epoch: usize, accuracy: f64, val_accuracy: f64, val_loss: f64) -> EpochMetrics {
        EpochMetrics { epoch, accuracy, val_accuracy, val_loss, ..EpochMetrics::default() }
    }

    #[test]
    fn a_loss_that_rises_without_over_fitting_and_one_that_cannot_fall() {
        let said = |history: &[EpochMetrics]| {
            let summary = CurveSummary::of(history, None).unwrap();
            words(&summary, None, Language::English).join(" ")
        };
        let text = said(&[epoch(1, 0.4, 0.5, 1.0), epoch(2, 0.45, 0.52, 1.2)]);
        assert!(text.contains("No overfitting") && text.contains("rose to 1.200"), "{text}");
        assert!(!said(&[epoch(1, 0.4, 0.5, 1.0)]).contains("loss"));
    }

    #[test]
    fn smaller_training_faces_are_mentioned() {
        let stage = |until, side| SizeStage { until, side };
        let mut config = TrainConfig::default();
        assert_eq!(size_words(&config, Language::English), None);
        config.sizes = vec![stage(0.4, 32), stage(0.75, 40), stage(1.0, 48)];
        let english = size_words(&config, Language::English).unwrap();
        assert!(english.contains("first 75 % of"), "{english}");
        assert!(english.contains("(32, 40 pixels wide)"), "{english}");
        config.sizes = vec![stage(1.0, 48)];
        assert_eq!(size_words(&config, Language::Chinese), None);
    }
}
