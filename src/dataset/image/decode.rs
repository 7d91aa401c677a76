//! Decodes PNG and JPEG files into gray or colour images within bounded memory.
//!
//! The size is read from the header, and an image that is too large is refused before memory is
//! allocated for it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::dataset::image::format::{JPEG_MAGIC, PNG_MAGIC, unsupported_image};
use crate::dataset::image::samples::Samples;
use crate::dataset::image::{ColorPlanes, GrayImage};
#[cfg(feature = "images")]
use crate::dataset::image::{jpeg::decode_jpeg, png::decode_png};
use crate::files::require_file;
use crate::{Error, Result};

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
