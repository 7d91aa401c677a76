//! Page of the filters of a layer: images by activation maximization, the faces with the highest
//! activation, and scores of the images.

use crate::explain::LayerKind;
use crate::explain::filters::activation_maximization;
use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::filter_report::{
    FilterPicture, FilterReport, main_picture, strongest_crop,
};
use crate::explain::filters::top_activations::{
    FilterStatistics, LOGITS, MainClass, TOP_SHOWN, receptive_crop,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::image_ops::gaussian_blur;
use crate::explain::layers::LayerInfo;
use crate::explain::regions::face_regions::Region;
use crate::render::format::counted;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{RgbImage, Theme};
use crate::report::i18n::{Language, minus, phrase};
use crate::stats::{mean_sd, quantile};
use crate::{PIXELS, Result, SIDE};

/// Side of an image on the page: three pixels per pixel of the face.
const CELL: f32 = 144.0;

/// Data that the pages of all layers share.
pub struct LayerPageContext<'a> {
    /// Faces from which the top patches are taken.
    pub training: &'a TrainingFaces<'a>,
    /// These faces in words: `3,000 of the 28,709 faces of train.csv`.
    pub faces: String,
    /// Name of the network.
    pub model: &'a str,
    /// Names of the classes.
    pub class_names: &'a [String],
    /// Colours.
    pub theme: Theme,
}

/// Draws the page of one layer.
pub fn filter_page(report: &FilterReport, context: &LayerPageContext<'_>) -> Result<Page> {
    let filters = report.statistics.len();
    let across = match filters {
        0..=3 => 1,
        4..=48 => 2,
        _ => 3,
    };
    let recipes = report.pictures.len() / filters.max(1);
    let mut page = Page { cell: CELL, ..Page::new(title(report), context.theme) };
    page.subtitle = format!("{}: {}", context.model, subtitle(report));
    let columns = columns(report, recipes);
    page.columns = columns.iter().cloned().cycle().take(columns.len() * across).collect();
    let mut cards = Vec::with_capacity(filters);
    for (statistics, pictures) in
        report.statistics.iter().zip(report.pictures.chunks(recipes.max(1)))
    {
        cards.push(card(report, statistics, pictures, context)?);
    }
    for cards in cards.chunks(across) {
        page.rows.push(Row { header: vec![], cells: cards.concat() });
    }
    page.caption = caption(report, context);
    Ok(page)
}

fn title(report: &FilterReport) -> String {
    match report.layer.name.as_str() {
        LOGITS => "Ideal face of each class".into(),
        name => format!("Filters of {name}"),
    }
}

/// Returns the size of the layer, its dead filters, and the meaning of γ.
pub fn subtitle(report: &FilterReport) -> String {
    let layer = &report.layer;
    let [channels, h, w] = layer.output;
    let mut text = match layer.name.as_str() {
        LOGITS => format!("{channels} logits before the softmax."),
        _ => format!(
            "{1}, maps of {h}×{w} cells; each cell sees {0}×{0} pixels.",
            layer.receptive_field.size.min(SIDE),
            counted(channels, "filter")
        ),
    };
    match report.dead.as_deref() {
        None => (),
        Some([]) => text += " No filter is dead on these faces.",
        Some(dead) => {
            let names: Vec<String> = dead.iter().map(usize::to_string).collect();
            let (count, shown) = (dead.len(), report.statistics.len());
            text += &format!(
                " Dead filters (no activation after the ReLU on these faces), {count} of {shown}: {}.",
                names.join(", ")
            );
        }
    }
    if layer.kind == LayerKind::BatchNorm {
        text += " γ is the scale of the channel. If it is negative, the convolution before it \
                 responds to the opposite image.";
    }
    text
}

fn columns(report: &FilterReport, recipes: usize) -> Vec<String> {
    let mut names: Vec<String> = report
        .pictures
        .iter()
        .take(recipes)
        .map(|p| method_label(p.scores.method, Language::English).to_owned())
        .collect();
    if sees_part(report) {
        names.push("receptive field".into());
    }
    if report.statistics.iter().any(|s| !s.top.is_empty()) {
        names.push(if sees_part(report) { "top patches" } else { "top faces" }.into());
    }
    names.push(String::new());
    names
}

/// Returns the title of a method.
pub(crate) fn method_label(method: MaximizationMethod, language: Language) -> &'static str {
    let p = language.phrases();
    match method {
        MaximizationMethod::Naive => p.recipe_naive,
        MaximizationMethod::Pixels => p.recipe_pixels,
        MaximizationMethod::Fourier => p.recipe_fourier,
        MaximizationMethod::Maco => p.recipe_maco,
        MaximizationMethod::Face => p.recipe_face,
    }
}

pub(crate) fn sees_part(report: &FilterReport) -> bool {
    report.layer.receptive_field.size < SIDE
}

/// Draws the cells of one filter.
fn card(
    report: &FilterReport,
    statistics: &FilterStatistics,
    pictures: &[FilterPicture],
    context: &LayerPageContext<'_>,
) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for shown in pictures {
        cells.push(Cell::picture(whole(shown)?, ""));
    }
    let Some(main) = main_picture(&report.layer, pictures) else { return Ok(cells) };
    if sees_part(report) {
        let (crop, side) = strongest_crop(main, &report.layer);
        cells.push(Cell::picture(gray(&crop, side)?, ""));
    }
    if !statistics.top.is_empty() {
        let pictures = patches(report, statistics, context)?;
        cells.push(Cell::Mosaic { pictures, columns: 3, caption: String::new() });
    }
    cells.push(Cell::Text(words(report, statistics, pictures, main, context)));
    Ok(cells)
}

/// Draws the image of a filter. In a MACO image, parts with little influence fade to gray, because
/// their phases are arbitrary.
pub(crate) fn whole(shown: &FilterPicture) -> Result<RgbImage> {
    if !matches!(shown.scores.method, MaximizationMethod::Maco | MaximizationMethod::Face) {
        return gray(&shown.picture, SIDE);
    }
    let weight = gaussian_blur(&shown.importance, 2.0);
    let wide: Vec<f64> = weight.iter().map(|&v| f64::from(v)).collect();
    let full = (quantile(&wide, 0.75) as f32).max(f32::MIN_POSITIVE);
    let (mean, _) = mean_sd(&shown.picture.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
    let fade = |(v, w): (&f32, &f32)| {
        let shown = (w / full).clamp(0.0, 1.0).sqrt();
        mean as f32 + shown * (v - mean as f32)
    };
    gray(&shown.picture.iter().zip(&weight).map(fade).collect::<Vec<_>>(), SIDE)
}

/// Draws values with the contrast stretched to about four standard deviations around the mean.
pub(crate) fn gray(picture: &[f32], side: usize) -> Result<RgbImage> {
    let (y, sd) = activation_maximization::standardise(picture);
    let level = |y: &f32| if sd > 1e-6 { 0.5 + 0.22 * y } else { 0.5 };
    RgbImage::from_unit(&y.iter().map(level).collect::<Vec<_>>(), side, side)
}

/// Draws the patches of faces with the highest activation of a filter.
pub fn patches(
    report: &FilterReport,
    statistics: &FilterStatistics,
    context: &LayerPageContext<'_>,
) -> Result<Vec<RgbImage>> {
    let patch = |p: &crate::explain::filters::top_activations::TopActivation| {
        let face = &context.training.faces[p.face * PIXELS..][..PIXELS];
        let (crop, side) = receptive_crop(face, &report.layer.receptive_field, p.row, p.column);
        if side < SIDE { gray(&crop, side) } else { RgbImage::from_unit(&crop, side, side) }
    };
    statistics.top.iter().take(TOP_SHOWN).map(patch).collect()
}

/// Returns the name and the scores of a filter.
fn words(
    report: &FilterReport,
    statistics: &FilterStatistics,
    pictures: &[FilterPicture],
    main: &FilterPicture,
    context: &LayerPageContext<'_>,
) -> Vec<Line> {
    let n = &main.scores;
    let normal = |text: String| Line::new(text, Tone::Muted);
    let name = match n.layer.as_str() {
        LOGITS => context.class_names.get(n.filter).cloned().unwrap_or_default(),
        _ => format!("filter {}", n.filter),
    };
    let mut lines = vec![Line::new(name, Tone::Strong)];
    if n.dead == Some(true) {
        lines.push(Line::new("dead: never activates", Tone::Bad));
    }
    let strongest = main_class(statistics, context, Language::English);
    lines.push(Line::new(strongest, Tone::Normal));
    if let Some(place) = place(&report.layer, statistics, Language::English) {
        lines.push(Line::new(place, Tone::Normal));
    }
    if let Some(gamma) = n.gamma {
        lines.push(normal(minus(format!("γ {gamma:+.2}"))));
    }
    let tone = if n.natural { Tone::Good } else { Tone::Bad };
    lines.push(Line::new(format!("HF {:.2}, lag-1 {:.2}", n.hf, n.lag1), tone));
    lines.push(normal(format!("total variation {:.2}", n.tv)));
    let before = pictures.first().filter(|p| p.scores.method == MaximizationMethod::Naive);
    let beside = |value: fn(&crate::explain::filters::filter_report::FilterScores) -> f64| {
        let number = |v: f64| minus(format!("{v:.1}"));
        let before = before.map(|p| format!(" (naive {})", number(value(&p.scores))));
        number(value(n)) + &before.unwrap_or_default()
    };
    lines.push(normal(format!("robust z {}", beside(|n| n.robust_z))));
    if n.similarity.is_finite() {
        lines.push(normal(format!("similarity {}", beside(|n| n.similarity))));
    }
    if let Some(agreement) = n.agreement {
        lines.push(normal(minus(format!("agreement {agreement:.2}"))));
    }
    lines
}

/// Smallest share of the strongest cells that makes a part of the face the place of a filter.
const PLACE_SHARE: f64 = 0.4;

/// Returns the part of the face where most of the strongest cells have their centre; `None` where they are
/// spread, and for layers without a map.
pub(crate) fn place(
    layer: &LayerInfo,
    statistics: &FilterStatistics,
    language: Language,
) -> Option<String> {
    let p = language.phrases();
    let counts = statistics.regions(layer);
    let region = Region::ALL.into_iter().max_by_key(|r| counts[*r as usize])?;
    let (count, total) = (counts[region as usize], counts.iter().sum::<usize>());
    (count > 0 && count as f64 >= PLACE_SHARE * total as f64).then(|| {
        phrase!(p.strongest_at, region = language.region(region), count = count, total = total)
    })
}

/// Returns the class that is over-represented among the top faces of a filter.
pub(crate) fn main_class(
    statistics: &FilterStatistics,
    context: &LayerPageContext<'_>,
    language: Language,
) -> String {
    let p = language.phrases();
    match statistics.main_class(&context.training.labels, context.class_names.len()) {
        Some(MainClass { class, count, total, lift }) => {
            let class = language.class(&context.class_names[class]);
            let lift = format!("{lift:.1}");
            phrase!(p.of_top, class = class, count = count, total = total, lift = lift)
        }
        None => p.no_main_class.into(),
    }
}

fn caption(report: &FilterReport, context: &LayerPageContext<'_>) -> String {
    let (after, similarity) = match report.first_block {
        true => (
            "one cell is maximised, because the mean over a filter of the first block depends only on the border",
            "correlation of the receptive field of one cell with the mean top patch, the best shift within ±3 cells",
        ),
        false => (
            "parts with little influence fade to gray",
            "similarity of the receptive field of the most active cell to the top patches in the features \
             of the layer before; 1 means identical",
        ),
    };
    let agreement = match report.pictures.iter().any(|p| p.scores.agreement.is_some()) {
        true => " Agreement: correlation of images from different starts.",
        false => "",
    };
    format!(
        "Naive: 20 gradient steps from gray noise without a prior. MACO: only the phases are changed; \
         the amplitudes are the mean spectrum of faces; {after}. From faces: the phases start at those of the mean of \
         nine strong faces other than those shown, or of the mean face where none is at hand. Faces: {}. HF: share of the power \
         above a quarter of a cycle per pixel. Natural (green): HF of at most 0.19 and lag-1 \
         autocorrelation of at least 0.8, as in real faces. Total variation: mean difference of neighbouring \
         pixels, in standard deviations of the picture; real faces have 0.25. Robust z: activation over random \
         transformations, in standard deviations above the median face. Similarity: {similarity}. \
         Class: over-represented among the 100 top faces beyond chance.{agreement}",
        context.faces
    )
}

/// Draws naive and MACO images of a few filters for a summary, one filter per column.
pub fn before_after_page(
    reports: &[FilterReport],
    most: usize,
    context: &LayerPageContext<'_>,
) -> Result<Page> {
    let mut page = Page {
        // The name of a layer must fit: broken within its number it would name another layer.
        cell: 112.0,
        ..Page::new("Filters by naive gradient ascent and by MACO", context.theme)
    };
    let mut rows = ["naive", "MACO", "top faces"]
        .map(|name| Row { header: vec![Line::new(name, Tone::Strong)], cells: vec![] });
    for report in reports {
        for (statistics, pair) in convincing(report, most.div_ceil(reports.len().max(1))) {
            let name = match report.layer.name.as_str() {
                LOGITS => context.class_names.get(statistics.filter).cloned().unwrap_or_default(),
                name => format!("{name}\nfilter {}", statistics.filter),
            };
            page.columns.push(name);
            rows[0].cells.push(Cell::picture(gray(&pair[0].picture, SIDE)?, ""));
            let (crop, side) = strongest_crop(pair[1], &report.layer);
            rows[1].cells.push(Cell::picture(gray(&crop, side)?, ""));
            let pictures = patches(report, statistics, context)?;
            if pictures.is_empty() {
                continue;
            }
            rows[2].cells.push(Cell::Mosaic { pictures, columns: 3, caption: String::new() });
        }
    }
    page.rows = rows.into_iter().filter(|row| !row.cells.is_empty()).collect();
    let shown = match context.training.faces.is_empty() {
        true => "with the highest robust z",
        false => "whose image is most similar to its top faces",
    };
    page.caption = format!(
        "Naive: 20 gradient steps without a prior. MACO: spectrum of the training faces, free phases, which start at \
         those of strong faces in the deeper layers. \
         Shown are the filters of each layer {shown}."
    );
    Ok(page)
}

/// Returns the filters of a layer with a naive and the main image: highest similarity first, without faces
/// highest robust z.
fn convincing(report: &FilterReport, most: usize) -> Vec<(&FilterStatistics, [&FilterPicture; 2])> {
    let pair = |statistics: &'_ FilterStatistics| {
        let of = |recipe| {
            report.pictures.iter().find(|p| {
                p.scores.filter == statistics.filter
                    && p.scores.method == recipe
                    && p.scores.is_alive()
            })
        };
        let pictures = report.pictures.chunk_by(|a, b| a.scores.filter == b.scores.filter);
        let own = pictures.into_iter().find(|own| own[0].scores.filter == statistics.filter)?;
        let main = main_picture(&report.layer, own).filter(|p| p.scores.is_alive())?;
        Some([of(MaximizationMethod::Naive)?, main])
    };
    let mut pairs: Vec<_> =
        report.statistics.iter().filter_map(|s| pair(s).map(|pair| (s, pair))).collect();
    let merit = |pair: &[&FilterPicture; 2]| match pair[1].scores.similarity {
        similarity if similarity.is_finite() => similarity,
        _ => pair[1].scores.robust_z,
    };
    pairs.sort_by(|a, b| merit(&b.1).total_cmp(&merit(&a.1)));
    pairs.truncate(most);
    pairs
}
