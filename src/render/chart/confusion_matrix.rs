//! Drawing of a confusion matrix.

use crate::render::format::thousands;
use crate::render::scene::{Align, Anchor, TextStyle};
use crate::render::theme::{Palette, readable_on};
use crate::render::{Colormap, Rgb, Scene, Theme, font};
use crate::{Error, Result};

/// Numbers in the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalize {
    /// Number of faces.
    Counts,
    /// Share of the true class (rows sum to 100 %); the diagonal is the recall.
    Recall,
    /// Share of the predicted class (columns sum to 100 %); the diagonal is the precision.
    Precision,
}

/// A confusion matrix: `counts[true_class][predicted_class]`.
#[derive(Clone, Debug)]
pub struct Confusion {
    /// Heading.
    pub title: String,
    /// Names of the classes in the order of rows and columns.
    pub names: Vec<String>,
    /// Rows are true, columns are predicted.
    pub counts: Vec<Vec<u64>>,
    /// Numbers in the cells.
    pub normalize: Normalize,
    /// Side of a cell in pixels, at least 44.
    pub cell: f32,
}

impl Confusion {
    /// Creates a matrix with cells of 66 pixels.
    pub fn new(title: &str, names: &[&str], counts: Vec<Vec<u64>>, normalize: Normalize) -> Self {
        let names = names.iter().map(|n| n.to_string()).collect();
        Confusion { title: title.into(), names, counts, normalize, cell: 66.0 }
    }

    fn row_total(&self, row: usize) -> u64 {
        self.counts[row].iter().sum()
    }

    fn column_total(&self, column: usize) -> u64 {
        self.counts.iter().map(|row| row[column]).sum()
    }

    /// Returns the share that sets the colour of a cell, 0…1; 0 if the row or column is empty. Counts are
    /// coloured by row share, so that rare classes are as visible as frequent ones.
    pub fn share(&self, row: usize, column: usize) -> f64 {
        let whole = match self.normalize {
            Normalize::Precision => self.column_total(column),
            _ => self.row_total(row),
        };
        if whole == 0 { 0.0 } else { self.counts[row][column] as f64 / whole as f64 }
    }

    /// Returns the background of a cell.
    pub fn cell_color(&self, row: usize, column: usize, theme: Theme) -> Rgb {
        let share = self.share(row, column) as f32;
        match theme {
            Theme::Light => Colormap::Blues.color(share),
            Theme::Dark => Colormap::Viridis.color(share),
        }
    }

    fn words(&self, row: usize, column: usize) -> String {
        let empty = match self.normalize {
            Normalize::Counts => return thousands(self.counts[row][column]),
            Normalize::Recall => self.row_total(row) == 0,
            Normalize::Precision => self.column_total(column) == 0,
        };
        if empty { "–".into() } else { format!("{:.0} %", self.share(row, column) * 100.0) }
    }

    /// Draws the matrix with names, totals and axis titles.
    ///
    /// # Errors
    /// [`Error::Render`] if the counts are not square or do not fit the names.
    pub fn draw(&self, theme: Theme) -> Result<Scene> {
        let n = self.names.len();
        if n == 0 || self.counts.len() != n || self.counts.iter().any(|row| row.len() != n) {
            let message = format!("a confusion matrix of {n} classes needs {n} rows of {n} counts");
            return Err(Error::Render(message));
        }
        let cell = self.cell.max(44.0);
        let unit = Units { cell, text: (cell * 0.22).clamp(11.0, 24.0) };
        let palette = theme.palette();
        let names = TextStyle::new((cell * 0.2).clamp(12.0, 24.0), palette.ink);
        let widest = self.names.iter().map(|n| names.width(n)).fold(0.0, f32::max);
        let left = 16.0 + unit.text * 2.0 + widest + 10.0;
        let heading = TextStyle::new(17.0, palette.ink).bold().anchor(Anchor::Top);
        let width = left + (n as f32 + 1.0) * cell + 8.0 + 16.0;
        let title_lines =
            font::wrap(&self.title, heading.size, heading.weight, width - 32.0).len() as f32;
        let turned = widest > cell - 6.0;
        let names_height = if turned { widest + 10.0 } else { unit.text * 1.9 };
        let grid_top = 16.0 + title_lines * heading.line_height() + unit.text * 2.0 + names_height;
        let height = grid_top + n as f32 * cell + 0.6 * cell + unit.text + 24.0;
        let mut scene = Scene::new(width, height, palette.ground);
        scene.paragraph(16.0, 16.0, width - 32.0, &self.title, heading);
        self.draw_cells(&mut scene, (left, grid_top), &unit, theme);
        self.draw_names(&mut scene, (left, grid_top), &unit, names, turned);
        self.draw_totals(&mut scene, (left, grid_top), &unit, &palette);
        let small = TextStyle::new(12.0, palette.muted);
        scene.text(left, height - 12.0, self.legend(), small);
        Ok(scene)
    }

    fn legend(&self) -> &'static str {
        match self.normalize {
            Normalize::Counts => "number of faces; colour: share of the row",
            Normalize::Recall => "share of each true class; diagonal = recall",
            Normalize::Precision => "share of each predicted class; diagonal = precision",
        }
    }

    fn draw_cells(&self, scene: &mut Scene, (left, top): (f32, f32), unit: &Units, theme: Theme) {
        let palette = theme.palette();
        for row in 0..self.names.len() {
            for column in 0..self.names.len() {
                let (x, y) = (left + column as f32 * unit.cell, top + row as f32 * unit.cell);
                let ground = self.cell_color(row, column, theme);
                scene.rect(x, y, unit.cell, unit.cell, ground);
                scene.frame(x, y, unit.cell, unit.cell, 0.5, palette.grid);
                let style = unit.number(readable_on(ground));
                let style = if row == column { style.bold() } else { style };
                unit.write(scene, (x, y), &self.words(row, column), style);
            }
        }
        let side = self.names.len() as f32 * unit.cell;
        scene.frame(left, top, side, side, 1.0, palette.axis);
    }

    fn draw_names(
        &self,
        scene: &mut Scene,
        (left, top): (f32, f32),
        unit: &Units,
        style: TextStyle,
        turned: bool,
    ) {
        let title = style.bold().align(Align::Middle);
        let middle = self.names.len() as f32 * unit.cell / 2.0;
        let side = style.anchor(Anchor::Middle);
        let mut widest = 0f32;
        for (i, name) in self.names.iter().enumerate() {
            let at = (i as f32 + 0.5) * unit.cell;
            scene.text(left - 8.0, top + at, name.as_str(), side.align(Align::End));
            match turned {
                true => scene.text(left + at, top - 8.0, name.as_str(), side.upwards()),
                false => {
                    scene.text(left + at, top - 8.0, name.as_str(), style.align(Align::Middle))
                }
            }
            widest = widest.max(style.width(name));
        }
        let above = if turned { widest + 18.0 } else { 8.0 + unit.text * 1.7 };
        scene.text(left + middle, top - above, "predicted", title);
        let beside = left - 8.0 - widest - 12.0;
        scene.text(beside, top + middle, "true", title.upwards());
    }

    /// Draws the totals of rows and columns.
    fn draw_totals(
        &self,
        scene: &mut Scene,
        (left, top): (f32, f32),
        unit: &Units,
        palette: &Palette,
    ) {
        let n = self.names.len();
        let edge = n as f32 * unit.cell + 8.0;
        // Closer to the grid than a whole cell would be.
        let below = edge - unit.cell * 0.22;
        let style = unit.number(palette.muted);
        for i in 0..n {
            let at = i as f32 * unit.cell;
            unit.write(scene, (left + edge, top + at), &thousands(self.row_total(i)), style);
            unit.write(scene, (left + at, top + below), &thousands(self.column_total(i)), style);
        }
        let all: u64 = (0..n).map(|row| self.row_total(row)).sum();
        unit.write(scene, (left + edge, top + below), &thousands(all), style.bold());
        let label = style.anchor(Anchor::Middle).align(Align::End);
        scene.text(left - 8.0, top + below + unit.cell / 2.0, "total", label);
        let label = style.align(Align::Middle);
        scene.text(left + edge + unit.cell / 2.0, top - 8.0, "total", label);
    }
}

/// Sizes relative to the side of a cell.
struct Units {
    cell: f32,
    text: f32,
}

impl Units {
    fn number(&self, color: Rgb) -> TextStyle {
        TextStyle::new(self.text, color).align(Align::Middle).anchor(Anchor::Middle)
    }

    /// Writes text in the middle of the cell at (x, y), smaller if it is long.
    fn write(&self, scene: &mut Scene, (x, y): (f32, f32), text: &str, style: TextStyle) {
        let room = (self.cell - 6.0) / style.width(text).max(1.0);
        let style = TextStyle { size: style.size * room.min(1.0), ..style };
        scene.text(x + self.cell / 2.0, y + self.cell / 2.0, text, style);
    }
}
