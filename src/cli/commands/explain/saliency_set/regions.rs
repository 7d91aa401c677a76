//! `fer saliency --regions`: face or not face?

use crate::Result;
use crate::cli::commands::explain::saliency::{Args, Work, explain_all};
use crate::cli::commands::explain::saliency_set::{Asked, write};
use crate::console;
use crate::explain::regions::region_lift::{Lift, LiftOptions, region_lift};
use crate::explain::sanity::randomisation::randomised;
use crate::explain::{NetworkClassifier, Target};
use crate::report::saliency::region_page::RegionPage;
use crate::report::saliency::region_words::region_words;
use serde::Serialize;

#[derive(Serialize)]
struct Regions<'a> {
    model: &'a str,
    method: &'a str,
    faces: usize,
    lifts: &'a [Lift],
    words: String,
}

/// Lifts with all three controls.
pub fn lifts(asked: &Asked<'_>, seed: u64) -> Result<Vec<Lift>> {
    // The same class on both networks: the target is what the trained one was asked about.
    let targets: Vec<Target> = asked.found.iter().map(|a| a.target).collect();
    let other = randomised(asked.model.network(), None, seed)?;
    let other = NetworkClassifier::new(&other)?;
    let mut draw = |_: &[f32]| -> Result<Vec<f32>> {
        let work = Work { model: &other, targets: &targets, ..asked.work };
        let found = explain_all(&work, &[asked.method])?;
        Ok(found.into_iter().flatten().flat_map(|a| a.map).collect())
    };
    let set = asked.set;
    let options = LiftOptions::new(set.mean_face.clone(), seed);
    region_lift(&set.pixels, &set.labels, &asked.maps(), &options, Some(&mut draw))
}

pub(crate) fn run(args: &Args, asked: &Asked<'_>) -> Result<()> {
    let lifts = lifts(asked, args.how.seed)?;
    let names = asked.model.names();
    let what = asked.what(args.target.words());
    let mean_face = &asked.set.mean_face;
    let page =
        RegionPage { lifts: &lifts, names: &names, what: &what, mean_face, theme: args.theme() };
    write(args, page.page()?)?;
    if !args.json {
        return console::print(&page.text());
    }
    console::print_json(&Regions {
        model: &asked.model.title,
        method: asked.method.name(),
        faces: asked.set.labels.len(),
        lifts: &lifts,
        words: region_words(&lifts, &names),
    })
}
