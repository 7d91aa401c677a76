//! Decodes PNG files.

use std::io::Cursor;

use png::{ColorType, InterlaceInfo, Transformations};

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::samples::{MAX_PIXELS, Samples, check_size, to_luma};

/// Decodes a PNG file into 1 or 3 samples per pixel.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_png(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e: png::DecodingError| format!("damaged PNG ({e}); expected a whole one");
    let limits = png::Limits { bytes: MAX_PIXELS };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let info = decoder.read_header_info().map_err(fail)?;
    let (width, height) = (info.width as usize, info.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(fail)?;
    let color = reader.output_color_type().0;
    let mut samples = vec![0; width * height * channels];
    let stride = width * channels;
    let mut next_row = 0;
    let mut line = Vec::with_capacity(3 * width);
    while let Some(row) = reader.next_interlaced_row().map_err(fail)? {
        line.clear();
        color_row(row.data(), color, &mut line);
        if channels == 1 {
            to_luma(&mut line);
        }
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                samples
                    .chunks_exact_mut(stride)
                    .nth(next_row)
                    .ok_or("too many rows")?
                    .copy_from_slice(line.get(..stride).ok_or("a short row")?);
                next_row += 1;
            }
            InterlaceInfo::Adam7(pass) => {
                png::expand_interlaced_row(&mut samples, stride, &line, pass, 8 * channels as u8);
            }
        }
    }
    reader.finish().map_err(fail)?;
    // Read last, because the chunk may follow the pixels.
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.map_or(Orientation::UPRIGHT, Orientation::from_exif);
    Ok(Samples { width, height, channels, samples, orientation })
}

/// Converts one row of 8-bit samples to red, green and blue, in front of white.
fn color_row(row: &[u8], color: ColorType, out: &mut Vec<u8>) {
    match color {
        ColorType::Grayscale | ColorType::Indexed => out.extend(row.iter().flat_map(|&v| [v; 3])),
        ColorType::GrayscaleAlpha => {
            out.extend(row.as_chunks::<2>().0.iter().flat_map(|&[v, a]| [on_white(v, a); 3]));
        }
        ColorType::Rgb => out.extend_from_slice(row),
        ColorType::Rgba => {
            let pixels = row.as_chunks::<4>().0.iter();
            out.extend(pixels.flat_map(|&[r, g, b, a]| [r, g, b].map(|v| on_white(v, a))));
        }
    }
}

/// Blends `value` with opacity `alpha` over white.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
