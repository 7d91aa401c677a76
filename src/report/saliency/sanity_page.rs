//! Sanity checks of the attribution methods, as text and as a page.

use crate::Result;
use crate::explain::Method;
use crate::explain::sanity::faithfulness::Faithfulness;
use crate::explain::sanity::randomisation::{RandomisationStep, Similarity};
use crate::explain::sanity::sanity_table::{RANDOMISATION_LIMIT, SanityRow};
use crate::explain::significance::{MIN_FACES, TestResult};
use crate::render::chart::{ChartOptions, Dash, LineSeries, lines};
use crate::render::format::counted;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{Scene, Theme};
use serde::Serialize;
use std::fmt::Write as _;

/// Results of the sanity checks.
#[derive(Clone, Debug, Serialize)]
pub struct SanityReport {
    /// Name of the network.
    pub model: String,
    /// Number of faces.
    pub faces: usize,
    /// One row per method.
    pub methods: Vec<SanityRow>,
    /// Similarity to maps of networks randomised from the output down, for methods that need few
    /// passes.
    pub randomisation: Vec<RandomisationCurve>,
}

/// Change of the maps of a method while the network is randomised layer by layer.
#[derive(Clone, Debug, Serialize)]
pub struct RandomisationCurve {
    /// Name of the method on the command line.
    pub method: String,
    /// From one randomised layer to all layers.
    pub steps: Vec<RandomisationStep>,
}

/// Columns; arrows show the better direction.
const COLUMNS: [&str; 7] = [
    "deletion ↓", "insertion ↑", "half random ≈ 0", "all random ≈ 0", "infidelity ↓",
    "max-sensitivity ↓", "residual ↓",
];

impl SanityReport {
    /// Returns the areas of the control orders, means over the faces.
    fn controls(&self) -> Option<Faithfulness> {
        self.methods.iter().filter(|r| r.refused == 0).find_map(|r| r.faithfulness)
    }

    /// Returns sentences: which methods pass, are undecided, or fail, and why.
    pub fn words(&self) -> Vec<String> {
        let (failed, other): (Vec<&SanityRow>, Vec<&SanityRow>) =
            self.methods.iter().partition(|r| !r.failures.is_empty());
        let (undecided, passed): (Vec<&SanityRow>, Vec<&SanityRow>) =
            other.into_iter().partition(|r| !r.undecided.is_empty());
        let mut words = vec![];
        if !passed.is_empty() {
            let names: Vec<String> = passed.iter().map(|r| title(r)).collect();
            words.push(format!("Passed: {}.", names.join(", ")));
        }
        if self.faces < MIN_FACES {
            words.push(format!(
                "{}: too few for a decision; use at least {MIN_FACES} (--balanced-faces {MIN_FACES}).",
                counted(self.faces, "face")
            ));
        } else {
            let open =
                |r: &&SanityRow| format!("{} undecided: {}.", title(r), r.undecided.join("; "));
            words.extend(undecided.iter().map(open));
        }
        let fails = |r: &&SanityRow| format!("{} failed: {}.", title(r), r.failures.join("; "));
        words.extend(failed.iter().map(fails));
        if !undecided.is_empty() && self.faces >= MIN_FACES {
            words.push("More faces (--balanced-faces) may decide the undecided ones.".into());
        }
        words
    }

    /// Returns the table and the sentences for a terminal.
    pub fn to_text(&self) -> String {
        let mut text =
            format!("{}, {}\n\n{:<18}", self.model, counted(self.faces, "face"), "method");
        for column in COLUMNS {
            let _ = write!(text, "{column:>19}");
        }
        for row in &self.methods {
            let _ = write!(text, "\n{:<18}", row.method);
            for value in values(row) {
                let mark = if value.verdict == TestResult::Undecided { " ?" } else { "" };
                let _ = write!(text, "{:>19}", value.text + mark);
            }
            let _ = write!(text, "  {}", verdict(row).0);
        }
        for (name, deletion, insertion) in self.control_rows() {
            let _ = write!(text, "\n{name:<18}{deletion:>19.3}{insertion:>19.3}");
        }
        text.push_str("\n\n");
        for line in self.words() {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn control_rows(&self) -> Vec<(&'static str, f64, f64)> {
        self.controls().map_or(vec![], |f| {
            vec![
                ("random order", f.random.deletion, f.random.insertion),
                ("centre first", f.centre.deletion, f.centre.insertion),
            ]
        })
    }

    /// Draws the table, and the randomisation chart below it.
    pub fn page(&self, theme: Theme) -> Result<Page> {
        let mut cells = vec![Cell::Drawing(self.table(theme).scene())];
        if !self.randomisation.is_empty() {
            cells.push(Cell::Drawing(self.randomisation_chart(theme)?));
        }
        Ok(Page::sheet("", cells, 1, theme))
    }

    fn table(&self, theme: Theme) -> Page {
        let mut page =
            Page { cell: 118.0, ..Page::new("Sanity checks of the attribution methods", theme) };
        page.subtitle = format!(
            "{}, {}. Arrows show the better direction.",
            self.model,
            counted(self.faces, "face")
        );
        // A row instead of column names, so that the columns are as wide as their headings.
        let heading = |c: &str| cell(c.into(), Tone::Strong);
        let cells = COLUMNS.iter().chain(&["verdict"]).map(|c| heading(c)).collect();
        page.rows.push(Row { header: vec![], cells });
        for row in &self.methods {
            page.rows.push(method_row(row));
        }
        for (name, deletion, insertion) in self.control_rows() {
            let text = |v: f64| cell(format!("{v:.3}"), Tone::Muted);
            page.rows.push(Row {
                header: vec![Line::new(name, Tone::Muted)],
                cells: vec![text(deletion), text(insertion)],
            });
        }
        page.caption = explanation();
        page
    }

    /// Draws similarity against the share of randomised layers.
    fn randomisation_chart(&self, theme: Theme) -> Result<Scene> {
        let line = |curve: &RandomisationCurve| {
            let n = curve.steps.len().max(1) as f64;
            let share = |s: &RandomisationStep| s.layers as f64 / n;
            let points = curve.steps.iter().map(|s| (share(s), s.spearman));
            LineSeries {
                name: curve.method.clone(),
                points: std::iter::once((0.0, 1.0)).chain(points).collect(),
                dash: Dash::Solid,
            }
        };
        let mut series: Vec<LineSeries> = self.randomisation.iter().map(line).collect();
        series.push(LineSeries {
            name: format!("limit {RANDOMISATION_LIMIT}"),
            points: [0.0, 1.0].map(|x| (x, RANDOMISATION_LIMIT)).into(),
            dash: Dash::Dashed,
        });
        let subtitle = format!(
            "{}: rank correlation of |map| with the original map while layers are randomised from the \
             output down; near 0 is good. Only methods that need few passes",
            self.model
        );
        lines(
            "Do the maps change when the network is randomised?",
            &subtitle,
            ("randomised layers, from the output down", "rank correlation"),
            &series,
            ChartOptions::new(theme),
        )
    }
}

/// Returns the meaning of the columns.
fn explanation() -> String {
    format!(
        "Deletion, insertion: mean probability while the most important pixels are replaced by the \
         mean face, or inserted into it. Second line: mean difference per face to the better of \
         two controls, a random order and centre first.\n\
         Half random, all random: rank correlation of |map| with the map of the same network with \
         random weights in the upper half of its layers, or in all layers; 0 if that map is empty. \
         Above {RANDOMISATION_LIMIT} the map depends more on the image than on the trained weights \
         (sanity check of Adebayo et al. 2018, who give no limit).\n\
         Infidelity: share of the variation of the score that the map does not predict. \
         Max-sensitivity: relative change of the map under small noise. Residual: error of the \
         completeness of integrated gradients, relative to the change of the score.\n\
         Red: failed. ?: undecided, because the interval contains the limit or there are fewer than \
         {MIN_FACES} faces. ±: half of the 95 % bootstrap interval. (−n): n faces with an empty map \
         left out. –: not measured."
    )
}

/// Content of a cell.
struct Measured {
    text: String,
    /// Second line: difference to the controls.
    note: Option<String>,
    verdict: TestResult,
}

/// Returns the cells of a row.
fn values(row: &SanityRow) -> [Measured; 7] {
    let number = |v: Option<f64>| v.map_or("–".into(), |v| format!("{v:.3}"));
    let plain = |text: String, verdict: TestResult| Measured { text, note: None, verdict };
    let (areas, leads) = (row.faithfulness, row.advantage);
    let ([deletion, insertion], [half, all]) = (row.control_test(), row.randomisation_test());
    let percent = |r: f64| format!("{:.2} %", 100.0 * r);
    [
        Measured {
            text: number(areas.map(|f| f.map.deletion)),
            note: leads.map(|l| l.deletion.signed(3)),
            verdict: deletion,
        },
        Measured {
            text: number(areas.map(|f| f.map.insertion)),
            note: leads.map(|l| l.insertion.signed(3)),
            verdict: insertion,
        },
        plain(similarity(row.half_randomised), half),
        plain(similarity(row.randomisation), all),
        plain(number(row.infidelity), TestResult::Passed),
        plain(number(row.max_sensitivity), row.sensitivity_test()),
        plain(row.residual.map_or("–".into(), percent), row.residual_test()),
    ]
}

/// Returns “0.31 ± 0.05”, followed by the number of faces left out.
fn similarity(found: Option<Similarity>) -> String {
    let Some(found) = found else { return "–".into() };
    let mut text = match found.spearman {
        r if r.mean.is_nan() => "none".into(),
        r => r.plain(2),
    };
    if found.left_out > 0 {
        let _ = write!(text, " (−{})", found.left_out);
    }
    text
}

/// Returns the result of a row.
fn verdict(row: &SanityRow) -> (&'static str, Tone) {
    match (row.failures.is_empty(), row.undecided.is_empty()) {
        (true, true) => ("✓ passed", Tone::Good),
        (true, false) => ("? undecided", Tone::Muted),
        (false, _) => ("✗ failed", Tone::Bad),
    }
}

fn cell(text: String, tone: Tone) -> Cell {
    Cell::Text(vec![Line::new(text, tone)])
}

fn method_row(row: &SanityRow) -> Row {
    let measured = |m: Measured| {
        let (mark, tone) = match m.verdict {
            TestResult::Passed => ("", Tone::Normal),
            TestResult::Undecided => (" ?", Tone::Normal),
            TestResult::Failed => ("", Tone::Bad),
        };
        let first = Line::new(m.text + mark, tone);
        let second = m.note.map(|note| Line::new(note, Tone::Muted));
        Cell::Text(std::iter::once(first).chain(second).collect())
    };
    let mut cells: Vec<Cell> = values(row).into_iter().map(measured).collect();
    let (words, tone) = verdict(row);
    cells.push(cell(words.into(), tone));
    let mut header = vec![Line::new(title(row), Tone::Strong)];
    if row.refused > 0 {
        header.push(Line::new(format!("refused on {}", counted(row.refused, "face")), Tone::Muted));
    }
    Row { header, cells }
}

/// Returns the title of the method.
fn title(row: &SanityRow) -> String {
    row.method.parse().map_or(row.method.clone(), |m: Method| m.title().into())
}
