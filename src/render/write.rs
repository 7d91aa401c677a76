//! Drawings into files.

use super::Scene;
use crate::files::write_atomic;
use crate::{Error, Result};
use std::path::Path;

/// Pixels of a PNG per unit of a drawing: sharp on a dense screen and in print.
pub const PNG_SCALE: f32 = 2.0;

/// What a picture's name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Pixels.
    Png,
    /// Shapes and text.
    Svg,
}

/// The kind of picture that a name asks for; worth calling before long work.
///
/// **Errors**: [`Error::Usage`] unless the name ends in `.png` or `.svg`.
pub fn ending(path: &Path) -> Result<Ending> {
    let found = path.extension().map(|e| e.to_ascii_lowercase());
    match found.as_ref().and_then(|e| e.to_str()) {
        Some("png") => Ok(Ending::Png),
        Some("svg") => Ok(Ending::Svg),
        _ => {
            let message = format!("{}: expected a name that ends in .png or .svg", path.display());
            Err(Error::Usage(message))
        }
    }
}

/// Writes a drawing as PNG or SVG, as the name ends.
///
/// **Errors**: [`Error::Usage`] for any other ending; those of drawing and of files.
pub fn write_scene(scene: &Scene, path: &Path) -> Result<()> {
    match ending(path)? {
        Ending::Png => write_atomic(path, &scene.to_png(PNG_SCALE)?),
        Ending::Svg => write_atomic(path, scene.to_svg()?.as_bytes()),
    }
}

/// Writes `STEM.png` and `STEM.svg` into a folder.
///
/// **Errors**: those of drawing and of files.
pub fn write_both(scene: &Scene, folder: &Path, stem: &str) -> Result<()> {
    write_scene(scene, &folder.join(format!("{stem}.png")))?;
    write_scene(scene, &folder.join(format!("{stem}.svg")))
}
