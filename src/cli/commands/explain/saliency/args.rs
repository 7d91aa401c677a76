//! Arguments of `fer saliency`.

use crate::Result;
use crate::cli::shared::attribution::{MethodArg, MethodOptions};
use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::input::theme;
use crate::cli::shared::output::{keep_inputs, write_page};
use crate::cli::shared::target::TargetArg;
use crate::explain::Method;
use crate::render::Theme;
use crate::render::panel::Page;
use std::path::PathBuf;

/// Arguments of `fer saliency`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    fer saliency photo.jpg --method gradcam\n  \
    fer saliency runs/fer-s-1 --per-class 2 --method all --out methods.html\n  \
    fer saliency runs/fer-s-1 --regions")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    pub faces: FaceArgs,
    /// smooth-ig, gradient (or saliency), grad-x-input, smoothgrad, smoothgrad-sq, vargrad, ig,
    /// guided-backprop, gradcam, gradcam++, layercam, scorecam, occlusion, rise, lime, or all.
    /// smooth-ig passes the sanity checks on the network in the program
    /// [default: smooth-ig; all with --sanity-check]
    #[arg(long, value_name = "METHOD")]
    method: Option<MethodArg>,
    /// What is explained: pred, true, loss, contrast, or a class
    #[arg(long, value_name = "TARGET", default_value = "pred")]
    pub target: TargetArg,
    #[command(flatten)]
    pub options: MethodOptions,
    #[command(flatten)]
    pub set: SetArgs,
    /// Use one colour scale for all faces, so that they can be compared
    #[arg(long)]
    pub common_scale: bool,
    /// Picture or page to write: .png, .svg or .html; replaces an earlier one [default:
    /// saliency.png; template.png with --draw-regions; none with --raw, --json, --regions,
    /// --class-maps or --sanity-check]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the raw maps to a .npy or .csv file
    #[arg(long, value_name = "FILE")]
    pub raw: Option<PathBuf>,
    /// Compute in double precision by plain loops: slow, to check the rounding of single precision
    #[arg(long, conflicts_with = "set")]
    pub double: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

const WHOLE_SET: &str = "Whole data set";

/// Questions about all faces of a data set.
#[derive(Debug, Default, clap::Args)]
pub struct SetArgs {
    /// Measure how much attribution falls on each region of the face
    #[arg(long, help_heading = WHOLE_SET, group = "set", conflicts_with_all = ["index", "per_class", "raw", "common_scale"])]
    pub regions: bool,
    /// Average the maps: of each class, correct minus wrong, true minus predicted class
    #[arg(long, help_heading = WHOLE_SET, group = "set", conflicts_with_all = ["index", "per_class", "raw", "common_scale"])]
    pub class_maps: bool,
    /// Measure in one table how far the maps of each method can be believed
    #[arg(long, help_heading = WHOLE_SET, group = "set",
          conflicts_with_all = ["index", "per_class", "raw", "pictures", "common_scale"])]
    pub sanity_check: bool,
    /// Draw the regions over faces, to check them by eye
    #[arg(long, help_heading = WHOLE_SET, group = "set",
          conflicts_with_all = ["index", "per_class", "raw", "method", "target", "common_scale",
                                "layer", "samples", "baseline", "json"])]
    pub draw_regions: bool,
    /// Largest number of faces, as many of each class [default: all; 7 with --sanity-check, 100
    /// with --draw-regions]
    #[arg(long = "balanced-faces", help_heading = WHOLE_SET, value_name = "N", requires = "set",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_faces: Option<u32>,
}

impl SetArgs {
    /// Whether a question about the data set is asked.
    pub fn any(&self) -> bool {
        self.regions || self.class_maps || self.sanity_check || self.draw_regions
    }
}

impl Args {
    /// Returns the methods that were asked for.
    pub fn methods(&self) -> &[Method] {
        match &self.method {
            Some(MethodArg(methods)) => methods,
            None if self.set.sanity_check => &Method::ALL,
            None => &[Method::DEFAULT],
        }
    }

    /// The light or the dark theme.
    pub fn theme(&self) -> Theme {
        theme(self.dark)
    }

    /// The picture to write where `--out` is missing, if nothing else is asked for.
    pub fn default_out(&self) -> Option<PathBuf> {
        match () {
            () if self.set.draw_regions => Some("template.png".into()),
            () if self.set.any() || self.raw.is_some() || self.json => None,
            () => Some("saliency.png".into()),
        }
    }

    /// Reads the model. It decides which positional arguments are pictures, so that outputs can be
    /// compared with the inputs only then.
    pub fn read_model(&mut self) -> Result<Model> {
        let model = Model::read(self.model.take(), &mut self.faces)?;
        keep_inputs(self.out.iter().chain(&self.raw), &self.faces.inputs())?;
        Ok(model)
    }

    /// Writes a page to `--out`, if there is one.
    pub fn write(&self, page: &Page) -> Result<()> {
        self.out.as_deref().map_or(Ok(()), |path| write_page(page, path))
    }
}
