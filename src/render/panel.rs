//! Pages of pictures: a grid of cells with headers, captions, legends and scale bars.
//!
//! One engine for saliency pages, filter galleries, feature maps and contact sheets: each column
//! is as wide as its widest cell, each row as high as its highest.

use super::colormap::ScaleBar;
use super::font::{self, Weight};
use super::image::{Picture, Rgb};
use super::scene::{Align, Anchor, Scene, TextStyle};
use super::theme::{Palette, Theme};
use crate::Result;

/// What a line of text says about its matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Plain.
    #[default]
    Normal,
    /// Bold.
    Strong,
    /// Less important.
    Muted,
    /// Right or better.
    Good,
    /// Wrong or worse.
    Bad,
}

/// A line of text in a header, wrapped where it is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The words.
    pub text: String,
    /// How they are meant.
    pub tone: Tone,
}

impl Line {
    /// Words in a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Line { text: text.into(), tone }
    }

    /// Predicted class with its probability and whether it is right:
    /// `✓ happy 98.1 %`, `✗ sad 40.3 %`.
    pub fn verdict(predicted: &str, probability: f64, right: bool) -> Self {
        let (sign, tone) = if right { ('✓', Tone::Good) } else { ('✗', Tone::Bad) };
        Line::new(format!("{sign} {predicted} {}", super::numbers::percent(probability)), tone)
    }
}

/// One field of the grid.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A picture, enlarged to the page's cell size, over its caption.
    Picture {
        /// The pixels.
        picture: Picture,
        /// Interpolated (maps) or square pixels (faces, filters).
        smooth: bool,
        /// Below the picture; may be empty.
        caption: String,
    },
    /// Small pictures that together take the room of one, such as the top-9 patches.
    Mosaic {
        /// Row by row.
        pictures: Vec<Picture>,
        /// Pictures in a row.
        columns: usize,
        /// Below the pictures; may be empty.
        caption: String,
    },
    /// Names and values, one pair a line.
    Numbers(Vec<(String, String)>),
    /// Words.
    Text(Vec<Line>),
}

impl Cell {
    /// A picture with square pixels.
    pub fn picture(picture: Picture, caption: impl Into<String>) -> Self {
        Cell::Picture { picture, smooth: false, caption: caption.into() }
    }

    /// A map, interpolated.
    pub fn map(picture: Picture, caption: impl Into<String>) -> Self {
        Cell::Picture { picture, smooth: true, caption: caption.into() }
    }
}

/// A row: its header and its fields.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Left of the fields; may be empty.
    pub header: Vec<Line>,
    /// From left to right.
    pub cells: Vec<Cell>,
}

/// A page of pictures.
#[derive(Clone, Debug)]
pub struct Page {
    /// Heading.
    pub title: String,
    /// Below the heading, muted.
    pub subtitle: String,
    /// Above the columns; may be empty.
    pub columns: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Below the rows.
    pub scale_bars: Vec<ScaleBar>,
    /// At the foot: method, target, scale, how it was made.
    pub caption: String,
    /// Side of a picture in pixels; multiples of 48 keep the pixels of a face square.
    pub cell: f32,
    /// Colours.
    pub theme: Theme,
}

const MARGIN: f32 = 20.0;
const GAP: f32 = 12.0;
const SMALL: f32 = 12.0;
const HEADER: f32 = 13.0;

impl Page {
    /// An empty page whose pictures are three times a face.
    pub fn new(title: impl Into<String>, theme: Theme) -> Self {
        Page {
            title: title.into(),
            subtitle: String::new(),
            columns: Vec::new(),
            rows: Vec::new(),
            scale_bars: Vec::new(),
            caption: String::new(),
            cell: 144.0,
            theme,
        }
    }

    /// A contact sheet: cells in reading order, `columns` in a row.
    pub fn sheet(title: impl Into<String>, cells: Vec<Cell>, columns: usize, theme: Theme) -> Self {
        let mut page = Page::new(title, theme);
        let mut cells = cells.into_iter();
        loop {
            let row: Vec<Cell> = cells.by_ref().take(columns.max(1)).collect();
            if row.is_empty() {
                return page;
            }
            page.rows.push(Row { header: Vec::new(), cells: row });
        }
    }

    /// Lays the page out and draws it.
    pub fn scene(&self) -> Scene {
        let layout = Layout::new(self);
        let palette = self.theme.palette();
        let mut scene = Scene::new(layout.width, layout.height, palette.ground);
        self.draw_heading(&mut scene, &layout, &palette);
        let mut top = layout.grid_top;
        for (row, height) in self.rows.iter().zip(&layout.row_heights) {
            draw_lines(&mut scene, (MARGIN, top), layout.header_width, &row.header, &palette);
            let mut left = layout.grid_left;
            for (cell, width) in row.cells.iter().zip(&layout.column_widths) {
                self.draw_cell(&mut scene, (left, top), *width, cell, &palette);
                left += width + GAP;
            }
            top += height + GAP;
        }
        self.draw_foot(&mut scene, top, &layout, &palette);
        scene
    }

    /// The page as PNG; scale 1 shows each picture at the cell size.
    ///
    /// **Errors**: [`crate::Error::Render`] where the page is too large.
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>> {
        self.scene().to_png(scale)
    }

    /// The page as SVG.
    ///
    /// **Errors**: [`crate::Error::Render`] where a picture has no pixels.
    pub fn to_svg(&self) -> Result<String> {
        self.scene().to_svg()
    }

    fn draw_heading(&self, scene: &mut Scene, layout: &Layout, palette: &Palette) {
        let room = layout.width - 2.0 * MARGIN;
        let used = scene.paragraph(MARGIN, MARGIN, room, &self.title, title_style(palette));
        let small = TextStyle::new(HEADER, palette.muted).anchor(Anchor::Top);
        scene.paragraph(MARGIN, MARGIN + used, room, &self.subtitle, small);
        let mut left = layout.grid_left;
        for (name, width) in self.columns.iter().zip(&layout.column_widths) {
            let style = TextStyle::new(HEADER, palette.ink).bold().align(Align::Middle);
            let lines = font::wrap(name, HEADER, Weight::Bold, *width);
            for (i, line) in lines.iter().rev().enumerate() {
                let y = layout.grid_top - 8.0 - i as f32 * style.line_height();
                scene.text(left + width / 2.0, y, line.as_str(), style);
            }
            left += width + GAP;
        }
    }

    fn draw_foot(&self, scene: &mut Scene, mut top: f32, layout: &Layout, palette: &Palette) {
        for row in layout.bar_rows(&self.scale_bars) {
            let mut left = MARGIN;
            for bar in row {
                bar.draw(scene, left, top + 4.0, palette);
                left += bar.size().0 + 2.0 * GAP;
            }
            top += BAR_HEIGHT;
        }
        let style = TextStyle::new(SMALL, palette.muted).anchor(Anchor::Top);
        scene.paragraph(MARGIN, top + 4.0, layout.width - 2.0 * MARGIN, &self.caption, style);
    }

    fn draw_cell(
        &self,
        scene: &mut Scene,
        (left, top): (f32, f32),
        width: f32,
        cell: &Cell,
        palette: &Palette,
    ) {
        match cell {
            Cell::Empty => {}
            Cell::Picture { picture, smooth, caption } => {
                let size = self.picture_size(picture);
                let x = (left + (width - size.0) / 2.0).round();
                scene.picture(picture.clone(), (x, top), size, *smooth);
                scene.frame(x - 1.0, top - 1.0, size.0 + 2.0, size.1 + 2.0, 1.0, palette.grid);
                self.draw_caption(scene, (left, top + size.1), width, caption, palette.muted);
            }
            Cell::Mosaic { pictures, columns, caption } => {
                let (side, pitch) = self.mosaic(*columns);
                let x = (left + (width - self.cell) / 2.0).round();
                for (i, picture) in pictures.iter().enumerate() {
                    let at = (i % columns.max(&1), i / columns.max(&1));
                    let corner = (x + at.0 as f32 * pitch, top + at.1 as f32 * pitch);
                    scene.picture(picture.clone(), corner, (side, side), false);
                }
                let rows = pictures.len().div_ceil((*columns).max(1)) as f32;
                self.draw_caption(scene, (left, top + rows * pitch), width, caption, palette.muted);
            }
            Cell::Numbers(pairs) => {
                let style = TextStyle::new(SMALL, palette.muted).anchor(Anchor::Top);
                for (i, (name, value)) in pairs.iter().enumerate() {
                    let y = top + i as f32 * NUMBER_HEIGHT;
                    scene.text(left, y, name.as_str(), style);
                    let value_style = TextStyle { color: palette.ink, ..style.align(Align::End) };
                    scene.text(left + width, y, value.as_str(), value_style);
                }
            }
            Cell::Text(lines) => draw_lines(scene, (left, top), width, lines, palette),
        }
    }

    fn draw_caption(
        &self,
        scene: &mut Scene,
        (left, top): (f32, f32),
        width: f32,
        text: &str,
        color: Rgb,
    ) {
        let style = TextStyle::new(SMALL, color).align(Align::Middle).anchor(Anchor::Top);
        scene.paragraph(left + width / 2.0, top + 6.0, width, text, style);
    }

    /// The size of a picture on the page: its longer side fills the cell.
    fn picture_size(&self, picture: &Picture) -> (f32, f32) {
        let (width, height) = (picture.width().max(1) as f32, picture.height().max(1) as f32);
        let scale = self.cell / width.max(height);
        ((width * scale).round().max(1.0), (height * scale).round().max(1.0))
    }

    /// Side and pitch of the pictures of a mosaic that is as wide as a cell.
    fn mosaic(&self, columns: usize) -> (f32, f32) {
        let columns = columns.max(1) as f32;
        let side = ((self.cell - 2.0 * (columns - 1.0)) / columns).floor().max(1.0);
        (side, side + 2.0)
    }

    /// Width and height that a cell wants, its caption left out of the width.
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
            Cell::Numbers(pairs) => {
                let width = |p: &(String, String)| {
                    let wide = |t: &str| font::width(t, SMALL, Weight::Regular);
                    wide(&p.0) + 14.0 + wide(&p.1)
                };
                let widest = pairs.iter().map(width).fold(0.0, f32::max);
                (widest, pairs.len() as f32 * NUMBER_HEIGHT)
            }
            Cell::Text(lines) => {
                let widest = lines_width(lines).min(self.cell * 1.5);
                (widest, lines_height(lines, column_width.max(widest)))
            }
        }
    }
}

const NUMBER_HEIGHT: f32 = 18.0;
const BAR_HEIGHT: f32 = 56.0;

fn title_style(palette: &Palette) -> TextStyle {
    TextStyle::new(18.0, palette.ink).bold().anchor(Anchor::Top)
}

fn line_style(tone: Tone, palette: &Palette) -> TextStyle {
    let style = TextStyle::new(HEADER, palette.ink).anchor(Anchor::Top);
    match tone {
        Tone::Normal => style,
        Tone::Strong => style.bold(),
        Tone::Muted => TextStyle { color: palette.muted, ..style },
        Tone::Good => TextStyle { color: palette.good, ..style },
        Tone::Bad => TextStyle { color: palette.bad, ..style },
    }
}

fn weight_of(tone: Tone) -> Weight {
    if tone == Tone::Strong { Weight::Bold } else { Weight::Regular }
}

fn draw_lines(
    scene: &mut Scene,
    (left, top): (f32, f32),
    width: f32,
    lines: &[Line],
    palette: &Palette,
) {
    let mut y = top;
    for line in lines {
        y += scene.paragraph(left, y, width, &line.text, line_style(line.tone, palette)) + 2.0;
    }
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

/// Where everything stands.
struct Layout {
    width: f32,
    height: f32,
    header_width: f32,
    column_widths: Vec<f32>,
    row_heights: Vec<f32>,
    grid_left: f32,
    grid_top: f32,
}

impl Layout {
    fn new(page: &Page) -> Self {
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
        let bars = page.scale_bars.iter().map(|b| b.size().0).fold(0.0, f32::max);
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
        let bars = layout.bar_rows(&page.scale_bars).len() as f32 * BAR_HEIGHT;
        let caption = text_height(&page.caption, SMALL, room);
        layout.height = (grid_top + rows + bars + caption + MARGIN).ceil();
        layout
    }

    /// The scale bars, as many in a row as there is room for.
    fn bar_rows<'b>(&self, bars: &'b [ScaleBar]) -> Vec<Vec<&'b ScaleBar>> {
        let mut rows: Vec<Vec<&ScaleBar>> = Vec::new();
        let mut used = f32::MAX;
        for bar in bars {
            let width = bar.size().0;
            if used + width > self.width - 2.0 * MARGIN {
                rows.push(Vec::new());
                used = 0.0;
            }
            if let Some(row) = rows.last_mut() {
                row.push(bar);
            }
            used += width + 2.0 * GAP;
        }
        rows
    }
}

fn column_width(page: &Page, column: usize) -> f32 {
    let cells = page.rows.iter().filter_map(|row| row.cells.get(column));
    cells.map(|cell| page.cell_size(cell, 0.0).0).fold(0.0, f32::max).ceil()
}

/// Whole pixels, so that no picture falls between two.
fn row_height(page: &Page, row: &Row, header_width: f32, column_widths: &[f32]) -> f32 {
    let header = lines_height(&row.header, header_width.max(1.0));
    let cells = row.cells.iter().zip(column_widths);
    cells.map(|(cell, width)| page.cell_size(cell, *width).1).fold(header, f32::max).ceil()
}

fn text_height_bold(text: &str, size: f32, width: f32) -> f32 {
    font::wrap(text, size, Weight::Bold, width).len() as f32 * size * font::LINE_HEIGHT
}
