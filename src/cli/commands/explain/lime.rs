//! `fer lime`.

use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::input::{named, theme};
use crate::cli::shared::output::{keep_inputs, write_page};
use crate::cli::shared::progress;
use crate::cli::shared::target::TargetArg;
use crate::explain::FaceBatch;
use crate::explain::attribution::lime::superpixels::Segmentation;
use crate::explain::attribution::lime::{LimeOptions, lime};
use crate::render::write::check_name;
use crate::report::face::name;
use crate::report::lime::{LimeJson, LimePage};
use crate::{Error, PIXELS, Result, console};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `fer lime`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer lime photo.jpg --segmentation face --out lime.html")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    faces: FaceArgs,
    /// The class whose probability is explained: pred, true, or a class
    #[arg(long, value_name = "TARGET", default_value = "pred")]
    target: TargetArg,
    /// Superpixels: slic (by similar pixels) or face (eyes, nose, mouth, … of an average face)
    #[arg(long, default_value = "slic", value_parser = named::<Segmentation>)]
    segmentation: Segmentation,
    /// Perturbed pictures per fit, each with some superpixels hidden
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    samples: u32,
    /// Number of fits that are compared with each other, at least 2
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(2..=100))]
    fits: u32,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Picture or page to write: .png, .svg or .html; replaces an earlier one [default: lime.png; none
    /// with --json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print a JSON array with one object per face
    #[arg(long)]
    json: bool,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    if matches!(args.target, TargetArg::Loss | TargetArg::Contrast) {
        return Err(Error::Usage(
            "LIME explains a probability; use --target pred, true or a class".into(),
        ));
    }
    if args.out.is_none() && !args.json {
        args.out = Some("lime.png".into());
    }
    args.out.as_deref().map_or(Ok(()), check_name)?;
    let model = Model::read(args.model.take(), &mut args.faces)?;
    keep_inputs(&args.out, &args.faces.inputs())?;
    let explained = model.trained.classifier()?;
    let names = model.names();
    let faces = args.faces.choose(&model)?.classify(&explained)?;
    let targets = args.target.of(&faces, &names)?;
    let options = LimeOptions {
        segmentation: args.segmentation,
        num_samples: args.samples as usize,
        fits: args.fits as usize,
        seed: args.seed,
        ..LimeOptions::default()
    };
    let bar = progress::bar(faces.len() as u64, "faces");
    let (mut classes, mut found) = (vec![], vec![]);
    for (face, target) in faces.iter().zip(targets) {
        debug_assert_eq!(face.pixels.len(), PIXELS);
        let class = match target {
            crate::explain::Target::Predicted => face.predicted,
            fixed => fixed.class(&[]),
        };
        let face = FaceBatch::of_classes(&explained, &face.pixels, &[class])?;
        found.extend(lime(&face, &options)?);
        classes.push(class);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(path) = &args.out {
        let page = LimePage {
            names: &names,
            model: &model.caption(),
            segmentation: args.segmentation,
            num_samples: options.num_samples,
            fits: options.fits,
            theme: theme(args.dark),
        };
        write_page(&page.page(&faces, &classes, &found)?, path)?;
    }
    let all = faces.iter().zip(&classes).zip(&found);
    let calibrated = model.is_calibrated();
    let records: Vec<LimeJson> = all
        .map(|((face, &c), lime)| {
            LimeJson::new(face, name(&names, c), lime, args.segmentation, calibrated)
        })
        .collect();
    match args.json {
        true => console::print_json(&records),
        false => console::print(&text(&records)),
    }
}

fn text(records: &[LimeJson<'_>]) -> String {
    let mut text = String::new();
    for r in records {
        let lime = r.lime;
        let agreement = match lime.agreement {
            Some(a) => {
                format!("agreement of the fits {:.2}, top five {:.0} %", a.rank, 100.0 * a.top5)
            }
            None => "agreement not measured".into(),
        };
        let _ = writeln!(
            text,
            "{}: p({}) {:.3} by the network, {:.3} by the local model of {} superpixels (R² {:.2}); {}",
            r.origin,
            r.class,
            lime.model_prediction,
            lime.local_prediction,
            r.superpixels,
            lime.r2,
            agreement
        );
        if let Some(why) = &lime.refused {
            let _ = writeln!(text, "  refused: {why}");
        }
        for (piece, weight) in r.superpixel_names.iter().flatten().zip(&lime.coefficients) {
            let _ = writeln!(text, "  {weight:+.3} {piece}");
        }
    }
    text
}
