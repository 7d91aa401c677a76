//! Decodes files of pictures into gray or colour images within bounded memory.
//!
//! The size is read from the header, and an image that is too large is refused before memory is
//! allocated for it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::dataset::image::format::{Format, unsupported_image};
use crate::dataset::image::samples::Samples;
use crate::dataset::image::{ColorPlanes, GrayImage};
#[cfg(feature = "images")]
use crate::dataset::image::{
    bmp::decode_bmp, gif::decode_gif, guard::guarded, jpeg::decode_jpeg, png::decode_png,
    webp::decode_webp,
};
use crate::files::require_file;
use crate::limits::MAX_PICTURE;
use crate::{Error, Result};

/// A decoded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The image, upright.
    pub image: GrayImage,
    /// Damage that does not concern the pixels, or that there are more frames.
    pub warning: Option<String>,
}

/// Reads a picture file; see [`Format`] for the formats.
///
/// # Errors
/// [`Error::Data`] if the file has another format, is damaged or too large; [`Error::Io`] if it
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

/// Decodes a picture file in memory to gray; `path` is used in messages.
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

/// Decodes a picture file in memory to colour, shrunk to a longer side of at most `longest` pixels.
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
    let all = Format::ALL;
    let result = match Format::of(bytes) {
        Some(format) => decode_as(format, bytes, channels),
        None if bytes.is_empty() => Err(format!("the file is empty; expected a {all} picture")),
        None => Err(match unsupported_image(bytes) {
            Some((found, way_out)) => format!("found {found}; expected {all}: {way_out}"),
            None => format!(
                "found no picture data; expected {all}: the file is damaged or has the name of \
                 another format; save or download it anew"
            ),
        }),
    };
    result.map_err(|message| Error::data(path, message))
}

#[cfg(feature = "images")]
fn decode_as(format: Format, bytes: &[u8], channels: usize) -> Result<Samples, String> {
    guarded(format.name(), || match format {
        Format::Png => decode_png(bytes, channels),
        Format::Jpeg => decode_jpeg(bytes, channels),
        Format::WebP => decode_webp(bytes, channels),
        Format::Gif => decode_gif(bytes, channels),
        Format::Bmp => decode_bmp(bytes, channels),
    })
}

#[cfg(not(feature = "images"))]
fn decode_as(format: Format, _: &[u8], _: usize) -> Result<Samples, String> {
    let name = format.name();
    Err(format!("found a {name} picture; this build cannot decode it: enable the feature `images`"))
}
