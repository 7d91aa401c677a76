//! Recognises image formats by the first bytes of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::{Error, Result};

/// First bytes of a PNG file.
pub const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// First bytes of a JPEG file.
pub const JPEG_MAGIC: &[u8] = b"\xff\xd8\xff";

/// Bytes at the beginning of a file that identify its format.
pub const MAGIC_LENGTH: usize = 12;

/// Returns true if these first bytes belong to a PNG or JPEG file.
pub fn is_image(magic: &[u8]) -> bool {
    magic.starts_with(PNG_MAGIC) || magic.starts_with(JPEG_MAGIC)
}

/// Returns the name of the image format that these first bytes belong to, for common formats that are
/// not supported.
pub fn unsupported_image(magic: &[u8]) -> Option<&'static str> {
    const FORMATS: [(usize, &[u8], &str); 6] = [
        (0, b"GIF8", "a GIF picture"),
        (8, b"WEBP", "a WebP picture"),
        (0, b"BM", "a BMP picture"),
        (0, b"II*\0", "a TIFF picture"),
        (0, b"MM\0*", "a TIFF picture"),
        (4, b"ftyp", "a HEIC or AVIF picture, or a video"),
    ];
    let has = |at: usize, bytes: &[u8]| magic.get(at..).is_some_and(|m| m.starts_with(bytes));
    FORMATS.iter().find(|(at, bytes, _)| has(*at, bytes)).map(|&(.., name)| name)
}

/// Returns true if the file name ends in `.png`, `.jpg` or `.jpeg`.
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg"].iter().any(|e| extension == *e)
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
