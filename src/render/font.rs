//! The embedded font: text widths, line wrapping, and glyph rasterisation.
//!
//! Text looks the same on every machine because system fonts are not used.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _};

/// Font families of SVG and HTML. The fallbacks are not wider than the first, so text does not
/// overflow. Chinese characters, which the embedded font lacks, come from system fonts.
pub const FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/// Font weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// Body text.
    #[default]
    Regular,
    /// Titles.
    Bold,
}

static REGULAR: LazyLock<FontRef<'static>> =
    LazyLock::new(|| embedded(include_bytes!("font/DejaVuSans.ttf")));
static BOLD: LazyLock<FontRef<'static>> =
    LazyLock::new(|| embedded(include_bytes!("font/DejaVuSans-Bold.ttf")));

#[expect(clippy::expect_used, reason = "the bytes are part of the program, and a test reads them")]
fn embedded(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the embedded font is a font: a test loads it")
}

fn face(weight: Weight) -> &'static FontRef<'static> {
    match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    }
}

/// Returns the scale at which one em is `size` pixels, as in CSS; `ab_glyph` uses the line height
/// instead.
fn scale(font: &FontRef<'static>, size: f32) -> PxScale {
    let units = font.units_per_em().unwrap_or(2048.0);
    PxScale::from(size * font.height_unscaled() / units)
}

/// Height of capital letters above the baseline, in ems.
pub const CAP_HEIGHT: f32 = 0.73;

/// Distance of two baselines, in ems.
pub const LINE_HEIGHT: f32 = 1.3;

/// First of the full-width characters: radicals, kana, Han.
const SQUARE_FROM: char = '\u{2e80}';

/// Returns the width of one line of text in pixels.
pub fn width(text: &str, size: f32, weight: Weight) -> f32 {
    let font = face(weight);
    let scaled = font.as_scaled(scale(font, size));
    let width = |c: char| match font.glyph_id(c) {
        id if id.0 == 0 && c >= SQUARE_FROM => size,
        id => scaled.h_advance(id),
    };
    text.chars().map(width).sum()
}

/// Wraps text at spaces so that no line is wider than `max_width`; longer words are cut. Line breaks
/// in the text are kept.
pub fn wrap(text: &str, size: f32, weight: Weight, max_width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in words(paragraph) {
            let longer = if line.is_empty() { word.to_string() } else { format!("{line} {word}") };
            if width(&longer, size, weight) <= max_width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for letter in word.chars() {
                if !line.is_empty() && width(&format!("{line}{letter}"), size, weight) > max_width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(letter);
            }
        }
        lines.push(line);
    }
    lines
}

/// Returns the words between which a line may end: a percent sign stays with its number.
fn words(paragraph: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match words.last_mut().filter(|_| word.starts_with('%')) {
            Some(last) => *last = format!("{last} {word}"),
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// Calls `paint(dx, dy, coverage)` for every pixel that the text touches; (0, 0) is the start of the
/// baseline, `coverage` the covered share of the pixel, 0…1.
pub(crate) fn rasterize(
    text: &str,
    size: f32,
    weight: Weight,
    mut paint: impl FnMut(i32, i32, f32),
) {
    let font = face(weight);
    let scale = scale(font, size);
    let scaled = font.as_scaled(scale);
    let mut x = 0.0;
    for letter in text.chars() {
        let id = font.glyph_id(letter);
        let glyph = id.with_scale_and_position(scale, ab_glyph::point(x, 0.0));
        x += scaled.h_advance(id);
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|gx, gy, coverage| {
            paint(corner.x as i32 + gx as i32, corner.y as i32 + gy as i32, coverage.min(1.0));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_every_sign_that_labels_use() {
        for weight in [Weight::Regular, Weight::Bold] {
            for letter in "AZaz09äéαβγσμλΣ±×≤≥≈·…–−°→↑↓✓✗⁻³²∇∂".chars()
            {
                assert_ne!(face(weight).glyph_id(letter).0, 0, "no glyph for {letter}");
            }
        }
    }

    #[test]
    fn wraps_at_spaces_and_cuts_long_words() {
        let lines =
            wrap("one two three aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 12.0, Weight::Regular, 60.0);
        assert!(lines.len() > 3 && lines[0] == "one two", "{lines:?}");
        assert!(lines.iter().all(|l| width(l, 12.0, Weight::Regular) <= 60.0));
        assert_eq!(wrap("", 12.0, Weight::Regular, 60.0).len(), 0);
        let narrow = wrap("about 100 % of it", 12.0, Weight::Regular, 40.0);
        assert!(narrow.iter().all(|line| !line.starts_with('%')), "{narrow:?}");
    }

    #[test]
    fn em_is_the_size() {
        // A digit of DejaVu Sans is 1303/2048 em wide.
        assert!((width("0", 20.48, Weight::Regular) - 13.03).abs() < 0.02);
        assert_eq!(width("高兴", 12.0, Weight::Regular), 24.0);
    }
}
