//! Decodes BMP files.

use zune_bmp::BmpDecoder;
use zune_bmp::zune_core::bytestream::ZCursor;
use zune_bmp::zune_core::colorspace::ColorSpace;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::samples::{Samples, check_size, damaged, from_rgb};

/// Decodes a BMP file into 1 or 3 samples per pixel.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_bmp(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e| damaged("BMP", &format!("{e:?}"));
    if let Some((width, height)) = size_in_header(bytes) {
        check_size(width, height)?; // before the decoder, which has its own limits and words
    }
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
        return Err(damaged("BMP", &format!("{} samples for {width} x {height}", pixels.len())));
    }
    let samples = from_rgb(pixels, has_alpha, channels);
    let orientation = Orientation::UPRIGHT;
    Ok(Samples { width, height, channels, samples, orientation, warning: None })
}

/// Returns width and height; `None` for the old header of 12 bytes, and for a cut one. A picture from the top down has a
/// negative height.
fn size_in_header(bytes: &[u8]) -> Option<(usize, usize)> {
    let word = |at: usize| Some(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let (header, width, height) = (word(14)?, word(18)?, word(22)?);
    (header >= 40 && width > 0).then_some((width as usize, height.unsigned_abs() as usize))
}
