//! Writes drawings and pages to files; the file name extension chooses the format.

use crate::error::Shown as _;
use crate::files::{FileSet, require_folder_of};
use crate::render::Scene;
use crate::render::html::Document;
use crate::render::image::MAX_PIXELS;
use crate::render::panel::Page;
use crate::{Error, Result};
use std::path::Path;

/// Pixels of a PNG per unit of a drawing.
pub const PNG_SCALE: f32 = 2.0;

/// The drawing has its title; the heading is for programs that read a page aloud.
const TITLE_FOR_READERS_ALOUD: &str = "h1 { position: absolute; left: -200vw; }\n";

/// Checks a file name for [`write_scene`] before long work.
///
/// # Errors
/// [`Error::Usage`] unless the name ends in `.png`, `.svg` or `.html` and its folder exists.
pub fn check_name(path: &Path) -> Result<()> {
    if !matches!(ending(path).as_str(), "png" | "svg" | "html") {
        let message = format!("{}: expected a name that ends in .png, .svg or .html", path.shown());
        return Err(Error::Usage(message));
    }
    require_folder_of(path)
}

/// Writes a page as PNG, SVG or self-contained HTML.
///
/// # Errors
/// Those of [`check_name`], of drawing and of files.
pub fn write_page(page: &Page, path: &Path) -> Result<()> {
    write_scene(&page.scene(), &page.title, path)
}

/// Writes a drawing as PNG, SVG or self-contained HTML with a title.
pub fn write_scene(scene: &Scene, title: &str, path: &Path) -> Result<()> {
    let mut files = FileSet::default();
    add_scene(scene, title, path, &mut files)?;
    files.commit()
}

fn add_scene(scene: &Scene, title: &str, path: &Path, files: &mut FileSet) -> Result<()> {
    check_name(path)?;
    let bytes = match ending(path).as_str() {
        "png" => scene.to_png(png_scale(scene))?,
        "svg" => scene.to_svg()?.into_bytes(),
        _ => {
            let mut page = Document::new(title, "en");
            page.style(TITLE_FOR_READERS_ALOUD).svg(&scene.to_svg()?, "");
            page.finish().into_bytes()
        }
    };
    files.add(path, &bytes)
}

/// Writes `STEM.png` and `STEM.svg` into a folder: both become new, or none.
pub fn write_both(scene: &Scene, folder: &Path, stem: &str) -> Result<()> {
    let mut files = FileSet::default();
    add_both(scene, folder, stem, &mut files)?;
    files.commit()
}

/// Writes the files of [`write_both`] as two of several that belong together.
///
/// # Errors
/// Those of drawing and of files.
pub fn add_both(scene: &Scene, folder: &Path, stem: &str, files: &mut FileSet) -> Result<()> {
    ["png", "svg"].iter().try_for_each(|ending| {
        add_scene(scene, stem, &folder.join(format!("{stem}.{ending}")), files)
    })
}

/// Returns [`PNG_SCALE`], or 1 if the image would have more than half of the allowed pixels.
fn png_scale(scene: &Scene) -> f32 {
    let (width, height) = scene.size();
    let pixels = width * height * PNG_SCALE * PNG_SCALE;
    if pixels > MAX_PIXELS as f32 / 2.0 { 1.0 } else { PNG_SCALE }
}

fn ending(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}
