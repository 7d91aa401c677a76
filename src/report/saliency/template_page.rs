//! The template of face regions drawn over faces.

use crate::explain::regions::face_regions::{Region, Template};
use crate::render::format::counted;
use crate::render::image::mix;
use crate::render::panel::{Cell, Page};
use crate::render::{Rgb, RgbImage, Theme};
use crate::{Result, SIDE};

/// Pixels of the drawing per pixel of a face; borders stay thin.
const ZOOM: usize = 4;

/// Returns the colour of a region.
pub fn region_color(region: Region) -> Rgb {
    let color = Theme::Light.palette();
    match region {
        Region::Eyes => color.series(0),
        Region::Nose => color.series(2),
        Region::Mouth => color.series(1),
        Region::Cheeks => color.series(3),
        Region::Forehead => color.series(4),
        Region::BrowGap => color.series(5),
        Region::Temples => color.good,
        Region::Chin => color.series(6),
        Region::Outside => [255; 3],
    }
}

/// Returns colours and names of the regions for a legend.
pub fn region_legend() -> Vec<(Rgb, String)> {
    let drawn = Region::ALL.into_iter().filter(|r| *r != Region::Outside);
    drawn.map(|r| (region_color(r), r.label().to_owned())).collect()
}

/// Draws a face with each region tinted in its colour; the outside is not tinted.
///
/// # Errors
/// `Shape` if the face is not 48×48.
pub fn draw_template(face: &[f32], template: &Template) -> Result<RgbImage> {
    let gray = RgbImage::from_unit(face, SIDE, SIDE)?;
    let region = |x: usize, y: usize| template.regions[(y / ZOOM) * SIDE + x / ZOOM];
    let side = SIDE * ZOOM;
    Ok(RgbImage::from_fn(side, side, |x, y| {
        let own = region(x, y);
        let below = gray.at(x / ZOOM, y / ZOOM);
        let next = |dx: usize, dy: usize| region((x + dx).min(side - 1), (y + dy).min(side - 1));
        let border = next(1, 0) != own || next(0, 1) != own;
        match (own, border) {
            (Region::Outside, false) => below,
            (_, true) => {
                mix(below, if own == Region::Outside { [0; 3] } else { region_color(own) }, 0.9)
            }
            _ => mix(below, region_color(own), 0.22),
        }
    }))
}

/// Draws faces `[n, 48, 48]` with the template at its fitted position.
pub fn template_page(faces: &[f32], templates: &[Template], theme: Theme) -> Result<Page> {
    let cell = |(face, template): (&[f32], &Template)| {
        Ok(Cell::picture(draw_template(face, template)?, ""))
    };
    let faces = faces.chunks_exact(crate::PIXELS);
    let cells = faces.zip(templates).map(cell).collect::<Result<Vec<_>>>()?;
    let title = format!("The template on {}", counted(templates.len(), "face"));
    let mut page = Page { cell: 96.0, ..Page::sheet(title, cells, 10, theme) };
    page.legend = region_legend();
    page.caption = "The template is moved, scaled and turned to the eyes, the nose and the mouth of each face, as a small \
                    network finds them."
        .to_owned();
    Ok(page)
}
