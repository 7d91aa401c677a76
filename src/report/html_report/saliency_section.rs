//! Section 1 of the report: where does the network look?

use crate::explain::Target;
use crate::explain::regions::face_regions::{Region, Template};
use crate::explain::regions::region_lift::MapSource;
use crate::render::chart::ChartOptions;
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::short;
use crate::render::html::escape;
use crate::render::{Rgb, RgbImage, Scale, Theme, hex};
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::html_report::page::{
    ReportPage, Tile, card, cards, chart, charts, color_key, image,
};
use crate::report::html_report::saliency::SaliencyResults;
use crate::report::i18n::{Language, phrase};
use crate::report::saliency::one_method_page::{MAGNITUDE, SIGNED};
use crate::report::saliency::region_page::lift_chart;
use crate::report::saliency::region_sentences::{lift_of, region_sentences};
use crate::report::saliency::template_page::{draw_template, region_color};
use crate::{Result, Result as CrateResult, SIDE};

/// Writes the section.
pub(crate) fn write(
    page: &mut ReportPage,
    results: &SaliencyResults,
    names: &[&str],
) -> Result<()> {
    let p = page.language.phrases();
    page.document.anchor(2, "saliency", p.question_saliency);
    page.findings(&region_sentences(&results.lifts, names, page.language));
    page.paragraph(p.saliency_method);
    page.part(p.typical_title);
    typical(page, results, names)?;
    page.part(p.class_means_title);
    class_means(page, results, names)?;
    page.part(p.regions_title);
    regions(page, results, names)?;
    table(page, results, names);
    Ok(())
}

/// Returns the title of a face: `happy, predicted happy (99.1 %)`.
pub(crate) fn face_title(face: &PredictedFace, names: &[&str], language: Language) -> String {
    let p = language.phrases();
    let said = language.class(name(names, face.predicted));
    let sure = language.percent(face.probability.into());
    match face.label {
        Some(label) => {
            phrase!(
                p.face_title,
                truth = language.class(name(names, label)),
                said = said,
                sure = sure
            )
        }
        None => phrase!(p.face_title_unlabelled, said = said, sure = sure),
    }
}

fn typical(page: &mut ReportPage, results: &SaliencyResults, names: &[&str]) -> Result<()> {
    let p = page.language.phrases();
    let one = |(face, i): (&PredictedFace, usize)| -> CrateResult<String> {
        let (map, gradient) = (&results.maps[i], &results.gradients[i].map);
        let picture = face.picture()?;
        let [scale, steepest] = [&map.map, gradient].map(|m| Scale::percentile99(m));
        let tiles = [
            Tile::new(p.tile_face, picture.clone()),
            Tile::new(p.tile_overlay, overlay(&picture, &map.map, SIGNED, scale)?),
            Tile::new(p.tile_map, draw_map(&map.map, SIDE, SIDE, SIGNED, scale)?),
            Tile::new(p.tile_gradient, draw_map(gradient, SIDE, SIDE, MAGNITUDE, steepest)?)
                .crisp(),
        ];
        debug_assert_eq!(map.target, Target::Class(face.predicted));
        let strongest = phrase!(p.largest_gradient, max = short(steepest.max.into()));
        card(&face_title(face, names, page.language), &[strongest], &tiles)
    };
    let all = results.faces.iter().zip(0..).map(one).collect::<Result<Vec<_>>>()?;
    let keys = color_key(SIGNED, p.key_against, p.key_for)?
        + &color_key(MAGNITUDE, p.key_nothing, p.key_much)?;
    page.figure(&(cards(&all, "") + &keys), p.caption_typical);
    Ok(())
}

fn class_means(page: &mut ReportPage, results: &SaliencyResults, names: &[&str]) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let maps = &results.class_maps;
    // One scale for all classes, so that they can be compared.
    let own_scale = Scale::percentile99(&maps.own.concat());
    let one = |c: usize| -> CrateResult<String> {
        let face = RgbImage::from_unit(&results.mean_faces[c], SIDE, SIDE)?;
        let map = &maps.mean[c];
        let scale = Scale::percentile99(map);
        let mut tiles = vec![
            Tile::new(p.tile_mean_face, face.clone()),
            Tile::new(p.tile_mean_map, draw_map(map, SIDE, SIDE, MAGNITUDE, scale)?),
            Tile::new(p.tile_own, overlay(&face, &maps.own[c], SIGNED, own_scale)?),
        ];
        if let Some(difference) = &maps.correct_minus_wrong[c] {
            let scale = Scale::percentile99(&difference.map);
            let picture = draw_map(&difference.map, SIDE, SIDE, SIGNED, scale)?;
            tiles.push(Tile::new(p.tile_difference, picture));
        }
        let faces = language.faces(maps.faces[c] as u64);
        card(language.class(names[c]), &[faces], &tiles)
    };
    let present = (0..names.len()).filter(|&c| maps.faces[c] > 0);
    let all = present.map(one).collect::<Result<Vec<_>>>()?;
    let keys = color_key(MAGNITUDE, p.key_nothing, p.key_much)?
        + &color_key(SIGNED, p.key_less, p.key_more)?
        + &color_key(SIGNED, p.key_wrong, p.key_correct)?;
    page.figure(&(cards(&all, "") + &keys), p.caption_class_means);
    Ok(())
}

/// Writes the template, the chart over all faces, and one chart per class.
fn regions(page: &mut ReportPage, results: &SaliencyResults, names: &[&str]) -> Result<()> {
    let (p, language) = (page.language.phrases(), page.language);
    let template = draw_template(&results.mean_face, &Template::fixed())?;
    let swatch = |(color, text): (Rgb, &str)| {
        format!("<span><i style=\"background:{}\"></i>{}</span>\n", hex(color), escape(text))
    };
    let selection = Region::ALL.into_iter().filter(|r| *r != Region::Outside);
    let legend: String = selection.map(|r| swatch((region_color(r), language.region(r)))).collect();
    let picture = image(&template, p.template_alt, true)?;
    page.figure(
        &format!(
            "<div class=\"template\">{picture}</div>\n<div class=\"swatches\">\n{legend}</div>\n"
        ),
        p.caption_template,
    );
    let classes = (0..names.len()).filter(|&c| results.lifts.iter().any(|l| l.class == Some(c)));
    let draw = |class: Option<usize>| -> CrateResult<String> {
        let title = class.map_or(p.all_faces, |c| language.class(names[c]));
        chart(|theme: Theme| {
            let size = ChartOptions::new(theme).sized(500.0, 320.0);
            lift_chart(&results.lifts, class, title, size, language)
        })
    };
    let all = std::iter::once(None).chain(classes.map(Some)).map(draw);
    let all = all.collect::<Result<Vec<_>>>()?;
    page.figure(
        &charts(&all),
        &phrase!(p.caption_lift, faces = language.faces(results.count as u64)),
    );
    Ok(())
}

/// Writes the lifts with intervals, and the controls over all faces.
fn table(page: &mut ReportPage, results: &SaliencyResults, names: &[&str]) {
    let (p, language) = (page.language.phrases(), page.language);
    let header: Vec<&str> =
        std::iter::once("").chain(Region::ALL.iter().map(|&r| language.short_region(r))).collect();
    // A word joiner keeps an interval on one line.
    let row = |title: &str, class: Option<usize>, source: MapSource| -> Option<Vec<String>> {
        let cells = Region::ALL.map(|r| {
            let l = lift_of(&results.lifts, class, source, r)?;
            let interval = format!(" ({:.2}–\u{2060}{:.2})", l.interval.low, l.interval.high);
            Some(format!("{:.2}{}", l.lift, if l.is_known() { &interval } else { "" }))
        });
        let cells = cells.into_iter().collect::<Option<Vec<String>>>()?;
        Some(std::iter::once(title.to_owned()).chain(cells).collect())
    };
    let mut rows = vec![row(p.all_faces, None, MapSource::Network)];
    rows.extend(
        (0..names.len()).map(|c| row(language.class(names[c]), Some(c), MapSource::Network)),
    );
    rows.push(row(p.control_edges, None, MapSource::Sobel));
    rows.push(row(p.control_random, None, MapSource::Randomised));
    let rows: Vec<Vec<String>> = rows.into_iter().flatten().collect();
    page.table(&header, &rows, p.caption_lift_table, "lifts");
}
