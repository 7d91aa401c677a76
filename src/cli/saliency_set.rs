//! `fer saliency --regions`, `--class-maps`, `--check`, `--template`: explanations of a whole set.

use super::faces::{Model, first_of_each_class};
use super::progress;
use super::saliency::{Args, Work, explain_all};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::explain::check_table::{CheckOptions, CheckRow, check_table, needs_many_passes};
use crate::explain::class_maps::{class_maps, mean_magnitude};
use crate::explain::network::{parametrised_layers, randomised};
use crate::explain::picture::mean_face;
use crate::explain::randomisation::randomisation;
use crate::explain::region_lift::{Lift, LiftOptions, REACH, most_outside, region_lift};
use crate::explain::regions::Template;
use crate::explain::{Attribution, Explained, Method, Options, Target, attribute};
use crate::render::Theme;
use crate::render::panel::Page;
use crate::report::ShownFace;
use crate::report::check_page::{CheckReport, RandomisationCurve};
use crate::report::class_maps_page::{ClassMapsPage, OutsideFace, WrongFaces};
use crate::report::face::name;
use crate::report::region_page::RegionPage;
use crate::report::region_words::region_words;
use crate::report::template_page::template_page;
use crate::report::write::write_page;
use crate::{CLASS_NAMES, PIXELS};
use serde::Serialize;

/// Bootstrap resamples of a region's lift.
const RESAMPLES: usize = 1_000;
/// Faces shown whose map lies outside of the face most.
const OUTSIDE: usize = 8;
/// What is added to a seed for a network with other weights.
const OTHER_SEED: u64 = 1_000_003;

/// Questions about a whole set.
#[derive(Debug, Default, clap::Args)]
pub struct SetArgs {
    /// Face or not face? How much falls on each region, for all faces of the set
    #[arg(long, group = "set", conflicts_with_all = ["index", "per_class", "raw"])]
    pub regions: bool,
    /// Mean map of each class, correct minus wrong, true minus predicted, for all faces of the set
    #[arg(long, group = "set", conflicts_with_all = ["index", "per_class", "raw"])]
    pub class_maps: bool,
    /// Can the maps be believed? One table for all methods
    #[arg(long, group = "set", conflicts_with_all = ["index", "per_class", "raw", "pictures"])]
    pub check: bool,
    /// Draw the regions over faces of the set, to check them by eye
    #[arg(long, group = "set", conflicts_with_all = ["index", "per_class", "raw"])]
    pub template: bool,
    /// At most so many faces, as many of each class [default: all; 14 for --check, 100 for
    /// --template]
    #[arg(long, value_name = "N", requires = "set",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub faces: Option<u32>,
}

impl SetArgs {
    /// Whether one of the questions was asked.
    pub fn asked(&self) -> bool {
        self.regions || self.class_maps || self.check || self.template
    }
}

/// Answers the question asked.
pub fn run(args: &Args, model: &Model) -> Result<()> {
    let set = Set::read(args, model)?;
    let theme = args.theme();
    let explained = Explained::new(&model.network)?;
    if args.set.template {
        return write(args, set.template_page(theme)?);
    }
    let options = args.how.options(&explained, set.mean_face.clone())?;
    let faces = set.judge(&explained)?;
    let targets = args.target.of(&faces, &model.names())?;
    let work =
        Work { model: &explained, pixels: &set.pixels, targets: &targets, options: &options };
    if args.set.check {
        return check(args, model, &set, &work);
    }
    let [method] = args.method.0[..] else {
        return Err(Error::Usage("a whole set is explained by one method; name it".into()));
    };
    let found = explain_all(&work, &[method])?.remove(0);
    refuse(&found)?;
    match args.set.regions {
        true => regions(args, model, &set, &work, method, &found),
        false => maps_of_classes(args, model, &set, &work, method, &found, &faces),
    }
}

fn write(args: &Args, page: Page) -> Result<()> {
    args.out.as_deref().map_or(Ok(()), |path| write_page(&page, path))
}

fn refuse(found: &[Attribution]) -> Result<()> {
    match found.iter().find_map(|a| a.refused.clone()) {
        Some(why) => Err(Error::Usage(why)),
        None => Ok(()),
    }
}

/// Labelled faces of a set.
pub struct Set {
    /// `[n, 48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
    /// True classes.
    pub labels: Vec<usize>,
    /// Where they came from.
    pub origins: Vec<String>,
    /// Mean face of the whole set.
    pub mean_face: Vec<f32>,
}

impl Set {
    fn read(args: &Args, model: &Model) -> Result<Set> {
        let all = args.faces.read_set()?;
        let default = match () {
            () if args.set.check => Some(14),
            () if args.set.template => Some(100),
            () => None,
        };
        Set::choose(&all, args.set.faces.or(default).map(|n| n as usize), model)
    }

    /// Labelled faces of `all`, at most `limit`, evenly from its classes.
    pub fn choose(all: &Dataset, limit: Option<usize>, model: &Model) -> Result<Set> {
        let classes = model.network.spec.classes.len();
        let known = |&i: &usize| all.label(i).is_some_and(|c| usize::from(c) < classes);
        let mut chosen: Vec<usize> = match limit {
            Some(n) => first_of_each_class(all, n.div_ceil(CLASS_NAMES.len()))?,
            None => (0..all.len()).collect(),
        };
        chosen.retain(known);
        if chosen.is_empty() {
            return Err(Error::Usage("no face has a label; the classes are compared by it".into()));
        }
        // A limit that the classes do not divide is met by leaving out the last ones.
        chosen.truncate(limit.unwrap_or(usize::MAX).max(1));
        let bytes = chosen.iter().flat_map(|&i| all.image(i));
        Ok(Set {
            pixels: bytes.map(|&v| f32::from(v) / 255.0).collect(),
            labels: chosen.iter().filter_map(|&i| all.label(i).map(usize::from)).collect(),
            origins: chosen.iter().map(|i| format!("#{i}")).collect(),
            mean_face: all.mean_image(),
        })
    }

    /// The faces with what the network takes them for.
    pub fn judge(&self, model: &Explained<'_>) -> Result<Vec<ShownFace>> {
        let labels: Vec<Option<usize>> = self.labels.iter().map(|&c| Some(c)).collect();
        ShownFace::judge(model, &self.pixels, &labels, &self.origins)
    }

    fn template_page(&self, theme: Theme) -> Result<Page> {
        let fit = |face: &[f32]| Template::fitted(face, &self.mean_face, REACH);
        let templates: Vec<Template> = self.pixels.chunks_exact(PIXELS).map(fit).collect();
        template_page(&self.pixels, &templates, theme)
    }

    /// “Saliency of the logit of the predicted class, run (fer-s), 700 faces”.
    pub fn what(&self, args_target: &str, method: Method, model: &Model) -> String {
        let faces = crate::render::numbers::thousands(self.labels.len() as u64);
        format!("{}, target {args_target}, {}, {faces} faces", method.title(), model.title)
    }
}

#[derive(Serialize)]
struct Regions<'a> {
    model: &'a str,
    method: &'a str,
    faces: usize,
    lifts: &'a [Lift],
    words: String,
}

/// Lifts with all three controls.
pub fn lifts(
    model: &Model,
    set: &Set,
    work: &Work<'_>,
    method: Method,
    found: &[Attribution],
    seed: u64,
) -> Result<Vec<Lift>> {
    let maps: Vec<f32> = found.iter().flat_map(|a| &a.map).copied().collect();
    // The same class on both networks: the target is what the trained one was asked about.
    let targets: Vec<Target> = found.iter().map(|a| a.target).collect();
    let other = randomised(&model.network, None, seed ^ OTHER_SEED)?;
    let other = Explained::new(&other)?;
    let mut draw = |_: &[f32]| -> Result<Vec<f32>> {
        let work = Work { model: &other, targets: &targets, ..*work };
        let found = explain_all(&work, &[method])?;
        Ok(found.into_iter().flatten().flat_map(|a| a.map).collect())
    };
    let options =
        LiftOptions { mean_face: Some(set.mean_face.clone()), resamples: RESAMPLES, seed };
    region_lift(&set.pixels, &set.labels, &maps, &options, Some(&mut draw))
}

fn regions(
    args: &Args,
    model: &Model,
    set: &Set,
    work: &Work<'_>,
    method: Method,
    found: &[Attribution],
) -> Result<()> {
    let lifts = lifts(model, set, work, method, found, args.how.seed)?;
    let names = model.names();
    let what = set.what(args.target.words(), method, model);
    let mean_face = &set.mean_face;
    let page =
        RegionPage { lifts: &lifts, names: &names, what: &what, mean_face, theme: args.theme() };
    write(args, page.page()?)?;
    if args.json {
        let (model, method, faces) = (model.title.as_str(), method.name(), set.labels.len());
        let words = region_words(&lifts, &names);
        return super::print_json(&Regions { model, method, faces, lifts: &lifts, words });
    }
    super::print(&page.text())
}

#[derive(Serialize)]
struct ClassMapsRecord<'a> {
    model: &'a str,
    method: &'a str,
    faces: usize,
    wrong: usize,
    outside: Vec<(String, f64)>,
}

fn maps_of_classes(
    args: &Args,
    model: &Model,
    set: &Set,
    work: &Work<'_>,
    method: Method,
    found: &[Attribution],
    faces: &[ShownFace],
) -> Result<()> {
    let what = set.what(args.target.words(), method, model);
    let (page, outside, wrong) = class_maps_of(model, set, work, method, found, faces)?;
    let names = model.names();
    let page = page.page(&what, &names, args.theme())?;
    write(args, page)?;
    let record = ClassMapsRecord {
        model: &model.title,
        method: method.name(),
        faces: faces.len(),
        wrong,
        outside,
    };
    if args.json {
        return super::print_json(&record);
    }
    let line = |(origin, share): &(String, f64)| format!("  {origin}: {:.1} %\n", 100.0 * share);
    let lines: String = record.outside.iter().map(line).collect();
    super::print(&format!(
        "{what}; {wrong} read wrong\nlargest share of the map outside of the face:\n{lines}"
    ))
}

/// What a page of whole-set maps is made of.
pub struct ClassMapsData {
    maps: crate::explain::class_maps::ClassMaps,
    mean_faces: Vec<Vec<f32>>,
    wrong: Option<WrongFaces>,
    outside: Vec<OutsideFace>,
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

/// The maps of the classes, the faces that drew attention outside, and the number of wrong faces.
pub fn class_maps_of(
    model: &Model,
    set: &Set,
    work: &Work<'_>,
    method: Method,
    found: &[Attribution],
    faces: &[ShownFace],
) -> Result<(ClassMapsData, Vec<(String, f64)>, usize)> {
    let names = model.names();
    let maps: Vec<f32> = found.iter().flat_map(|a| &a.map).copied().collect();
    let predicted: Vec<usize> = faces.iter().map(|f| f.predicted).collect();
    let wrong: Vec<usize> = (0..faces.len()).filter(|&f| predicted[f] != set.labels[f]).collect();
    let maps_for = |target: &dyn Fn(usize) -> usize| -> Result<Vec<f32>> {
        let pixels: Vec<f32> = wrong.iter().flat_map(|&f| &faces[f].pixels).copied().collect();
        let targets: Vec<Target> = wrong.iter().map(|&f| Target::Class(target(f))).collect();
        let work = Work { pixels: &pixels, targets: &targets, ..*work };
        let found = explain_all(&work, &[method])?;
        Ok(found.into_iter().flatten().flat_map(|a| a.map).collect())
    };
    let wrong_faces = match wrong.as_slice() {
        [] => None,
        _ => {
            let (of_true, of_predicted) =
                (maps_for(&|f| set.labels[f])?, maps_for(&|f| predicted[f])?);
            let all: Vec<usize> = (0..wrong.len()).collect();
            let mean = |maps: &[f32]| mean_magnitude(maps, &all).unwrap_or_default();
            let (true_map, predicted_map) = (mean(&of_true), mean(&of_predicted));
            let own = wrong.iter().flat_map(|&f| &faces[f].pixels).copied();
            Some(WrongFaces {
                count: wrong.len(),
                mean_face: mean_face(&own.collect::<Vec<f32>>()),
                difference: true_map.iter().zip(&predicted_map).map(|(a, b)| a - b).collect(),
                true_map,
                predicted_map,
            })
        }
    };
    let of_class = |c: usize| {
        let own = (0..faces.len()).filter(|&f| set.labels[f] == c);
        mean_face(&own.flat_map(|f| &faces[f].pixels).copied().collect::<Vec<f32>>())
    };
    let shown = most_outside(&maps, OUTSIDE);
    let outside = |&(f, share): &(usize, f64)| OutsideFace {
        pixels: faces[f].pixels.clone(),
        map: found[f].map.clone(),
        share,
        words: format!(
            "{} read as {}, {}",
            name(&names, set.labels[f]),
            name(&names, predicted[f]),
            set.origins[f]
        ),
    };
    let data = ClassMapsData {
        maps: class_maps(&maps, &set.labels, &predicted, names.len())?,
        mean_faces: (0..names.len()).map(of_class).collect(),
        wrong: wrong_faces,
        outside: shown.iter().map(outside).collect(),
    };
    let outside = shown.iter().map(|&(f, share)| (set.origins[f].clone(), share)).collect();
    Ok((data, outside, wrong.len()))
}

fn check(args: &Args, model: &Model, set: &Set, work: &Work<'_>) -> Result<()> {
    let report = check_report(model, set, work, args.how.seed, &Method::ALL)?;
    write(args, report.page(args.theme())?)?;
    if args.json { super::print_json(&report) } else { super::print(&report.to_text()) }
}

/// Judges methods, with a bar.
pub fn check_report(
    model: &Model,
    set: &Set,
    work: &Work<'_>,
    seed: u64,
    methods: &[Method],
) -> Result<CheckReport> {
    let other = randomised(&model.network, None, seed ^ OTHER_SEED)?;
    let other = Explained::new(&other)?;
    let options = CheckOptions { attribution: work.options, seed, randomised: Some(&other) };
    let bar = progress::bar(methods.len() as u64, "methods");
    let mut rows: Vec<CheckRow> = Vec::new();
    let mut curves = Vec::new();
    for &method in methods {
        bar.set_message(method.name());
        rows.extend(check_table(work.model, &[method], &set.pixels, work.targets, &options)?);
        let refused = rows.last().is_some_and(|r| r.refused > 0);
        if !needs_many_passes(method) && !refused {
            curves.push(randomisation_curve(model, work, method, seed)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(CheckReport {
        model: model.title.clone(),
        faces: set.labels.len(),
        methods: rows,
        randomisation: curves,
    })
}

/// Re-initialises the layers from the top down and compares the maps.
fn randomisation_curve(
    model: &Model,
    work: &Work<'_>,
    method: Method,
    seed: u64,
) -> Result<RandomisationCurve> {
    let maps = |network: &Explained<'_>, options: &Options, targets: &[Target]| {
        let found = attribute(network, method, work.pixels, targets, options)?;
        Ok::<_, Error>(found)
    };
    let found = maps(work.model, work.options, work.targets)?;
    let targets: Vec<Target> = found.iter().map(|a| a.target).collect();
    let original: Vec<f32> = found.into_iter().flat_map(|a| a.map).collect();
    let layers = parametrised_layers(&model.network).len();
    let steps = randomisation(&original, layers, &mut |top| {
        let other = randomised(&model.network, Some(top), seed ^ OTHER_SEED)?;
        let found = maps(&Explained::new(&other)?, work.options, &targets)?;
        Ok(found.into_iter().flat_map(|a| a.map).collect())
    })?;
    Ok(RandomisationCurve { method: method.name().into(), steps })
}
