//! What a training's curves say: the best epoch, over-fitting and where it begins, the steps of the
//! learning rate.

use crate::train::EpochMetrics;
use crate::train::TrainConfig;
use serde::Serialize;

/// Rise of the validation loss above its lowest value that counts as harm.
const HARM: f64 = 0.01;
/// Steps of a rate that holds still in between move it by less than this share.
const STILL: f64 = 0.01;

/// A learning rate that fell at once.
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

/// The numbers behind what is said of a training. Epochs count from 1; accuracies are shares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Course {
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
    /// Training accuracy of the last epoch, on faces as they were varied for training.
    pub last_training_accuracy: f64,
    /// Training minus validation accuracy in the best epoch.
    pub gap_at_best: f64,
    /// The same in the last.
    pub gap_at_end: f64,
    /// The first epoch with training faces as large as those of validation from its beginning to its
    /// end; earlier accuracies of the two say nothing of over-fitting.
    pub compared_from: Option<usize>,
    /// The epoch from which on the training accuracy stays above the validation accuracy, of those
    /// that can be compared.
    pub gap_begins: Option<usize>,
    /// The epoch with the lowest validation loss.
    pub lowest_loss_epoch: usize,
    /// That loss, nats.
    pub lowest_loss: f64,
    /// Validation loss after the last epoch.
    pub last_loss: f64,
    /// Whether the validation loss ended at least one per cent above its lowest value.
    pub harmed: bool,
    /// Highest learning rate at the end of an epoch.
    pub highest_rate: f64,
    /// The last one.
    pub last_rate: f64,
    /// Steps of a rate that otherwise holds still.
    pub steps: Vec<RateStep>,
    /// The first epoch that ended with less than a tenth of the highest rate, where it fell smoothly
    /// to that, and the gain of validation accuracy since the epoch before.
    pub small_rate: Option<(usize, f64)>,
}

impl Course {
    /// Reads the history of a training, and from its configuration, where that is known, when the
    /// training faces had their full size; `None` where no epoch has a validation accuracy and loss.
    pub fn of(history: &[EpochMetrics], config: Option<&TrainConfig>) -> Option<Course> {
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
                Some(before) => !c.has_full_size_after(before),
                None => c.side(0.0) != c.final_side(),
            })
        };
        let compared = || known.iter().filter(|m| !begins_small(m));
        let above = compared().rev().take_while(|m| gap(m) > 0.0).last();
        let highest_rate = history.iter().map(|m| m.lr).fold(0.0, f64::max);
        let steps = steps(history);
        Some(Course {
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

/// Falls to half or less of a rate that had held still. A fall to 0 is none: older files round small
/// rates to it.
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
        let course = Course::of(&history, None).expect("a course");
        assert_eq!((course.best_epoch, course.gap_begins), (3, Some(3)));
        assert!(
            (course.gap_at_best - 0.05).abs() < 1e-12 && (course.gap_at_end - 0.25).abs() < 1e-12
        );
        assert_eq!((course.lowest_loss_epoch, course.harmed), (3, true));
        // Where the third epoch ends with small faces, or begins with them, only the fourth counts.
        for until in [0.75, 0.6] {
            let small = SizeStage { until, side: 32 };
            let full = SizeStage { until: 1.0, side: 48 };
            let (sizes, budget) = (vec![small, full], Budget::Epochs(4));
            let config = TrainConfig { sizes, budget, ..TrainConfig::default() };
            let course = Course::of(&history, Some(&config)).expect("a course");
            assert_eq!((course.compared_from, course.gap_begins), (Some(4), Some(4)), "{until}");
            let course = Course::of(&history[..3], Some(&config)).expect("a course");
            assert_eq!((course.compared_from, course.gap_begins), (None, None), "{until}");
        }
        assert_eq!(course.steps.len(), 1);
        assert_eq!((course.steps[0].epoch, course.steps[0].to), (3, 0.01));
        assert!((course.steps[0].gain - 0.1).abs() < 1e-12);
        assert_eq!(course.small_rate, None);
    }

    #[test]
    fn a_smooth_fall_has_no_steps() {
        let rates = [0.1, 0.07, 0.04, 0.009, 0.0];
        let history: Vec<EpochMetrics> = (0..5)
            .map(|i| epoch(i + 1, rates[i], 0.1 * i as f64, 0.2 + 0.1 * i as f64, 1.0))
            .collect();
        let course = Course::of(&history, None).expect("a course");
        assert!(course.steps.is_empty() && !course.harmed);
        assert_eq!(course.gap_begins, None);
        let (epoch, gain) = course.small_rate.expect("a small rate");
        assert_eq!(epoch, 4);
        assert!((gain - 0.2).abs() < 1e-12, "from 0.4 to 0.6: {gain}");
        assert_eq!(Course::of(&[], None), None);
    }

    /// Small rates of older files, rounded to six decimals.
    #[test]
    fn rates_that_were_rounded_to_nothing_made_no_step() {
        let rates = [1e-6, 1e-6, 0.0, 0.0, 0.0];
        let history: Vec<EpochMetrics> =
            (0..5).map(|i| epoch(i + 1, rates[i], 0.5, 0.5, 1.0)).collect();
        assert!(Course::of(&history, None).expect("a course").steps.is_empty());
    }
}
