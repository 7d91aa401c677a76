//! `fer saliency --class-maps`: what the maps of a class have in common.

use crate::PIXELS;
use crate::Result;
use crate::cli::commands::explain::saliency::{Args, Work, explain_all};
use crate::cli::commands::explain::saliency_set::{Asked, write};
use crate::console;
use crate::explain::Target;
use crate::explain::regions::class_maps::{ClassMaps, class_maps, mean_density, mean_faces};
use crate::explain::regions::region_lift::most_outside;
use crate::model::mean_face::mean_of;
use crate::render::Theme;
use crate::render::panel::Page;
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::saliency::class_maps_page::{ClassMapsPage, OutsideFace, WrongFaces};
use serde::Serialize;

/// Faces shown whose map lies outside of the face most.
const OUTSIDE: usize = 8;

#[derive(Serialize)]
struct ClassMapsRecord<'a> {
    model: &'a str,
    method: &'a str,
    faces: usize,
    wrong: usize,
    outside: Vec<(String, f64)>,
}

pub(crate) fn run(args: &Args, asked: &Asked<'_>, faces: &[PredictedFace]) -> Result<()> {
    let what = asked.what(args.target.words());
    let data = class_maps_of(asked, faces)?;
    write(args, data.page(&what, &asked.model.names(), args.theme())?)?;
    let record = ClassMapsRecord {
        model: &asked.model.title,
        method: asked.method.name(),
        faces: faces.len(),
        wrong: data.wrong.as_ref().map_or(0, |w| w.count),
        outside: data.most_outside,
    };
    if args.json {
        return console::print_json(&record);
    }
    let line = |(origin, share): &(String, f64)| format!("  {origin}: {:.1} %\n", 100.0 * share);
    let lines: String = record.outside.iter().map(line).collect();
    console::print(&format!(
        "{what}; {} read wrong\nlargest share of the map outside of the face:\n{lines}",
        record.wrong
    ))
}

/// What a page of whole-set maps is made of.
pub struct ClassMapsData {
    maps: ClassMaps,
    mean_faces: Vec<Vec<f32>>,
    wrong: Option<WrongFaces>,
    outside: Vec<OutsideFace>,
    /// Those faces by origin, with the share of their map outside.
    pub most_outside: Vec<(String, f64)>,
}

impl ClassMapsData {
    /// The page.
    pub fn page(&self, what: &str, names: &[&str], theme: Theme) -> Result<Page> {
        ClassMapsPage {
            maps: &self.maps,
            mean_faces: &self.mean_faces,
            wrong: self.wrong.as_ref(),
            outside: &self.outside,
            names,
            what,
            theme,
        }
        .page()
    }
}

/// The maps of the classes, the faces that drew attention outside, and the wrong ones.
pub fn class_maps_of(asked: &Asked<'_>, faces: &[PredictedFace]) -> Result<ClassMapsData> {
    let (set, names, maps) = (asked.set, asked.model.names(), asked.maps());
    let predicted: Vec<usize> = faces.iter().map(|f| f.predicted).collect();
    let shown = most_outside(&maps, &set.templates(), OUTSIDE);
    let outside = |&(f, share): &(usize, f64)| OutsideFace {
        pixels: faces[f].pixels.clone(),
        map: asked.found[f].map.clone(),
        share,
        words: format!(
            "{} read as {}, {}",
            name(&names, set.labels[f]),
            name(&names, predicted[f]),
            set.origins[f]
        ),
    };
    Ok(ClassMapsData {
        maps: class_maps(&maps, &set.labels, &predicted, names.len())?,
        mean_faces: mean_faces(&set.pixels, &set.labels, names.len()),
        wrong: wrong_faces(asked, faces)?,
        outside: shown.iter().map(outside).collect(),
        most_outside: shown.iter().map(|&(f, share)| (set.origins[f].clone(), share)).collect(),
    })
}

/// The faces read wrong: mean map for the true class, for the class named, and their difference.
fn wrong_faces(asked: &Asked<'_>, faces: &[PredictedFace]) -> Result<Option<WrongFaces>> {
    let labels = &asked.set.labels;
    let wrong: Vec<usize> = (0..faces.len()).filter(|&f| faces[f].predicted != labels[f]).collect();
    if wrong.is_empty() {
        return Ok(None);
    }
    let pixels: Vec<f32> = wrong.iter().flat_map(|&f| &faces[f].pixels).copied().collect();
    let all: Vec<usize> = (0..wrong.len()).collect();
    let mean_map_for = |target: &dyn Fn(usize) -> usize| -> Result<Vec<f32>> {
        let targets: Vec<Target> = wrong.iter().map(|&f| Target::Class(target(f))).collect();
        let work = Work { pixels: &pixels, targets: &targets, ..asked.work };
        let found = explain_all(&work, &[asked.method])?;
        let maps: Vec<f32> = found.into_iter().flatten().flat_map(|a| a.map).collect();
        Ok(mean_density(&maps, &all).unwrap_or_else(|| vec![0.0; PIXELS]))
    };
    let true_map = mean_map_for(&|f| labels[f])?;
    let predicted_map = mean_map_for(&|f| faces[f].predicted)?;
    Ok(Some(WrongFaces {
        count: wrong.len(),
        mean_face: mean_of(&pixels),
        difference: true_map.iter().zip(&predicted_map).map(|(a, b)| a - b).collect(),
        true_map,
        predicted_map,
    }))
}
