//! Section 2 of the report: what do the filters respond to?

use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::feature_maps::MapStatistics;
use crate::explain::filters::filter_report::{
    FilterPicture, FilterReport, FilterScores, main_picture, strongest_crop,
};
use crate::explain::filters::top_activations::FilterStatistics;
use crate::explain::{Classifier, LayerInfo, LayerKind};
use crate::nn::Layer;
use crate::render::colormap::draw_map;
use crate::render::format::{short, thousands};
use crate::render::html::escape;
use crate::render::{Colormap, RgbImage, Scale};
use crate::report::PredictedFace;
use crate::report::filters::layer_page::{
    LayerPageContext, gray, main_class, method_label, patches, place, sees_part, whole,
};
use crate::report::html_report::ReportContext;
use crate::report::html_report::filters::{FilterResults, spread};
use crate::report::html_report::page::{ReportPage, Tile, card, cards, color_key, image, tiles};
use crate::report::i18n::{Language, minus, phrase};
use crate::{Result, Result as CrateResult, SIDE};
use std::fmt::Write as _;

/// Number of maps per layer.
const MAPS: usize = 8;
/// Number of layers whose maps are shown.
const STAGES: usize = 6;

/// Writes the section. `face` is the face of the feature maps.
pub(crate) fn write(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    results: &FilterResults,
    page_context: &LayerPageContext<'_>,
    face: &PredictedFace,
) -> Result<()> {
    let p = page.language.phrases();
    page.document.anchor(2, "filters", p.question_filters);
    page.findings(&answer(results, page_context, page.language));
    page.paragraph(p.filters_method);
    ideal(page, results, page_context)?;
    let explained = page.next_figure();
    let model = context.classifier()?;
    for report in &results.layers {
        layer(page, report, page_context, (&model, face), explained)?;
    }
    kernels(page, context)?;
    significance(page, results)?;
    maps(page, context, face)
}

/// Returns the answer in sentences: how many filters respond to one expression, the clearest of them, and how
/// many are dead.
pub(crate) fn answer(
    results: &FilterResults,
    page_context: &LayerPageContext<'_>,
    language: Language,
) -> Vec<String> {
    let p = language.phrases();
    let all: Vec<(&FilterReport, &FilterStatistics)> =
        results.layers.iter().flat_map(|r| r.statistics.iter().map(move |s| (r, s))).collect();
    let classes = page_context.class_names.len();
    let main = |s: &FilterStatistics| s.main_class(&page_context.training.labels, classes);
    let partial: Vec<_> = all.iter().filter_map(|&(r, s)| Some((r, s, main(s)?))).collect();
    let mut text = vec![phrase!(p.partial_filters, partial = partial.len(), shown = all.len())];
    let clearest = partial.iter().max_by(|a, b| a.2.lift.total_cmp(&b.2.lift));
    text.extend(clearest.map(|(report, statistics, _)| {
        phrase!(
            p.clearest_filter,
            filter = statistics.filter,
            layer = report.layer.name,
            class = main_class(statistics, page_context, language)
        )
    }));
    let dead: Option<usize> = results.layers.iter().map(|r| r.dead.as_ref().map(Vec::len)).sum();
    text.extend(dead.map(|dead| match dead {
        0 => p.no_dead_filter.into(),
        n => phrase!(p.dead_filters, count = n),
    }));
    text
}

/// Returns the sentences on the methods' scores.
fn words(results: &FilterResults, language: Language) -> Vec<String> {
    let p = language.phrases();
    let of = |recipe| results.significance.methods.iter().find(|r| r.method == recipe);
    let mut text = vec![];
    if let (Some(naive), Some(pixels), Some(maco)) = (
        of(MaximizationMethod::Naive),
        of(MaximizationMethod::Pixels),
        of(MaximizationMethod::Maco),
    ) {
        text.push(phrase!(
            p.filters_natural,
            filters = maco.filters,
            maco = language.whole_percent(maco.natural),
            pixels = language.whole_percent(pixels.natural),
            naive = language.whole_percent(naive.natural)
        ));
        let number = |v: f64| minus(format!("{v:.2}"));
        let (phrase_z, phrase_s) = (
            if maco.robust_z >= pixels.robust_z { p.maco_more_robust } else { p.maco_less_robust },
            if maco.similarity > pixels.similarity {
                p.maco_more_similar
            } else {
                p.maco_less_similar
            },
        );
        text.push(phrase!(
            phrase_z,
            maco = number(maco.robust_z),
            pixels = number(pixels.robust_z)
        ));
        let (maco, pixels) = (number(maco.similarity), number(pixels.similarity));
        text.push(phrase!(phrase_s, maco = maco, pixels = pixels));
    }
    text
}

/// Writes the kernels of a first convolution with one input channel.
fn kernels(page: &mut ReportPage, context: &ReportContext<'_>) -> Result<()> {
    let p = page.language.phrases();
    let layers = context.model().network.walk()?;
    let first = layers.iter().find_map(|(layer, _)| match layer {
        Layer::Conv2d(convolution) => Some(convolution),
        _ => None,
    });
    let Some(convolution) = first else { return Ok(()) };
    let shape = convolution.weight.value.shape().to_vec();
    let (h, w) = (shape[2], shape[3]);
    if shape[1] != 1 || h * w == 1 {
        return Ok(());
    }
    page.part(&phrase!(p.kernels_title, layer = convolution.name));
    let weights = convolution.weight.value.to_vec();
    let scale = Scale::maximum(&weights);
    let tile = |(k, kernel): (usize, &[f32])| {
        let picture = draw_map(kernel, w, h, Colormap::BlueRed, scale)?;
        let sum = minus(format!("{:+.2}", kernel.iter().sum::<f32>()));
        Ok(Tile::new(k.to_string(), picture).lines(vec![sum]).crisp())
    };
    let all = weights.chunks_exact(h * w).enumerate().map(tile).collect::<Result<Vec<_>>>()?;
    let content = tiles(&convolution.name, &all)?.replacen("\"tiles\"", "\"kernels\"", 1);
    let max = short(scale.max.into());
    let key = color_key(Colormap::BlueRed, &minus(format!("-{max}")), &format!("+{max}"))?;
    page.figure(&(content + &key), &phrase!(p.caption_kernels, h = h, w = w));
    Ok(())
}

/// Writes the filters of a layer, with their outputs on a face; `explained` is the figure whose caption
/// explains the layout.
fn layer(
    page: &mut ReportPage,
    report: &FilterReport,
    page_context: &LayerPageContext<'_>,
    (model, face): (&dyn Classifier, &PredictedFace),
    explained: usize,
) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let info = &report.layer;
    page.part(&phrase!(p.layer_title, layer = info.name));
    let [channels, h, w] = info.output;
    page.paragraph(&phrase!(
        p.layer_size,
        channels = channels,
        h = h,
        w = w,
        side = info.receptive_field.size.min(SIDE)
    ));
    let recipes = report.pictures.len() / report.statistics.len().max(1);
    let maps = model.activations(&info.name, &face.pixels)?;
    let one = |(statistics, pictures): (&FilterStatistics, &[FilterPicture])| {
        let output = draw_output(maps.channel(0, statistics.filter), [maps.h, maps.w])?;
        filter_card(report, statistics, (pictures, output), page_context, language)
    };
    let pairs = report.statistics.iter().zip(report.pictures.chunks(recipes.max(1)));
    let all = pairs.map(one).collect::<Result<Vec<_>>>()?;
    let sees = if sees_part(report) { p.caption_part } else { p.caption_whole };
    let (content, first) = match page.next_figure() == explained {
        true => {
            let shown = [Tile::new(p.tile_face, face.picture()?)];
            let face = format!("<div class=\"one-face\">{}</div>\n", tiles(p.tile_face, &shown)?);
            (face, phrase!(p.caption_filters, faces = page_context.faces))
        }
        false => {
            let again = phrase!(p.caption_filters_again, layer = info.name, figure = explained);
            (String::new(), again)
        }
    };
    let caption = language.paragraph(&[first.as_str(), sees]);
    page.figure(&(content + &cards(&all, "filters")), &caption);
    Ok(())
}

/// Draws the output of a filter: red and blue where some of it is negative.
fn draw_output(map: &[f32], [h, w]: [usize; 2]) -> Result<RgbImage> {
    let signed = map.iter().any(|&v| v < 0.0);
    let colors = if signed { Colormap::BlueRed } else { Colormap::Magma };
    draw_map(map, w, h, colors, Scale::maximum(map))
}

fn filter_card(
    report: &FilterReport,
    statistics: &FilterStatistics,
    (pictures, output): (&[FilterPicture], RgbImage),
    page_context: &LayerPageContext<'_>,
    language: Language,
) -> Result<String> {
    let p = language.phrases();
    let number = |v: f64| minus(format!("{v:.2}"));
    let main = main_picture(&report.layer, pictures);
    let mut words = vec![main_class(statistics, page_context, language)];
    words.extend(place(&report.layer, statistics, language));
    let mut shown = vec![];
    if let Some(main) = main {
        let n = &main.scores;
        words.extend((n.dead == Some(true)).then(|| p.filter_dead.to_owned()));
        words.extend(n.agreement.map(|a| phrase!(p.filter_agreement, value = number(a))));
        let picture = match sees_part(report) {
            true => {
                let (crop, side) = strongest_crop(main, &report.layer);
                gray(&crop, side)?
            }
            false => whole(main)?,
        };
        let lines = vec![
            phrase!(p.short_z, value = minus(format!("{:.1}", n.robust_z))),
            phrase!(p.short_similarity, value = number(n.similarity)),
        ];
        shown.push(Tile::new(p.tile_wanted, picture).lines(lines));
    }
    shown.push(Tile::new(p.tile_output, output).crisp());
    shown.push(Tile::new(p.tile_patches, mosaic(&patches(report, statistics, page_context)?)));
    card(&phrase!(p.filter_title, filter = statistics.filter), &words, &shown)
}

/// Joins up to nine images into one, three per row.
fn mosaic(pictures: &[RgbImage]) -> RgbImage {
    let side = pictures.iter().map(RgbImage::width).max().unwrap_or(1);
    // Small patches are enlarged, so that the gap stays thin.
    let zoom = (48 / side).max(1);
    let (cell, gap) = (side * zoom, 2);
    let whole = 3 * cell + 2 * gap;
    let mut mosaic = RgbImage::new(whole, whole, [128; 3]);
    for (i, picture) in pictures.iter().take(9).enumerate() {
        let (x, y) = (i % 3 * (cell + gap), i / 3 * (cell + gap));
        mosaic.blit(&picture.resized_nearest(cell, cell), x, y);
    }
    mosaic
}

/// Writes the scores, one row per method, and one filter by each method.
fn significance(page: &mut ReportPage, results: &FilterResults) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let number = |v: f64| minus(format!("{v:.2}"));
    let row = |r: &crate::explain::filters::filter_report::MethodSummary| {
        vec![
            method_label(r.method, language).to_owned(),
            language.percent(r.natural),
            number(r.hf),
            number(r.lag1),
            number(r.robust_z),
            number(r.similarity),
            r.agreement.map_or("–".into(), number),
        ]
    };
    let mut rows: Vec<Vec<String>> = results.significance.methods.iter().map(row).collect();
    let [natural, hf, lag1] = results.significance.faces;
    let dash = || "–".to_owned();
    rows.push(vec![
        p.row_faces.into(),
        language.percent(natural),
        number(hf),
        number(lag1),
        number(results.significance.best_face_z),
        dash(),
        dash(),
    ]);
    let header = [
        p.head_recipe, p.head_natural, p.head_hf, p.head_lag, p.head_z, p.head_similarity,
        p.head_agreement,
    ];
    page.part(p.significance_title);
    page.findings(&words(results, language));
    page.table(&header, &rows, p.caption_significance, "numbers");
    let Some(deepest) = results.layers.last() else { return Ok(()) };
    let (layer, methods) = (&deepest.layer.name, results.significance.methods.len());
    let Some(statistics) = deepest.statistics.first() else { return Ok(()) };
    let tile = |shown: &FilterPicture| {
        Ok(Tile::new(method_label(shown.scores.method, language), whole(shown)?))
    };
    let own = deepest.pictures.iter().take(methods).map(tile).collect::<Result<Vec<_>>>()?;
    let content = tiles(layer, &own)?.replacen("\"tiles\"", "\"methods\"", 1);
    page.figure(&content, &phrase!(p.caption_methods, filter = statistics.filter, layer = layer));
    Ok(())
}

/// Writes the ideal face of each class.
fn ideal(
    page: &mut ReportPage,
    results: &FilterResults,
    page_context: &LayerPageContext<'_>,
) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let report = &results.classes;
    let recipes = (report.pictures.len() / report.statistics.len().max(1)).max(1);
    let groups = report.pictures.chunks(recipes).zip(results.ideal.chunks(recipes));
    let mut all = vec![];
    for (statistics, (pictures, sure)) in report.statistics.iter().zip(groups) {
        let (mut shown, mut words) = (vec![], vec![]);
        for (picture, &sure) in pictures.iter().zip(sure).rev() {
            let sure = language.percent(sure);
            if picture.scores.method == MaximizationMethod::Naive {
                words.push(phrase!(p.ideal_naive, sure = sure));
                continue;
            }
            let label = method_label(picture.scores.method, language);
            let lines = vec![phrase!(p.probability, sure = sure)];
            shown.push(Tile::new(label, whole(picture)?).lines(lines));
        }
        shown.push(Tile::new(p.tile_faces, mosaic(&patches(report, statistics, page_context)?)));
        let class = language.class(&page_context.class_names[statistics.filter]);
        all.push(card(&phrase!(p.ideal_face, class = class), &words, &shown)?);
    }
    page.part(p.ideal_title);
    page.figure(&cards(&all, "filters"), p.caption_ideal);
    Ok(())
}

/// Returns the layers whose feature maps the page shows, each with its filters.
pub(crate) fn shown_maps(model: &dyn Classifier) -> Vec<(LayerInfo, Vec<usize>)> {
    let is_rectified =
        |l: &LayerInfo| matches!(l.kind, LayerKind::Relu | LayerKind::OtherActivation);
    let mut rectified = model.layers();
    rectified.retain(|layer| is_rectified(layer) && layer.has_map());
    let of = |i: usize| (rectified[i].clone(), spread(rectified[i].output[0], MAPS));
    spread(rectified.len(), STAGES).into_iter().map(of).collect()
}

/// Writes the feature maps of one face.
fn maps(page: &mut ReportPage, context: &ReportContext<'_>, face: &PredictedFace) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let model = context.classifier()?;
    let shown = shown_maps(&model);
    if shown.is_empty() {
        return Ok(());
    }
    let mut html = String::new();
    for (layer, filters) in &shown {
        html += &stage(&model, layer, filters, face, language)?;
    }
    let names = context.names();
    let truth = language.class(crate::report::face::name(&names, face.label.unwrap_or(usize::MAX)));
    let picture = [Tile::new(p.tile_face, face.picture()?)];
    let html = format!("<div class=\"one-face\">{}</div>\n{html}", tiles(truth, &picture)?);
    let key = color_key(Colormap::Magma, "0", p.key_largest)?;
    page.part(p.maps_title);
    page.figure(&(html + &key), &phrase!(p.caption_maps, class = truth));
    Ok(())
}

fn stage(
    model: &dyn Classifier,
    layer: &LayerInfo,
    filters: &[usize],
    face: &PredictedFace,
    language: Language,
) -> CrateResult<String> {
    let p = language.phrases();
    let maps = model.activations(&layer.name, &face.pixels)?;
    let zeros = MapStatistics::of(&maps.data).zeros;
    let size = phrase!(
        p.map_size,
        channels = thousands(maps.c as u64),
        h = maps.h,
        w = maps.w,
        zeros = language.whole_percent(zeros)
    );
    let mut html = format!(
        "<div class=\"maps\"><div><b>{}</b> <span>{}</span></div>\n",
        escape(&layer.name),
        escape(&size)
    );
    for &k in filters {
        let map = maps.channel(0, k);
        let picture = draw_map(map, maps.w, maps.h, Colormap::Magma, Scale::maximum(map))?;
        let alt = format!("{} {k}", layer.name);
        let _ = writeln!(html, "{}", image(&picture, &alt, true)?);
    }
    Ok(html + "</div>\n")
}

/// Returns the scores of all images.
pub(crate) fn numbers(results: &FilterResults) -> Vec<FilterScores> {
    let reports = results.layers.iter().chain(std::iter::once(&results.classes));
    reports.flat_map(|r| &r.pictures).map(|p| p.scores.clone()).collect()
}
