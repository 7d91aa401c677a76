//! Which methods can be believed: one table, as text and as a page.

use crate::Result;
use crate::explain::Method;
use crate::explain::sanity::faithfulness::Faithfulness;
use crate::explain::sanity::randomisation::{RandomisationStep, Similarity};
use crate::explain::sanity::sanity_table::{RANDOMISATION_LIMIT, SanityRow};
use crate::explain::significance::{MIN_FACES, TestResult};
use crate::render::Scene;
use crate::render::Theme;
use crate::render::chart::{Band, ChartOptions, Dash, Unit, bands};
use crate::render::format::counted;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use serde::Serialize;
use std::fmt::Write as _;

/// Everything a check found.
#[derive(Clone, Debug, Serialize)]
pub struct SanityReport {
    /// The network.
    pub model: String,
    /// Faces judged.
    pub faces: usize,
    /// A row a method.
    pub methods: Vec<SanityRow>,
    /// Similarity to maps of networks re-initialised from the top layer down, for the methods that
    /// need few passes.
    pub randomisation: Vec<RandomisationCurve>,
}

/// How a method's maps change as the network is destroyed layer by layer.
#[derive(Clone, Debug, Serialize)]
pub struct RandomisationCurve {
    /// Name on the command line.
    pub method: String,
    /// From one re-initialised layer to all.
    pub steps: Vec<RandomisationStep>,
}

/// Columns, with the better direction.
const COLUMNS: [&str; 7] = [
    "deletion ↓",
    "insertion ↑",
    "half random ≈ 0",
    "all random ≈ 0",
    "infidelity ↓",
    "max-sensitivity ↓",
    "residual ↓",
];

impl SanityReport {
    /// Areas of the orders that know nothing: mean over the methods' faces.
    fn controls(&self) -> Option<Faithfulness> {
        self.methods.iter().filter(|r| r.refused == 0).find_map(|r| r.faithfulness)
    }

    /// Plain words: which methods fail, and why.
    pub fn words(&self) -> Vec<String> {
        let (failed, other): (Vec<&SanityRow>, Vec<&SanityRow>) =
            self.methods.iter().partition(|r| !r.failures.is_empty());
        let (undecided, passed): (Vec<&SanityRow>, Vec<&SanityRow>) =
            other.into_iter().partition(|r| !r.undecided.is_empty());
        let mut words = vec![];
        if !passed.is_empty() {
            let names: Vec<String> = passed.iter().map(|r| title(r)).collect();
            words.push(format!("Passed everything measured: {}.", names.join(", ")));
        }
        if self.faces < MIN_FACES {
            let decide = if self.faces == 1 { "decides" } else { "decide" };
            words.push(format!(
                "{} {decide} nothing; give at least {MIN_FACES} (--max-faces {MIN_FACES}).",
                counted(self.faces, "face")
            ));
        } else {
            let open =
                |r: &&SanityRow| format!("{} undecided: {}.", title(r), r.undecided.join("; "));
            words.extend(undecided.iter().map(open));
        }
        let fails = |r: &&SanityRow| format!("{} fails: {}.", title(r), r.failures.join("; "));
        words.extend(failed.iter().map(fails));
        if !undecided.is_empty() && self.faces >= MIN_FACES {
            words.push("More faces (--max-faces) may decide.".into());
        }
        words
    }

    /// The table and the words for a terminal.
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

    /// The table, and below it the randomisation chart.
    ///
    /// # Errors
    /// Those of drawing.
    pub fn page(&self, theme: Theme) -> Result<Page> {
        let mut cells = vec![Cell::Drawing(self.table(theme).scene())];
        if !self.randomisation.is_empty() {
            cells.push(Cell::Drawing(self.randomisation_chart(theme)?));
        }
        Ok(Page::sheet("", cells, 1, theme))
    }

    fn table(&self, theme: Theme) -> Page {
        let mut page = Page { cell: 118.0, ..Page::new("Can the maps be believed?", theme) };
        page.subtitle = format!(
            "{}, {}. Arrows show the better direction.",
            self.model,
            counted(self.faces, "face")
        );
        // A row rather than column names, so that the columns are as wide as their headings.
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

    /// Similarity against the share of layers re-initialised.
    fn randomisation_chart(&self, theme: Theme) -> Result<Scene> {
        let line = |curve: &RandomisationCurve| {
            let n = curve.steps.len().max(1) as f64;
            let share = |s: &RandomisationStep| s.layers as f64 / n;
            Band {
                name: curve.method.clone(),
                x: std::iter::once(0.0).chain(curve.steps.iter().map(share)).collect(),
                y: std::iter::once(1.0).chain(curve.steps.iter().map(|s| s.spearman)).collect(),
                low: vec![],
                high: vec![],
                dash: Dash::Solid,
            }
        };
        let mut lines: Vec<Band> = self.randomisation.iter().map(line).collect();
        lines.push(Band {
            name: format!("limit {RANDOMISATION_LIMIT}"),
            x: vec![0.0, 1.0],
            y: vec![RANDOMISATION_LIMIT; 2],
            low: vec![],
            high: vec![],
            dash: Dash::Dashed,
        });
        let subtitle = format!(
            "{}: rank correlation of |map| with the original, layers re-initialised from the top \
             down; about 0 is good. The methods of few passes; the others stand in the table",
            self.model
        );
        bands(
            "Do the maps change when the network is destroyed?",
            &subtitle,
            ("layers re-initialised, from the output down", "rank correlation"),
            Unit::Number,
            &lines,
            ChartOptions::new(theme),
        )
    }
}

/// What the columns mean, a line each; why a method fails is in its own cells.
fn explanation() -> String {
    format!(
        "Deletion, insertion: mean probability while the most important pixels are replaced by the \
         mean face, or put back; below, the lead on the better of a random order and the centre of \
         the picture, face by face.\n\
         Half, all random: rank correlation of |map| with the maps of the same network with new \
         weights in the upper half of its layers, or in all, 0 where those are empty; above \
         {RANDOMISATION_LIMIT} (our limit for the sanity check of Adebayo et al. 2018, who name \
         none) a map shows more of the picture than of what the network learnt.\n\
         Infidelity: share of the score's changes that the map does not foretell. Max-sensitivity: \
         relative change of the map under invisible noise. Residual: error of the sums of \
         integrated gradients, by the changes of the score.\n\
         Red: fails. ?: undecided, the interval holds the limit, or fewer than {MIN_FACES} faces. \
         ±: half a 95 % bootstrap interval. (−n): n faces with an empty map left out. –: not measured."
    )
}

/// What stands in a column.
struct Measured {
    text: String,
    /// A second line: by how much it leads.
    note: Option<String>,
    verdict: TestResult,
}

/// What was measured, for each column.
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

/// “0.31 ± 0.05”, with the number of faces left out behind it.
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

/// Mark and words of a whole row.
fn verdict(row: &SanityRow) -> (&'static str, Tone) {
    match (row.failures.is_empty(), row.undecided.is_empty()) {
        (true, true) => ("✓ passed", Tone::Good),
        (true, false) => ("? undecided", Tone::Muted),
        (false, _) => ("✗ fails", Tone::Bad),
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

/// The method as people call it.
fn title(row: &SanityRow) -> String {
    row.method.parse().map_or(row.method.clone(), |m: Method| m.title().into())
}
