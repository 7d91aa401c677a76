//! Comparison of MACO with the other methods of activation maximization: scores and criteria.

use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::filter_report::{FilterScores, MethodSummary, summarise};
use crate::explain::filters::naturalness::{HF_LIMIT, LAG1_LIMIT, Naturalness};
use crate::render::format::percent;
use crate::stats::median;
use serde::Serialize;

/// Smallest share of MACO images that must be natural.
pub const NATURAL_SHARE: f64 = 0.8;

/// One criterion.
#[derive(Clone, Debug, Serialize)]
pub struct Criterion {
    /// The criterion with the measured numbers.
    pub claim: String,
    /// Whether the criterion is met.
    pub pass: bool,
}

/// Scores over the filters of some layers, with the criteria.
#[derive(Clone, Debug, Serialize)]
pub struct FilterSignificance {
    /// Names of the layers.
    pub layers: Vec<String>,
    /// Number of filters left out: they never activate on the training faces, or equally on all.
    pub dead: usize,
    /// Real faces: share that is natural, median HF, median lag-1.
    pub faces: [f64; 3],
    /// Median z of the top face of each filter.
    pub best_face_z: f64,
    /// One summary per method.
    pub methods: Vec<MethodSummary>,
    /// The criteria.
    pub criteria: Vec<Criterion>,
    /// Whether all criteria are met.
    pub pass: bool,
}

impl FilterSignificance {
    /// Compares MACO with the naive method and with pixels and Adam, if all three were used.
    pub fn new(numbers: &[FilterScores], faces: &[Naturalness]) -> FilterSignificance {
        let mut layers: Vec<String> = numbers.iter().map(|n| n.layer.clone()).collect();
        layers.dedup();
        let methods = summarise(numbers.iter());
        let dead = numbers
            .iter()
            .filter(|n| !n.is_alive() && n.method == MaximizationMethod::Maco)
            .count();
        let criteria = criteria(&methods);
        let pass = !criteria.is_empty() && criteria.iter().all(|c| c.pass);
        let median_of =
            |value: fn(&Naturalness) -> f64| median(&faces.iter().map(value).collect::<Vec<_>>());
        let natural = faces.iter().filter(|n| n.is_natural()).count();
        let share = natural as f64 / faces.len().max(1) as f64;
        let faces = [share, median_of(|n| n.hf), median_of(|n| n.lag1)];
        let alive = numbers.iter().filter(|n| n.is_alive() && n.method == MaximizationMethod::Maco);
        let best_face_z = median(&alive.map(|n| n.best_face_z).collect::<Vec<_>>());
        FilterSignificance { layers, dead, faces, best_face_z, methods, criteria, pass }
    }

    /// Returns table, criteria and verdict for the terminal.
    pub fn to_text(&self) -> String {
        let mut text = format!("Layers: {}\n\n", self.layers.join(", "));
        let header = Self::header();
        text += &format!("{:<10}", header[0]);
        header[1..].iter().for_each(|name| text += &format!("{name:>12}"));
        for row in self.rows() {
            text += &format!("\n{:<10}", row[0]);
            row[1..].iter().for_each(|value| text += &format!("{value:>12}"));
        }
        text += &format!("\n\n{}\n", self.remark());
        for criterion in &self.criteria {
            text +=
                &format!("{}  {}\n", if criterion.pass { "pass" } else { "FAIL" }, criterion.claim);
        }
        text + &format!("{}\n", self.verdict())
    }

    /// Returns the column titles of [`FilterSignificance::rows`].
    pub fn header() -> [&'static str; 9] {
        [
            "method", "filters", "natural", "HF", "lag-1", "robust z", "similarity", "identified",
            "agreement",
        ]
    }

    /// Returns one row per method, medians over the filters.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let row = |r: &MethodSummary| {
            vec![
                r.method.to_string(),
                r.filters.to_string(),
                percent(r.natural),
                format!("{:.2}", r.hf),
                format!("{:.2}", r.lag1),
                format!("{:.2}", r.robust_z),
                match r.similarity.is_finite() {
                    true => format!("{:.2}", r.similarity),
                    false => "–".into(),
                },
                r.identified.map_or("–".into(), percent),
                r.agreement.map_or("–".into(), |a| format!("{a:.2}")),
            ]
        };
        let [share, hf, lag1] = self.faces;
        let mut rows: Vec<Vec<String>> = self.methods.iter().map(row).collect();
        let faces = [
            "faces",
            "",
            &percent(share),
            &format!("{hf:.2}"),
            &format!("{lag1:.2}"),
            "",
            "",
            "",
            "",
        ];
        rows.push(faces.map(String::from).to_vec());
        rows
    }

    /// Returns the meaning of the columns and the number of dead filters.
    pub fn remark(&self) -> String {
        let strongest = match self.best_face_z.is_finite() {
            true => {
                let z = self.best_face_z;
                format!(" The top real face has z {z:.1} (median over the filters).")
            }
            false => String::new(),
        };
        format!(
            "natural: HF ≤ {HF_LIMIT} and lag-1 ≥ {LAG1_LIMIT}, as in nearly all photographs of faces. The \
             last row is the training faces. Identified: the share of pictures that are nearest to the patches of their own filter among those \
             of 20 (5 % by chance). All other columns are medians. Dead filters left out: \
             {}. HF and lag-1 of MACO are natural by construction; robust z and similarity decide.{}",
            self.dead, strongest
        )
    }

    /// Returns the verdict as one sentence.
    pub fn verdict(&self) -> &'static str {
        match (self.criteria.is_empty(), self.pass) {
            (true, _) if self.methods.is_empty() => "No verdict: all filters are dead.",
            (true, _) => "No verdict: the methods naive, pixels and maco are needed.",
            (_, true) => "MACO meets all criteria on these layers.",
            (_, false) => "MACO does not meet all criteria on these layers.",
        }
    }
}

fn criteria(methods: &[MethodSummary]) -> Vec<Criterion> {
    let of = |recipe| methods.iter().find(|r| r.method == recipe);
    let (Some(naive), Some(pixels), Some(maco)) = (
        of(MaximizationMethod::Naive),
        of(MaximizationMethod::Pixels),
        of(MaximizationMethod::Maco),
    ) else {
        return Vec::new();
    };
    vec![
        Criterion {
            claim: format!(
                "at least {} of the MACO images are natural: {} (naive {})",
                percent(NATURAL_SHARE),
                percent(maco.natural),
                percent(naive.natural)
            ),
            pass: maco.natural >= NATURAL_SHARE,
        },
        Criterion {
            claim: format!(
                "median robust z at least that of pixels with Adam: {:.2} and {:.2} (naive {:.2})",
                maco.robust_z, pixels.robust_z, naive.robust_z
            ),
            pass: maco.robust_z >= pixels.robust_z,
        },
        Criterion {
            claim: format!(
                "median similarity to the top patches above that of pixels with Adam: {:.2} and {:.2} \
                 (naive {:.2})",
                maco.similarity, pixels.similarity, naive.similarity
            ),
            pass: maco.similarity > pixels.similarity,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(
        recipe: MaximizationMethod,
        hf: f64,
        robust_z: f64,
        similarity: f64,
    ) -> FilterScores {
        FilterScores {
            layer: "conv2d_1".into(),
            filter: 0,
            method: recipe,
            hf,
            lag1: 0.9,
            tv: 0.3,
            slope: -3.0,
            natural: hf <= HF_LIMIT,
            z: 0.0,
            robust_z,
            best_face_z: 3.0,
            similarity,
            identified: None,
            agreement: None,
            dead: Some(false),
            gamma: None,
        }
    }

    #[test]
    fn each_criterion_can_fail_alone() {
        let base = [
            numbers(MaximizationMethod::Naive, 0.8, 0.0, 0.0),
            numbers(MaximizationMethod::Pixels, 0.7, 2.0, 0.1),
        ];
        for (main, expected) in [
            (numbers(MaximizationMethod::Maco, 0.1, 2.0, 0.2), [true, true, true]),
            (numbers(MaximizationMethod::Maco, 0.2, 2.0, 0.2), [false, true, true]),
            (numbers(MaximizationMethod::Maco, 0.1, 1.9, 0.2), [true, false, true]),
            (numbers(MaximizationMethod::Maco, 0.1, 2.0, 0.1), [true, true, false]),
        ] {
            let significance =
                FilterSignificance::new(&[base[0].clone(), base[1].clone(), main], &[]);
            let found: Vec<bool> = significance.criteria.iter().map(|c| c.pass).collect();
            assert_eq!(found, expected);
            assert_eq!(significance.pass, expected.iter().all(|&e| e));
        }
        let alone = FilterSignificance::new(&base, &[]);
        assert!(alone.criteria.is_empty() && !alone.pass);
        assert!(alone.to_text().contains("the methods naive, pixels"));
        let dead = base.map(|n| FilterScores { dead: Some(true), robust_z: f64::NAN, ..n });
        let text = FilterSignificance::new(&dead, &[]).to_text();
        assert!(text.contains("all filters are dead") && !text.contains("NaN z"), "{text}");
    }
}
