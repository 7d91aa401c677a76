//! Decodes GIF files.

use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use std::num::NonZeroU64;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::samples::{ANIMATION, Samples, check_size, damaged, from_rgb};
use crate::limits::MAX_DECODING;

/// Decodes the first frame of a GIF file into 1 or 3 samples per pixel. What the frame leaves free is white.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_gif(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e: gif::DecodingError| damaged("GIF", &e.to_string());
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.set_memory_limit(match NonZeroU64::new(MAX_DECODING as u64) {
        Some(limit) => MemoryLimit::Bytes(limit),
        None => MemoryLimit::Unlimited,
    });
    let mut decoder = options.read_info(bytes).map_err(fail)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check_size(width, height)?;
    let frame = decoder.read_next_frame().map_err(fail)?.ok_or("found a GIF without a picture")?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let mut pixels = vec![255; 4 * width * height];
    let visible = usize::from(frame.width).min(width.saturating_sub(left));
    let rows = frame.buffer.chunks_exact(4 * usize::from(frame.width.max(1)));
    for (y, row) in rows.enumerate().take(height.saturating_sub(top)) {
        let start = 4 * ((top + y) * width + left);
        pixels[start..start + 4 * visible].copy_from_slice(&row[..4 * visible]);
    }
    let is_animated = matches!(decoder.next_frame_info(), Ok(Some(_)));
    Ok(Samples {
        width,
        height,
        channels,
        samples: from_rgb(pixels, true, channels),
        orientation: Orientation::UPRIGHT,
        warning: is_animated.then(|| ANIMATION.into()),
    })
}
