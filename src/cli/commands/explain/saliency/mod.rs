//! `fer saliency`: maps of single faces here, questions about a whole data set in the other files.

mod args;
mod class_maps;
mod face_set;
mod regions;
mod sanity_table;

pub use args::Args;
pub use class_maps::class_maps_of;
pub use face_set::{FaceSet, SetMaps};
pub use regions::lifts;

use crate::cli::shared::attribution::{AttributionTask, attribute_all, require_a_map};
use crate::cli::shared::faces::Model;
use crate::cli::shared::output::print_written;
use crate::cli::shared::target::TargetArg;
use crate::error::Shown as _;
use crate::explain::{Attribution, Classifier, NetworkClassifier, Target};
use crate::files::write_atomic;
use crate::render::format::to_npy;
use crate::render::write::check_name;
use crate::report::PredictedFace;
use crate::report::json::ExplanationsJson;
use crate::report::saliency::all_methods_page::{many_faces_page, one_face_page};
use crate::report::saliency::one_method_page::{PageOptions, saliency_page};
use crate::{Error, Result, SIDE, console};
use std::fmt::Write as _;
use std::path::Path;

pub(crate) fn run(mut args: Args) -> Result<()> {
    args.out = args.out.take().or(args.default_out());
    args.out.as_deref().map_or(Ok(()), check_name)?;
    if args.set.any() {
        let model = args.read_model()?;
        return explain_set(&args, &model);
    }
    if args.common_scale && args.methods().len() > 1 {
        let message = "--common-scale compares the maps of one method; maps of several have \
                       different units";
        return Err(Error::Usage(message.into()));
    }
    args.options.require_use(args.methods())?;
    args.raw.as_deref().map_or(Ok(()), check_raw_name)?;
    let model = args.read_model()?;
    if args.double {
        let wide = model.network().cast::<f64>()?;
        let explained = NetworkClassifier::new(&wide)?
            .at_temperature(model.trained.temperature(false).unwrap_or(1.0));
        return explain_faces(&args, &model, &explained);
    }
    explain_faces(&args, &model, &model.trained.classifier()?)
}

/// Answers a question about a whole data set.
fn explain_set(args: &Args, model: &Model) -> Result<()> {
    if args.set.sanity_check && matches!(args.target, TargetArg::Loss) {
        let message =
            "--sanity-check needs the probability of a class; use --target pred, true or a class";
        return Err(Error::Usage(message.into()));
    }
    let set = FaceSet::read(args, model)?;
    let explained = model.trained.classifier()?;
    if args.set.draw_regions {
        return args.write(&set.regions_page(args.theme())?);
    }
    let options = args.options.options(&explained, set.mean_face.clone())?;
    let faces = set.classify(&explained)?;
    let targets = args.target.of(&faces, &model.names())?;
    let task = AttributionTask::new(&explained, &set.pixels, &targets, &options);
    if args.set.sanity_check {
        return sanity_table::run(args, model, &set, &task);
    }
    let [method] = *args.methods() else {
        return Err(Error::Usage("--regions and --class-maps take one method, not all".into()));
    };
    args.options.require_use(&[method])?;
    let found = attribute_all(&task, &[method])?.remove(0);
    let (set, found) = set.without_refused(found)?;
    let faces = set.classify(&explained)?;
    let targets: Vec<Target> = found.iter().map(|a| a.target).collect();
    let task = AttributionTask::new(&explained, &set.pixels, &targets, &options);
    let maps = SetMaps { model, set: &set, task, method, found: &found };
    match args.set.regions {
        true => regions::run(args, &maps),
        false => class_maps::run(args, &maps, &faces),
    }
}

fn explain_faces(args: &Args, model: &Model, explained: &dyn Classifier) -> Result<()> {
    let names = model.names();
    let chosen = args.faces.choose(model)?;
    let options = args.options.options(explained, chosen.mean_face.clone())?;
    let faces = chosen.classify(explained)?;
    let targets = args.target.of(&faces, &names)?;
    let task = AttributionTask::new(explained, &chosen.pixels, &targets, &options);
    let found = attribute_all(&task, args.methods())?;
    if let [only] = found.as_slice() {
        require_a_map(only)?;
    }
    if args.out.is_some() {
        let theme = args.theme();
        let common_scale = args.common_scale;
        let style = PageOptions { names: &names, model: &model.caption(), common_scale, theme };
        let page = match (found.as_slice(), faces.as_slice()) {
            ([only], faces) => saliency_page(faces, only, &style)?,
            (all, [face]) => {
                one_face_page(face, &all.iter().flatten().collect::<Vec<_>>(), &style)?
            }
            (all, faces) => many_faces_page(faces, all, &style)?,
        };
        args.write(&page)?;
    }
    if let Some(path) = &args.raw {
        write_raw(path, &faces, &found)?;
        print_written(path);
    }
    match args.json {
        true => {
            let calibrated = model.is_calibrated();
            console::print_json(&ExplanationsJson::new(
                &model.title, calibrated, &names, &faces, &found,
            ))
        }
        false => Ok(()),
    }
}

fn check_raw_name(path: &Path) -> Result<()> {
    match path.extension().is_some_and(|e| e == "npy" || e == "csv") {
        true => Ok(()),
        false => {
            let message = format!("{}: expected a name that ends in .npy or .csv", path.shown());
            Err(Error::Usage(message))
        }
    }
}

/// NPY: `[faces, 48, 48]`, or `[methods, faces, 48, 48]` for several methods. CSV: a line for each
/// row of each map: number of the face, its origin, method, row, 48 values.
fn write_raw(path: &Path, faces: &[PredictedFace], found: &[Vec<Attribution>]) -> Result<()> {
    if path.extension().is_some_and(|e| e == "npy") {
        let values: Vec<f32> = found.iter().flatten().flat_map(|a| &a.map).copied().collect();
        let mut shape = vec![faces.len(), SIDE, SIDE];
        if found.len() > 1 {
            shape.insert(0, found.len());
        }
        return write_atomic(path, &to_npy(&values, &shape)?);
    }
    let columns: Vec<String> = (0..SIDE).map(|x| format!("x{x}")).collect();
    let mut csv = format!("face,origin,method,row,{}\n", columns.join(","));
    for maps in found {
        for (f, (face, a)) in faces.iter().zip(maps).enumerate() {
            for (y, row) in a.map.chunks(SIDE).enumerate() {
                let values: Vec<String> = row.iter().map(f32::to_string).collect();
                let origin = face.origin.replace('"', "\"\"");
                let method = a.method;
                let _ = writeln!(csv, "{f},\"{origin}\",{method},{y},{}", values.join(","));
            }
        }
    }
    write_atomic(path, csv.as_bytes())
}
