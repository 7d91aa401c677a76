//! The decoded samples of an image file, and the limits that both decoders keep.

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
    /// Damage that does not concern the pixels.
    pub warning: Option<String>,
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
