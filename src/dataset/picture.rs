//! PNG and JPEG pictures to gray, within bounded memory; the format follows from the content.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use png::{ColorType, InterlaceInfo, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::exif::Orientation;
use super::read::require_file;
use super::resize::resize;
use crate::{Error, Result, SIDE};

/// Longest side, in pixels.
pub const MAX_SIDE: usize = 8_192;

/// Most pixels of a picture, and most bytes of its file.
pub const MAX_BYTES: usize = 32 << 20;

/// Most memory a JPEG may need while it is decoded.
const MAX_JPEG_WORK: usize = 96 << 20;

const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_MAGIC: &[u8] = b"\xff\xd8\xff";

/// A gray picture of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width]`, row-major; 0 black, 255 white.
    pub gray: Vec<u8>,
}

impl Picture {
    /// The square of `side` pixels whose top left corner is (x, y), cut where the picture ends.
    /// `None` if nothing of it lies inside.
    pub fn crop(&self, x: usize, y: usize, side: usize) -> Option<Picture> {
        let width = side.min(self.width.checked_sub(x)?);
        let height = side.min(self.height.checked_sub(y)?);
        if width == 0 || height == 0 {
            return None;
        }
        let rows = self.gray.chunks_exact(self.width).skip(y).take(height);
        let gray = rows.flat_map(|row| &row[x..x + width]).copied().collect();
        Some(Picture { width, height, gray })
    }

    /// The largest centred square, scaled to 48×48. A picture of that size stays as it is.
    pub fn to_face(&self) -> Vec<u8> {
        let side = self.width.min(self.height);
        let (x, y) = ((self.width - side) / 2, (self.height - side) / 2);
        match self.crop(x, y, side) {
            Some(square) => resize(&square.gray, square.width, square.height, SIDE, SIDE),
            None => vec![0; SIDE * SIDE],
        }
    }
}

/// True if these first bytes of a file are a picture's.
pub fn is_picture(head: &[u8]) -> bool {
    head.starts_with(PNG_MAGIC) || head.starts_with(JPEG_MAGIC)
}

/// Reads a PNG or JPEG file.
///
/// # Errors
/// [`Error::Data`] if it is no such picture, is damaged or too large; [`Error::Io`] if the system
/// refuses it.
pub fn read_picture(path: &Path) -> Result<Picture> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    require_file(path, &metadata)?;
    let file = File::open(path).map_err(Error::io(path))?;
    decode(&read_bounded(file, path)?, path)
}

/// Reads at most [`MAX_BYTES`].
pub(crate) fn read_bounded(stream: impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::data(
            path,
            format!("found a picture file of more than {MAX_BYTES} bytes; save it smaller"),
        ));
    }
    Ok(bytes)
}

/// Decodes a PNG or JPEG in memory; `path` is for messages.
///
/// Colour becomes luma (.299 R + .587 G + .114 B), transparency is laid on white, 16 bits keep
/// their upper 8, EXIF orientation is applied.
///
/// # Errors
/// [`Error::Data`] as [`read_picture`].
pub fn decode(bytes: &[u8], path: &Path) -> Result<Picture> {
    let result = if bytes.is_empty() {
        Err("the file is empty; expected a PNG or JPEG picture".to_string())
    } else if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes)
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg(bytes)
    } else {
        Err("found neither PNG nor JPEG data; expected one of them: convert the picture".into())
    };
    result.map_err(|message| Error::data(path, message))
}

/// Refuses sizes that would need too much memory, before any of it is allocated.
fn check_size(width: usize, height: usize) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("found a picture of {width} x {height}; expected at least 1 x 1"));
    }
    if width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_BYTES {
        return Err(format!(
            "found a picture of {width} x {height}; expected sides up to {MAX_SIDE} and at most \
             {MAX_BYTES} pixels: shrink it"
        ));
    }
    Ok(())
}

/// Rec. 601 luma in 16-bit fixed point; gray stays gray exactly (the weights add up to 65,536).
fn luma(r: u8, g: u8, b: u8) -> u8 {
    let sum = 19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b);
    ((sum + (1 << 15)) >> 16) as u8
}

/// `value` with opacity `alpha` in front of white.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

fn decode_png(bytes: &[u8]) -> Result<Picture, String> {
    let fail = |e: png::DecodingError| format!("damaged PNG ({e}); expected a whole one");
    let limits = png::Limits { bytes: MAX_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let info = decoder.read_header_info().map_err(fail)?;
    let (width, height) = (info.width as usize, info.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(fail)?;
    let color = reader.output_color_type().0;
    let mut gray = vec![0; width * height];
    let mut next_row = 0;
    let mut line = Vec::with_capacity(width);
    while let Some(row) = reader.next_interlaced_row().map_err(fail)? {
        line.clear();
        gray_row(row.data(), color, &mut line);
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                gray.chunks_exact_mut(width)
                    .nth(next_row)
                    .ok_or("too many rows")?
                    .copy_from_slice(line.get(..width).ok_or("a short row")?);
                next_row += 1;
            }
            InterlaceInfo::Adam7(pass) => {
                png::expand_interlaced_row(&mut gray, width, &line, pass, 8);
            }
        }
    }
    reader.finish().map_err(fail)?;
    Ok(Picture { width, height, gray })
}

/// One row of 8-bit samples to gray.
fn gray_row(row: &[u8], color: ColorType, out: &mut Vec<u8>) {
    match color {
        ColorType::Grayscale | ColorType::Indexed => out.extend_from_slice(row),
        ColorType::GrayscaleAlpha => {
            out.extend(row.as_chunks::<2>().0.iter().map(|&[v, a]| on_white(v, a)));
        }
        ColorType::Rgb => out.extend(row.as_chunks::<3>().0.iter().map(|&[r, g, b]| luma(r, g, b))),
        ColorType::Rgba => out
            .extend(row.as_chunks::<4>().0.iter().map(|&[r, g, b, a]| on_white(luma(r, g, b), a))),
    }
}

fn decode_jpeg(bytes: &[u8]) -> Result<Picture, String> {
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
    let has_luma = matches!(header.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma));
    let components = usize::from(info.components);
    let whole_in_memory = info.sof.is_progressive() || components == 4;
    let work = width
        * height
        * (if has_luma { 1 } else { 3 } + if whole_in_memory { 2 * components } else { 0 });
    if work > MAX_JPEG_WORK {
        return Err(format!(
            "found a JPEG of {width} x {height} that needs {work} bytes; expected at most \
             {MAX_JPEG_WORK}: shrink it"
        ));
    }
    let orientation =
        header.exif().map_or(Orientation::UPRIGHT, |block| Orientation::from_exif(block));
    let wanted = if has_luma { ColorSpace::Luma } else { ColorSpace::RGB };
    let options = options.jpeg_set_out_colorspace(wanted);
    let pixels =
        JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(fail)?;
    let gray = if has_luma {
        pixels
    } else {
        pixels.as_chunks::<3>().0.iter().map(|&[r, g, b]| luma(r, g, b)).collect()
    };
    if gray.len() != width * height {
        return Err(format!("damaged JPEG: {} pixels for {width} x {height}", gray.len()));
    }
    let (gray, width, height) = orientation.apply(gray, width, height);
    Ok(Picture { width, height, gray })
}
