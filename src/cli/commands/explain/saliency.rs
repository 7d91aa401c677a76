//! `fer saliency`.

use crate::SIDE;
use crate::cli::commands::explain::saliency_set;
use crate::cli::commands::explain::saliency_set::SetArgs;
use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::input::theme;
use crate::cli::shared::output::{keep_inputs, say_written, write_page};
use crate::cli::shared::progress;
use crate::cli::shared::target::TargetArg;
use crate::console;
use crate::explain::attribute;
use crate::explain::attribution::gradient::integrated_gradients::Baseline;
use crate::explain::layers::find_layer;
use crate::explain::{
    Attribution, AttributionOptions, Classifier, FaceBatch, Method, NetworkClassifier, Target,
};
use crate::files::write_atomic;
use crate::render::Theme;
use crate::render::format::to_npy;
use crate::render::write::check_name;
use crate::report::PredictedFace;
use crate::report::json::ExplanationsJson;
use crate::report::saliency::all_methods_page::{many_faces_page, one_face_page};
use crate::report::saliency::one_method_page::{PageOptions, saliency_page};
use crate::{Error, Result};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `fer saliency`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) faces: FaceArgs,
    /// saliency, grad-x-input, smoothgrad, smoothgrad-sq, vargrad, ig, guided-backprop, gradcam,
    /// gradcam++, layercam, scorecam, occlusion, rise, lime, or all
    #[arg(long, value_name = "M", default_value = "saliency")]
    pub(crate) method: MethodArg,
    /// What is explained: pred, true, loss, contrast, or a class
    #[arg(long, value_name = "T", default_value = "pred")]
    pub(crate) target: TargetArg,
    #[command(flatten)]
    pub(crate) how: How,
    #[command(flatten)]
    pub(crate) set: SetArgs,
    /// One scale for all faces, so that they can be compared
    #[arg(long)]
    common_scale: bool,
    /// The page: a .png, .svg or .html file; an earlier one is replaced [default: saliency.png, or
    /// template.png of --template; none beside --raw, --json or the words on a whole set]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The raw maps: a .npy or .csv file
    #[arg(long, value_name = "FILE")]
    raw: Option<PathBuf>,
    /// Compute in double precision by plain loops: slow, to check what single precision does
    #[arg(long, conflicts_with = "set")]
    double: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Light ink on dark ground
    #[arg(long)]
    dark: bool,
}

/// What methods need to be told; shared by several commands.
#[derive(Debug, Default, clap::Args)]
pub struct How {
    /// Layer of a class activation map [default: the deepest with a map worth drawing]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Noisy copies (SmoothGrad and its kin), masks (RISE) or samples (LIME) a face
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    samples: Option<u32>,
    /// Start integrated gradients from black instead of the mean face
    #[arg(long)]
    black: bool,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl How {
    /// Refuses options that none of these methods has: a picture would not be what was asked for.
    pub fn require_use(&self, methods: &[Method]) -> Result<()> {
        let unused =
            |given: bool, uses: &dyn Fn(&Method) -> bool| given && !methods.iter().any(uses);
        let wrong = match () {
            () if unused(self.layer.is_some(), &|m| m.default_map_side().is_some()) => {
                "--layer is for gradcam, gradcam++, layercam and scorecam"
            }
            () if unused(self.samples.is_some(), &|m| m.draws_samples()) => {
                "--samples is for smoothgrad, smoothgrad-sq, vargrad, rise and lime"
            }
            () if unused(self.black, &|m| *m == Method::IntegratedGradients) => "--black is for ig",
            () => return Ok(()),
        };
        let asked: Vec<&str> = methods.iter().map(|m| m.name()).collect();
        Err(Error::Usage(format!("{wrong}, not for {}", asked.join(", "))))
    }

    /// Options of the methods around a mean face.
    pub fn options(
        &self,
        model: &dyn Classifier,
        mean_face: Vec<f32>,
    ) -> Result<AttributionOptions> {
        let mut options = AttributionOptions::new(mean_face, self.seed)?;
        if let Some(layer) = &self.layer {
            let found = find_layer(&model.layers(), layer)?;
            if !found.has_map() {
                let [c, h, w] = found.output;
                return Err(Error::Usage(format!(
                    "`{layer}` has no map to draw: its output is {c} × {h} × {w}; name a layer \
                     before the pooling to a vector"
                )));
            }
            options.layer = Some(found.name);
        }
        if let Some(n) = self.samples {
            options.noise.samples = n as usize;
            options.rise.samples = n as usize;
            options.lime.num_samples = n as usize;
        }
        if self.black {
            options.baseline = Baseline::Black;
        }
        Ok(options)
    }
}

/// One method or all.
#[derive(Clone, Debug)]
pub struct MethodArg(pub Vec<Method>);

impl std::str::FromStr for MethodArg {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "all" => Ok(MethodArg(Method::ALL.to_vec())),
            one => match one.parse() {
                Ok(method) => Ok(MethodArg(vec![method])),
                Err(Error::Usage(message)) => Err(Error::Usage(message + ", or all")),
                Err(other) => Err(other),
            },
        }
    }
}

impl Args {
    /// Light or dark.
    pub(crate) fn theme(&self) -> Theme {
        theme(self.dark)
    }

    /// The picture of a command line that says of none and asks for nothing else.
    fn default_name(&self) -> Option<&'static str> {
        match () {
            () if self.set.template => Some("template.png"),
            () if self.set.asked() || self.raw.is_some() || self.json => None,
            () => Some("saliency.png"),
        }
    }

    /// Reads the model; from then on it is known which of the arguments are pictures.
    fn read_model(&mut self) -> Result<Model> {
        let model = Model::read(self.model.take(), &mut self.faces)?;
        keep_inputs(self.out.iter().chain(&self.raw), &self.faces.inputs())?;
        Ok(model)
    }
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    args.out = args.out.take().or(args.default_name().map(PathBuf::from));
    args.out.as_deref().map_or(Ok(()), check_name)?;
    if args.set.asked() {
        let model = args.read_model()?;
        return saliency_set::run(&args, &model);
    }
    if args.common_scale && args.method.0.len() > 1 {
        let message = "--common-scale compares the maps of one method; maps of several have no \
                       common unit";
        return Err(Error::Usage(message.into()));
    }
    args.how.require_use(&args.method.0)?;
    args.raw.as_deref().map_or(Ok(()), check_raw_name)?;
    let model = args.read_model()?;
    if args.double {
        let wide = model.network().cast::<f64>()?;
        let explained = NetworkClassifier::new(&wide)?
            .at_temperature(model.trained.temperature(false).unwrap_or(1.0));
        return explain_faces(&args, &model, &explained);
    }
    explain_faces(&args, &model, &model.trained.explained()?)
}

fn explain_faces(args: &Args, model: &Model, explained: &dyn Classifier) -> Result<()> {
    let names = model.names();
    let chosen = args.faces.choose(model)?;
    let options = args.how.options(explained, chosen.mean_face.clone())?;
    let faces = chosen.judge(explained)?;
    let targets = args.target.of(&faces, &names)?;
    let work =
        Work { model: explained, pixels: &chosen.pixels, targets: &targets, options: &options };
    let found = explain_all(&work, &args.method.0)?;
    if let [only] = found.as_slice() {
        refuse_if_nothing(only)?;
    }
    if let Some(path) = &args.out {
        let theme = args.theme();
        let common_scale = args.common_scale;
        let look = PageOptions { names: &names, model: &model.caption(), common_scale, theme };
        let page = match (found.as_slice(), faces.as_slice()) {
            ([only], faces) => saliency_page(faces, only, &look)?,
            (all, [face]) => one_face_page(face, &all.iter().flatten().collect::<Vec<_>>(), &look)?,
            (all, faces) => many_faces_page(faces, all, &look)?,
        };
        write_page(&page, path)?;
    }
    if let Some(path) = &args.raw {
        write_raw(path, &faces, &found)?;
        say_written(path);
    }
    match args.json {
        true => {
            let calibrated = model.is_calibrated();
            console::print_json(&ExplanationsJson::new(
                &model.title,
                calibrated,
                &names,
                &faces,
                &found,
            ))
        }
        false => Ok(()),
    }
}

/// Faces to explain, and how.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// The network.
    pub model: &'a dyn Classifier,
    /// `[n, 48, 48]`.
    pub pixels: &'a [f32],
    /// One a face.
    pub targets: &'a [Target],
    /// Options of the methods.
    pub options: &'a AttributionOptions,
}

impl<'a> Work<'a> {
    /// The faces with their targets, checked.
    pub fn faces(&self) -> Result<FaceBatch<'a>> {
        FaceBatch::new(self.model, self.pixels, self.targets)
    }
}

/// Explains all faces by each method, with a bar where it takes long.
pub fn explain_all(work: &Work<'_>, methods: &[Method]) -> Result<Vec<Vec<Attribution>>> {
    let bar = progress::bar((methods.len() * work.targets.len()) as u64, "maps");
    let faces = work.faces()?;
    let mut found = Vec::with_capacity(methods.len());
    for &method in methods {
        bar.set_message(method.name());
        let mut maps = Vec::with_capacity(faces.len());
        for part in faces.parts() {
            maps.extend(attribute(&part, method, work.options)?);
            bar.inc(part.len() as u64);
        }
        found.push(maps);
    }
    bar.finish_and_clear();
    Ok(found)
}

/// A page that shows nothing but the same refusal is an error: a failure where the face is refused,
/// as only LIME does, a matter of usage where the network or the target is.
///
/// # Errors
/// [`Error::Failed`] or [`Error::Usage`] with the reason.
pub fn refuse_if_nothing(found: &[Attribution]) -> Result<()> {
    let Some(first) = found.first() else { return Ok(()) };
    let of_face = first.method == Method::Lime && !matches!(first.target, Target::Loss(_));
    match &first.refused {
        Some(why) if found.iter().all(|a| a.refused.as_ref() == Some(why)) => {
            Err(if of_face { Error::Failed(why.clone()) } else { Error::Usage(why.clone()) })
        }
        _ => Ok(()),
    }
}

fn check_raw_name(path: &Path) -> Result<()> {
    match path.extension().is_some_and(|e| e == "npy" || e == "csv") {
        true => Ok(()),
        false => {
            let message = format!("{}: expected a name that ends in .npy or .csv", path.display());
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
