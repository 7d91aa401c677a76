//! `fer explain`: the answer for a photo, with its reasons, in one picture.

use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::input::{is_model, theme};
use crate::cli::shared::output::{keep_inputs, write_page};
use crate::cli::shared::progress;
use crate::console::eprintln_safe;
use crate::explain::attribution::lime::superpixels::Segmentation;
use crate::explain::attribution::lime::{LimeOptions, lime};
use crate::explain::regions::face_regions::fitted_templates;
use crate::explain::regions::region_evidence::{RegionEvidence, region_evidence};
use crate::explain::{AttributionOptions, FaceBatch, Method, attribute};
use crate::render::write::check_name;
use crate::report::explanation::{Explanation, explanation_page};
use crate::{Result, console};
use std::path::PathBuf;

/// Fits of LIME: two show whether they agree.
const FITS: usize = 2;

/// Arguments of `fer explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer explain photo.jpg")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    faces: FaceArgs,
    /// Picture or page to write: .png, .svg or .html; replaces an earlier one
    #[arg(long, value_name = "FILE", default_value = "explanation.png")]
    out: PathBuf,
    /// Seed of LIME's samples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    check_name(&args.out)?;
    // The network may stand before the photos or after them.
    let at = args.faces.pictures.iter().position(|path| path.exists() && is_model(path));
    if let Some(at) = at {
        let network = args.faces.pictures.remove(at);
        args.faces.pictures.splice(0..0, args.model.replace(network));
    }
    let model = Model::read(args.model.take(), &mut args.faces)?;
    if args.faces.pictures.is_empty() {
        eprintln_safe!(
            "no photo is named: one face of each class is explained; for a photo: fer explain photo.jpg"
        );
    }
    keep_inputs(Some(&args.out), &args.faces.inputs())?;
    let explained = model.trained.classifier()?;
    let chosen = args.faces.choose(&model)?;
    let faces = chosen.classify(&explained)?;
    let classes: Vec<usize> = faces.iter().map(|f| f.predicted).collect();
    let batch = FaceBatch::of_classes(&explained, &chosen.pixels, &classes)?;
    let options = AttributionOptions::new(chosen.mean_face.clone(), args.seed)?;
    let maps = attribute(&batch, Method::DEFAULT, &options)?;
    let templates = fitted_templates(&chosen.pixels)?;
    let (pixels, mean_face) = (&chosen.pixels, &chosen.mean_face);
    let evidence = region_evidence(&explained, pixels, &classes, &templates, mean_face)?;
    let options = LimeOptions {
        segmentation: Segmentation::Face,
        fits: FITS,
        seed: args.seed,
        ..LimeOptions::default()
    };
    let bar = progress::bar(faces.len() as u64, "faces");
    let mut limes = vec![];
    for f in 0..faces.len() {
        limes.extend(lime(&batch.select(&[f]), &options)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let names = model.names();
    let all: Vec<Explanation<'_>> = (0..faces.len())
        .map(|f| Explanation {
            face: &faces[f],
            map: &maps[f],
            lime: &limes[f],
            evidence: evidence[f].map(RegionEvidence::mean),
            names: &names,
        })
        .collect();
    for (explanation, face) in all.iter().zip(&faces) {
        console::print(&format!("{}: {}\n", face.origin, explanation.sentence()))?;
    }
    write_page(&explanation_page(&all, &model.caption(), theme(args.dark))?, &args.out)
}
