//! `fer saliency --class-maps`: mean maps of the classes, and of faces classified wrongly.

use crate::cli::commands::explain::saliency::args::Args;
use crate::cli::commands::explain::saliency::face_set::SetMaps;
use crate::cli::shared::attribution::{AttributionTask, attribute_all};
use crate::explain::Target;
use crate::explain::regions::class_maps::{class_maps, mean_density, mean_faces};
use crate::explain::regions::region_lift::most_outside;
use crate::model::mean_face::mean_of;
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::saliency::class_maps_page::{ClassMapsPage, OutsideFace, WrongFaces};
use crate::{PIXELS, Result, console};
use serde::Serialize;

/// Number of faces shown for the largest share of their map outside the face.
const OUTSIDE: usize = 8;

#[derive(Serialize)]
struct ClassMapsRecord<'a> {
    model: &'a str,
    method: &'a str,
    faces: usize,
    wrong: usize,
    outside: Vec<(String, f64)>,
}

pub(crate) fn run(args: &Args, set_maps: &SetMaps<'_>, faces: &[PredictedFace]) -> Result<()> {
    let title = set_maps.title(args.target.as_str());
    let data = class_maps_of(set_maps, faces)?;
    args.write(&data.page(&title, &set_maps.model.names(), args.theme())?)?;
    let record = ClassMapsRecord {
        model: &set_maps.model.title,
        method: set_maps.method.name(),
        faces: faces.len(),
        wrong: data.wrong.as_ref().map_or(0, |w| w.count),
        outside: data.outside.into_iter().map(|f| (f.origin, f.share)).collect(),
    };
    if args.json {
        return console::print_json(&record);
    }
    let line = |(origin, share): &(String, f64)| format!("  {origin}: {:.1} %\n", 100.0 * share);
    let lines: String = record.outside.iter().map(line).collect();
    console::print(&format!(
        "{title}; {} classified wrongly\nlargest share of the map outside the face:\n{lines}",
        record.wrong
    ))
}

/// Averages the maps of the classes, and finds the faces classified wrongly and those whose map lies
/// outside the face.
pub fn class_maps_of(set_maps: &SetMaps<'_>, faces: &[PredictedFace]) -> Result<ClassMapsPage> {
    let (set, names, maps) = (set_maps.set, set_maps.model.names(), set_maps.maps());
    let predicted: Vec<usize> = faces.iter().map(|f| f.predicted).collect();
    let shown = most_outside(&maps, &set.templates()?, OUTSIDE);
    let outside = |&(f, share): &(usize, f64)| OutsideFace {
        pixels: faces[f].pixels.clone(),
        map: set_maps.found[f].map.clone(),
        share,
        origin: set.origins[f].clone(),
        words: format!(
            "{} classified as {}",
            name(&names, set.labels[f]),
            name(&names, predicted[f])
        ),
    };
    Ok(ClassMapsPage {
        maps: class_maps(&maps, &set.labels, &predicted, names.len())?,
        mean_faces: mean_faces(&set.pixels, &set.labels, names.len()),
        wrong: wrong_faces(set_maps, faces)?,
        outside: shown.iter().map(outside).collect(),
    })
}

/// Averages the maps of the faces classified wrongly: for the true class, for the predicted class, and
/// their difference.
fn wrong_faces(set_maps: &SetMaps<'_>, faces: &[PredictedFace]) -> Result<Option<WrongFaces>> {
    let labels = &set_maps.set.labels;
    let wrong: Vec<usize> = (0..faces.len()).filter(|&f| faces[f].predicted != labels[f]).collect();
    if wrong.is_empty() {
        return Ok(None);
    }
    let pixels: Vec<f32> = wrong.iter().flat_map(|&f| &faces[f].pixels).copied().collect();
    let all: Vec<usize> = (0..wrong.len()).collect();
    let mean_map_for = |target: &dyn Fn(usize) -> usize| -> Result<Vec<f32>> {
        let targets: Vec<Target> = wrong.iter().map(|&f| Target::Class(target(f))).collect();
        let task = AttributionTask { pixels: &pixels, targets: &targets, ..set_maps.task };
        let found = attribute_all(&task, &[set_maps.method])?;
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
