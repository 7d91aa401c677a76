//! Decodes BMP files.

use zune_bmp::BmpDecoder;
use zune_bmp::zune_core::bytestream::ZCursor;
use zune_bmp::zune_core::colorspace::ColorSpace;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::samples::{Samples, check_size, from_rgb};

/// Decodes a BMP file into 1 or 3 samples per pixel.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_bmp(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e| format!("damaged BMP ({e:?}); expected a whole one");
    let mut decoder = BmpDecoder::new(ZCursor::new(bytes));
    decoder.decode_headers().map_err(fail)?;
    let (width, height) = decoder.dimensions().ok_or("found a BMP without a size")?;
    check_size(width, height)?;
    let has_alpha = match decoder.colorspace() {
        Some(ColorSpace::RGBA) => true,
        Some(ColorSpace::RGB) => false,
        other => return Err(format!("found a BMP with the colours {other:?}; expected RGB")),
    };
    let pixels = decoder.decode().map_err(fail)?;
    if pixels.len() != width * height * if has_alpha { 4 } else { 3 } {
        return Err(format!("damaged BMP: {} samples for {width} x {height}", pixels.len()));
    }
    let samples = from_rgb(pixels, has_alpha, channels);
    let orientation = Orientation::UPRIGHT;
    Ok(Samples { width, height, channels, samples, orientation, warning: None })
}
