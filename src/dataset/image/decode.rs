//! Decodes PNG and JPEG files into gray or colour images within bounded memory.
//!
//! The size is read from the header, and an image that is too large is refused before memory is
//! allocated for it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::format::{JPEG_MAGIC, PNG_MAGIC, unsupported_image};
use crate::dataset::image::{ColorPlanes, GrayImage};
#[cfg(feature = "images")]
use crate::dataset::image::{jpeg::decode_jpeg, png::decode_png};
use crate::dataset::read::require_file;
use crate::{Error, Result};

/// Longest side of an image, in pixels.
pub const MAX_SIDE: usize = 16_384;

/// Most pixels of an image: 8192×8192.
pub const MAX_PIXELS: usize = 64 << 20;

/// Largest image file, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

/// Reads a PNG or JPEG file.
///
/// # Errors
/// [`Error::Data`] if the file is not a PNG or JPEG image, is damaged or too large; [`Error::Io`] if it
/// cannot be read.
pub fn read_image(path: &Path) -> Result<GrayImage> {
    decode(&read_bytes(path)?, path)
}

/// Reads the bytes of an image file without decoding them.
///
/// # Errors
/// [`Error::Data`] if `path` is not a regular file or the file is too large; [`Error::Io`] if it cannot
/// be read.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    require_file(path, &metadata)?;
    read_bounded(File::open(path).map_err(Error::io(path))?, path)
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

/// Decodes a PNG or JPEG file in memory to gray; `path` is used in messages.
///
/// gray = .299 R + .587 G + .114 B (Rec. 601 luma). Transparent pixels are blended over white, 16-bit
/// samples keep their upper 8 bits, and the EXIF orientation is applied.
///
/// # Errors
/// [`Error::Data`] as for [`read_image`].
pub fn decode(bytes: &[u8], path: &Path) -> Result<GrayImage> {
    let Samples { width, height, samples: gray, orientation, .. } = samples(bytes, path, 1)?;
    Ok(orientation.apply(GrayImage { width, height, gray }))
}

/// Decodes a PNG or JPEG file in memory to colour, shrunk to a longer side of at most `longest` pixels.
///
/// # Errors
/// As [`decode`]. A progressive JPEG may be too large in colour although it is not in gray.
pub fn decode_colors(bytes: &[u8], path: &Path, longest: usize) -> Result<ColorPlanes> {
    let Samples { width, height, channels, samples, orientation } = samples(bytes, path, 3)?;
    let plane = |color: usize| {
        let gray = samples.iter().skip(color % channels).step_by(channels).copied().collect();
        let (small, scale) = GrayImage { width, height, gray }.shrunk(longest);
        (orientation.apply(small), scale) // turning the small plane needs less memory
    };
    let [(red, scale), (green, _), (blue, _)] = [0, 1, 2].map(plane);
    Ok(ColorPlanes { planes: [red, green, blue], scale })
}

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
}

/// Decodes into `channels` (1 gray, 3 colour) samples per pixel.
fn samples(bytes: &[u8], path: &Path, channels: usize) -> Result<Samples> {
    let result = if bytes.is_empty() {
        Err("the file is empty; expected a PNG or JPEG picture".to_string())
    } else if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes, channels)
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg(bytes, channels)
    } else {
        let found = unsupported_image(bytes).map_or(String::new(), |what| format!("{what}, "));
        Err(format!("found {found}neither PNG nor JPEG data; expected one of them: convert it"))
    };
    result.map_err(|message| Error::data(path, message))
}

#[cfg(not(feature = "images"))]
use {no_decoder as decode_jpeg, no_decoder as decode_png};

/// Takes the place of both decoders in a build without the feature `images`.
#[cfg(not(feature = "images"))]
fn no_decoder(_: &[u8], _: usize) -> Result<Samples, String> {
    Err("found a PNG or JPEG picture; this build cannot decode it: enable the feature `images`"
        .into())
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
