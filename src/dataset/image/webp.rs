//! Decodes WebP files.

use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::samples::{ANIMATION, Samples, check_size, damaged, from_rgb};
use crate::limits::MAX_DECODING;

/// Decodes a WebP file into 1 or 3 samples per pixel; of an animation the first frame.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_webp(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e: image_webp::DecodingError| damaged("WebP", &e.to_string());
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(fail)?;
    decoder.set_memory_limit(MAX_DECODING);
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    let size = decoder.output_buffer_size().ok_or("found a WebP picture that is too large")?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(fail)?;
    let exif = decoder.exif_metadata().ok().flatten();
    Ok(Samples {
        width,
        height,
        channels,
        samples: from_rgb(pixels, decoder.has_alpha(), channels),
        orientation: exif.map_or(Orientation::UPRIGHT, |block| Orientation::from_exif(&block)),
        warning: decoder.is_animated().then(|| ANIMATION.into()),
    })
}
