//! Which methods can be believed: one table, as text and as a page.

use crate::Result;
use crate::explain::Method;
use crate::explain::check_table::{
    CheckRow, RANDOMISATION_LIMIT, SENSITIVITY_LIMIT, is_blind_to_weights,
};
use crate::explain::faithfulness::Faithfulness;
use crate::explain::randomisation::{RandomisationStep, Similarity};
use crate::render::Theme;
use crate::render::chart::{Band, Dash, Look, Unit, bands};
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::scene::Scene;
use serde::Serialize;
use std::fmt::Write as _;

/// Everything a check found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// The network.
    pub model: String,
    /// Faces judged.
    pub faces: usize,
    /// A row a method.
    pub methods: Vec<CheckRow>,
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

impl CheckReport {
    /// Areas of the orders that know nothing: mean over the methods' faces.
    fn controls(&self) -> Option<Faithfulness> {
        self.methods.iter().filter(|r| r.refused == 0).find_map(|r| r.faithfulness)
    }

    /// Plain words: which methods fail, and why.
    pub fn words(&self) -> Vec<String> {
        let (failed, passed): (Vec<&CheckRow>, Vec<&CheckRow>) =
            self.methods.iter().partition(|r| !r.failures.is_empty());
        let title =
            |r: &CheckRow| r.method.parse().map_or(r.method.clone(), |m: Method| m.title().into());
        let mut words = vec![];
        if !passed.is_empty() {
            let names: Vec<String> = passed.iter().map(|r| title(r)).collect();
            words.push(format!("Passed everything measured: {}.", names.join(", ")));
        }
        words.extend(
            failed.iter().map(|r| format!("{} fails: {}.", title(r), r.failures.join("; "))),
        );
        words
    }

    /// The table and the words for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}, {} faces\n\n{:<18}", self.model, self.faces, "method");
        for column in COLUMNS {
            let _ = write!(text, "{column:>19}");
        }
        for row in &self.methods {
            let _ = write!(text, "\n{:<18}", row.method);
            for value in values(row) {
                let _ = write!(text, "{:>19}", value.0);
            }
            if !row.failures.is_empty() {
                text.push_str("  ✗");
            }
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
            "{}, {} faces. Arrows show the better direction; red fails.",
            self.model, self.faces
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
        page.caption = format!(
            "{} Deletion, insertion: mean probability while the most important pixels are replaced by \
             the mean face, or put back; both must beat a random order and the centre of the picture. \
             Half, all random: rank correlation of |map| with the maps of the same network with new \
             weights in the upper half of its layers, or in all; above {RANDOMISATION_LIMIT} \
             (our limit for the sanity check of Adebayo et al. 2018, who name none) a map shows more \
             of the picture than of what the network learnt; ± half a 95 % bootstrap interval; (−n): \
             n faces with an empty map left out. \
             Infidelity: share of the score's changes that the map does not foretell. \
             Max-sensitivity: relative change of the map under invisible noise. Residual: error of \
             the sums of integrated gradients, by the changes of the score. –: not measured.",
            self.words().join(" ")
        );
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
            Look::new(theme),
        )
    }
}

/// Words and whether they fail, for each column.
fn values(row: &CheckRow) -> [(String, bool); 7] {
    let number = |v: Option<f64>| v.map_or("–".into(), |v| format!("{v:.3}"));
    let areas = row.faithfulness;
    let worse = |pick: &dyn Fn(&Faithfulness) -> bool| areas.as_ref().is_some_and(pick);
    [
        (
            number(areas.map(|f| f.map.deletion)),
            worse(&|f| f.map.deletion >= f.random.deletion.min(f.centre.deletion)),
        ),
        (
            number(areas.map(|f| f.map.insertion)),
            worse(&|f| f.map.insertion <= f.random.insertion.max(f.centre.insertion)),
        ),
        (similarity(row.half_randomised), is_blind_to_weights(row.half_randomised)),
        (similarity(row.randomisation), is_blind_to_weights(row.randomisation)),
        (number(row.infidelity), false),
        (
            number(row.max_sensitivity),
            row.max_sensitivity.is_some_and(|s| s.is_nan() || s > SENSITIVITY_LIMIT),
        ),
        (
            row.residual.map_or("–".into(), |r| format!("{:.2} %", 100.0 * r)),
            row.residual.is_some_and(|r| r > crate::explain::integrated_gradients::RESIDUAL_GOAL),
        ),
    ]
}

/// “0.31 ± 0.05”, with the number of faces left out behind it.
fn similarity(found: Option<Similarity>) -> String {
    let Some(found) = found else { return "–".into() };
    let mut text = match found.spearman {
        r if r.is_nan() => "none".into(),
        r => format!("{r:.2} ± {:.2}", found.interval.margin()),
    };
    if found.left_out > 0 {
        let _ = write!(text, " (−{})", found.left_out);
    }
    text
}

fn cell(text: String, tone: Tone) -> Cell {
    Cell::Text(vec![Line::new(text, tone)])
}

fn method_row(row: &CheckRow) -> Row {
    let title = row.method.parse().map_or(row.method.clone(), |m: Method| m.title().into());
    let tone = |bad: bool| if bad { Tone::Bad } else { Tone::Normal };
    let mut cells: Vec<Cell> = values(row).into_iter().map(|(t, bad)| cell(t, tone(bad))).collect();
    cells.push(match row.failures.is_empty() {
        true => cell("✓ passed".into(), Tone::Good),
        false => cell("✗ fails".into(), Tone::Bad),
    });
    let mut header = vec![Line::new(title, Tone::Strong)];
    if row.refused > 0 {
        header.push(Line::new(format!("refused on {} faces", row.refused), Tone::Muted));
    }
    Row { header, cells }
}
