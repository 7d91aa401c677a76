//! The commands and what they share.

use super::commands::explain::{activations, filters, gallery, lime, report, saliency, verify};
use super::commands::training::{calibrate, curves, eval, export, summary, train, watch};
use super::commands::{bench, crop_calibration, data, demo, info, predict};
use clap::{Parser, Subcommand};

/// Trains a convolutional network to read facial expressions, and explains it.
#[derive(Debug, Parser)]
#[command(name = "fer", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// Number of threads [default: one a core]
    #[arg(long, global = true, env = "FER_THREADS")]
    pub threads: Option<usize>,
    /// SIMD path: auto, avx512, avx2 or portable
    #[arg(long, global = true, default_value = "auto", hide_default_value = true)]
    pub simd: String,
    /// How convolutions are computed: auto, direct, im2col or winograd; winograd where it applies
    #[arg(long, global = true, default_value = "auto", hide_default_value = true)]
    pub conv: String,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train on built-in faces and put all four questions to the network, in a minute or two
    Demo(demo::Args),
    /// Train a network
    Train(Box<train::Args>),
    /// Show a training in the browser while it goes on, or afterwards
    Watch(watch::Args),
    /// Judge a network on labelled faces: accuracy, per-class table, confusion matrix
    Eval(eval::Args),
    /// Measure how sure a network may be of itself, and keep it, so that 80 % means right in 80 %
    Calibrate(calibrate::Args),
    /// Write a network for other programs: ONNX, or weights alone
    Export(export::Args),
    /// Name the expressions in photos, folders of pictures, or rows of a CSV
    Predict(predict::Args),
    /// Draw accuracy and loss over the epochs of one or several runs
    Curves(curves::Args),
    /// Count, check, split, draw or convert faces
    Data(data::Args),
    /// Draw where the network looks, by any of fourteen methods
    Saliency(Box<saliency::Args>),
    /// Explain a face by its pieces: evidence for and against, and whether to believe it
    Lime(lime::Args),
    /// The whole answer on one page: where it looks, what filters want, how it judges, how it trained
    Report(report::Args),
    /// Every method on every expression: pages with an index
    Gallery(Box<gallery::Args>),
    /// Check that the gradients are exact on this network and this face
    Verify(verify::Args),
    /// Measure the speed of training and inference on this machine
    Bench(bench::Args),
    /// Print a network's layers: output shape, parameters, multiply-accumulates
    Summary(summary::Args),
    /// Draw what the filters of a layer make of a face, or of each class on average
    Activations(Box<activations::Args>),
    /// Draw what each filter, or each class, wants to see
    Filters(Box<filters::Args>),
    /// Measure how a face that was found in a photo should be cut out
    Framing(crop_calibration::Args),
    /// Print CPU features, the SIMD path chosen, threads and versions
    Info(info::Args),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}
