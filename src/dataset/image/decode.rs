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
use crate::dataset::image::{guard::guarded, jpeg::decode_jpeg, png::decode_png};
use crate::files::require_file;
use crate::limits::MAX_PICTURE;
use crate::{Error, Result};

/// A decoded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The image, upright.
    pub image: GrayImage,
    /// Damage of the file that does not concern the pixels.
    pub warning: Option<String>,
}

/// Reads a PNG or JPEG file.
///
/// # Errors
/// [`Error::Data`] if the file is not a PNG or JPEG image, is damaged or too large; [`Error::Io`] if it
/// cannot be read.
pub fn read_image(path: &Path) -> Result<Decoded> {
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

/// Reads at most [`MAX_PICTURE`].
pub(crate) fn read_bounded(stream: impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(MAX_PICTURE as u64 + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() > MAX_PICTURE {
        return Err(Error::data(
            path,
            format!("found a picture file of more than {MAX_PICTURE} bytes; save it smaller"),
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
pub fn decode(bytes: &[u8], path: &Path) -> Result<Decoded> {
    let Samples { width, height, samples: gray, orientation, warning, .. } =
        samples(bytes, path, 1)?;
    Ok(Decoded { image: orientation.apply(GrayImage { width, height, gray }), warning })
}

/// Decodes a PNG or JPEG file in memory to colour, shrunk to a longer side of at most `longest` pixels.
///
/// # Errors
/// As [`decode`]. A progressive JPEG may be too large in colour although it is not in gray.
pub fn decode_colors(bytes: &[u8], path: &Path, longest: usize) -> Result<ColorPlanes> {
    let Samples { width, height, channels, samples, orientation, .. } = samples(bytes, path, 3)?;
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
        guarded("PNG", || decode_png(bytes, channels))
    } else if bytes.starts_with(JPEG_MAGIC) {
        guarded("JPEG", || decode_jpeg(bytes, channels))
    } else {
        let found = unsupported_image(bytes).map_or(String::new(), |what| format!("{what}, "));
        Err(format!("found {found}neither PNG nor JPEG data; expected one of them: convert it"))
    };
    result.map_err(|message| Error::data(path, message))
}

#[cfg(not(feature = "images"))]
use {no_decoder as decode_jpeg, no_decoder as decode_png, unguarded as guarded};

#[cfg(not(feature = "images"))]
fn unguarded(_: &str, decode: impl FnOnce() -> Result<Samples, String>) -> Result<Samples, String> {
    decode()
}

/// Takes the place of both decoders in a build without the feature `images`.
#[cfg(not(feature = "images"))]
fn no_decoder(_: &[u8], _: usize) -> Result<Samples, String> {
    Err("found a PNG or JPEG picture; this build cannot decode it: enable the feature `images`"
        .into())
}
