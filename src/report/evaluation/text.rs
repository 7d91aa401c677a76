//! An evaluation as text for the terminal.

use crate::metrics::Evaluation;
use crate::render::format::{percent, thousands};
use crate::report::EvaluationReport;
use crate::report::evaluation::class_sentences::{BETWEEN_PARAGRAPHS, ECE_LIMIT};
use crate::stats::Interval;
use std::fmt::Write as _;

/// Width of a paragraph in characters.
const WIDTH: usize = 92;

impl EvaluationReport {
    /// Returns the evaluation as text: totals, classes, confusion matrix, sentences.
    pub fn to_text(&self) -> String {
        let e = &self.evaluation;
        let mut text = format!("{}\n\n", self.title());
        totals(&mut text, e);
        if let Some(unseen) = &self.unseen {
            let (n, range) = (thousands(unseen.n as u64), range(unseen.accuracy_interval));
            let (name, accuracy) = ("unseen faces", percent(unseen.accuracy));
            let _ = writeln!(
                text,
                "{name:<18} {accuracy:>8}  {range}; {n} without copies of training faces"
            );
        }
        classes(&mut text, e);
        confusion(&mut text, e);
        pairs(&mut text, e);
        for paragraph in self.summary.split(BETWEEN_PARAGRAPHS) {
            let _ = writeln!(text, "\n{}", wrapped(paragraph, WIDTH));
        }
        text
    }
}

fn totals(text: &mut String, e: &Evaluation) {
    let range = format!("{}, 95 % interval", range(e.accuracy_interval));
    let calibration = match e.temperature {
        _ if e.ece <= ECE_LIMIT => String::new(),
        t if t > 1.0 => {
            format!("overconfident: these faces would need a temperature {t:.2} times as high")
        }
        t => format!("underconfident: these faces would need a temperature {t:.2} times as high"),
    };
    let rows = [
        ("accuracy", percent(e.accuracy), range),
        ("top-2 accuracy", percent(e.top2), String::new()),
        ("macro F1", percent(e.macro_f1), String::new()),
        ("balanced accuracy", percent(e.balanced_accuracy), "mean recall".into()),
        ("Cohen's kappa", format!("{:.3}", e.kappa), "agreement beyond chance".into()),
        ("loss", format!("{:.4}", e.loss), "nats".into()),
        ("calibration error", percent(e.ece), calibration),
    ];
    for (name, value, remark) in rows {
        let _ = writeln!(text, "{}", format!("{name:<18} {value:>8}  {remark}").trim_end());
    }
}

fn classes(text: &mut String, e: &Evaluation) {
    let width = name_width(e);
    let _ = writeln!(
        text,
        "\n{:<width$} {:>9} {:>8} {:>18} {:>8} {:>7} {:>10}",
        "class", "precision", "recall", "95 % interval", "F1", "faces", "trained on"
    );
    for c in &e.per_class {
        let _ = writeln!(
            text,
            "{:<width$} {:>9} {:>8} {:>18} {:>8} {:>7} {:>10}",
            c.label,
            percent(c.precision),
            percent(c.recall),
            range(c.recall_interval),
            percent(c.f1),
            thousands(c.support),
            c.trained_on.map_or("–".into(), thousands)
        );
    }
}

fn confusion(text: &mut String, e: &Evaluation) {
    let width = name_width(e);
    let columns: Vec<usize> = e.per_class.iter().map(|c| c.label.chars().count().max(5)).collect();
    let _ = write!(text, "\n{:<width$}", "true \\ predicted");
    for (c, columns) in e.per_class.iter().zip(&columns) {
        let _ = write!(text, "  {:>columns$}", c.label);
    }
    for (c, row) in e.per_class.iter().zip(&e.confusion.counts) {
        let _ = write!(text, "\n{:<width$}", c.label);
        for (count, columns) in row.iter().zip(&columns) {
            let _ = write!(text, "  {:>columns$}", thousands(*count));
        }
    }
    text.push('\n');
}

fn pairs(text: &mut String, e: &Evaluation) {
    if e.confused_pairs.is_empty() {
        return;
    }
    text.push_str("\nmost frequent confusions\n");
    for pair in e.confused_pairs.iter().take(5) {
        let (truth, predicted) = (&pair.truth, &pair.predicted);
        let (count, share) = (thousands(pair.count), percent(pair.share));
        let _ =
            writeln!(text, "  {count:>5}  {truth} predicted as {predicted} ({share} of {truth})");
    }
}

fn name_width(e: &Evaluation) -> usize {
    e.per_class.iter().map(|c| c.label.chars().count()).max().unwrap_or(0).max(16)
}

/// `61.2 % to 68.0 %`.
fn range(interval: Interval) -> String {
    format!("{} to {}", percent(interval.low), percent(interval.high))
}

/// Breaks a paragraph at spaces into lines of at most `width` characters, longer words excepted.
fn wrapped(paragraph: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split(' ') {
        let line = lines.last().map_or(0, |l| l.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        } else if line > 0 {
            lines.iter_mut().last().into_iter().for_each(|l| l.push(' '));
        }
        lines.iter_mut().last().into_iter().for_each(|l| l.push_str(word));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_break_between_words() {
        assert_eq!(wrapped("ab cd efg h", 5), "ab cd\nefg h");
        assert_eq!(wrapped("abcdefgh ij", 3), "abcdefgh\nij");
        assert_eq!(wrapped("", 3), "");
    }
}
