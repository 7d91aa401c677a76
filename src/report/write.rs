//! Pages into files, as their name ends.

use crate::files::write_atomic;
use crate::render::html::Document;
use crate::render::panel::Page;
use crate::{Error, Result};
use std::path::Path;

pub use crate::render::write::PNG_SCALE;

/// Refuses a name that [`write_page`] cannot write, before long work.
///
/// # Errors
/// [`Error::Usage`] unless the name ends in `.png`, `.svg` or `.html` and its folder is there.
pub fn check_name(path: &Path) -> Result<()> {
    if !matches!(ending(path).as_str(), "png" | "svg" | "html") {
        let message =
            format!("{}: expected a name that ends in .png, .svg or .html", path.display());
        return Err(Error::Usage(message));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(Error::Usage(
            format!("the folder {} does not exist; create it first", folder.display()),
        )),
        _ => Ok(()),
    }
}

/// Writes a page as PNG, SVG or HTML (text that can be searched, no other file needed).
///
/// # Errors
/// As [`check_name`]; those of drawing and of files.
pub fn write_page(page: &Page, path: &Path) -> Result<()> {
    check_name(path)?;
    let bytes = match ending(path).as_str() {
        "png" => page.to_png(PNG_SCALE)?,
        "svg" => page.to_svg()?.into_bytes(),
        _ => Document::new(&page.title, "en").svg(&page.to_svg()?, "").finish().into_bytes(),
    };
    write_atomic(path, &bytes)
}

fn ending(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}
