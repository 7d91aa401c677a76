//! Page of one attribution method, one row per face: face, map, overlay, signed map.

use crate::explain::{Attribution, Method, Note, Target};
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::short;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, Colormap, RgbImage, Scale, ScaleBar, Theme};
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::{Result, SIDE};

/// Colours of magnitudes.
pub const MAGNITUDE: Colormap = Colormap::Inferno;
/// Colours of signed values.
pub const SIGNED: Colormap = Colormap::BlueRed;

/// Settings of a page.
#[derive(Clone, Copy, Debug)]
pub struct PageOptions<'a> {
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// Name of the network.
    pub model: &'a str,
    /// Whether all rows share one scale.
    pub common_scale: bool,
    /// Colours.
    pub theme: Theme,
}

/// Returns the colours of a method's maps: two where they show evidence for and against, so that no
/// map is bright where the evidence is against; else those of magnitudes.
pub fn colors_of(method: Method) -> Colormap {
    if method.shows_evidence() { SIGNED } else { MAGNITUDE }
}

/// Returns the scale of one map, clipped at the 99th percentile.
pub fn scale_of(found: &Attribution) -> Scale {
    Scale { clip: found.scale, max: found.raw_max }
}

/// Draws the page: `found[i]` explains `faces[i]`, all by the same method.
pub fn saliency_page(
    faces: &[PredictedFace],
    found: &[Attribution],
    options: &PageOptions<'_>,
) -> Result<Page> {
    let Some(first) = found.first() else {
        return Ok(Page::new("No faces", options.theme));
    };
    let method = first.method;
    let signed = method.is_signed() && !method.shows_evidence();
    let scales: Vec<Scale> = found.iter().map(scale_of).collect();
    let common = options.common_scale.then(|| Scale::common(&scales));
    let mut page = Page::new(title(found, faces, options), options.theme);
    page.subtitle = format!("{}. {}.", options.model, method.definition());
    page.columns = ["face", "map", "overlay"].map(String::from).to_vec();
    if signed {
        page.columns.push("signed map".into());
    }
    let shared = shared_notes(found);
    for (face, found) in faces.iter().zip(found) {
        let mut header = face.header(options.names);
        header.extend(remarks(found, &shared, options));
        let scale = common.unwrap_or(scale_of(found));
        page.rows.push(Row { header, cells: cells(face, found, scale, signed)? });
    }
    let ends = common.map_or(BarEnds::Percentile99("map"), BarEnds::Numbers);
    let bar = |colormap, what: &str| ScaleBar { colormap, ends, label: what.into() };
    if !method.shows_evidence() {
        page.scale_bars.push(bar(MAGNITUDE, &format!("magnitude, {}", method.unit())));
    }
    if method.is_signed() {
        page.scale_bars.push(bar(SIGNED, sign_words(first.target)));
    }
    page.caption = caption(first, &shared, options);
    Ok(page)
}

/// Returns the meaning of the colours of a signed map.
pub fn sign_words(target: Target) -> &'static str {
    match target {
        Target::Loss(_) => "blue: lowers the loss, red: raises it",
        _ => "blue: against, red: for",
    }
}

/// Returns the title, such as “Saliency of the logit of the predicted class”.
fn title(found: &[Attribution], faces: &[PredictedFace], options: &PageOptions<'_>) -> String {
    let method = found[0].method.title();
    format!("{method} of the {}", target_words(found, faces, options.names))
}

/// Returns the target of all faces in words: one class by name, several classes by what they have in
/// common. `found` holds one or several explanations of each face.
pub fn target_words(found: &[Attribution], faces: &[PredictedFace], names: &[&str]) -> String {
    let first = &found[0];
    let pairs = || found.iter().zip(faces.iter().cycle());
    let class = if found.iter().all(|a| a.class == first.class) {
        name(names, first.class)
    } else if pairs().all(|(a, face)| a.class == face.predicted) {
        "the predicted class"
    } else if pairs().all(|(a, face)| Some(a.class) == face.label) {
        "the true class"
    } else {
        "the class of each row"
    };
    if first.method.explains_probability() {
        return format!("probability of {class}");
    }
    match first.target {
        Target::Loss(_) => "loss against the true class".into(),
        Target::Contrast(_) => format!("logit of {class} against the rest"),
        _ => format!("logit of {class}"),
    }
}

fn cells(
    face: &PredictedFace,
    found: &Attribution,
    scale: Scale,
    signed: bool,
) -> Result<Vec<Cell>> {
    let picture = face.picture()?;
    let mut cells = vec![Cell::picture(picture.clone(), "")];
    if let Some(why) = &found.refused {
        cells.push(Cell::Text(vec![Line::new(why.as_str(), Tone::Bad)]));
        return Ok(cells);
    }
    let map = &found.map;
    let (smooth, colors) = (found.method.is_smooth(), colors_of(found.method));
    let cell = |picture: RgbImage| Cell::Picture { picture, smooth, caption: String::new() };
    cells.push(cell(draw_map(map, SIDE, SIDE, colors, scale)?));
    cells.push(cell(overlay(&picture, map, colors, scale)?));
    if signed {
        cells.push(cell(draw_map(map, SIDE, SIDE, SIGNED, scale)?));
    }
    Ok(cells)
}

/// Facts that all faces share, for the caption; the others stand in the rows.
pub fn shared_notes(found: &[Attribution]) -> Vec<Note> {
    let everywhere = |note: &&Note| found.iter().all(|a| a.notes.contains(note));
    let notes = found.iter().find(|a| a.refused.is_none()).map_or(&[][..], |a| &a.notes);
    notes.iter().filter(everywhere).filter(|f| **f != Note::NoPositiveEvidence).cloned().collect()
}

/// Returns the header lines of a row: score, raw maximum, notes of this face.
fn remarks(found: &Attribution, shared: &[Note], options: &PageOptions<'_>) -> Vec<Line> {
    let muted = |text: String| Line::new(text, Tone::Muted);
    let mut lines = vec![];
    let class = name(options.names, found.class);
    match found.target {
        Target::Loss(_) => {
            lines.push(muted(format!("loss {:.3}", found.score)));
            lines.push(muted(format!("p({class}) {:.3}", found.probability)));
        }
        _ if found.method.explains_probability() => {
            lines.push(muted(format!("p({class}) {:.3}", found.probability)));
        }
        _ => lines.push(muted(format!("S({class}) {:.2}", found.score).replace('-', "−"))),
    }
    if found.refused.is_none() {
        lines.push(muted(format!("raw max {}", short(found.raw_max.into()))));
    }
    let own = found.notes.iter().filter(|f| !shared.contains(f));
    lines.extend(own.map(|f| match f {
        Note::NoPositiveEvidence => Line::new(f.to_string(), Tone::Bad),
        _ => muted(f.to_string()),
    }));
    lines
}

fn caption(first: &Attribution, shared: &[Note], options: &PageOptions<'_>) -> String {
    let mut parts: Vec<String> = shared.iter().map(Note::to_string).collect();
    parts.insert(0, first.method.title().into());
    if first.method.default_map_side().is_none() {
        parts.push("resolution 48×48".into());
    }
    if first.method == Method::DEFAULT {
        parts.push(Method::DEFAULT_REASON.into());
    }
    if matches!(first.target, Target::Loss(_)) {
        parts.push("the gradient of the loss vanishes where p(true) is near 1".into());
        parts.push("loss of the uncalibrated logits".into());
    }
    if options.common_scale {
        parts.push("all rows share one scale".into());
    }
    if !first.method.explains_probability() && !matches!(first.target, Target::Loss(_)) {
        parts.push("S: score before the softmax".into());
    }
    parts.join(" · ")
}
