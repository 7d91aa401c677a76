//! Sentences about the classes of an evaluation: recall, precision, confusions, training counts.
//!
//! Every sentence depends on a condition on the numbers. None is written for a particular class.

use crate::metrics::features::ClassDistances;
use crate::metrics::{ClassReport, Evaluation};
use crate::render::format::thousands;
use crate::report::i18n::{Language, phrase};

/// Half width of a 95 % interval above which a recall is called uncertain.
const WIDE_INTERVAL: f64 = 0.05;
/// Smallest change of the recall by equal priors that is mentioned.
const PRIOR_EFFECT: f64 = 0.03;
/// Calibration error above which the network is called overconfident or underconfident.
pub const ECE_LIMIT: f64 = 0.05;

/// What separates the paragraphs of a text.
pub const BETWEEN_PARAGRAPHS: &str = "\n\n";

/// Returns a paragraph on accuracy and calibration, and one each on the classes with the highest and the
/// lowest recall and the class with the fewest training faces. Classes without faces are left out.
pub fn evaluation_text(
    language: Language,
    evaluation: &Evaluation,
    distances: Option<&ClassDistances>,
) -> String {
    let order = by_recall(evaluation);
    let mut text = accuracy_sentences(language, evaluation);
    let mut paragraphs = vec![];
    let p = language.phrases();
    let recall = |c: usize| evaluation.per_class[c].recall;
    let class = |c: usize, phrase: &str| {
        let mut sentences = vec![recall_sentence(language, evaluation, c, phrase)];
        sentences.extend(details(language, evaluation, c, distances));
        sentences
    };
    if let (Some(&best), Some(&worst)) = (order.first(), order.last())
        && best != worst
    {
        if recall(best) == recall(worst) {
            text.push(p.equal_recall.into());
            return language.paragraph(&text);
        }
        paragraphs.push(class(best, p.best_class));
        paragraphs.push(class(worst, p.worst_class));
        paragraphs[1].extend(compare(language, evaluation, best, worst));
        if let Some(rare) = rarest(evaluation, &order).filter(|c| ![best, worst].contains(c)) {
            paragraphs.push(class(rare, p.rarest_class));
            paragraphs[2].extend(compare(language, evaluation, best, rare));
        }
    }
    paragraphs.insert(0, text);
    let paragraphs: Vec<String> = paragraphs.iter().map(|p| language.paragraph(p)).collect();
    paragraphs.join(BETWEEN_PARAGRAPHS)
}

/// Returns the one of `classes` with fewer training faces than any other.
fn rarest(evaluation: &Evaluation, classes: &[usize]) -> Option<usize> {
    let examples = |c: &usize| evaluation.per_class[*c].trained_on;
    let rare = classes.iter().copied().min_by_key(|c| examples(c).unwrap_or(u64::MAX))?;
    let rarer = |c: &usize| *c == rare || examples(&rare) < examples(c);
    (examples(&rare).is_some() && classes.iter().all(rarer)).then_some(rare)
}

/// Returns the classes with faces, highest recall first.
pub fn by_recall(evaluation: &Evaluation) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..evaluation.per_class.len()).filter(|&c| evaluation.per_class[c].support > 0).collect();
    let recall = |c: usize| evaluation.per_class[c].recall;
    order.sort_by(|&a, &b| recall(b).total_cmp(&recall(a)).then(a.cmp(&b)));
    order
}

/// Returns sentences on the accuracy and, where it is large, the calibration error.
pub fn accuracy_sentences(language: Language, e: &Evaluation) -> Vec<String> {
    let (p, percent) = (language.phrases(), |v| language.whole_percent(v));
    let mut text = vec![phrase!(
        p.accuracy_summary,
        accuracy = percent(e.accuracy),
        faces = language.faces(e.n as u64),
        low = percent(e.accuracy_interval.low),
        high = percent(e.accuracy_interval.high),
        majority = percent(e.majority_accuracy)
    )];
    if e.ece > ECE_LIMIT {
        let phrase = if e.temperature > 1.0 { p.overconfident } else { p.underconfident };
        text.push(phrase!(phrase, ece = percent(e.ece)));
    }
    text
}

/// Returns a sentence on the class with the highest recall and one on that with the lowest; none where they
/// are equal.
pub fn best_and_worst_sentences(language: Language, e: &Evaluation) -> Vec<String> {
    let (p, order) = (language.phrases(), by_recall(e));
    let (Some(&best), Some(&worst)) = (order.first(), order.last()) else { return vec![] };
    if e.per_class[best].recall == e.per_class[worst].recall {
        return vec![];
    }
    [(best, p.best_class), (worst, p.worst_class)]
        .map(|(class, phrase)| recall_sentence(language, e, class, phrase))
        .into()
}

/// Returns the sentences on one class.
pub fn class_sentences(
    language: Language,
    e: &Evaluation,
    c: usize,
    distances: Option<&ClassDistances>,
) -> Vec<String> {
    let (p, class) = (language.phrases(), &e.per_class[c]);
    let name = language.class(&class.label);
    if class.support == 0 {
        return vec![phrase!(p.class_absent, class = name)];
    }
    let rank = match class.recall_interval {
        i if i.low > e.accuracy => p.class_above,
        i if i.high < e.accuracy => p.class_below,
        _ => p.class_average,
    };
    let mut text = vec![recall_sentence(language, e, c, rank)];
    text.extend(details(language, e, c, distances));
    let counts = e.per_class.iter().map(|c| c.trained_on).collect::<Option<Vec<u64>>>();
    let Some(counts) = counts.filter(|s| s.iter().sum::<u64>() > 0) else { return text };
    if counts[c] == 0 {
        text.push(phrase!(p.not_in_training, class = name));
        return text;
    }
    let equal = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    let ratio = counts[c] as f64 / equal;
    let phrase = match ratio {
        r if r <= 0.5 => p.class_rare,
        r if r >= 1.5 => p.class_common,
        _ => p.class_usual,
    };
    text.push(phrase!(phrase, faces = language.faces(counts[c]), ratio = format!("{ratio:.1}")));
    let Some(balanced) = class.recall_if_balanced else { return text };
    let phrase = match balanced - class.recall {
        g if g >= PRIOR_EFFECT => Some(p.balanced_higher),
        g if g <= -PRIOR_EFFECT && ratio >= 1.5 => Some(p.balanced_lower_frequent),
        g if g <= -PRIOR_EFFECT => Some(p.balanced_lower),
        _ => (ratio <= 0.5 && is_below_average(e, class)).then_some(p.balanced_no_help),
    };
    text.extend(phrase.map(|p| phrase!(p, balanced = language.whole_percent(balanced))));
    text
}

/// Returns whether the recall of a class is below the accuracy, beyond chance.
fn is_below_average(e: &Evaluation, class: &ClassReport) -> bool {
    class.recall_interval.high < e.accuracy
}

/// Fills a phrase with the recall, its interval and the precision of a class.
fn recall_sentence(language: Language, e: &Evaluation, c: usize, phrase: &str) -> String {
    let (p, class) = (language.phrases(), &e.per_class[c]);
    let percent = |v| language.whole_percent(v);
    let precision = match e.confusion.predicted(c) {
        0 => p.never_predicted.into(),
        _ => phrase!(p.precision, precision = percent(class.precision)),
    };
    phrase!(
        phrase,
        class = language.class(&class.label),
        recall = percent(class.recall),
        faces = language.faces(class.support),
        low = percent(class.recall_interval.low),
        high = percent(class.recall_interval.high),
        accuracy = percent(e.accuracy),
        precision = precision
    )
}

/// Returns sentences on the uncertainty of the recall, the most frequent confusion, and the class
/// nearest in feature space.
fn details(
    language: Language,
    e: &Evaluation,
    c: usize,
    distances: Option<&ClassDistances>,
) -> Vec<String> {
    let (p, class) = (language.phrases(), &e.per_class[c]);
    let name = |c: usize| language.class(&e.per_class[c].label);
    let mut text = vec![];
    let margin = class.recall_interval.margin();
    if margin > WIDE_INTERVAL {
        text.push(phrase!(p.recall_uncertain, points = format!("{:.0}", 100.0 * margin)));
    }
    if let Some((other, count)) = most_confused(e, c) {
        let missed = class.support - e.confusion.counts[c][c];
        let (count, missed) = (thousands(count), thousands(missed));
        let (class, other) = (name(c), name(other));
        let words =
            phrase!(p.most_confused, class = class, other = other, count = count, missed = missed);
        text.push(words);
    }
    if let Some((near, d)) = distances.and_then(|d| d.nearest(c)) {
        // A distance has a meaning only in comparison with those of the other classes.
        let typical = distances.map_or(d, ClassDistances::typical);
        let phrase = match d / typical {
            ratio if ratio < 0.9 => p.class_close,
            ratio if ratio > 1.1 => p.class_far,
            _ => p.class_typical,
        };
        text.push(phrase!(
            phrase,
            class = name(c),
            other = name(near),
            distance = format!("{d:.1}"),
            typical = format!("{typical:.1}")
        ));
    }
    text
}

/// Returns sentences that compare two classes by their training faces and by equal priors.
fn compare(language: Language, e: &Evaluation, best: usize, worst: usize) -> Vec<String> {
    let (p, percent) = (language.phrases(), |v| language.whole_percent(v));
    let name = |class: &ClassReport| language.class(&class.label).to_owned();
    let (best, worst) = (&e.per_class[best], &e.per_class[worst]);
    let mut text = vec![];
    if worst.trained_on == Some(0) {
        return vec![phrase!(p.not_in_training, class = name(worst))];
    }
    if let (Some(many), Some(few)) = (best.trained_on, worst.trained_on)
        && best.recall > worst.recall
    {
        let ratio = many as f64 / few as f64;
        let phrase = if ratio >= 1.5 { p.more_training_faces } else { p.counts_do_not_explain };
        text.push(phrase!(
            phrase,
            best = name(best),
            worst = name(worst),
            many = thousands(many),
            few = thousands(few),
            times = format!("{ratio:.0}")
        ));
    }
    if let Some(balanced) = worst.recall_if_balanced {
        let helps = balanced - worst.recall >= PRIOR_EFFECT;
        let hard = is_below_average(e, worst).then_some(p.prior_does_not_explain);
        let phrase = if helps { Some(p.prior_explains) } else { hard };
        text.extend(phrase.map(|p| phrase!(p, balanced = percent(balanced), worst = name(worst))));
    }
    if best.recall_interval.low <= worst.recall_interval.high {
        text.push(p.intervals_overlap.into());
    }
    text
}

/// Returns the class that faces of `class` are most often predicted as, with the count; the first
/// among equals.
fn most_confused(e: &Evaluation, class: usize) -> Option<(usize, u64)> {
    let row = e.confusion.counts[class].iter().copied().enumerate();
    row.filter(|&(p, count)| p != class && count > 0)
        .fold(None, |best, now| if best.is_none_or(|(_, n)| now.1 > n) { Some(now) } else { best })
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
    fn a_class_is_good_or_bad_only_beyond_its_interval() {
        let e = evaluation(&[900, 100]);
        let said = |c| class_sentences(Language::English, &e, c, None).join(" ");
        // 88 % of all are found; 100 % of joy (91 to 100), 40 % of bile (17 to 69).
        assert!(
            said(0).contains("better than average") && said(0).contains("1.8 times"),
            "{}",
            said(0)
        );
        assert!(
            said(1).contains("worse than average") && said(1).contains("0.2 times"),
            "{}",
            said(1)
        );
        assert!(said(1).contains("would rise to 100 %"), "{}", said(1));
        assert!(!said(0).contains("would rise"), "{}", said(0));
    }

    #[test]
    fn words_follow_the_numbers() {
        let text = evaluation_text(Language::English, &evaluation(&[900, 100]), None);
        for part in [
            "Best: joy, recall 100 % of 40 faces",
            "Worst: bile, recall 40 % of 10 faces (17 % to 69 %)",
            "uncertain by ±26 percentage points",
            "most often predicted as joy (6 of 6)",
            "9 times as many faces",
            "the recall of bile would be 100 %",
        ] {
            assert!(text.contains(part), "`{part}` is missing from: {text}");
        }
        assert!(!text.contains("overlap"), "{text}");
        let chinese = evaluation_text(Language::Chinese, &evaluation(&[900, 100]), None);
        for part in
            ["50 张人脸的预测有 88%", "10 张人脸中的 40%（17% 至 69%）", "±26", "6 张中有 6 张"]
        {
            assert!(chinese.contains(part), "`{part}` is missing from: {chinese}");
        }
        let text = evaluation_text(Language::English, &evaluation(&[500, 500]), None);
        assert!(text.contains("does not explain the difference"), "{text}");
        assert!(text.contains("hard to distinguish"), "{text}");
        assert!(!text.contains("Fewest training faces"), "{text}");
    }

    /// Ten faces of each class; face f of class c is taken for `says(c, f)`.
    fn of_three(trained_on: &[u64], says: fn(usize, usize) -> usize) -> Evaluation {
        let (mut logits, mut labels) = (vec![], vec![]);
        for f in 0..30 {
            let said = says(f / 10, f % 10);
            logits.extend((0..3).map(|c| if c == said { 2.0 } else { 0.0 }));
            labels.push(f / 10);
        }
        Evaluation::new(&logits, &labels, &["joy", "awe", "bile"], Some(trained_on)).unwrap()
    }

    #[test]
    fn no_gap_is_explained_where_there_is_none() {
        let text =
            evaluation_text(Language::English, &of_three(&[500, 500, 500], |truth, _| truth), None);
        assert!(text.contains("the same recall"), "{text}");
        for part in ["Highest", "Lowest", "hard", "Fewest", "explain"] {
            assert!(!text.contains(part), "`{part}` in: {text}");
        }
        // One face of bile is missed: by chance, and no class is rarer than the others.
        let e = of_three(&[500, 500, 500], |truth, f| if f == 0 { truth % 2 } else { truth });
        let text = evaluation_text(Language::English, &e, None);
        assert!(!text.contains("hard") && !text.contains("Fewest"), "{text}");
    }

    #[test]
    fn what_was_never_learnt_or_never_said_is_called_so() {
        let e = of_three(&[600, 700, 0], |truth, _| truth % 2);
        for text in [
            evaluation_text(Language::English, &e, None),
            class_sentences(Language::English, &e, 2, None).join(" "),
        ] {
            assert!(text.contains("no face of bile") && text.contains("never predicted"), "{text}");
            assert!(!text.contains("times") && !text.contains("hard"), "{text}");
        }
    }

    #[test]
    fn only_a_frequent_class_profits_from_being_frequent() {
        let e = of_three(&[100, 1000, 1900], |truth, f| if f < 6 { truth } else { 2 - truth });
        let said = |c: usize, recall: f64, balanced: f64| {
            let mut e = e.clone();
            (e.per_class[c].recall, e.per_class[c].recall_if_balanced) = (recall, Some(balanced));
            class_sentences(Language::English, &e, c, None).join(" ")
        };
        assert!(said(2, 0.6, 0.5).contains("benefits from being frequent"));
        assert!(said(1, 0.6, 0.5).contains("in favour of rarer"), "{}", said(1, 0.6, 0.5));
    }

    #[test]
    fn the_rarest_class_is_spoken_of_even_if_another_is_worse() {
        // All found, half found, none found; the middle one is the rarest.
        let says =
            |truth: usize, f: usize| if truth == 1 && f.is_multiple_of(2) { truth } else { 0 };
        let text = evaluation_text(Language::English, &of_three(&[900, 30, 300], says), None);
        for part in [
            "Best: joy",
            "Worst: bile",
            "Fewest training faces: awe, with a recall of 50 % of 10 faces",
        ] {
            assert!(text.contains(part), "`{part}` is missing from: {text}");
        }
        assert!(text.contains("30 times as many faces of joy as of awe (900 and 30)"), "{text}");
    }
}
