//! Pages with all attribution methods: on one face, or on several faces with one row per face.

use crate::explain::{Attribution, Method, Note};
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::short;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, ScaleBar, Theme};
use crate::report::PredictedFace;
use crate::report::saliency::one_method_page::{
    MAGNITUDE, PageOptions, SIGNED, scale_of, sign_words, target_words,
};
use crate::{Result, SIDE};

/// Images per row on the page of one face.
const COLUMNS: usize = 5;

/// Draws all methods on one face, one cell per method. `found` holds one explanation per method.
pub fn one_face_page(
    face: &PredictedFace,
    found: &[&Attribution],
    options: &PageOptions<'_>,
) -> Result<Page> {
    let mut cells = vec![Cell::picture(face.picture()?, face_words(face, options.names))];
    for attribution in found {
        cells.push(method_cell(face, attribution)?);
    }
    let mut page = Page::sheet(
        title(found, std::slice::from_ref(face), options),
        cells,
        COLUMNS,
        options.theme,
    );
    page.subtitle = options.model.into();
    finish(&mut page, found, options.theme);
    Ok(page)
}

/// Draws all methods on several faces: `found[m][i]` explains `faces[i]` by method `m`.
pub fn many_faces_page(
    faces: &[PredictedFace],
    found: &[Vec<Attribution>],
    options: &PageOptions<'_>,
) -> Result<Page> {
    let all: Vec<&Attribution> = found.iter().flatten().collect();
    let mut page = Page { cell: 120.0, ..Page::new(title(&all, faces, options), options.theme) };
    page.subtitle = options.model.into();
    page.columns = vec!["Face".into()];
    // The longest title does not fit the column.
    let title = |a: &Attribution| a.method.title().replace("backpropagation", "backprop");
    page.columns.extend(found.iter().flat_map(|m| m.first()).map(title));
    for (i, face) in faces.iter().enumerate() {
        let mut cells = vec![Cell::picture(face.picture()?, "")];
        for method in found {
            cells.push(bare_cell(face, &method[i])?);
        }
        page.rows.push(Row { header: face.header(options.names), cells });
    }
    finish(&mut page, &all, options.theme);
    Ok(page)
}

fn title(found: &[&Attribution], faces: &[PredictedFace], options: &PageOptions<'_>) -> String {
    let logit: Vec<Attribution> =
        found.iter().filter(|a| !a.method.explains_probability()).map(|a| (*a).clone()).collect();
    match logit.is_empty() {
        true => "Where the network looks".into(),
        false => format!("Where the network looks: {}", target_words(&logit, faces, options.names)),
    }
}

fn face_words(face: &PredictedFace, names: &[&str]) -> String {
    let lines = face.header(names);
    lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Draws the map, signed if the method has signs, with the method and its notes below.
fn method_cell(face: &PredictedFace, found: &Attribution) -> Result<Cell> {
    let mut words = vec![found.method.title().to_string()];
    match &found.refused {
        Some(why) => words.push(why.clone()),
        None => {
            words.push(format!("max {}", short(found.raw_max.into())));
            let in_cell = |f: &&Note| !matches!(f, Note::Warning(_));
            words.extend(found.notes.iter().filter(in_cell).flat_map(brief));
        }
    }
    match bare_cell(face, found)? {
        Cell::Picture { picture, smooth, .. } => {
            Ok(Cell::Picture { picture, smooth, caption: words.join("\n") })
        }
        _ => {
            let [first, rest @ ..] = words.as_slice() else { return Ok(Cell::Empty) };
            let mut lines = vec![Line::new(first.as_str(), Tone::Strong)];
            lines.extend(rest.iter().map(|w| Line::new(w.as_str(), Tone::Bad)));
            Ok(Cell::Text(lines))
        }
    }
}

/// Shortens a note to the width of a cell.
fn brief(note: &Note) -> Vec<String> {
    match note {
        Note::Lime(pieces, r2, ..) => vec![format!("{pieces} superpixels, R² {r2:.2}")],
        Note::Agreement(rank, _) => vec![format!("rank correlation {rank:.2}")],
        Note::Rise(mean, se) => vec![format!("above {mean:.2} (s.e. {se:.3})")],
        Note::Noise(sd) => vec![format!("noise {:.0} %", 100.0 * sd)],
        Note::Layer(name, [h, w]) => vec![name.clone(), format!("{h}×{w} cells")],
        other => vec![other.to_string()],
    }
}

fn bare_cell(face: &PredictedFace, found: &Attribution) -> Result<Cell> {
    if found.refused.is_some() {
        return Ok(Cell::Text(vec![Line::new("refused", Tone::Bad)]));
    }
    let scale = scale_of(found);
    let picture = match found.method.default_map_side() {
        Some(_) => overlay(&face.picture()?, &found.map, MAGNITUDE, scale)?,
        None if found.method.is_signed() => draw_map(&found.map, SIDE, SIDE, SIGNED, scale)?,
        None => draw_map(&found.map, SIDE, SIDE, MAGNITUDE, scale)?,
    };
    let smooth = found.method.is_smooth();
    Ok(Cell::Picture { picture, smooth, caption: String::new() })
}

fn finish(page: &mut Page, found: &[&Attribution], theme: Theme) {
    page.theme = theme;
    let ends = BarEnds::Percentile99("map");
    let signs = found.first().map_or("", |a| sign_words(a.target));
    page.scale_bars = vec![
        ScaleBar { colormap: MAGNITUDE, ends, label: "magnitude".into() },
        ScaleBar { colormap: SIGNED, ends, label: signs.into() },
    ];
    let on_probability: Vec<&str> = Method::ALL
        .into_iter()
        .filter(|m| {
            let shown = |a: &&Attribution| a.method == *m && a.refused.is_none();
            m.explains_probability() && found.iter().any(shown)
        })
        .map(Method::title)
        .collect();
    let mut parts = vec![];
    if !on_probability.is_empty() {
        parts.push(format!("methods that explain the probability: {}", on_probability.join(", ")));
    }
    for note in found.iter().flat_map(|a| &a.notes) {
        let text = note.to_string();
        if matches!(note, Note::Warning(_)) && !parts.contains(&text) {
            parts.push(text);
        }
    }
    page.caption = parts.join(" · ");
}
