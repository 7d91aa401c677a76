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

/// Most faces on a sheet of answers, and faces per row.
const ANSWERS: (usize, usize) = (2_000, 10);

/// A face with its answer, on a sheet of answers.
#[derive(Clone, Debug)]
pub struct AnsweredFace<'a> {
    /// Pixels, `[48, 48]`, gray.
    pub pixels: &'a [u8],
    /// The most probable class.
    pub class: &'a str,
    /// Its probability.
    pub probability: f64,
    /// Whether it may be no face.
    pub doubtful: bool,
    /// Where the face came from: `photo.jpg#2`.
    pub name: String,
}

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

/// Draws faces with their answers in the given order; `by_class` begins a row with every class, and
/// names it there.
///
/// # Errors
/// [`crate::Error::Shape`] if a face is not 48×48.
pub fn answer_sheet(faces: &[AnsweredFace<'_>], by_class: bool, theme: Theme) -> Result<Page> {
    let (most, columns) = ANSWERS;
    let shown = &faces[..faces.len().min(most)];
    let mut page = Page { cell: 96.0, ..Page::new("Faces with their answers", theme) };
    page.subtitle = match shown.len() == faces.len() {
        true => counted(faces.len(), "face"),
        false => format!("the first {} of {}", shown.len(), counted(faces.len(), "face")),
    };
    let cell = |f: &AnsweredFace<'_>| {
        let mark = if f.doubtful { " ?" } else { "" };
        let answer = match by_class {
            true => percent(f.probability),
            false => format!("{} {}", f.class, percent(f.probability)),
        };
        let picture = RgbImage::from_gray(f.pixels, SIDE, SIDE)?;
        Ok(Cell::picture(picture, format!("{answer}{mark}\n{}", f.name)))
    };
    for block in shown.chunk_by(|a, b| !by_class || a.class == b.class) {
        let total = faces.iter().filter(|f| f.class == block[0].class).count();
        let head = vec![
            Line::new(block[0].class, Tone::Strong),
            Line::new(counted(total, "face"), Tone::Muted),
        ];
        for (k, row) in block.chunks(columns).enumerate() {
            let header = if by_class && k == 0 { head.clone() } else { vec![] };
            page.rows.push(Row { header, cells: row.iter().map(cell).collect::<Result<_>>()? });
        }
    }
    if shown.iter().any(|f| f.doubtful) {
        page.caption = "?: the face detector is not sure that this is a face.".into();
    }
    Ok(page)
}
