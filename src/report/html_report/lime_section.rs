//! Parts of section 3: LIME on typical faces, and the most confident mistakes.

use crate::dataset::Origin;
use crate::explain::Attribution;
use crate::explain::attribution::lime::{Lime, MAX_GAP, MIN_R2, MIN_TOP5};
use crate::explain::image_ops::max_abs;
use crate::explain::regions::face_regions::{Region, Template};
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::thousands;
use crate::render::{RgbImage, Scale};
use crate::report::face::name;
use crate::report::html_report::ReportContext;
use crate::report::html_report::lime::{ExplainedMistake, LimeResults};
use crate::report::html_report::page::{ReportPage, Tile, card, cards, color_key};
use crate::report::html_report::saliency_section::face_title;
use crate::report::i18n::{Language, minus, phrase};
use crate::report::lime::superpixels::{AGAINST, FOR, borders, evidence, strongest};
use crate::report::saliency::one_method_page::SIGNED;
use crate::report::{EvaluationReport, PredictedFace};
use crate::{Result, SIDE};

/// Regions that are named for each face.
const REGIONS_SHOWN: usize = 3;

/// Returns the source of a face: its number for `--index`, or the name of an image file.
fn place(origin: Origin<'_>, index: usize, language: Language) -> String {
    let (p, file) = (language.phrases(), origin.path.file_name().unwrap_or_default());
    match origin.line {
        Some(_) => phrase!(p.face_number, number = index),
        None => file.to_string_lossy().into_owned(),
    }
}

/// Writes the figure of LIME.
pub(crate) fn lime(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    results: &LimeResults,
) -> Result<()> {
    let (p, names) = (page.language.phrases(), context.names());
    page.paragraph(p.lime_method);
    let pairs = results.faces.iter().zip(results.explanations.iter().zip(&results.templates));
    let all = pairs.map(|(face, found)| lime_card(face, found, &names, page.language));
    let all = all.collect::<Result<Vec<_>>>()?;
    let key = color_key(SIGNED, p.key_lowers, p.key_raises)?;
    let options = &results.options;
    let caption = phrase!(
        p.caption_lime,
        samples = thousands(options.num_samples as u64),
        fits = options.fits
    );
    page.figure(&(cards(&all, "") + &key), &caption);
    let believed = results.explanations.iter().filter(|l| l.refused.is_none()).count();
    let words = phrase!(p.lime_count, believed = believed, all = results.explanations.len());
    page.findings(&[words]);
    Ok(())
}

/// Returns why the superpixels of a face are not shown.
fn refusal(lime: &Lime, language: Language) -> String {
    let (p, r2) = (language.phrases(), minus(format!("{:.2}", lime.r2)));
    if let Some(a) = lime.agreement.filter(|a| a.top5 < MIN_TOP5) {
        return phrase!(p.lime_unstable, r2 = r2, shared = language.whole_percent(a.top5));
    }
    match lime.r2 >= MIN_R2 && lime.gap() > MAX_GAP {
        true => phrase!(p.lime_inaccurate, gap = format!("{:.2}", lime.gap()), limit = MAX_GAP),
        false => phrase!(p.lime_poor_fit, r2 = r2),
    }
}

/// Returns the regions with the largest weights, a superpixel's weight divided among the regions that it covers:
/// “mouth +0.31, forehead −0.05, nose +0.04”.
fn region_words(lime: &Lime, template: &Template, language: Language) -> String {
    let mut weights = Region::ALL.map(|region| (region, 0.0));
    let mut pixels = vec![0.0; lime.coefficients.len()];
    lime.superpixels.iter().for_each(|&k| pixels[k] += 1.0);
    for (&k, &region) in lime.superpixels.iter().zip(&template.regions) {
        weights[region as usize].1 += lime.coefficients[k] / pixels[k];
    }
    weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let one = |&(region, weight): &(Region, f64)| {
        format!("{} {}", language.region(region), minus(format!("{weight:+.2}")))
    };
    let all: Vec<String> = weights.iter().take(REGIONS_SHOWN).map(one).collect();
    let between = if language == Language::English { ", " } else { "，" };
    phrase!(language.phrases().lime_regions, regions = all.join(between))
}

fn lime_card(
    face: &PredictedFace,
    (lime, template): (&Lime, &Template),
    names: &[&str],
    language: Language,
) -> Result<String> {
    let p = language.phrases();
    let number = |v: f64| minus(format!("{v:.2}"));
    let fit = vec![phrase!(
        p.lime_fit,
        superpixels = lime.coefficients.len(),
        r2 = number(lime.r2),
        local = number(lime.local_prediction),
        network = number(lime.model_prediction),
        agreement = lime.agreement.map_or("–".into(), |a| number(a.rank))
    )];
    let title = face_title(face, names, language);
    let picture = face.picture()?;
    let mut tiles = vec![Tile::new(p.tile_superpixels, borders(&picture, &lime.superpixels))];
    if lime.refused.is_some() {
        let words = [fit, vec![refusal(lime, language)]].concat();
        return card(&title, &words, &tiles);
    }
    let words = [vec![region_words(lime, template, language)], fit].concat();
    for (sign, color, label) in [(1.0, FOR, p.tile_for), (-1.0, AGAINST, p.tile_against)] {
        let own = strongest(lime, sign);
        let sum: f64 = own.iter().map(|&k| lime.coefficients[k]).sum();
        let line = minus(format!("{sum:+.2}"));
        tiles.push(Tile::new(label, evidence(&picture, lime, &own, color)).lines(vec![line]));
    }
    let map = lime.map();
    let scale = Scale { clip: max_abs(&map), max: max_abs(&map) };
    let line = minus(format!("±{:.2}", scale.max));
    let weights = draw_map(&map, SIDE, SIDE, SIGNED, scale)?;
    tiles.push(Tile::new(p.tile_weights, weights).crisp().lines(vec![line]));
    card(&title, &words, &tiles)
}

/// Writes the most confident mistakes.
pub(crate) fn errors(
    page: &mut ReportPage,
    context: &ReportContext<'_>,
    report: &EvaluationReport,
    mistakes: &[ExplainedMistake],
) -> Result<()> {
    let (p, language, names) = (page.language.phrases(), page.language, context.names());
    if mistakes.is_empty() {
        page.paragraph(p.no_errors);
        return Ok(());
    }
    let class = |c: usize| language.class(name(&names, c));
    let one = |e: &ExplainedMistake| -> Result<String> {
        let m = &e.mistake;
        let face = RgbImage::from_unit(&e.pixels, SIDE, SIDE)?;
        let on =
            |map: &Attribution| overlay(&face, &map.map, SIGNED, Scale::percentile99(&map.map));
        let origin = place(context.evaluated.faces.origin(m.face), m.face, language);
        let tiles = [
            Tile::new(p.tile_face, face.clone()).lines(vec![origin]),
            Tile::new(phrase!(p.tile_map_of, class = class(m.predicted)), on(&e.predicted)?)
                .lines(vec![language.percent(m.confidence)]),
            Tile::new(phrase!(p.tile_map_of, class = class(m.truth)), on(&e.labelled)?)
                .lines(vec![language.percent(m.true_probability)]),
        ];
        let title = phrase!(p.error_title, truth = class(m.truth), said = class(m.predicted));
        card(&title, &[], &tiles)
    };
    let all = mistakes.iter().map(one).collect::<Result<Vec<_>>>()?;
    let key = color_key(SIGNED, p.key_against, p.key_for)?;
    let shown = mistakes.len();
    let caption =
        phrase!(p.caption_errors, shown = shown, all = thousands(report.mistakes.len() as u64));
    page.figure(&(cards(&all, "narrow") + &key), &caption);
    if !report.suspects.is_empty() {
        let count = thousands(report.suspects.len() as u64);
        page.findings(&[phrase!(p.suspects, count = count)]);
    }
    Ok(())
}
