//! The decoded samples of an image file, and the limits that all decoders keep.

use crate::dataset::image::exif::Orientation;
#[cfg(feature = "images")]
use crate::limits::{MAX_PIXELS, MAX_SIDE};

/// The samples of an image file, before its orientation is applied.
pub(super) struct Samples {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Samples per pixel: 1 for gray, 3 for red, green and blue.
    pub channels: usize,
    /// `[height, width, channels]`, row-major.
    pub samples: Vec<u8>,
    /// Rotation or reflection that turns the image upright.
    pub orientation: Orientation,
    /// Damage that does not concern the pixels, or that there are more frames.
    pub warning: Option<String>,
}

/// What is said of a file with several frames.
#[cfg(feature = "images")]
pub(super) const ANIMATION: &str = "an animation; its first frame is read";

/// Returns what is said of a damaged file, in one line of plain text; `why` is what its decoder says.
#[cfg(feature = "images")]
pub(super) fn damaged(format: &str, why: &str) -> String {
    let mut text = why.replace("\\n", " ").replace(char::is_control, " ");
    // As the crate png prints the name of a chunk.
    while let Some((before, rest)) = text.split_once("ChunkType { type: ") {
        let (name, after) = rest.split_once(',').unwrap_or((rest, ""));
        let after = after.split_once('}').map_or("", |(_, after)| after);
        text = format!("{before}{name}{after}");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let text = text.trim_matches('"').trim();
    format!(
        "damaged {format} ({text}); expected a whole one: copy or download it anew, or save it as another format"
    )
}

/// Refuses sizes that would need too much memory.
#[cfg(feature = "images")]
pub(super) fn check_size(width: usize, height: usize) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("found a picture of {width} x {height}; expected at least 1 x 1"));
    }
    if width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS {
        return Err(format!(
            "found a picture of {width} x {height}; expected sides up to {MAX_SIDE} and at most \
             {MAX_PIXELS} pixels: shrink it"
        ));
    }
    Ok(())
}

/// Returns 1 or 3 samples per pixel from red, green, blue and, where `has_alpha`, the opacity over white.
#[cfg(feature = "images")]
pub(super) fn from_rgb(mut pixels: Vec<u8>, has_alpha: bool, channels: usize) -> Vec<u8> {
    if has_alpha {
        for i in 0..pixels.len() / 4 {
            for color in 0..3 {
                pixels[3 * i + color] = on_white(pixels[4 * i + color], pixels[4 * i + 3]);
            }
        }
        pixels.truncate(pixels.len() / 4 * 3);
    }
    if channels == 1 {
        to_luma(&mut pixels);
        pixels.shrink_to_fit();
    }
    pixels
}

/// Blends `value` with opacity `alpha` over white.
#[cfg(feature = "images")]
pub(super) fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Converts red, green and blue to gray, in place.
#[cfg(feature = "images")]
pub(super) fn to_luma(samples: &mut Vec<u8>) {
    let pixels = samples.len() / 3;
    for i in 0..pixels {
        samples[i] = luma(&[samples[3 * i], samples[3 * i + 1], samples[3 * i + 2]]);
    }
    samples.truncate(pixels);
}

/// Returns the Rec. 601 luma in 16-bit fixed point. The weights add up to 65,536, so gray stays
/// exactly the same gray.
#[cfg(feature = "images")]
fn luma(&[r, g, b]: &[u8; 3]) -> u8 {
    let sum = 19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b);
    ((sum + (1 << 15)) >> 16) as u8
}
