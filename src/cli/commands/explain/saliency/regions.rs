//! `fer saliency --regions`: how much attribution falls on each region of the face.

use crate::cli::commands::explain::saliency::args::Args;
use crate::cli::commands::explain::saliency::face_set::SetMaps;
use crate::cli::shared::attribution::{AttributionTask, attribute_all};
use crate::explain::regions::face_regions::{REGIONS, Template, fitted_templates};
use crate::explain::regions::region_evidence::{RegionEvidence, region_evidence};
use crate::explain::regions::region_lift::{Lift, LiftOptions, region_lift};
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
    separation: Option<Separations>,
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
    let options = LiftOptions::new(seed);
    region_lift(
        &set.pixels,
        &set.labels,
        &maps.maps(),
        &set.templates()?,
        &options,
        Some(&mut draw),
    )
}

/// Accuracy of two classifiers that know only numbers about the regions of correctly read faces.
#[derive(Clone, Copy, Serialize)]
struct Separations {
    /// The evidence of each region, whatever the method.
    evidence: Separation,
    /// The shares of each region in the map of the method, for and against.
    map: Option<Separation>,
}

fn separated(maps: &SetMaps<'_>, seed: u64) -> Result<Option<Separations>> {
    let (set, model) = (maps.set, maps.task.model);
    let faces = set.classify(model)?;
    let right: Vec<usize> =
        (0..faces.len()).filter(|&i| faces[i].predicted == set.labels[i]).collect();
    let classes: Vec<usize> = right.iter().map(|&i| set.labels[i]).collect();
    let pixels: Vec<f32> = right.iter().flat_map(|&i| &faces[i].pixels).copied().collect();
    let templates = fitted_templates(&pixels)?;
    let evidence = region_evidence(model, &pixels, &classes, &templates, &set.mean_face)?;
    let row =
        |all: &[RegionEvidence; REGIONS]| all.iter().flat_map(|e| [e.lost, e.gained]).collect();
    let rows: Vec<Vec<f64>> = evidence.iter().map(row).collect();
    let Some(evidence) = separation(&rows, 2, &classes, seed)? else { return Ok(None) };
    let shares = |(&i, template): (&usize, &Template)| signed_shares(&maps.found[i].map, template);
    let rows: Vec<Vec<f64>> = right.iter().zip(&templates).map(shares).collect();
    Ok(Some(Separations { evidence, map: separation(&rows, 2, &classes, seed)? }))
}

/// Returns the shares of each region in the positive and in the negative part of a map.
fn signed_shares(map: &[f32], template: &Template) -> Vec<f64> {
    let part =
        |sign: f32| template.shares(&map.iter().map(|v| (sign * v).max(0.0)).collect::<Vec<_>>());
    part(1.0).into_iter().zip(part(-1.0)).flat_map(<[f64; 2]>::from).collect()
}

fn words(found: Separations) -> String {
    let Separations { evidence: Separation { accuracy, shuffled, largest, faces }, map } = found;
    let of_map = map.map_or(String::new(), |map| {
        format!(" From the shares of the regions in the maps alone: {}.", percent(map.accuracy))
    });
    format!(
        "\nFrom what the score of the answer loses without each region, and gains by it alone on the mean \
         face, a linear classifier names the class of {} of {faces} correctly read faces; of {} where the \
         regions of each face are shuffled.{of_map} Guessing the largest class would reach {}.\n",
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
