//! LIME's evidence on typical faces, and the most confident errors with the maps of both classes.

use crate::Result;
use crate::dataset::Origin;
use crate::explain::attribute;
use crate::explain::attribution::lime::{
    Lime, LimeOptions, MAX_GAP, MIN_R2, MIN_TOP5, lime as explain_lime,
};
use crate::explain::image_ops::max_abs;
use crate::explain::{Attribution, AttributionOptions, Method, Target};
use crate::metrics::errors::Mistake;
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::thousands;
use crate::render::{Picture, Scale};
use crate::report::face::name;
use crate::report::html_report::Meter;
use crate::report::html_report::Subject;
use crate::report::html_report::page::{Sheet, Tile, card, cards, color_key};
use crate::report::html_report::saliency_section::face_title;
use crate::report::i18n::{Language, minus, say};
use crate::report::lime::lime_page::{AGAINST, FOR, borders, evidence as pieces_on, strongest};
use crate::report::saliency::saliency_page::{MAGNITUDE, SIGNED};
use crate::report::{EvaluationReport, ShownFace};
use crate::{PIXELS, SIDE};

/// Errors shown.
const ERRORS: usize = 8;

/// What was found.
pub struct Evidence {
    /// A typical face of each expression.
    pub faces: Vec<ShownFace>,
    /// LIME for its predicted class.
    pub lime: Vec<Lime>,
    /// Samples of a fit, and fits.
    pub lime_options: LimeOptions,
    /// The most confident errors, each with the map of the class said and of the class meant.
    pub mistakes: Vec<(Mistake, Vec<f32>, [Attribution; 2])>,
}

/// Measures.
pub fn evidence(
    subject: &Subject<'_>,
    report: &EvaluationReport,
    typical: &[ShownFace],
    mean: &[f32],
    meter: &mut Meter<'_>,
) -> Result<Evidence> {
    let model = subject.explained()?;
    let lime_options = LimeOptions {
        fits: subject.options.fits(),
        seed: subject.options.seed,
        ..LimeOptions::default()
    };
    let mut found = vec![];
    for face in typical {
        found.extend(explain_lime(&model, &face.pixels, &[face.predicted], &lime_options)?);
        meter.part(found.len() as f64 / typical.len() as f64);
    }
    let worst = &report.mistakes[..report.mistakes.len().min(ERRORS)];
    let indices: Vec<usize> = worst.iter().map(|m| m.face).collect();
    let pixels = subject.pixels(&subject.judged.faces, &indices);
    let options = AttributionOptions::new(mean.to_vec(), subject.options.seed)?;
    let maps_of = |class: fn(&Mistake) -> usize| {
        let targets: Vec<Target> = worst.iter().map(|m| Target::Class(class(m))).collect();
        attribute(&model, Method::Saliency, &pixels, &targets, &options)
    };
    let (said, meant) = match worst.is_empty() {
        true => (vec![], vec![]),
        false => (maps_of(|m| m.predicted)?, maps_of(|m| m.truth)?),
    };
    let faces = pixels.chunks_exact(PIXELS).map(<[f32]>::to_vec);
    let maps = said.into_iter().zip(meant).map(|(a, b)| [a, b]);
    let mistakes = worst.iter().zip(faces).zip(maps).map(|((m, f), maps)| (*m, f, maps));
    Ok(Evidence {
        faces: typical.to_vec(),
        lime: found,
        lime_options,
        mistakes: mistakes.collect(),
    })
}

/// Where to find a face: its number as --index counts, or the name of a picture.
fn place(origin: Origin<'_>, index: usize, language: Language) -> String {
    let (p, file) = (language.phrases(), origin.path.file_name().unwrap_or_default());
    match origin.line {
        Some(_) => say!(p.face_number, number = index),
        None => file.to_string_lossy().into_owned(),
    }
}

/// Writes LIME's figure.
pub(crate) fn lime(sheet: &mut Sheet, subject: &Subject<'_>, evidence: &Evidence) -> Result<()> {
    let (p, names) = (sheet.language.phrases(), subject.names());
    sheet.paragraph(p.lime_how);
    let pairs = evidence.faces.iter().zip(&evidence.lime);
    let all = pairs.map(|(face, lime)| lime_card(face, lime, &names, sheet.language));
    let all = all.collect::<Result<Vec<_>>>()?;
    let key = color_key(SIGNED, p.key_lowers, p.key_raises)?;
    let options = &evidence.lime_options;
    let caption =
        say!(p.caption_lime, samples = thousands(options.num_samples as u64), fits = options.fits);
    sheet.figure(&(cards(&all, "") + &key), &caption);
    let believed = evidence.lime.iter().filter(|l| l.refused.is_none()).count();
    let words = say!(p.lime_words, believed = believed, all = evidence.lime.len());
    sheet.findings(&[words]);
    Ok(())
}

/// Why a face's pieces are not shown.
fn refusal(lime: &Lime, language: Language) -> String {
    let (p, r2) = (language.phrases(), minus(format!("{:.2}", lime.r2)));
    if let Some(a) = lime.agreement.filter(|a| a.top5 < MIN_TOP5) {
        return say!(p.lime_disagrees, r2 = r2, shared = language.whole_percent(a.top5));
    }
    match lime.r2 >= MIN_R2 && lime.gap() > MAX_GAP {
        true => say!(p.lime_misses, gap = format!("{:.2}", lime.gap()), limit = MAX_GAP),
        false => say!(p.lime_refused, r2 = r2),
    }
}

fn lime_card(face: &ShownFace, lime: &Lime, names: &[&str], language: Language) -> Result<String> {
    let p = language.phrases();
    let number = |v: f64| minus(format!("{v:.2}"));
    let words = vec![say!(
        p.lime_fit,
        pieces = lime.coefficients.len(),
        r2 = number(lime.r2),
        local = number(lime.local_prediction),
        network = number(lime.model_prediction),
        agreement = lime.agreement.map_or("–".into(), |a| number(a.rank))
    )];
    let title = face_title(face, names, language);
    let picture = face.picture()?;
    let mut tiles = vec![Tile::new(p.tile_pieces, borders(&picture, &lime.segments))];
    if lime.refused.is_some() {
        let words = [words, vec![refusal(lime, language)]].concat();
        return card(&title, &words, &tiles);
    }
    for (sign, color, label) in [(1.0, FOR, p.tile_for), (-1.0, AGAINST, p.tile_against)] {
        let own = strongest(lime, sign);
        let sum: f64 = own.iter().map(|&k| lime.coefficients[k]).sum();
        let line = minus(format!("{sum:+.2}"));
        tiles.push(Tile::new(label, pieces_on(&picture, lime, &own, color)).lines(vec![line]));
    }
    let map = lime.map();
    let scale = Scale { clip: max_abs(&map), max: max_abs(&map) };
    let line = minus(format!("±{:.2}", scale.max));
    let weights = draw_map(&map, SIDE, SIDE, SIGNED, scale)?;
    tiles.push(Tile::new(p.tile_weights, weights).crisp().lines(vec![line]));
    card(&title, &words, &tiles)
}

/// Writes the most confident errors.
pub(crate) fn errors(
    sheet: &mut Sheet,
    subject: &Subject<'_>,
    report: &EvaluationReport,
    evidence: &Evidence,
) -> Result<()> {
    let (p, language, names) = (sheet.language.phrases(), sheet.language, subject.names());
    if evidence.mistakes.is_empty() {
        sheet.paragraph(p.no_errors);
        return Ok(());
    }
    let class = |c: usize| language.class(name(&names, c));
    let one = |(m, pixels, maps): &(Mistake, Vec<f32>, [Attribution; 2])| -> Result<String> {
        let face = Picture::from_unit(pixels, SIDE, SIDE)?;
        let on =
            |map: &Attribution| overlay(&face, &map.map, MAGNITUDE, Scale::percentile99(&map.map));
        let origin = place(subject.judged.faces.origin(m.face), m.face, language);
        let tiles = [
            Tile::new(p.tile_face, face.clone()).lines(vec![origin]),
            Tile::new(say!(p.tile_map_of, class = class(m.predicted)), on(&maps[0])?)
                .lines(vec![language.percent(m.confidence)]),
            Tile::new(say!(p.tile_map_of, class = class(m.truth)), on(&maps[1])?)
                .lines(vec![language.percent(m.true_probability)]),
        ];
        let title = say!(p.error_title, truth = class(m.truth), said = class(m.predicted));
        card(&title, &[], &tiles)
    };
    let all = evidence.mistakes.iter().map(one).collect::<Result<Vec<_>>>()?;
    let key = color_key(MAGNITUDE, p.key_nothing, p.key_much)?;
    let shown = evidence.mistakes.len();
    let caption =
        say!(p.caption_errors, shown = shown, all = thousands(report.mistakes.len() as u64));
    sheet.figure(&(cards(&all, "narrow") + &key), &caption);
    if !report.suspects.is_empty() {
        let count = thousands(report.suspects.len() as u64);
        sheet.findings(&[say!(p.suspects, count = count)]);
    }
    Ok(())
}
