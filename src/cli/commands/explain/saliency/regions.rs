//! `fer saliency --regions`: how much attribution falls on each region of the face.

use crate::cli::commands::explain::saliency::args::Args;
use crate::cli::commands::explain::saliency::face_set::SetMaps;
use crate::cli::shared::attribution::{AttributionTask, attribute_all};
use crate::explain::regions::face_regions::REGIONS;
use crate::explain::regions::region_evidence::{RegionEvidence, region_evidence};
use crate::explain::regions::region_lift::{Lift, LiftOptions, fitted_templates, region_lift};
use crate::explain::regions::separation::{Separation, separation};
use crate::explain::sanity::randomisation::randomised;
use crate::explain::{NetworkClassifier, Target};
use crate::render::format::percent;
use crate::report::saliency::region_page::RegionPage;
use crate::report::saliency::region_sentences::region_words;
use crate::{Result, console};
use serde::Serialize;

#[derive(Serialize)]
struct Regions<'a> {
    model: &'a str,
    method: &'a str,
    faces: usize,
    lifts: &'a [Lift],
    separation: Option<Separation>,
    summary: String,
}

/// Computes the lift of each region, with three controls.
pub fn lifts(maps: &SetMaps<'_>, seed: u64) -> Result<Vec<Lift>> {
    // The random network explains the class that the trained one was explained for.
    let targets: Vec<Target> = maps.found.iter().map(|a| a.target).collect();
    let other = randomised(maps.model.network(), None, seed)?;
    let other = NetworkClassifier::new(&other)?;
    let mut draw = |_: &[f32]| -> Result<Vec<f32>> {
        let task = AttributionTask { model: &other, targets: &targets, ..maps.task };
        let found = attribute_all(&task, &[maps.method])?;
        Ok(found.into_iter().flatten().flat_map(|a| a.map).collect())
    };
    let set = maps.set;
    let options = LiftOptions::new(set.mean_face.clone(), seed);
    region_lift(&set.pixels, &set.labels, &maps.maps(), &options, Some(&mut draw))
}

/// Measures how well the regions of correctly read faces tell the classes apart, whatever the method.
fn separated(maps: &SetMaps<'_>, seed: u64) -> Result<Option<Separation>> {
    let (set, model) = (maps.set, maps.task.model);
    let faces = set.classify(model)?;
    let right = faces.iter().zip(&set.labels).filter(|(face, label)| face.predicted == **label);
    let (right, classes): (Vec<_>, Vec<usize>) = right.map(|(face, label)| (face, *label)).unzip();
    let pixels: Vec<f32> = right.iter().flat_map(|face| &face.pixels).copied().collect();
    let templates = fitted_templates(&pixels, &set.mean_face);
    let evidence = region_evidence(model, &pixels, &classes, &templates, &set.mean_face)?;
    let row =
        |all: &[RegionEvidence; REGIONS]| all.iter().flat_map(|e| [e.lost, e.gained]).collect();
    let rows: Vec<Vec<f64>> = evidence.iter().map(row).collect();
    separation(&rows, 2, &classes, seed)
}

fn words(found: Separation) -> String {
    let Separation { accuracy, shuffled, largest, faces } = found;
    format!(
        "\nFrom what the score of the answer loses without each region, and gains by it alone on the mean \
         face, a linear classifier names the class of {} of {faces} correctly read faces; of {} where the \
         regions of each face are shuffled. Guessing the largest class would reach {}.\n",
        percent(accuracy),
        percent(shuffled),
        percent(largest)
    )
}

pub(crate) fn run(args: &Args, maps: &SetMaps<'_>) -> Result<()> {
    let lifts = lifts(maps, args.options.seed)?;
    let separation = separated(maps, args.options.seed)?;
    let names = maps.model.names();
    let what = maps.title(args.target.as_str());
    let mean_face = &maps.set.mean_face;
    let page =
        RegionPage { lifts: &lifts, names: &names, what: &what, mean_face, theme: args.theme() };
    args.write(&page.page()?)?;
    if !args.json {
        return console::print(&(page.text() + &separation.map_or(String::new(), words)));
    }
    console::print_json(&Regions {
        model: &maps.model.title,
        method: maps.method.name(),
        faces: maps.set.labels.len(),
        lifts: &lifts,
        separation,
        summary: region_words(&lifts, &names),
    })
}
