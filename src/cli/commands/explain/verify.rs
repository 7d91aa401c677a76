//! `fer verify`: exactness of the gradients.

use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::progress;
use crate::explain::Face;
use crate::explain::sanity::gradient_check::{
    COMPLETENESS, FaceChecks, GradientCheck, GradientCheckOptions, check_gradients,
};
use crate::explain::sanity::kinks::Kink;
use crate::explain::sanity::kinks::KinksOfFace;
use crate::render::format::counted;
use crate::report::face::name;
use crate::tensor::storage::trim;
use crate::{Error, PIXELS, Result, console};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `fer verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer verify runs/fer-s-1 --per-class 1\n  fer verify --data public_test.csv.gz --per-class 29"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    faces: FaceArgs,
    /// Number of random pixels whose derivative is checked; of the second face and later ones 2, unless
    /// something fails
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=2304))]
    samples: u32,
    /// Seed of all random choices
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct VerifyRecord {
    model: String,
    faces: Vec<FaceRecord>,
    passed: bool,
}

#[derive(Serialize)]
struct FaceRecord {
    origin: String,
    class: String,
    #[serde(flatten)]
    found: FaceChecks,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    let model = Model::read(args.model.take(), &mut args.faces)?;
    let explained = model.trained.classifier()?;
    let names = model.names();
    if args.faces.per_class.is_none() && args.faces.index.is_empty() {
        args.faces.index = if args.faces.pictures.is_empty() { vec![0] } else { vec![] };
    }
    let chosen = args.faces.choose(&model)?;
    let faces = chosen.classify(&explained)?;
    let options = GradientCheckOptions {
        pixels: args.samples as usize,
        seed: args.seed,
        ..GradientCheckOptions::default()
    };
    let brief = options.brief();
    let mean_face = Face::new("mean face", chosen.mean_face.clone())?;
    let mut verified = vec![];
    let bar = progress::bar(faces.len() as u64, "faces");
    for (i, (face, x)) in faces.iter().zip(chosen.pixels.chunks_exact(PIXELS)).enumerate() {
        // Batches of many sizes, in both precisions: their memory is not kept for the next face.
        trim::<f32>();
        trim::<f64>();
        let check =
            |options| check_gradients(model.network(), x, face.predicted, &mean_face, options);
        let mut found = check(if i == 0 { &options } else { &brief })?;
        if i > 0 && !found.checks.iter().all(|c| c.passed) {
            found = check(&options)?; // few cases may all stand on kinks
        }
        let class = name(&names, face.predicted).to_owned();
        verified.push(FaceRecord { origin: face.origin.clone(), class, found });
        bar.inc(1);
    }
    bar.finish_and_clear();
    let failed = verified.iter().flat_map(|f| &f.found.checks).filter(|c| !c.passed).count();
    let result = VerifyRecord { model: model.title, faces: verified, passed: failed == 0 };
    match args.json {
        true => console::print_json(&result)?,
        false => console::print(&text(&result))?,
    }
    match failed {
        0 => Ok(()),
        n => Err(Error::Failed(format!("{n} checks failed"))),
    }
}

/// Most faces that are shown one by one.
const ONE_BY_ONE: usize = 7;

fn text(result: &VerifyRecord) -> String {
    let mut text = format!("Exactness of the gradients of {}\n", result.model);
    let failed = |face: &&FaceRecord| !face.found.checks.iter().all(|c| c.passed);
    let shown: Vec<&FaceRecord> = match result.faces.len() <= ONE_BY_ONE {
        true => result.faces.iter().collect(),
        false => result.faces.iter().filter(failed).collect(),
    };
    if result.faces.len() > ONE_BY_ONE {
        text.push_str(&summary(&result.faces));
    }
    for face in shown {
        let _ = writeln!(text, "\n{}, logit of {}", face.origin, face.class);
        let _ = writeln!(
            text,
            "  {:<16} {:>10} {:>10} {:>10}",
            "check", "measured", "noise", "allowed"
        );
        for c in &face.found.checks {
            let sign = if c.passed { "✓" } else { "✗" };
            let noise = c.noise.map_or("–".into(), |n| format!("{n:.0e}"));
            let _ = writeln!(
                text,
                "{sign} {:<16} {:>10.2e} {noise:>10} {:>10.0e}  {}",
                c.name, c.measured, c.tolerance, c.detail
            );
        }
        text.push_str(&kinks_text(&face.found.kinks));
    }
    text.push_str("\nnoise: the error that rounding alone explains\n");
    // Completeness tests the quadrature of one method; all other checks test the gradient itself.
    let exact = |c: &GradientCheck| c.passed || c.name == COMPLETENESS;
    let exact = result.faces.iter().flat_map(|f| &f.found.checks).all(exact);
    text.push_str(match (result.passed, exact) {
        (true, _) => "\nAll checks passed: the maps of this network show its gradient.\n",
        (false, true) => {
            "\nThe gradients are exact, but integrated gradients do not sum to the score \
             difference: do not trust the values of that method on this face.\n"
        }
        (false, false) => "\nSome checks failed: do not trust the maps of this network.\n",
    });
    text
}

/// Returns the largest error of each check over many faces.
fn summary(faces: &[FaceRecord]) -> String {
    let on_kinks = faces.iter().filter(|f| f.found.kinks.units > 0).count();
    let mut text = format!(
        "\n{}, {on_kinks} of them on a kink and checked beside it; those that failed are shown below\n  \
         {:<16} {:>10} {:>10} {:>10}\n",
        counted(faces.len(), "face"),
        "check",
        "largest",
        "allowed",
        "passed"
    );
    for (k, first) in faces[0].found.checks.iter().enumerate() {
        let of_all = || faces.iter().filter_map(|f| f.found.checks.get(k));
        let largest = of_all().map(|c| c.measured).fold(0.0, f64::max);
        let passed = of_all().filter(|c| c.passed).count();
        let sign = if passed == faces.len() { "✓" } else { "✗" };
        let _ = writeln!(
            text,
            "{sign} {:<16} {largest:>10.2e} {:>10.0e} {passed:>10}",
            first.name, first.tolerance
        );
    }
    text
}

/// Says where the face stands on a kink, and what that means for its map.
fn kinks_text(kinks: &KinksOfFace) -> String {
    let Some(Kink { layer, unit: [channel, row, column], margin }) = &kinks.widest else {
        return String::new();
    };
    let distance = match *margin == 0.0 {
        true => "exactly".into(),
        false => format!("at most {margin:.0e} from it"),
    };
    format!(
        "  {} of this face, {distance} (the furthest: {layer}, channel {channel}, \
         row {row}, column {column}):\n  \
         rounding decides the gradient there, and the maps in f32 and f64 differ by {:.0e}. The \
         checks are made beside it,\n  at the face plus noise of ±{}.\n",
        match kinks.units {
            1 => "1 unit stands on a kink".to_owned(),
            n => format!("{n} units stand on a kink"),
        },
        kinks.gap,
        kinks.noise
    )
}
