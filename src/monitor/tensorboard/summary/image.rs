//! Images: PNG files under a tag, with a slider over the steps.
//!
//! The tensor is a list of strings: width and height in decimal digits, then the PNGs.

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;
use crate::{Error, Result};

/// Returns the summary of PNG files of one size, side by side under `tag`.
///
/// **Errors**: [`Error::Render`] if there is none, one is no PNG, or their sizes differ.
pub fn images<P: AsRef<[u8]>>(tag: &str, pngs: &[P]) -> Result<Summary> {
    let refuse = |what: &str| Error::Render(format!("image {tag} for TensorBoard: {what}"));
    let mut size = None;
    for png in pngs {
        let found = png_size(png.as_ref()).ok_or_else(|| refuse("not a PNG file"))?;
        if *size.get_or_insert(found) != found {
            return Err(refuse("all pictures of a step must have the same size"));
        }
    }
    let (width, height) = size.ok_or_else(|| refuse("no picture"))?;
    let size = [width.to_string(), height.to_string()];
    let strings = size.iter().map(|s| s.as_bytes()).chain(pngs.iter().map(|p| p.as_ref()));
    Ok(Summary::new(tag, "images", tensor::strings(&[2 + pngs.len()], strings)))
}

/// Reads width and height in pixels from the first chunk of a PNG:
///
/// ```text
/// 89 'P' 'N' 'G' 0d 0a 1a 0a | 00 00 00 0d 'I' 'H' 'D' 'R' | width, 4 bytes | height, 4 bytes …
/// ```
///
/// PNG has the highest byte of a number first.
pub fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    let rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let width = rest.first_chunk().copied().map(u32::from_be_bytes)?;
    let height = rest.get(4..)?.first_chunk().copied().map(u32::from_be_bytes)?;
    Some((width, height))
}
