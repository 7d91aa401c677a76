//! Why one expression is read well and another is not, in words that follow from the numbers.
//!
//! Every sentence is bound to a condition on the numbers; none is written for a particular class.

use crate::metrics::features::ClassDistances;
use crate::metrics::{ClassReport, Evaluation};
use crate::render::format::thousands;
use crate::report::i18n::{Language, phrase};

/// Half a 95 % interval above which a share is called uncertain.
const UNCERTAIN: f64 = 0.05;
/// Change of the recall that equal odds must make to be worth a sentence.
const CAUTION: f64 = 0.03;
/// Calibration error above which the network is called too sure, or not sure enough.
pub const MISJUDGED: f64 = 0.05;

/// A paragraph on the best and the worst class by recall, and on the one that has fewer training
/// faces than any other. Classes without faces are left out.
pub fn why(evaluation: &Evaluation, distances: Option<&ClassDistances>) -> String {
    why_in(Language::English, evaluation, distances)
}

/// The same in a language.
pub fn why_in(
    language: Language,
    evaluation: &Evaluation,
    distances: Option<&ClassDistances>,
) -> String {
    let order = by_recall(evaluation);
    let mut text = summary(language, evaluation);
    let p = language.phrases();
    let recall = |c: usize| evaluation.per_class[c].recall;
    if let (Some(&best), Some(&worst)) = (order.first(), order.last())
        && best != worst
    {
        if recall(best) == recall(worst) {
            text.push(p.why_alike.into());
            return language.paragraph(&text);
        }
        text.extend(extreme(language, evaluation, best, p.why_best, distances));
        text.extend(extreme(language, evaluation, worst, p.why_worst, distances));
        text.extend(compare(language, evaluation, best, worst));
        if let Some(rare) = rarest(evaluation, &order).filter(|c| ![best, worst].contains(c)) {
            text.extend(extreme(language, evaluation, rare, p.why_rarest, distances));
            text.extend(compare(language, evaluation, best, rare));
        }
    }
    language.paragraph(&text)
}

/// The class of these with fewer training faces than any other.
fn rarest(evaluation: &Evaluation, classes: &[usize]) -> Option<usize> {
    let examples = |c: &usize| evaluation.per_class[*c].trained_on;
    let rare = classes.iter().copied().min_by_key(|c| examples(c).unwrap_or(u64::MAX))?;
    let rarer = |c: &usize| *c == rare || examples(&rare) < examples(c);
    (examples(&rare).is_some() && classes.iter().all(rarer)).then_some(rare)
}

/// Classes with faces, the best found first.
pub fn by_recall(evaluation: &Evaluation) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..evaluation.per_class.len()).filter(|&c| evaluation.per_class[c].support > 0).collect();
    let recall = |c: usize| evaluation.per_class[c].recall;
    order.sort_by(|&a, &b| recall(b).total_cmp(&recall(a)).then(a.cmp(&b)));
    order
}

/// How good the whole is, and whether its confidence can be trusted.
pub fn summary(language: Language, e: &Evaluation) -> Vec<String> {
    let (p, percent) = (language.phrases(), |v| language.whole_percent(v));
    let mut text = vec![phrase!(
        p.why_summary,
        accuracy = percent(e.accuracy),
        faces = thousands(e.n as u64),
        low = percent(e.accuracy_interval.low),
        high = percent(e.accuracy_interval.high),
        majority = percent(e.majority_accuracy)
    )];
    if e.ece > MISJUDGED {
        let phrase = if e.temperature > 1.0 { p.why_too_sure } else { p.why_not_sure };
        text.push(phrase!(phrase, ece = percent(e.ece)));
    }
    text
}

/// Why a class is read as well as it is: a sentence for everything that the numbers say of it.
pub fn of_class(
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
        i if i.low > e.accuracy => p.class_good,
        i if i.high < e.accuracy => p.class_bad,
        _ => p.class_average,
    };
    let percent = |v| language.whole_percent(v);
    let mut text = vec![phrase!(
        rank,
        class = name,
        recall = percent(class.recall),
        faces = thousands(class.support),
        low = percent(class.recall_interval.low),
        high = percent(class.recall_interval.high),
        accuracy = percent(e.accuracy),
        judged = judged(language, e, c)
    )];
    text.extend(details(language, e, c, distances));
    let shares = e.per_class.iter().map(|c| c.trained_on).collect::<Option<Vec<u64>>>();
    let Some(shares) = shares.filter(|s| s.iter().sum::<u64>() > 0) else { return text };
    if shares[c] == 0 {
        text.push(phrase!(p.never_seen, class = name));
        return text;
    }
    let equal = shares.iter().sum::<u64>() as f64 / shares.len() as f64;
    let ratio = shares[c] as f64 / equal;
    let phrase = match ratio {
        r if r <= 0.5 => p.class_rare,
        r if r >= 1.5 => p.class_common,
        _ => p.class_usual,
    };
    text.push(phrase!(phrase, count = thousands(shares[c]), ratio = format!("{ratio:.1}")));
    let Some(balanced) = class.recall_if_balanced else { return text };
    let gain = balanced - class.recall;
    let phrase = match gain {
        g if g >= CAUTION => Some(p.class_caution),
        g if g <= -CAUTION && ratio >= 1.5 => Some(p.class_eager),
        g if g <= -CAUTION => Some(p.class_shares),
        _ => (ratio <= 0.5 && is_missed(e, class)).then_some(p.class_hard),
    };
    text.extend(phrase.map(|phrase| phrase!(phrase, balanced = percent(balanced), class = name)));
    text
}

/// Whether a class is found less often than faces are judged right, beyond chance.
fn is_missed(e: &Evaluation, class: &ClassReport) -> bool {
    class.recall_interval.high < e.accuracy
}

/// How many of the judgements for a class are right, if there are any.
fn judged(language: Language, e: &Evaluation, c: usize) -> String {
    let p = language.phrases();
    match e.confusion.predicted(c) {
        0 => p.never_said.into(),
        _ => {
            phrase!(p.said_right, precision = language.whole_percent(e.per_class[c].precision))
        }
    }
}

fn extreme(
    language: Language,
    e: &Evaluation,
    c: usize,
    phrase: &str,
    distances: Option<&ClassDistances>,
) -> Vec<String> {
    let (class, percent) = (&e.per_class[c], |v| language.whole_percent(v));
    let mut text = vec![phrase!(
        phrase,
        class = language.class(&class.label),
        recall = percent(class.recall),
        faces = thousands(class.support),
        low = percent(class.recall_interval.low),
        high = percent(class.recall_interval.high),
        judged = judged(language, e, c)
    )];
    text.extend(details(language, e, c, distances));
    text
}

/// Certainty, what it is missed as, and its nearest neighbour.
fn details(
    language: Language,
    e: &Evaluation,
    c: usize,
    distances: Option<&ClassDistances>,
) -> Vec<String> {
    let (p, class) = (language.phrases(), &e.per_class[c]);
    let name = language.class(&class.label);
    let other = |c: usize| language.class(&e.per_class[c].label);
    let mut text = vec![];
    let margin = class.recall_interval.margin();
    if margin > UNCERTAIN {
        text.push(phrase!(p.why_uncertain, points = format!("{:.0}", 100.0 * margin)));
    }
    if let Some((taken_for, count)) = e.confused_pairs_of(c) {
        let missed = class.support - e.confusion.counts[c][c];
        let other = other(taken_for);
        text.push(phrase!(
            p.why_missed,
            class = name,
            other = other,
            count = thousands(count),
            missed = thousands(missed)
        ));
    }
    if let Some((near, d)) = distances.and_then(|d| d.nearest(c)) {
        // A distance means something beside those of the other classes only.
        let typical = distances.map_or(d, ClassDistances::typical);
        let phrase = match d / typical {
            ratio if ratio < 0.9 => p.why_overlaps,
            ratio if ratio > 1.1 => p.why_apart,
            _ => p.why_as_others,
        };
        let (distance, typical) = (format!("{d:.1}"), format!("{typical:.1}"));
        let other = other(near);
        text.push(phrase!(
            phrase,
            class = name,
            other = other,
            distance = distance,
            typical = typical
        ));
    }
    text
}

fn compare(language: Language, e: &Evaluation, best: usize, worst: usize) -> Vec<String> {
    let (p, percent) = (language.phrases(), |v| language.whole_percent(v));
    let name = |class: &ClassReport| language.class(&class.label).to_owned();
    let (best, worst) = (&e.per_class[best], &e.per_class[worst]);
    let mut text = vec![];
    if worst.trained_on == Some(0) {
        return vec![phrase!(p.never_seen, class = name(worst))];
    }
    if let (Some(many), Some(few)) = (best.trained_on, worst.trained_on)
        && best.recall > worst.recall
    {
        let ratio = many as f64 / few as f64;
        let phrase = if ratio >= 1.5 { p.why_more_often } else { p.why_not_counts };
        let (times, many, few) = (format!("{ratio:.0}"), thousands(many), thousands(few));
        let (best, worst) = (name(best), name(worst));
        text.push(match ratio >= 1.5 {
            true => {
                phrase!(phrase, best = best, worst = worst, many = many, few = few, times = times)
            }
            false => phrase!(phrase, best = best, worst = worst, many = many, few = few),
        });
    }
    if let Some(balanced) = worst.recall_if_balanced {
        let helps = balanced - worst.recall >= CAUTION;
        let hard = is_missed(e, worst).then_some(p.why_hard);
        let phrase = if helps { Some(p.why_caution) } else { hard };
        text.extend(phrase.map(|p| phrase!(p, balanced = percent(balanced), worst = name(worst))));
    }
    if best.recall_interval.low <= worst.recall_interval.high {
        text.push(p.why_chance.into());
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
    fn a_class_is_good_or_bad_only_beyond_its_interval() {
        let e = evaluation(&[900, 100]);
        let said = |c| of_class(Language::English, &e, c, None).join(" ");
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
        assert!(said(1).contains("100 % of bile"), "{}", said(1));
        assert!(!said(0).contains("caution"), "{}", said(0));
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
        let chinese = why_in(Language::Chinese, &evaluation(&[900, 100]), None);
        for part in ["50 张人脸中的 88%", "10 张人脸中找到 40%（17%–69%）", "±26", "6 次中有 6 次"]
        {
            assert!(chinese.contains(part), "`{part}` is missing from: {chinese}");
        }
        let text = why(&evaluation(&[500, 500]), None);
        assert!(text.contains("Training faces do not explain the gap"), "{text}");
        assert!(text.contains("hard to tell apart"), "{text}");
        assert!(!text.contains("fewest examples"), "{text}");
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
        let text = why(&of_three(&[500, 500, 500], |truth, _| truth), None);
        assert!(text.contains("every expression equally often"), "{text}");
        for part in ["best", "worst", "hard", "fewest", "explain"] {
            assert!(!text.contains(part), "`{part}` in: {text}");
        }
        // One face of bile is missed: by chance, and no class is rarer than the others.
        let e = of_three(&[500, 500, 500], |truth, f| if f == 0 { truth % 2 } else { truth });
        let text = why(&e, None);
        assert!(!text.contains("hard") && !text.contains("fewest"), "{text}");
    }

    #[test]
    fn what_was_never_learnt_or_never_said_is_called_so() {
        let e = of_three(&[600, 700, 0], |truth, _| truth % 2);
        for text in [why(&e, None), of_class(Language::English, &e, 2, None).join(" ")] {
            assert!(text.contains("never saw bile") && text.contains("never named"), "{text}");
            assert!(!text.contains("times") && !text.contains("hard"), "{text}");
        }
    }

    #[test]
    fn only_a_frequent_class_profits_from_being_frequent() {
        let e = of_three(&[100, 1000, 1900], |truth, f| if f < 6 { truth } else { 2 - truth });
        let said = |c: usize, recall: f64, balanced: f64| {
            let mut e = e.clone();
            (e.per_class[c].recall, e.per_class[c].recall_if_balanced) = (recall, Some(balanced));
            of_class(Language::English, &e, c, None).join(" ")
        };
        assert!(said(2, 0.6, 0.5).contains("profits from being frequent"));
        assert!(said(1, 0.6, 0.5).contains("rarer ones would take"), "{}", said(1, 0.6, 0.5));
    }

    #[test]
    fn the_rarest_class_is_spoken_of_even_if_another_is_worse() {
        // All found, half found, none found; the middle one is the rarest.
        let says =
            |truth: usize, f: usize| if truth == 1 && f.is_multiple_of(2) { truth } else { 0 };
        let text = why(&of_three(&[900, 30, 300], says), None);
        for part in ["joy best", "bile worst", "awe from the fewest examples: 50 % of 10 faces"] {
            assert!(text.contains(part), "`{part}` is missing from: {text}");
        }
        assert!(text.contains("30 times as often as awe (900 faces against 30)"), "{text}");
    }
}
