//! Contact sheets: many faces on one page.

use crate::dataset::Dataset;
use crate::metrics::errors::Mistake;
use crate::render::format::{counted, percent, thousands};
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{RgbImage, Theme};
use crate::{CLASS_NAMES, Result, SIDE};

/// Most faces on a sheet of mistakes.
const MISTAKES: usize = 24;

/// Faces per row of a sheet of mistakes.
const COLUMNS: usize = 6;

fn face(data: &Dataset, i: usize) -> Result<RgbImage> {
    RgbImage::from_gray(data.image(i), SIDE, SIDE)
}

/// Draws the first `columns` faces of each class, one row per class. Faces without label are in the
/// last row.
pub fn class_sheet(title: &str, data: &Dataset, columns: usize, theme: Theme) -> Result<Page> {
    let mut page = Page { cell: 96.0, ..Page::new(title, theme) };
    page.subtitle = format!("{} of 48×48 pixels", counted(data.len(), "face"));
    let named = CLASS_NAMES.iter().enumerate().map(|(c, name)| (Some(c as u8), *name));
    for (label, name) in named.chain([(None, "no label")]) {
        let faces: Vec<usize> = (0..data.len()).filter(|&i| data.label(i) == label).collect();
        if faces.is_empty() {
            continue;
        }
        let cells = faces.iter().take(columns).map(|&i| Ok(Cell::picture(face(data, i)?, "")));
        let count = counted(faces.len(), "face");
        let header = vec![Line::new(name, Tone::Strong), Line::new(count, Tone::Muted)];
        page.rows.push(Row { header, cells: cells.collect::<Result<_>>()? });
    }
    Ok(page)
}

/// Draws mistakes with predicted class and label; `place(i)` names the source of face `i`.
pub fn mistake_sheet(
    title: &str,
    data: &Dataset,
    mistakes: &[Mistake],
    names: &[&str],
    place: &dyn Fn(usize) -> String,
    theme: Theme,
) -> Result<Page> {
    let cell = |m: &Mistake| {
        let said = format!("predicted {} {}", names[m.predicted], percent(m.confidence));
        let label = format!("label {} {}", names[m.truth], percent(m.true_probability));
        Ok(Cell::picture(face(data, m.face)?, format!("{said}\n{label}\n{}", place(m.face))))
    };
    let cells = mistakes.iter().take(MISTAKES).map(cell).collect::<Result<Vec<_>>>()?;
    let shown = cells.len();
    let mut page = Page::sheet(title, cells, COLUMNS, theme);
    page.subtitle = format!("{shown} of {}", thousands(mistakes.len() as u64));
    Ok(page)
}
