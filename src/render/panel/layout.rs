//! Layout of a page: sizes and positions before drawing.

use std::ops::Range;

use crate::render::panel::*;

/// Sizes and positions of the parts of a page.
pub(crate) struct Layout {
    pub width: f32,
    pub height: f32,
    pub header_width: f32,
    pub column_widths: Vec<f32>,
    pub row_heights: Vec<f32>,
    pub grid_left: f32,
    pub grid_top: f32,
}

impl Layout {
    pub fn new(page: &Page) -> Self {
        let palette = page.theme.palette();
        let headers = page.rows.iter().map(|r| lines_width(&r.header)).fold(0.0, f32::max);
        let header_width = if headers > 1.0 { headers.clamp(60.0, 170.0) } else { 0.0 };
        let columns = page.rows.iter().map(|r| r.cells.len()).max().unwrap_or(0);
        let column_widths: Vec<f32> = (0..columns).map(|c| column_width(page, c)).collect();
        let row_heights: Vec<f32> = page
            .rows
            .iter()
            .map(|row| row_height(page, row, header_width, &column_widths))
            .collect();
        let grid_left = MARGIN + if header_width > 0.0 { header_width + 1.5 * GAP } else { 0.0 };
        let gaps = GAP * columns.saturating_sub(1) as f32;
        let grid_width = column_widths.iter().sum::<f32>() + gaps;
        let bars = page.bar_widths().into_iter().fold(0.0, f32::max);
        // Wide enough for a readable title even over a single column.
        let title = title_style(&palette).width(&page.title).min(420.0);
        let room = (grid_left - MARGIN + grid_width).max(bars).max(title).max(200.0).ceil();
        let mut grid_top = MARGIN + text_height_bold(&page.title, 18.0, room);
        grid_top += text_height(&page.subtitle, HEADER, room) + GAP;
        let names = page.columns.iter().zip(&column_widths);
        let names_height = names.map(|(n, w)| text_height_bold(n, HEADER, *w)).fold(0.0, f32::max);
        grid_top = (grid_top + names_height).round();
        let mut layout = Layout {
            width: room + 2.0 * MARGIN,
            height: 0.0,
            header_width,
            column_widths,
            row_heights,
            grid_left,
            grid_top,
        };
        let rows = layout.row_heights.iter().map(|h| h + GAP).sum::<f32>();
        let bars = flow(&page.bar_widths(), room).len() as f32 * BAR_HEIGHT;
        let keys = flow(&page.key_widths(), room).len() as f32 * KEY_HEIGHT;
        let caption = text_height(&page.caption, SMALL, room);
        layout.height = (grid_top + rows + keys + bars + caption + MARGIN).ceil();
        layout
    }
}

/// Wraps items of these widths into rows of width `room`. Returns the rows as ranges of items.
pub(crate) fn flow(widths: &[f32], room: f32) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    let mut used = f32::MAX;
    for (i, width) in widths.iter().enumerate() {
        if used + width > room {
            rows.push(i..i);
            used = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.end = i + 1;
        }
        used += width + ITEM_GAP;
    }
    rows
}

fn column_width(page: &Page, column: usize) -> f32 {
    let cells = page.rows.iter().filter_map(|row| row.cells.get(column));
    cells.map(|cell| page.cell_size(cell, 0.0).0).fold(0.0, f32::max).ceil()
}

/// Returns the height of a row in whole pixels, so that images are aligned to pixels.
fn row_height(page: &Page, row: &Row, header_width: f32, column_widths: &[f32]) -> f32 {
    let header = lines_height(&row.header, header_width.max(1.0));
    let cells = row.cells.iter().zip(column_widths);
    cells.map(|(cell, width)| page.cell_size(cell, *width).1).fold(header, f32::max).ceil()
}

fn text_height_bold(text: &str, size: f32, width: f32) -> f32 {
    font::wrap(text, size, Weight::Bold, width).len() as f32 * size * font::LINE_HEIGHT
}

impl Page {
    /// Returns the width of each scale bar.
    pub(crate) fn bar_widths(&self) -> Vec<f32> {
        self.scale_bars.iter().map(|bar| bar.size().0).collect()
    }

    /// Returns the width of each legend entry: square, gap, text.
    pub(crate) fn key_widths(&self) -> Vec<f32> {
        let words = |text: &str| font::width(text, SMALL, Weight::Regular);
        self.legend.iter().map(|(_, text)| KEY_SQUARE + 7.0 + words(text)).collect()
    }

    /// Returns the size of an image on the page: its longer side fills the cell.
    pub(crate) fn picture_size(&self, picture: &RgbImage) -> (f32, f32) {
        let (width, height) = (picture.width().max(1) as f32, picture.height().max(1) as f32);
        let scale = self.cell / width.max(height);
        ((width * scale).round().max(1.0), (height * scale).round().max(1.0))
    }

    /// Returns side and pitch of the images of a mosaic that is as wide as a cell.
    pub(crate) fn mosaic(&self, columns: usize) -> (f32, f32) {
        let columns = columns.max(1) as f32;
        let side = ((self.cell - 2.0 * (columns - 1.0)) / columns).floor().max(1.0);
        (side, side + 2.0)
    }

    /// Returns width and height of a cell; the caption does not count for the width.
    fn cell_size(&self, cell: &Cell, column_width: f32) -> (f32, f32) {
        let caption_height = |caption: &String| match caption.is_empty() {
            true => 0.0,
            false => text_height(caption, SMALL, column_width.max(self.cell)) + 4.0,
        };
        match cell {
            Cell::Empty => (0.0, 0.0),
            Cell::Picture { picture, caption, .. } => {
                (self.cell, self.picture_size(picture).1 + caption_height(caption))
            }
            Cell::Mosaic { pictures, columns, caption } => {
                let rows = pictures.len().div_ceil((*columns).max(1)) as f32;
                (self.cell, rows * self.mosaic(*columns).1 + caption_height(caption))
            }
            Cell::Drawing(scene) => scene.size(),
            Cell::Text(lines) => {
                let widest = lines_width(lines).min(self.cell * 1.5);
                (widest, lines_height(lines, column_width.max(widest)))
            }
        }
    }
}

fn weight_of(tone: Tone) -> Weight {
    if tone == Tone::Strong { Weight::Bold } else { Weight::Regular }
}

fn lines_width(lines: &[Line]) -> f32 {
    let width = |l: &Line| font::width(&l.text, HEADER, weight_of(l.tone));
    // A pixel more, so that rounding never breaks a line that was measured to fit.
    lines.iter().map(width).fold(0.0, f32::max).ceil() + 1.0
}

fn lines_height(lines: &[Line], width: f32) -> f32 {
    let count = |l: &Line| font::wrap(&l.text, HEADER, weight_of(l.tone), width).len() as f32;
    lines.iter().map(|l| count(l) * HEADER * font::LINE_HEIGHT + 2.0).sum()
}

fn text_height(text: &str, size: f32, width: f32) -> f32 {
    font::wrap(text, size, Weight::Regular, width).len() as f32 * size * font::LINE_HEIGHT
}
