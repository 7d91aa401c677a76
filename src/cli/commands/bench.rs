//! `fer bench`: the speed of this machine.

use crate::bench::ConvLayer;
use crate::bench::conv::conv;
use crate::bench::ladder::{LadderOptions, ladder};
use crate::bench::layers::layers;
use crate::bench::steps::{StepOptions, infer, train};
use crate::cli::shared::input::theme;
use crate::console;
use crate::render::chart::ChartOptions;
use crate::render::write;
use crate::{Error, Result};
use std::path::PathBuf;

/// Arguments of `fer bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Whole training steps: forward, loss, backward, update (SGD, Nesterov, weight decay)
    Train(Steps),
    /// Logits of a batch, in evaluation mode
    Infer(Steps),
    /// Where a training step goes, layer by layer, forward and backward
    Layers(Steps),
    /// One convolution from naive loops to Winograd, against what this machine can do, with a
    /// roofline picture
    Kernels(Kernels),
    /// Forward and both gradients of single convolutions
    Conv(Conv),
}

#[derive(Debug, clap::Args)]
struct Steps {
    /// tiny, vgg, fer-s, fer-m, fer-l or a .toml file
    #[arg(long, default_value = "tiny")]
    arch: String,
    /// Pictures a step
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Measured steps
    #[arg(long, default_value_t = 12)]
    steps: usize,
    /// Steps before measuring
    #[arg(long, default_value_t = 3)]
    warmup: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Kernels {
    /// Channels in, channels out, side of the picture
    #[arg(long, default_value = "128-128@24", value_name = "IN-OUT@SIDE")]
    layer: ConvLayer,
    /// Pictures a call; the slowest rungs take one
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Times that every rung is run
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Folder for roofline.png and roofline.svg, made where it is not there
    #[arg(long, value_name = "DIR", default_value = "bench-kernels")]
    out: PathBuf,
    /// The picture on a dark ground
    #[arg(long)]
    dark: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Conv {
    /// Channels in, channels out, side of the picture; may be repeated [default: the eight of vgg]
    #[arg(long, value_name = "IN-OUT@SIDE")]
    layer: Vec<ConvLayer>,
    /// Pictures a call
    #[arg(long, default_value_t = 64)]
    batch: usize,
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
            positive("--batch", args.batch)?;
            let layers = if args.layer.is_empty() { &ConvLayer::OF_VGG } else { &args.layer[..] };
            let measured = conv(layers, args.batch, args.steps)?;
            print(args.json, &measured, measured.to_text())
        }
    }
}

impl Steps {
    fn options(&self) -> Result<StepOptions> {
        positive("--batch", self.batch)?;
        let (arch, batch) = (self.arch.clone(), self.batch);
        Ok(StepOptions { arch, batch, steps: self.steps, warmup: self.warmup })
    }
}

fn kernels(args: Kernels) -> Result<()> {
    let Kernels { layer, batch, rounds, out, dark, json } = args;
    positive("--batch", batch)?;
    crate::files::make_folder(&out)?;
    let measured = ladder(LadderOptions { layer, batch, rounds })?;
    write::write_both(
        &measured.draw(ChartOptions::new(theme(dark)).sized(760.0, 500.0))?,
        &out,
        "roofline",
    )?;
    let drawn = out.join("roofline.png");
    print(json, &measured, format!("{}\ndrawn: {}, .svg\n", measured.to_text(), drawn.display()))
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
