//! PNG and JPEG files to 8-bit samples. What a picture needs is known from its header and refused
//! there if it is too much, before any of it is allocated.

use std::io::Cursor;

use png::{ColorType, InterlaceInfo, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::picture::{MAX_PIXELS, MAX_SIDE, Samples};

/// Most memory a JPEG may need while it is decoded: 29 megapixels of a progressive one, which is
/// kept whole as coefficients.
const MAX_JPEG_WORK: usize = 256 << 20;

/// Refuses sizes that would need too much memory.
fn check_size(width: usize, height: usize) -> Result<(), String> {
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

/// Rec. 601 luma in 16-bit fixed point; gray stays gray exactly (the weights add up to 65,536).
fn luma(&[r, g, b]: &[u8; 3]) -> u8 {
    let sum = 19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b);
    ((sum + (1 << 15)) >> 16) as u8
}

/// `value` with opacity `alpha` in front of white.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Decodes a PNG into 1 or 3 samples a pixel; errors are messages.
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
    // Asked last: the chunk may stand behind the pixels.
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.map_or(Orientation::UPRIGHT, Orientation::from_exif);
    Ok(Samples { width, height, channels, samples, orientation })
}

/// One row of 8-bit samples to red, green and blue on white.
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

/// Red, green and blue to gray, in place.
fn to_luma(samples: &mut Vec<u8>) {
    let pixels = samples.len() / 3;
    for i in 0..pixels {
        samples[i] = luma(&[samples[3 * i], samples[3 * i + 1], samples[3 * i + 2]]);
    }
    samples.truncate(pixels);
}

/// Decodes a JPEG into 1 or 3 samples a pixel, always 1 if it is gray; errors are messages.
pub fn decode_jpeg(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e: zune_jpeg::errors::DecodeErrors| {
        format!("damaged JPEG ({e:?}); expected a whole baseline or progressive one")
    };
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .set_strict_mode(true);
    let mut header = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    header.decode_headers().map_err(fail)?;
    let info = header.info().ok_or("JPEG without a size")?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width, height)?;
    let wanted = match header.input_colorspace() {
        Some(ColorSpace::Luma) => ColorSpace::Luma,
        Some(ColorSpace::YCbCr) if channels == 1 => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    let components = usize::from(info.components);
    let whole =
        info.sof.is_progressive() || components == 4 || components_of_scan(bytes) != components;
    let work = width * height * bytes_a_pixel(wanted, components, whole);
    if work > MAX_JPEG_WORK {
        return Err(format!(
            "found a JPEG of {width} x {height} that needs {work} bytes; expected at most \
             {MAX_JPEG_WORK}: shrink it, or save it as a baseline JPEG"
        ));
    }
    let orientation =
        header.exif().map_or(Orientation::UPRIGHT, |block| Orientation::from_exif(block));
    let options = options.jpeg_set_out_colorspace(wanted);
    let mut samples =
        JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(fail)?;
    if wanted == ColorSpace::RGB && channels == 1 {
        to_luma(&mut samples);
        samples.shrink_to_fit();
    }
    let channels = if wanted == ColorSpace::Luma { 1 } else { channels };
    if samples.len() != width * height * channels {
        return Err(format!("damaged JPEG: {} samples for {width} x {height}", samples.len()));
    }
    Ok(Samples { width, height, channels, samples, orientation })
}

/// Memory of the decoder: the samples; two bytes a coefficient where these are kept; and a third more
/// of them where gray is taken out of colour, because the library may double the rows then.
fn bytes_a_pixel(wanted: ColorSpace, components: usize, whole: bool) -> usize {
    let doubled = wanted == ColorSpace::Luma && components > 1;
    let coefficients = 2 * components + if doubled { 2 } else { 0 };
    wanted.num_components() + if whole { coefficients } else { 0 }
}

/// How many components the first scan of a JPEG holds; 0 if its headers are not as they should be.
///
/// The library keeps a picture whole if not all components are in there, and does not say so.
fn components_of_scan(bytes: &[u8]) -> usize {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low, first]) = bytes.get(at..at + 5) {
        match marker {
            0xff => at += 1, // a fill byte
            0xda => return usize::from(first),
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    0
}
