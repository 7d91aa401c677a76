//! Section 2 of the report: what do the filters respond to?

use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::feature_maps::MapStatistics;
use crate::explain::filters::filter_report::{
    FilterPicture, FilterReport, FilterScores, strongest_crop,
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
    LayerPageContext, gray, main_class, method_label, patches, sees_part, whole,
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
    page.paragraph(p.filters_method);
    page.findings(&words(results, page.language));
    kernels(page, context)?;
    let explained = page.next_figure();
    for report in &results.layers {
        layer(page, report, page_context, explained)?;
    }
    significance(page, results);
    ideal(page, results, page_context)?;
    maps(page, context, face)
}

/// Returns the sentences on the scores.
pub(crate) fn words(results: &FilterResults, language: Language) -> Vec<String> {
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
    let dead: Option<usize> = results.layers.iter().map(|r| r.dead.as_ref().map(Vec::len)).sum();
    text.extend(dead.map(|dead| match dead {
        0 => p.no_dead_filter.into(),
        n => phrase!(p.dead_filters, count = n),
    }));
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

/// Writes the filters of a layer; `explained` is the figure whose caption explains the layout.
fn layer(
    page: &mut ReportPage,
    report: &FilterReport,
    page_context: &LayerPageContext<'_>,
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
    let one = |(statistics, pictures): (&FilterStatistics, &[FilterPicture])| {
        filter_card(report, statistics, pictures, page_context, language)
    };
    let pairs = report.statistics.iter().zip(report.pictures.chunks(recipes.max(1)));
    let all = pairs.map(one).collect::<Result<Vec<_>>>()?;
    let whole_faces = if sees_part(report) { "" } else { p.caption_whole_faces };
    let caption = match page.next_figure() == explained {
        true if sees_part(report) => phrase!(p.caption_filters_crop, faces = page_context.faces),
        true => phrase!(p.caption_filters, faces = page_context.faces),
        false => {
            let again = phrase!(p.caption_filters_again, layer = info.name, figure = explained);
            language.paragraph(&[again.as_str(), whole_faces])
        }
    };
    page.figure(&cards(&all, ""), &caption);
    Ok(())
}

fn filter_card(
    report: &FilterReport,
    statistics: &FilterStatistics,
    pictures: &[FilterPicture],
    page_context: &LayerPageContext<'_>,
    language: Language,
) -> Result<String> {
    let p = language.phrases();
    let number = |v: f64| minus(format!("{v:.2}"));
    let mut shown = vec![];
    for picture in pictures {
        let n = &picture.scores;
        let lines = vec![
            format!("HF {}", number(n.hf)),
            phrase!(p.short_lag, value = number(n.lag1)),
            phrase!(p.short_z, value = minus(format!("{:.1}", n.robust_z))),
            phrase!(p.short_similarity, value = number(n.similarity)),
        ];
        let label = method_label(n.method, language);
        shown.push(Tile::new(label, whole(picture)?).lines(lines));
    }
    let main =
        pictures.iter().find(|p| p.scores.method == MaximizationMethod::Maco).or(pictures.last());
    if let Some(main) = main.filter(|_| sees_part(report)) {
        let (crop, side) = strongest_crop(main, &report.layer);
        shown.push(Tile::new(p.tile_cell, gray(&crop, side)?));
    }
    let tile = Tile::new(p.tile_patches, mosaic(&patches(report, statistics, page_context)?));
    shown.push(tile.lines(vec![main_class(statistics, page_context, language)]));
    let mut words = vec![];
    if let Some(n) = main.map(|m| &m.scores) {
        words.extend((n.dead == Some(true)).then(|| p.filter_dead.to_owned()));
        words.extend(n.agreement.map(|a| phrase!(p.filter_agreement, value = number(a))));
    }
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

/// Writes the scores, one row per method.
fn significance(page: &mut ReportPage, results: &FilterResults) {
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
    page.table(&header, &rows, p.caption_significance, "numbers");
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
        let mut shown = vec![];
        for (picture, &sure) in pictures.iter().zip(sure) {
            let lines = vec![phrase!(p.probability, sure = language.percent(sure))];
            let label = method_label(picture.scores.method, language);
            shown.push(Tile::new(label, whole(picture)?).lines(lines));
        }
        shown.push(Tile::new(p.tile_faces, mosaic(&patches(report, statistics, page_context)?)));
        let class = language.class(&page_context.class_names[statistics.filter]);
        all.push(card(&phrase!(p.ideal_face, class = class), &[], &shown)?);
    }
    page.part(p.ideal_title);
    page.figure(&cards(&all, ""), p.caption_ideal);
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
