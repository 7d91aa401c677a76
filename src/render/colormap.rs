//! Numbers to colours: maps of magnitudes, maps of signs, overlays, scale bars.

use crate::Result;
use crate::render::Scene;
use crate::render::format::engineering;
use crate::render::image::{check_len, mix};
use crate::render::scene::{Align, Anchor, TextStyle};
use crate::render::theme::Palette;
use crate::render::{Rgb, RgbImage};

/// How numbers become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colormap {
    /// Magnitudes, black through purple and red to pale yellow; even steps look even.
    Magma,
    /// Magnitudes, black through red to bright yellow.
    Inferno,
    /// Magnitudes, violet through green to yellow.
    Viridis,
    /// Magnitudes, white to dark blue, for print.
    Blues,
    /// Signs: blue below 0, white at 0, red above.
    BlueRed,
    /// Magnitudes, black to white.
    Gray,
}

/// The colour of a number that is none (NaN): not in any of the maps.
pub const NAN_COLOR: Rgb = [0, 200, 0];

impl Colormap {
    /// The colour of `t`: 0…1 for magnitudes, −1…1 for signs; clipped, NaN is [`NAN_COLOR`].
    pub fn color(self, t: f32) -> Rgb {
        if t.is_nan() {
            return NAN_COLOR;
        }
        let unit = t.clamp(0.0, 1.0) as f64;
        let color = match self {
            Colormap::Magma => colorous::MAGMA.eval_continuous(unit),
            Colormap::Inferno => colorous::INFERNO.eval_continuous(unit),
            Colormap::Viridis => colorous::VIRIDIS.eval_continuous(unit),
            Colormap::Blues => return blues(unit),
            Colormap::BlueRed => return blue_red(t.clamp(-1.0, 1.0)),
            Colormap::Gray => return [(unit * 255.0).round() as u8; 3],
        };
        color.as_array()
    }

    /// True where the map shows signs.
    pub fn is_signed(self) -> bool {
        self == Colormap::BlueRed
    }
}

/// ColorBrewer's blues, raised so that 0 is pure white.
fn blues(t: f64) -> Rgb {
    whiten(colorous::BLUES.eval_continuous(t).as_array(), colorous::BLUES.eval_continuous(0.0), t)
}

/// ColorBrewer's red–blue turned round, raised so that 0 is pure white.
fn blue_red(t: f32) -> Rgb {
    let gradient = colorous::RED_BLUE;
    let color = gradient.eval_continuous(0.5 - t as f64 / 2.0).as_array();
    whiten(color, gradient.eval_continuous(0.5), t.abs() as f64)
}

/// Adds what `center` lacks to white, all of it at 0 and none at 1.
fn whiten(color: Rgb, center: colorous::Color, t: f64) -> Rgb {
    let center = center.as_array();
    std::array::from_fn(|i| {
        let lift = (255 - center[i]) as f64 * (1.0 - t);
        (color[i] as f64 + lift).round().min(255.0) as u8
    })
}

/// What the strongest colour stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Magnitude shown with the strongest colour; larger ones are clipped to it.
    pub clip: f32,
    /// Largest magnitude of all.
    pub max: f32,
}

impl Scale {
    /// Clips at the 99th percentile of the magnitudes (linear interpolation, as NumPy), so that
    /// one hot pixel does not turn the rest black. Numbers that are not finite are left out; of
    /// none, or of zeros only, the scale is 0. Where more than 99 % are 0, clips at the maximum.
    pub fn percentile99(values: &[f32]) -> Self {
        let mut sizes: Vec<f32> =
            values.iter().map(|v| v.abs()).filter(|v| v.is_finite()).collect();
        sizes.sort_by(f32::total_cmp);
        let Some(&max) = sizes.last() else { return Scale { clip: 0.0, max: 0.0 } };
        let at = 0.99 * (sizes.len() - 1) as f32;
        let (low, high) = (sizes[at as usize], sizes[at.ceil() as usize]);
        let clip = low + (high - low) * at.fract();
        Scale { clip: if clip > 0.0 { clip } else { max }, max }
    }

    /// Clips nowhere.
    pub fn maximum(values: &[f32]) -> Self {
        let sizes = values.iter().map(|v| v.abs()).filter(|v| v.is_finite());
        let max = sizes.fold(0.0, f32::max);
        Scale { clip: max, max }
    }

    /// The scale that serves all of `scales`, for maps to be compared with each other.
    pub fn common(scales: &[Scale]) -> Self {
        let largest = |pick: fn(&Scale) -> f32| scales.iter().map(pick).fold(0.0, f32::max);
        Scale { clip: largest(|s| s.clip), max: largest(|s| s.max) }
    }

    /// `value` as a part of the clip; 0 where the scale is 0.
    pub fn part(&self, value: f32) -> f32 {
        if self.clip > 0.0 || value.is_nan() { value / self.clip } else { 0.0 }
    }
}

/// Draws a map, `values[y * width + x]`.
///
/// **Errors**: [`crate::Error::Shape`] where the length is not `width * height`.
pub fn draw_map(
    values: &[f32],
    width: usize,
    height: usize,
    colormap: Colormap,
    scale: Scale,
) -> Result<RgbImage> {
    check_len("draw_map", values.len(), width, height)?;
    let color = |v: f32| {
        let part = scale.part(v);
        colormap.color(if colormap.is_signed() { part } else { part.abs() })
    };
    Ok(RgbImage::from_fn(width, height, |x, y| color(values[y * width + x])))
}

/// Lays a map over a picture: the stronger the number, the less of the picture shows through
/// (at most 80 % are hidden).
///
/// **Errors**: [`crate::Error::Shape`] where map and picture differ in size.
pub fn overlay(
    face: &RgbImage,
    values: &[f32],
    colormap: Colormap,
    scale: Scale,
) -> Result<RgbImage> {
    let (width, height) = (face.width(), face.height());
    check_len("overlay", values.len(), width, height)?;
    let map = draw_map(values, width, height, colormap, scale)?;
    Ok(RgbImage::from_fn(width, height, |x, y| {
        let strength = scale.part(values[y * width + x]).abs();
        // The square root lets middling evidence be seen; NaN hides most.
        let alpha = if strength.is_nan() { 0.8 } else { 0.8 * strength.min(1.0).sqrt() };
        mix(face.at(x, y), map.at(x, y), alpha)
    }))
}

/// What stands at the ends of a scale bar.
#[derive(Clone, Copy, Debug)]
pub enum BarEnds {
    /// The numbers of the one scale.
    Numbers(Scale),
    /// Every map, or row, has a scale that ends at the 99th percentile of its magnitudes.
    Percentile99(&'static str),
    /// Every map, or row, has a scale that ends at its largest magnitude.
    Maximum(&'static str),
}

/// What colours mean: a strip of the map with its ends in numbers and the raw maximum.
#[derive(Clone, Debug)]
pub struct ScaleBar {
    /// The colours.
    pub colormap: Colormap,
    /// What stands at its ends.
    pub ends: BarEnds,
    /// What is measured, with unit.
    pub label: String,
}

impl ScaleBar {
    const STRIP: (f32, f32) = (150.0, 12.0);
    const SIZE: f32 = 12.0;

    /// The words at the left end, the right end, and after the label.
    fn words(&self) -> (String, String, String) {
        let (end, clipped, note) = match self.ends {
            BarEnds::Numbers(scale) => {
                let note = format!("raw max {}", engineering(scale.max as f64));
                (engineering(scale.clip as f64), scale.max > scale.clip, note)
            }
            BarEnds::Percentile99(each) => {
                ("99th percentile".into(), true, format!("each {each} on its own scale"))
            }
            BarEnds::Maximum(each) => {
                ("max".into(), false, format!("each {each} on its own scale"))
            }
        };
        let (below, above) = if clipped { ("≤ ", "≥ ") } else { ("", "") };
        let left = match self.colormap.is_signed() {
            true => format!("{below}−{end}"),
            false => "0".into(),
        };
        (left, format!("{above}{end}"), note)
    }

    /// Width and height that [`ScaleBar::draw`] takes.
    pub fn size(&self) -> (f32, f32) {
        let style = TextStyle::new(Self::SIZE, [0; 3]);
        let (left, right, note) = self.words();
        let below = style.width(&left) + style.width(&right) + 16.0;
        let above = style.bold().width(&self.label) + style.width(&note) + 10.0;
        (below.max(above).max(Self::STRIP.0), 2.0 * style.line_height() + Self::STRIP.1 + 4.0)
    }

    /// Draws the bar with its top left corner at (`x`, `y`).
    pub fn draw(&self, scene: &mut Scene, x: f32, y: f32, palette: &Palette) {
        let style = TextStyle::new(Self::SIZE, palette.muted).anchor(Anchor::Top);
        let (left, right, note) = self.words();
        let width = self.size().0;
        let bold = TextStyle { color: palette.ink, ..style.bold() };
        scene.text(x, y, self.label.as_str(), bold);
        scene.text(x + bold.width(&self.label) + 10.0, y, note, style);
        let strip = RgbImage::from_fn(128, 1, |i, _| {
            let t = i as f32 / 127.0;
            self.colormap.color(if self.colormap.is_signed() { 2.0 * t - 1.0 } else { t })
        });
        let top = y + style.line_height();
        scene.picture(strip, (x, top), (width, Self::STRIP.1), true);
        scene.frame(x, top, width, Self::STRIP.1, 1.0, palette.axis);
        let below = top + Self::STRIP.1 + 5.0;
        scene.text(x, below, left, style);
        scene.text(x + width, below, right, style.align(Align::End));
        if self.colormap.is_signed() {
            scene.text(x + width / 2.0, below, "0", style.align(Align::Middle));
        }
    }
}
