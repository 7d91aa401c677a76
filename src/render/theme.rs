//! Colours of charts and pages in a light and a dark theme, distinguishable for colour-blind readers and
//! in print.

use crate::render::Rgb;

/// Colour theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Light theme: dark text on white.
    #[default]
    Light,
    /// Dark theme: light text on near-black.
    Dark,
}

/// The colours of a theme.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Background.
    pub ground: Rgb,
    /// Titles and labels.
    pub ink: Rgb,
    /// Captions, tick labels.
    pub muted: Rgb,
    /// Axes and frames.
    pub axis: Rgb,
    /// Grid lines.
    pub grid: Rgb,
    /// Correct, passed, better.
    pub good: Rgb,
    /// Wrong, failed, worse.
    pub bad: Rgb,
    /// Series in order of use: the hues of Okabe and Ito, darkened or lightened for the background.
    pub series: [Rgb; 7],
}

impl Theme {
    /// Returns the colours.
    pub fn palette(self) -> Palette {
        match self {
            Theme::Light => Palette {
                ground: [255, 255, 255],
                ink: [28, 32, 38],
                muted: [90, 97, 107],
                axis: [138, 145, 155],
                grid: [229, 232, 236],
                good: [0, 120, 84],
                bad: [190, 60, 0],
                series: [
                    [0, 101, 168],
                    [207, 84, 0],
                    [0, 142, 104],
                    [178, 92, 144],
                    [196, 138, 0],
                    [52, 150, 205],
                    [80, 80, 80],
                ],
            },
            Theme::Dark => Palette {
                ground: [21, 24, 30],
                ink: [236, 239, 243],
                muted: [165, 173, 184],
                axis: [104, 112, 124],
                grid: [47, 53, 62],
                good: [68, 207, 160],
                bad: [255, 140, 84],
                series: [
                    [92, 180, 245],
                    [255, 146, 74],
                    [58, 206, 158],
                    [230, 154, 202],
                    [240, 200, 70],
                    [168, 214, 255],
                    [190, 190, 190],
                ],
            },
        }
    }
}

impl Palette {
    /// Returns the colour of series `i`; repeats after the seventh.
    pub fn series(&self, i: usize) -> Rgb {
        self.series[i % self.series.len()]
    }
}

/// Returns the relative luminance of WCAG 2, 0 (black) … 1 (white).
pub fn luminance(color: Rgb) -> f32 {
    let linear = color.map(|c| {
        let c = c as f32 / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// Returns the contrast ratio of WCAG 2, 1…21; small text needs at least 4.5.
pub fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Returns white or black, whichever has the higher contrast to `ground`.
pub fn readable_on(ground: Rgb) -> Rgb {
    let (white, black) = ([255; 3], [0; 3]);
    if contrast(white, ground) >= contrast(black, ground) { white } else { black }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_of_black_and_white_is_21() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-3);
        assert_eq!(contrast([9, 99, 200], [9, 99, 200]), 1.0);
    }

    #[test]
    fn text_and_series_are_readable_in_both_themes() {
        for theme in [Theme::Light, Theme::Dark] {
            let p = theme.palette();
            for text in [p.ink, p.muted, p.good, p.bad] {
                assert!(contrast(text, p.ground) >= 4.5, "{theme:?} {text:?}");
            }
            for series in p.series {
                assert!(contrast(series, p.ground) >= 2.9, "{theme:?} {series:?}");
            }
        }
    }
}
