//! Why one expression is read well and another is not, in words that follow from the numbers.
//!
//! Every sentence is bound to a condition on the numbers; none is written for a particular class.

use super::evaluation::{ClassReport, Evaluation};
use super::features::ClassDistances;
use std::fmt::Write;

/// A paragraph on the best and the worst class by recall, and on the one with the fewest training
/// faces. Classes without faces are left out.
pub fn why(evaluation: &Evaluation, distances: Option<&ClassDistances>) -> String {
    let mut order: Vec<usize> =
        (0..evaluation.per_class.len()).filter(|&c| evaluation.per_class[c].support > 0).collect();
    let recall = |c: usize| evaluation.per_class[c].recall;
    order.sort_by(|&a, &b| recall(b).total_cmp(&recall(a)).then(a.cmp(&b)));
    let mut text = summary(evaluation);
    let (Some(&best), Some(&worst)) = (order.first(), order.last()) else { return text };
    if best == worst {
        return text;
    }
    text.push_str(&describe(evaluation, best, "best", distances));
    text.push_str(&describe(evaluation, worst, "worst", distances));
    text.push_str(&compare(&evaluation.per_class[best], &evaluation.per_class[worst]));
    let examples = |&c: &usize| evaluation.per_class[c].trained_on.unwrap_or(u64::MAX);
    let rarest = order.iter().copied().min_by_key(|c| (examples(c), *c));
    if let Some(rare) = rarest.filter(|c| examples(c) < u64::MAX && ![best, worst].contains(c)) {
        text.push_str(&describe(evaluation, rare, "from the fewest examples", distances));
        text.push_str(&compare(&evaluation.per_class[best], &evaluation.per_class[rare]));
    }
    text.trim_end().to_string()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn summary(e: &Evaluation) -> String {
    let mut text = format!(
        "The network judges {} of {} faces right ({}–{} at 95 %); always naming the most frequent \
         expression would give {}. ",
        percent(e.accuracy),
        e.n,
        percent(e.accuracy_interval.low),
        percent(e.accuracy_interval.high),
        percent(e.majority_accuracy),
    );
    if e.ece > 0.05 {
        let how = if e.temperature > 1.0 { "too sure" } else { "not sure enough" };
        let _ = write!(
            text,
            "It is {how} of itself: its confidence is off by {} on average. ",
            percent(e.ece)
        );
    }
    text
}

fn describe(e: &Evaluation, c: usize, rank: &str, distances: Option<&ClassDistances>) -> String {
    let class = &e.per_class[c];
    let interval = &class.recall_interval;
    let mut text = format!(
        "It reads {} {rank}: {} of {} faces found ({}–{}), {} of its judgements right. ",
        class.label,
        percent(class.recall),
        class.support,
        percent(interval.low),
        percent(interval.high),
        percent(class.precision),
    );
    if interval.margin() > 0.05 {
        let _ = write!(
            text,
            "With so few faces the figure is uncertain by ±{:.0} points. ",
            100.0 * interval.margin()
        );
    }
    if let Some(pair) = e.confused_pairs_of(c) {
        let _ = write!(
            text,
            "When it misses {}, it most often says {} ({} of {}). ",
            class.label,
            e.per_class[pair.0].label,
            pair.1,
            class.support - e.confusion.counts[c][c],
        );
    }
    if let Some((near, d)) = distances.and_then(|d| d.nearest(c)) {
        let how = if d < 1.0 { "overlaps with" } else { "stands apart from" };
        let _ = write!(
            text,
            "In the last features {} {how} its nearest neighbour {} (distance {d:.1} spreads). ",
            class.label, e.per_class[near].label,
        );
    }
    text
}

fn compare(best: &ClassReport, worst: &ClassReport) -> String {
    let mut text = String::new();
    if let (Some(many), Some(few)) = (best.trained_on, worst.trained_on) {
        let ratio = many as f64 / few.max(1) as f64;
        if ratio >= 1.5 {
            let _ = write!(
                text,
                "It saw {} in training {ratio:.0} times as often as {} ({many} faces against \
                 {few}). ",
                best.label, worst.label
            );
        } else {
            let _ = write!(
                text,
                "Training faces do not explain the gap: {many} of {} against {few} of {}. ",
                best.label, worst.label
            );
        }
    }
    if let Some(balanced) = worst.recall_if_balanced {
        let gain = balanced - worst.recall;
        if gain >= 0.03 {
            let _ = write!(
                text,
                "Part of it is caution: if all expressions were taken as equally likely, it would \
                 find {} of {}. ",
                percent(balanced),
                worst.label
            );
        } else {
            let _ = write!(
                text,
                "Taking all expressions as equally likely would not help ({} found), so {} is \
                 hard to tell apart rather than only rare. ",
                percent(balanced),
                worst.label
            );
        }
    }
    if best.recall_interval.low <= worst.recall_interval.high {
        text.push_str("The two intervals overlap: the order may be chance. ");
    }
    text
}

impl Evaluation {
    /// The class that a class is most often taken for, with the count; the first among equals.
    fn confused_pairs_of(&self, class: usize) -> Option<(usize, u64)> {
        let row = self.confusion.counts[class].iter().copied().enumerate();
        row.filter(|&(p, count)| p != class && count > 0).fold(None, |best, now| {
            if best.is_none_or(|(_, n)| now.1 > n) { Some(now) } else { best }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 faces of `joy`, all found; 10 of `bile`, 4 found and 6 taken for `joy`.
    fn evaluation(trained_on: &[u64]) -> Evaluation {
        let (mut logits, mut labels) = (vec![], vec![]);
        for f in 0..50 {
            let truth = usize::from(f >= 40);
            let says = usize::from(f >= 46);
            logits.extend(if says == 0 { [2.0, 1.0] } else { [0.0, 1.0] });
            labels.push(truth);
        }
        Evaluation::new(&logits, &labels, &["joy", "bile"], Some(trained_on)).unwrap()
    }

    #[test]
    fn words_follow_the_numbers() {
        let text = why(&evaluation(&[900, 100]), None);
        for part in [
            "reads joy best: 100 % of 40 faces",
            "reads bile worst: 40 % of 10 faces found (17 %–69 %)",
            "uncertain by ±26 points",
            "most often says joy (6 of 6)",
            "9 times as often",
            "it would find 100 % of bile",
        ] {
            assert!(text.contains(part), "`{part}` is missing from: {text}");
        }
        assert!(!text.contains("overlap"), "{text}");
        let text = why(&evaluation(&[500, 500]), None);
        assert!(text.contains("Training faces do not explain the gap"), "{text}");
        assert!(text.contains("hard to tell apart"), "{text}");
        assert!(!text.contains("fewest examples"), "{text}");
    }

    #[test]
    fn the_rarest_class_is_spoken_of_even_if_another_is_worse() {
        // Three classes of 10: all found, half found, none found; the middle one is the rarest.
        let (mut logits, mut labels) = (vec![], vec![]);
        for f in 0..30 {
            let truth = f / 10;
            let says = if truth == 0 || f % 2 == 0 && truth == 1 { truth } else { 0 };
            logits.extend((0..3).map(|c| if c == says { 2.0 } else { 0.0 }));
            labels.push(truth);
        }
        let names = ["joy", "awe", "bile"];
        let e = Evaluation::new(&logits, &labels, &names, Some(&[900, 30, 300])).unwrap();
        let text = why(&e, None);
        for part in ["joy best", "bile worst", "awe from the fewest examples: 50 % of 10 faces"] {
            assert!(text.contains(part), "`{part}` is missing from: {text}");
        }
        assert!(text.contains("30 times as often as awe (900 faces against 30)"), "{text}");
    }
}
