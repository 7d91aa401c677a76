//! Recognises image formats by the first bytes of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::{Error, Result};

/// First bytes of a PNG file.
pub const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Bytes at the beginning of a file that identify its format.
pub const MAGIC_LENGTH: usize = 12;

/// A format of pictures that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// WebP, lossy or lossless; of an animation the first frame.
    WebP,
    /// Graphics Interchange Format; of an animation the first frame.
    Gif,
    /// Windows bitmap.
    Bmp,
}

impl Format {
    /// The formats in words, for messages.
    pub const ALL: &str = "PNG, JPEG, WebP, GIF or BMP";

    /// Returns the format that these first bytes belong to.
    pub fn of(magic: &[u8]) -> Option<Format> {
        let has = |at: usize, bytes: &[u8]| magic.get(at..).is_some_and(|m| m.starts_with(bytes));
        Some(match magic {
            _ if has(0, PNG_MAGIC) => Format::Png,
            _ if has(0, b"\xff\xd8\xff") => Format::Jpeg,
            _ if has(0, b"RIFF") && has(8, b"WEBP") => Format::WebP,
            _ if has(0, b"GIF87a") || has(0, b"GIF89a") => Format::Gif,
            // Text may start with BM; four reserved bytes are 0 in a bitmap.
            _ if has(0, b"BM") && has(6, &[0; 4]) => Format::Bmp,
            _ => return None,
        })
    }

    /// Returns the usual name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
        }
    }
}

/// Returns true if these first bytes belong to a picture that is read; see [`Format`].
pub fn is_image(magic: &[u8]) -> bool {
    Format::of(magic).is_some()
}

/// Returns the name of the format that these first bytes belong to, and the command that converts it, for
/// common pictures and videos that are not read.
pub fn unsupported_image(magic: &[u8]) -> Option<(&'static str, &'static str)> {
    const TIFF: (&str, &str) = ("a TIFF picture", "convert it: magick photo.tiff photo.png");
    const HEIC: (&str, &str) =
        ("a HEIC or AVIF picture", "convert it: heif-convert photo.heic photo.jpg");
    const VIDEO: (&str, &str) =
        ("a video", "ffmpeg -i video.mp4 -f yuv4mpegpipe -pix_fmt yuv420p - | fer predict -");
    const ICON: (&str, &str) = ("an icon (ICO)", "convert it: magick icon.ico icon.png");
    const JPEG_2000: (&str, &str) =
        ("a JPEG 2000 picture", "convert it: magick photo.jp2 photo.png");
    const FORMATS: [(usize, &[u8], (&str, &str)); 15] = [
        (0, b"\0\0\x01\0", ICON),
        (0, b"\0\0\0\x0cjP  ", JPEG_2000),
        (0, b"\xff\x4f\xff\x51", JPEG_2000),
        (0, b"II*\0", TIFF),
        (0, b"MM\0*", TIFF),
        (4, b"ftyphei", HEIC),
        (4, b"ftyphev", HEIC),
        (4, b"ftypmif", HEIC),
        (4, b"ftypmsf", HEIC),
        (4, b"ftypavi", HEIC),
        (4, b"ftyp", VIDEO),
        (8, b"AVI ", VIDEO),
        (0, b"\x1aE\xdf\xa3", VIDEO), // Matroska and WebM
        (0, b"\0\0\x01\xba", VIDEO),  // MPEG
        (0, b"FLV\x01", VIDEO),
    ];
    let has = |at: usize, bytes: &[u8]| magic.get(at..).is_some_and(|m| m.starts_with(bytes));
    match magic {
        [b'P', b'1'..=b'7', gap, next, ..]
            if gap.is_ascii_whitespace() && b"#0123456789W".contains(next) =>
        {
            Some(("a PBM, PGM or PPM picture", "convert it: magick photo.ppm photo.png"))
        }
        // Without a magic number: kind, colours, and, without a palette, an empty one.
        // Safetensors may begin so, but goes on with a brace.
        [_, 0, 2 | 3 | 10 | 11, 0, 0, 0, 0, 0, next, ..] if *next != b'{' => {
            Some(("a TGA picture", "convert it: magick photo.tga photo.png"))
        }
        _ => FORMATS.iter().find(|(at, bytes, _)| has(*at, bytes)).map(|&(.., found)| found),
    }
}

/// Returns true if the file name ends as one of a picture that is read.
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp"].iter().any(|e| extension == *e)
}

/// Returns the first [`MAGIC_LENGTH`] bytes of a file, fewer if it is shorter, and none if `path` is not
/// a regular file.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn read_magic(path: &Path) -> Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(MAGIC_LENGTH);
    if path.is_file() {
        let file = File::open(path).map_err(Error::io(path))?;
        file.take(MAGIC_LENGTH as u64).read_to_end(&mut magic).map_err(Error::io(path))?;
    }
    Ok(magic)
}
