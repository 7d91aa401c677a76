//! Decodes PNG files.

use std::io::Cursor;

use flate2::{Decompress, FlushDecompress, Status};
use png::{ColorType, InterlaceInfo, Transformations};

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::format::PNG_MAGIC;
use crate::dataset::image::samples::{ANIMATION, Samples, check_size, damaged, on_white, to_luma};
use crate::limits::MAX_PIXELS;

/// Decodes a PNG file into 1 or 3 samples per pixel; of an animation the first frame. A file with a wrong checksum around the pixels, or
/// without an end behind them, is read with a warning if the pixels agree with their own checksum.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_png(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    decode_checked(bytes, channels, Check::File).or_else(|error| {
        if !has_whole_pixels(bytes) {
            return Err(error);
        }
        let samples = decode_checked(bytes, channels, Check::Pixels).map_err(|_| error.clone())?;
        let found = error.split(';').next().unwrap_or_default();
        let warning = Some(format!("{found}; read all the same, because its pixels are whole"));
        Ok(Samples { warning, ..samples })
    })
}

/// Parts of a PNG file that must be undamaged.
#[derive(Clone, Copy, PartialEq)]
enum Check {
    /// Every chunk that a decoder needs, to the end of the file.
    File,
    /// Nothing but the rows, whose checksum was verified.
    Pixels,
}

fn decode_checked(bytes: &[u8], channels: usize, check: Check) -> Result<Samples, String> {
    let fail = |e: png::DecodingError| {
        let text = e.to_string();
        let short = text.split(" while decoding ChunkType").next().unwrap_or_default();
        damaged("PNG", short)
    };
    let mut options = png::DecodeOptions::default();
    options.set_ignore_crc(check == Check::Pixels);
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = png::Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(png::Limits { bytes: MAX_PIXELS });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let info = decoder.read_header_info().map_err(fail)?;
    let (width, height) = (info.width as usize, info.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(fail)?;
    let color = reader.output_color_type().0;
    let mut samples = vec![0; width * height * channels];
    let stride = width * channels;
    let (mut next_row, mut missing_rows) = (0, rows_in_file(reader.info()));
    let mut line = Vec::with_capacity(3 * width);
    let may_end = |e: &png::DecodingError| {
        check == Check::Pixels && matches!(e, png::DecodingError::IoError(_))
    };
    loop {
        let row = match reader.next_interlaced_row() {
            Ok(Some(row)) => row,
            Err(e) if missing_rows > 0 || !may_end(&e) => return Err(fail(e)),
            _ => break,
        };
        missing_rows = missing_rows.saturating_sub(1);
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
    reader.finish().or_else(|e| if may_end(&e) { Ok(()) } else { Err(fail(e)) })?;
    // Read last, because the chunk may follow the pixels.
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.map_or(Orientation::UPRIGHT, Orientation::from_exif);
    let frames = reader.info().animation_control.map_or(1, |animation| animation.num_frames);
    let warning = (frames > 1).then(|| ANIMATION.into());
    Ok(Samples { width, height, channels, samples, orientation, warning })
}

/// Whether the compressed pixels are all there and agree with the checksum at their end.
fn has_whole_pixels(bytes: &[u8]) -> bool {
    let (mut pixels, mut at) = (Vec::new(), PNG_MAGIC.len());
    while let Some((length, rest)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk()) {
        let length = u32::from_be_bytes(*length) as usize;
        if let Some(body) = rest.strip_prefix(b"IDAT") {
            pixels.extend_from_slice(&body[..length.min(body.len())]);
        }
        at += 12 + length; // its length, kind and checksum
    }
    let (mut zlib, mut rows) = (Decompress::new(true), vec![0; 1 << 16]);
    let most = 9 * MAX_PIXELS as u64; // 16 bits for each of four samples, and the filters
    loop {
        let before = (zlib.total_in(), zlib.total_out());
        let rest = &pixels[before.0 as usize..];
        match zlib.decompress(rest, &mut rows, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return true,
            Ok(_) if before != (zlib.total_in(), zlib.total_out()) && before.1 < most => {}
            _ => return false,
        }
    }
}

/// Returns the number of rows that a file holds: those of the picture, or of the seven passes of Adam7.
fn rows_in_file(info: &png::Info) -> usize {
    let (width, height) = (info.width as usize, info.height as usize);
    // First column, first row and step between rows of each pass.
    const PASSES: [[usize; 3]; 7] =
        [[0, 0, 8], [4, 0, 8], [0, 4, 8], [2, 0, 4], [0, 2, 4], [1, 0, 2], [0, 1, 2]];
    let rows = |&[x, y, step]: &[usize; 3]| match x < width {
        true => height.saturating_sub(y).div_ceil(step),
        false => 0,
    };
    if info.interlaced { PASSES.iter().map(rows).sum() } else { height }
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
