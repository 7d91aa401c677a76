//! Pages of images: a grid of cells with headers, captions, legends and scale bars.
//!
//! Used for saliency pages, filters, feature maps and contact sheets. Each column is as wide as its
//! widest cell, each row as high as its highest cell.

mod layout;

use crate::Result;
use crate::render::font::{self, Weight};
use crate::render::panel::layout::{Layout, flow};
use crate::render::scene::{Align, Anchor, TextStyle};
use crate::render::theme::Palette;
use crate::render::{Rgb, RgbImage, ScaleBar, Scene, Theme};

/// Emphasis of a line of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Plain.
    #[default]
    Normal,
    /// Bold.
    Strong,
    /// Less important.
    Muted,
    /// Correct or better.
    Good,
    /// Wrong or worse.
    Bad,
}

/// A line of text in a header, wrapped where it is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Text.
    pub text: String,
    /// Emphasis.
    pub tone: Tone,
}

impl Line {
    /// Creates a line.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Line { text: text.into(), tone }
    }

    /// Creates a line with the predicted class, its probability and whether it is correct:
    /// `✓ happy 98.1 %`, `✗ sad 40.3 %`.
    pub fn verdict(predicted: &str, probability: f64, right: bool) -> Self {
        let (sign, tone) = if right { ('✓', Tone::Good) } else { ('✗', Tone::Bad) };
        Line::new(
            format!("{sign} {predicted} {}", crate::render::format::percent(probability)),
            tone,
        )
    }
}

/// A cell of the grid.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// An image, enlarged to the cell size, with its caption.
    Picture {
        /// Image.
        picture: RgbImage,
        /// Whether to interpolate (maps) or to draw square pixels (faces, filters).
        smooth: bool,
        /// Caption; may be empty.
        caption: String,
    },
    /// Small images in the space of one, such as the nine top patches.
    Mosaic {
        /// Images, row by row.
        pictures: Vec<RgbImage>,
        /// Images per row.
        columns: usize,
        /// Caption; may be empty.
        caption: String,
    },
    /// Another drawing in its own size, such as a chart.
    Drawing(Scene),
    /// Text.
    Text(Vec<Line>),
}

impl Cell {
    /// Creates a cell of an image with square pixels.
    pub fn picture(picture: RgbImage, caption: impl Into<String>) -> Self {
        Cell::Picture { picture, smooth: false, caption: caption.into() }
    }
}

/// A row with its header.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Header at the left; may be empty.
    pub header: Vec<Line>,
    /// Cells from left to right.
    pub cells: Vec<Cell>,
}

/// A page of images.
#[derive(Clone, Debug)]
pub struct Page {
    /// Title.
    pub title: String,
    /// Subtitle.
    pub subtitle: String,
    /// Column titles; may be empty.
    pub columns: Vec<String>,
    /// Rows from top to bottom.
    pub rows: Vec<Row>,
    /// Colours and their meaning, below the rows.
    pub legend: Vec<(Rgb, String)>,
    /// Scale bars below the legend.
    pub scale_bars: Vec<ScaleBar>,
    /// Caption at the bottom.
    pub caption: String,
    /// Side of an image in pixels; multiples of 48 keep the pixels of a face square.
    pub cell: f32,
    /// Theme.
    pub theme: Theme,
}

const MARGIN: f32 = 20.0;
const GAP: f32 = 12.0;
const SMALL: f32 = 12.0;
const HEADER: f32 = 13.0;
const BAR_HEIGHT: f32 = 56.0;
const KEY_HEIGHT: f32 = 22.0;
const KEY_SQUARE: f32 = 12.0;
const ITEM_GAP: f32 = 24.0;

impl Page {
    /// Creates an empty page with images three times the size of a face.
    pub fn new(title: impl Into<String>, theme: Theme) -> Self {
        Page {
            title: title.into(),
            subtitle: String::new(),
            columns: Vec::new(),
            rows: Vec::new(),
            legend: Vec::new(),
            scale_bars: Vec::new(),
            caption: String::new(),
            cell: 144.0,
            theme,
        }
    }

    /// Creates a contact sheet: cells in reading order, `columns` per row.
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

    /// Draws the page.
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

    /// Returns the page as PNG; scale 1 shows each image at the cell size.
    ///
    /// **Errors**: [`crate::Error::Render`] if the page is too large.
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>> {
        self.scene().to_png(scale)
    }

    /// Returns the page as SVG.
    ///
    /// **Errors**: [`crate::Error::Render`] if an image has no pixels.
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
        let room = layout.width - 2.0 * MARGIN;
        let words = TextStyle::new(SMALL, palette.ink).anchor(Anchor::Middle);
        let widths = self.key_widths();
        for row in flow(&widths, room) {
            let mut left = MARGIN;
            for ((color, text), width) in self.legend[row.clone()].iter().zip(&widths[row]) {
                scene.rect(left, top + 4.0, KEY_SQUARE, KEY_SQUARE, *color);
                scene.text(left + KEY_SQUARE + 7.0, top + 10.0, text.as_str(), words);
                left += width + ITEM_GAP;
            }
            top += KEY_HEIGHT;
        }
        let widths = self.bar_widths();
        for row in flow(&widths, room) {
            let mut left = MARGIN;
            for (bar, width) in self.scale_bars[row.clone()].iter().zip(&widths[row]) {
                bar.draw(scene, left, top + 4.0, palette);
                left += width + ITEM_GAP;
            }
            top += BAR_HEIGHT;
        }
        let style = TextStyle::new(SMALL, palette.muted).anchor(Anchor::Top);
        scene.paragraph(MARGIN, top + 4.0, room, &self.caption, style);
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
            Cell::Drawing(drawing) => scene.insert(drawing, left, top),
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
}

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
