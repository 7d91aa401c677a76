//! What the curves of a training show: the best epoch, over-fitting and where it begins, and the steps
//! of the learning rate.

use crate::train::config::TrainConfig;
use crate::train::history::EpochMetrics;
use serde::Serialize;

/// Relative rise of the validation loss above its lowest value from which on over-fitting did harm.
const HARM: f64 = 0.01;
/// Relative change of the learning rate below which it counts as constant.
const STILL: f64 = 0.01;

/// A sudden fall of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateStep {
    /// The first epoch that ended with the new rate.
    pub epoch: usize,
    /// The old rate.
    pub from: f64,
    /// The new one.
    pub to: f64,
    /// Change of the validation accuracy in that epoch.
    pub gain: f64,
}

/// The numbers that the report's sentences on a training are made from. Epochs count from 1;
/// accuracies are in \[0,1\].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurveSummary {
    /// Epochs done.
    pub epochs: usize,
    /// Seconds.
    pub seconds: f64,
    /// The first epoch with the highest validation accuracy.
    pub best_epoch: usize,
    /// That accuracy.
    pub best_accuracy: f64,
    /// Validation accuracy after the last epoch.
    pub last_accuracy: f64,
    /// Training accuracy of the last epoch, on augmented faces.
    pub last_training_accuracy: f64,
    /// Training minus validation accuracy in the best epoch.
    pub gap_at_best: f64,
    /// Training minus validation accuracy in the last epoch.
    pub gap_at_end: f64,
    /// The first epoch throughout which training and validation faces had the same size. Before it,
    /// the two accuracies cannot be compared.
    pub compared_from: Option<usize>,
    /// The epoch from which on the training accuracy stays above the validation accuracy, among those
    /// that can be compared.
    pub gap_begins: Option<usize>,
    /// The epoch with the lowest validation loss.
    pub lowest_loss_epoch: usize,
    /// That loss, in nats.
    pub lowest_loss: f64,
    /// Validation loss after the last epoch.
    pub last_loss: f64,
    /// Whether the last validation loss is more than 1 % above the lowest.
    pub harmed: bool,
    /// Highest learning rate at the end of an epoch.
    pub highest_rate: f64,
    /// Learning rate at the end of the last epoch.
    pub last_rate: f64,
    /// Sudden falls of a learning rate that is otherwise constant.
    pub steps: Vec<RateStep>,
    /// For a learning rate that falls smoothly: the first epoch that ended with less than a tenth of the
    /// highest rate, and the gain of validation accuracy from the epoch before it to the last.
    pub small_rate: Option<(usize, f64)>,
}

impl CurveSummary {
    /// Summarises the history of a training. The configuration, where it is known, tells in which
    /// epochs the training faces had their full size. `None` if no epoch has a finite validation
    /// accuracy and loss.
    pub fn of(history: &[EpochMetrics], config: Option<&TrainConfig>) -> Option<CurveSummary> {
        let known: Vec<&EpochMetrics> = history
            .iter()
            .filter(|m| m.val_accuracy.is_finite() && m.val_loss.is_finite())
            .collect();
        let last = known.last()?;
        let first_best = |a: &&&EpochMetrics, b: &&&EpochMetrics| {
            a.val_accuracy.total_cmp(&b.val_accuracy).then(b.epoch.cmp(&a.epoch))
        };
        let best = known.iter().max_by(first_best)?;
        let lowest = known.iter().min_by(|a, b| a.val_loss.total_cmp(&b.val_loss))?;
        let gap = |m: &EpochMetrics| m.accuracy - m.val_accuracy;
        let begins_small = |m: &EpochMetrics| {
            let before = history.iter().rev().find(|b| b.epoch < m.epoch);
            config.is_some_and(|c| match before {
                Some(before) => !before.ended_at_full_size(c),
                None => c.side(0.0) != c.final_side(),
            })
        };
        let compared = || known.iter().filter(|m| !begins_small(m));
        let above = compared().rev().take_while(|m| gap(m) > 0.0).last();
        let highest_rate = history.iter().map(|m| m.lr).fold(0.0, f64::max);
        let steps = steps(history);
        Some(CurveSummary {
            epochs: last.epoch,
            seconds: last.seconds,
            best_epoch: best.epoch,
            best_accuracy: best.val_accuracy,
            last_accuracy: last.val_accuracy,
            last_training_accuracy: last.accuracy,
            gap_at_best: gap(best),
            gap_at_end: gap(last),
            compared_from: compared().next().map(|m| m.epoch),
            gap_begins: above.map(|m| m.epoch),
            lowest_loss_epoch: lowest.epoch,
            lowest_loss: lowest.val_loss,
            last_loss: last.val_loss,
            harmed: last.val_loss > lowest.val_loss * (1.0 + HARM),
            highest_rate,
            last_rate: last.lr,
            small_rate: if steps.is_empty() { small_rate(history, highest_rate) } else { None },
            steps,
        })
    }
}

/// Finds the falls of a constant rate to half or less. A fall to 0 does not count: older files round
/// small rates to 0.
fn steps(history: &[EpochMetrics]) -> Vec<RateStep> {
    let step = |i: usize| {
        let [before, held, now] = [&history[i - 2], &history[i - 1], &history[i]];
        let still = (held.lr - before.lr).abs() <= STILL * before.lr;
        (still && now.lr > 0.0 && now.lr <= held.lr / 2.0).then_some(RateStep {
            epoch: now.epoch,
            from: held.lr,
            to: now.lr,
            gain: now.val_accuracy - held.val_accuracy,
        })
    };
    (2..history.len()).filter_map(step).collect()
}

fn small_rate(history: &[EpochMetrics], highest: f64) -> Option<(usize, f64)> {
    let peak = history.iter().position(|m| m.lr == highest)?;
    let small = history.iter().skip(peak + 1).position(|m| m.lr < highest / 10.0)? + peak + 1;
    let gain = history.last()?.val_accuracy - history[small - 1].val_accuracy;
    Some((history[small].epoch, gain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Budget;
    use crate::train::config::SizeStage;

    fn epoch(
        epoch: usize,
        lr: f64,
        accuracy: f64,
        val_accuracy: f64,
        val_loss: f64,
    ) -> EpochMetrics {
        EpochMetrics {
            epoch,
            step: epoch as u64,
            lr,
            loss: 1.0,
            accuracy,
            val_loss,
            val_accuracy,
            grad_norm: 1.0,
            skipped_steps: 0,
            pflop: 0.0,
            asked_seconds: 0.0,
            images_per_second: 100.0,
            seconds: 10.0 * epoch as f64,
        }
    }

    #[test]
    fn over_fitting_begins_where_training_stays_above() {
        let history = [
            epoch(1, 0.1, 0.5, 0.4, 1.2), // above, but not to stay
            epoch(2, 0.1, 0.5, 0.55, 1.0),
            epoch(3, 0.01, 0.7, 0.65, 0.9),
            epoch(4, 0.01, 0.9, 0.65, 1.1),
        ];
        let summary = CurveSummary::of(&history, None).expect("a summary");
        assert_eq!((summary.best_epoch, summary.gap_begins), (3, Some(3)));
        assert!(
            (summary.gap_at_best - 0.05).abs() < 1e-12 && (summary.gap_at_end - 0.25).abs() < 1e-12
        );
        assert_eq!((summary.lowest_loss_epoch, summary.harmed), (3, true));
        // Where the third epoch ends with small faces, or begins with them, only the fourth counts.
        for until in [0.75, 0.6] {
            let small = SizeStage { until, side: 32 };
            let full = SizeStage { until: 1.0, side: 48 };
            let (sizes, budget) = (vec![small, full], Budget::Epochs(4));
            let config = TrainConfig { sizes, budget, ..TrainConfig::default() };
            let summary = CurveSummary::of(&history, Some(&config)).expect("a summary");
            assert_eq!((summary.compared_from, summary.gap_begins), (Some(4), Some(4)), "{until}");
            let summary = CurveSummary::of(&history[..3], Some(&config)).expect("a summary");
            assert_eq!((summary.compared_from, summary.gap_begins), (None, None), "{until}");
        }
        assert_eq!(summary.steps.len(), 1);
        assert_eq!((summary.steps[0].epoch, summary.steps[0].to), (3, 0.01));
        assert!((summary.steps[0].gain - 0.1).abs() < 1e-12);
        assert_eq!(summary.small_rate, None);
    }

    #[test]
    fn a_smooth_fall_has_no_steps() {
        let rates = [0.1, 0.07, 0.04, 0.009, 0.0];
        let history: Vec<EpochMetrics> = (0..5)
            .map(|i| epoch(i + 1, rates[i], 0.1 * i as f64, 0.2 + 0.1 * i as f64, 1.0))
            .collect();
        let summary = CurveSummary::of(&history, None).expect("a summary");
        assert!(summary.steps.is_empty() && !summary.harmed);
        assert_eq!(summary.gap_begins, None);
        let (epoch, gain) = summary.small_rate.expect("a small rate");
        assert_eq!(epoch, 4);
        assert!((gain - 0.2).abs() < 1e-12, "from 0.4 to 0.6: {gain}");
        assert_eq!(CurveSummary::of(&[], None), None);
    }

    /// Small rates of older files, rounded to six decimals.
    #[test]
    fn rates_that_were_rounded_to_nothing_made_no_step() {
        let rates = [1e-6, 1e-6, 0.0, 0.0, 0.0];
        let history: Vec<EpochMetrics> =
            (0..5).map(|i| epoch(i + 1, rates[i], 0.5, 0.5, 1.0)).collect();
        assert!(CurveSummary::of(&history, None).expect("a summary").steps.is_empty());
    }
}
