//! `fer bench`: the speed of this machine.

use crate::bench::ConvLayer;
use crate::bench::conv::conv;
use crate::bench::ladder::{LadderOptions, ladder};
use crate::bench::layers::layers;
use crate::bench::steps::{StepOptions, infer, train};
use crate::cli::shared::input::theme;
use crate::cli::shared::precision::{noted, precision};
use crate::render::chart::ChartOptions;
use crate::render::write;
use crate::{Error, Result, console};
use fer_kernels::Precision;
use std::path::PathBuf;

/// Arguments of `fer bench`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer bench train --arch vgg --batch-size 64\n  fer bench kernels --layer 128-128@24"
)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Training steps: forward, loss, backward, update (SGD with Nesterov momentum and weight decay)
    Train(Steps),
    /// Inference: the logits of a batch
    Infer(Steps),
    /// Profile of a training step and of an inference, layer by layer
    Layers(Steps),
    /// One convolution, from naive loops to Winograd, on the roofline of this machine
    Kernels(Kernels),
    /// Single convolutions: forward and both gradients
    Conv(Conv),
}

#[derive(Debug, clap::Args)]
struct Steps {
    /// Architecture: tiny, vgg, fer-s, fer-m, fer-l or a .toml file
    #[arg(long, default_value = "tiny")]
    arch: String,
    /// Pictures per step
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// Measured steps [default: 12; for inference at least 12, and half a second]
    #[arg(long)]
    steps: Option<usize>,
    /// Steps before measuring
    #[arg(long, default_value_t = 3)]
    warmup: usize,
    /// Precision of products: f32 or bf16 (sums are f32)
    #[arg(long, default_value = "f32", hide_default_value = true, value_parser = precision)]
    precision: Precision,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Kernels {
    /// Channels in, channels out, side of the picture
    #[arg(long, default_value = "128-128@24", value_name = "IN-OUT@SIDE")]
    layer: ConvLayer,
    /// Pictures per call; the slowest kernels take one
    #[arg(long, default_value_t = 16)]
    batch_size: usize,
    /// Measured calls of each kernel
    #[arg(long, default_value_t = 9)]
    steps: usize,
    /// Folder for roofline.png and roofline.svg, created if missing
    #[arg(long, value_name = "DIR", default_value = "bench-kernels")]
    out: PathBuf,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Conv {
    /// Channels in, channels out, side of the picture; may be repeated [default: the eight layers of
    /// vgg]
    #[arg(long, value_name = "IN-OUT@SIDE")]
    layer: Vec<ConvLayer>,
    /// Pictures per call
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// Measured calls
    #[arg(long, default_value_t = 9)]
    steps: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    match args.what {
        What::Train(args) => {
            let measured = train(&args.options()?)?;
            print(args.json, &measured, measured.to_text())
        }
        What::Infer(args) => {
            let measured = infer(&args.options()?)?;
            print(args.json, &measured, measured.to_text())
        }
        What::Layers(args) => {
            let measured = layers(&args.options()?)?;
            print(args.json, &measured, measured.to_text())
        }
        What::Kernels(args) => kernels(args),
        What::Conv(args) => {
            positive("--batch-size", args.batch_size)?;
            let layers = if args.layer.is_empty() { &ConvLayer::OF_VGG } else { &args.layer[..] };
            let measured = conv(layers, args.batch_size, args.steps)?;
            print(args.json, &measured, measured.to_text())
        }
    }
}

impl Steps {
    fn options(&self) -> Result<StepOptions> {
        positive("--batch-size", self.batch_size)?;
        let (arch, batch) = (self.arch.clone(), self.batch_size);
        let precision = noted(self.precision);
        Ok(StepOptions { arch, batch, precision, steps: self.steps, warmup: self.warmup })
    }
}

fn kernels(args: Kernels) -> Result<()> {
    let Kernels { layer, batch_size: batch, steps: rounds, out, dark, json } = args;
    positive("--batch-size", batch)?;
    crate::files::make_folder(&out)?;
    let measured = ladder(LadderOptions { layer, batch, rounds })?;
    write::write_both(
        &measured.draw(ChartOptions::new(theme(dark)).sized(760.0, 500.0))?,
        &out,
        "roofline",
    )?;
    let picture = out.join("roofline.png");
    print(
        json,
        &measured,
        format!("{}\nwritten: {}, .svg\n", measured.to_text(), picture.display()),
    )
}

fn positive(option: &str, value: usize) -> Result<()> {
    match value {
        1..=65_536 => Ok(()),
        _ => Err(Error::Usage(format!("{option} {value}: expected 1 to 65536"))),
    }
}

fn print(json: bool, measured: &impl serde::Serialize, text: String) -> Result<()> {
    if json { console::print_json(measured) } else { console::print(&text) }
}
