//! Colour maps: images of magnitudes and of signed values, overlays, scale bars.

use crate::Result;
use crate::render::format::short;
use crate::render::image::{check_len, mix};
use crate::render::scene::{Align, Anchor, TextStyle};
use crate::render::theme::Palette;
use crate::render::{Rgb, RgbImage, Scene};

/// A mapping from numbers to colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colormap {
    /// Magnitudes: black, purple, red, pale yellow; perceptually uniform.
    Magma,
    /// Magnitudes: black, red, bright yellow.
    Inferno,
    /// Magnitudes: violet, green, yellow.
    Viridis,
    /// Magnitudes: white to dark blue, for print.
    Blues,
    /// Signed values: blue below 0, white at 0, red above.
    BlueRed,
}

/// Colour of NaN; no colour map contains it.
pub const NAN_COLOR: Rgb = [0, 200, 0];

impl Colormap {
    /// Returns the colour of `t`, clipped to 0…1 for magnitudes and to −1…1 for signed values.
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
        };
        color.as_array()
    }

    /// Returns whether the map is for signed values.
    pub fn is_signed(self) -> bool {
        self == Colormap::BlueRed
    }
}

/// Returns ColorBrewer's Blues, lightened so that 0 is pure white.
fn blues(t: f64) -> Rgb {
    whiten(colorous::BLUES.eval_continuous(t).as_array(), colorous::BLUES.eval_continuous(0.0), t)
}

/// Returns ColorBrewer's RdBu reversed, lightened so that 0 is pure white.
fn blue_red(t: f32) -> Rgb {
    let gradient = colorous::RED_BLUE;
    let color = gradient.eval_continuous(0.5 - t as f64 / 2.0).as_array();
    whiten(color, gradient.eval_continuous(0.5), t.abs() as f64)
}

/// Lightens a colour by the difference of `center` to white: fully at t = 0, not at all at t = 1.
fn whiten(color: Rgb, center: colorous::Color, t: f64) -> Rgb {
    let center = center.as_array();
    std::array::from_fn(|i| {
        let lift = (255 - center[i]) as f64 * (1.0 - t);
        (color[i] as f64 + lift).round().min(255.0) as u8
    })
}

/// The range of values that a colour map covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Magnitude of the last colour; larger magnitudes are clipped.
    pub clip: f32,
    /// Largest magnitude.
    pub max: f32,
}

impl Scale {
    /// Clips at the 99th percentile of the magnitudes (linear interpolation, as in NumPy), so that one
    /// large value does not darken the rest. Values that are not finite are ignored. If more than 99 %
    /// are 0, clips at the maximum; if all are 0, the scale is 0.
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

    /// Ends at the largest magnitude.
    pub fn maximum(values: &[f32]) -> Self {
        let sizes = values.iter().map(|v| v.abs()).filter(|v| v.is_finite());
        let max = sizes.fold(0.0, f32::max);
        Scale { clip: max, max }
    }

    /// Returns the smallest scale that covers all of `scales`, for maps that are compared.
    pub fn common(scales: &[Scale]) -> Self {
        let largest = |pick: fn(&Scale) -> f32| scales.iter().map(pick).fold(0.0, f32::max);
        Scale { clip: largest(|s| s.clip), max: largest(|s| s.max) }
    }

    /// Returns `value` divided by the clip; 0 if the scale is 0.
    pub fn part(&self, value: f32) -> f32 {
        if self.clip > 0.0 || value.is_nan() { value / self.clip } else { 0.0 }
    }
}

/// Draws a map, `values[y * width + x]`.
///
/// # Errors
/// [`crate::Error::Shape`] if the length is not `width * height`.
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

/// Overlays a map on an image. The opacity grows with the magnitude, up to 80 %.
///
/// # Errors
/// [`crate::Error::Shape`] if map and image differ in size.
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
        // The square root makes medium values visible; NaN is most opaque.
        let alpha = if strength.is_nan() { 0.8 } else { 0.8 * strength.min(1.0).sqrt() };
        mix(face.at(x, y), map.at(x, y), alpha)
    }))
}

/// Labels at the ends of a scale bar.
#[derive(Clone, Copy, Debug)]
pub enum BarEnds {
    /// The numbers of a common scale.
    Numbers(Scale),
    /// Each map, or row, has its own scale, which ends at the 99th percentile of its magnitudes.
    Percentile99(&'static str),
    /// Each map, or row, has its own scale, which ends at its largest magnitude.
    Maximum(&'static str),
}

/// A scale bar: the colours of a map with labels at the ends.
#[derive(Clone, Debug)]
pub struct ScaleBar {
    /// Colour map.
    pub colormap: Colormap,
    /// Labels at the ends.
    pub ends: BarEnds,
    /// Quantity with unit.
    pub label: String,
}

impl ScaleBar {
    const STRIP: (f32, f32) = (150.0, 12.0);
    const SIZE: f32 = 12.0;

    /// Returns the text at the left end, at the right end, and after the label.
    fn words(&self) -> (String, String, String) {
        let (end, clipped, note) = match self.ends {
            BarEnds::Numbers(scale) => {
                let note = format!("max {}", short(scale.max as f64));
                (short(scale.clip as f64), scale.max > scale.clip, note)
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

    /// Returns the width and height of the drawing.
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
