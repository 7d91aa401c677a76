//! Gray pictures, and the way to them from PNG and JPEG files within bounded memory; the format
//! follows from the content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

#[cfg(feature = "images")]
use crate::dataset::image::decode::{decode_jpeg, decode_png};
use crate::dataset::image::exif::Orientation;
use crate::dataset::image::resize::resize;
use crate::dataset::read::require_file;
use crate::{Error, Result, SIDE};

/// Longest side, in pixels.
pub const MAX_SIDE: usize = 16_384;

/// Most pixels of a picture: 8192×8192.
pub const MAX_PIXELS: usize = 64 << 20;

/// Most bytes of a picture's file.
pub const MAX_BYTES: usize = 64 << 20;

/// Bytes at the beginning of a file that tell formats apart.
pub const HEAD: usize = 12;

/// First bytes of a PNG.
pub const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// First bytes of a JPEG.
pub const JPEG_MAGIC: &[u8] = b"\xff\xd8\xff";

/// A picture as its file holds it, not yet turned upright.
pub(super) struct Samples {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples of a pixel: 1 gray, 3 red, green and blue.
    pub channels: usize,
    /// `[height, width, channels]`, row-major.
    pub samples: Vec<u8>,
    /// How to turn it upright.
    pub orientation: Orientation,
}

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

    /// The picture with a longer side of at most `longest` pixels, and by how much it was scaled (at
    /// most 1).
    ///
    /// # Panics
    /// If the picture is empty.
    pub fn shrunk(&self, longest: usize) -> (Picture, f64) {
        let scale = (longest as f64 / self.width.max(self.height) as f64).min(1.0);
        let scaled = |n: usize| ((n as f64 * scale).round() as usize).max(1);
        let (width, height) = (scaled(self.width), scaled(self.height));
        let gray = resize(&self.gray, self.width, self.height, width, height);
        (Picture { width, height, gray }, scale)
    }
}

/// A picture in colour, perhaps smaller than its file's.
#[derive(Clone, Debug, PartialEq)]
pub struct Colors {
    /// Red, green and blue, all of one size.
    pub planes: [Picture; 3],
    /// Side of a plane over the file's, at most 1.
    pub scale: f64,
}

/// True if these first bytes of a file are a picture's.
pub fn is_picture(head: &[u8]) -> bool {
    head.starts_with(PNG_MAGIC) || head.starts_with(JPEG_MAGIC)
}

/// The name of the picture format that these first bytes belong to, where it is one that users try
/// and that is not read.
pub fn foreign_picture(head: &[u8]) -> Option<&'static str> {
    const FORMATS: [(usize, &[u8], &str); 6] = [
        (0, b"GIF8", "a GIF picture"),
        (8, b"WEBP", "a WebP picture"),
        (0, b"BM", "a BMP picture"),
        (0, b"II*\0", "a TIFF picture"),
        (0, b"MM\0*", "a TIFF picture"),
        (4, b"ftyp", "a HEIC or AVIF picture, or a film"),
    ];
    let has = |at: usize, magic: &[u8]| head.get(at..).is_some_and(|h| h.starts_with(magic));
    FORMATS.iter().find(|(at, magic, _)| has(*at, magic)).map(|&(.., name)| name)
}

/// True if a file's name says PNG or JPEG.
pub fn has_picture_ending(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg"].iter().any(|e| ending == *e)
}

/// The first [`HEAD`] bytes of a file, fewer if it is shorter; none of what is no file.
///
/// # Errors
/// [`Error::Io`] if the system refuses it.
pub fn head_of(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    if path.is_file() {
        let file = File::open(path).map_err(Error::io(path))?;
        file.take(HEAD as u64).read_to_end(&mut head).map_err(Error::io(path))?;
    }
    Ok(head)
}

/// Reads a PNG or JPEG file.
///
/// # Errors
/// [`Error::Data`] if it is no such picture, is damaged or too large; [`Error::Io`] if the system
/// refuses it.
pub fn read_picture(path: &Path) -> Result<Picture> {
    decode(&read_bytes(path)?, path)
}

/// Reads a picture's file without decoding it.
///
/// # Errors
/// [`Error::Data`] if it is no file or too large; [`Error::Io`] if the system refuses it.
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

/// Decodes a PNG or JPEG in memory; `path` is for messages.
///
/// Colour becomes luma (.299 R + .587 G + .114 B), transparency is laid on white, 16 bits keep
/// their upper 8, EXIF orientation is applied.
///
/// # Errors
/// [`Error::Data`] as [`read_picture`].
pub fn decode(bytes: &[u8], path: &Path) -> Result<Picture> {
    let raster = samples(bytes, path, 1)?;
    Ok(raster.orientation.apply(Picture {
        width: raster.width,
        height: raster.height,
        gray: raster.samples,
    }))
}

/// The same in colour, shrunk to a longer side of at most `longest` pixels.
///
/// # Errors
/// As [`decode`]; a progressive JPEG may be too large in colour that is not in gray.
pub fn decode_colors(bytes: &[u8], path: &Path, longest: usize) -> Result<Colors> {
    let raster = samples(bytes, path, 3)?;
    let plane = |color: usize| {
        let values = raster.samples.iter().skip(color % raster.channels).step_by(raster.channels);
        let gray = values.copied().collect();
        let plane = Picture { width: raster.width, height: raster.height, gray };
        let (small, scale) = plane.shrunk(longest);
        (raster.orientation.apply(small), scale) // turning the small one needs less memory
    };
    let [(red, scale), (green, _), (blue, _)] = [0, 1, 2].map(plane);
    Ok(Colors { planes: [red, green, blue], scale })
}

/// Decodes into `channels` (1 gray, 3 colour) samples a pixel.
fn samples(bytes: &[u8], path: &Path, channels: usize) -> Result<Samples> {
    let result = if bytes.is_empty() {
        Err("the file is empty; expected a PNG or JPEG picture".to_string())
    } else if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes, channels)
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg(bytes, channels)
    } else {
        let found = foreign_picture(bytes).map_or(String::new(), |what| format!("{what}, "));
        Err(format!("found {found}neither PNG nor JPEG data; expected one of them: convert it"))
    };
    result.map_err(|message| Error::data(path, message))
}

#[cfg(not(feature = "images"))]
use no_decoder as decode_png;
#[cfg(not(feature = "images"))]
use no_decoder as decode_jpeg;

/// Stands in for the decoders where they are left out.
#[cfg(not(feature = "images"))]
fn no_decoder(_: &[u8], _: usize) -> Result<Samples, String> {
    Err("this build has no feature `images`; PNG and JPEG need it".into())
}
