//! The command line: options of every command, and the commands in groups.

use crate::cli::commands::explain::{
    activations, explain, filters, gallery, lime, report, saliency, verify,
};
use crate::cli::commands::training::{calibrate, curves, eval, export, summary, train, watch};
use crate::cli::commands::{
    bench, crop_calibration, data, demo, info, learn, predict, serve, tape,
};
use crate::cli::way_out;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Trains a convolutional network to recognise facial expressions, and explains it
#[derive(Debug, Parser)]
#[command(name = "fer", version = VERSION.as_str(), max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// Number of threads [default: one per core]
    #[arg(long, global = true, env = "FER_THREADS", help_heading = COMMON)]
    pub threads: Option<usize>,
    /// SIMD path: auto, amx, avx512, avx2 or portable
    #[arg(long, global = true, default_value = "auto", hide_default_value = true,
          help_heading = COMMON)]
    pub simd: String,
    /// Convolution algorithm: auto, direct, im2col or winograd (used where it applies)
    #[arg(long, global = true, default_value = "auto", hide_default_value = true,
          help_heading = COMMON)]
    pub conv: String,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const COMMON: &str = "Common options";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train on drawn faces and explain the result on one page, in a minute or two
    Demo(demo::Args),
    /// Count, check, split, draw or convert faces
    Data(data::Args),
    /// Train a network
    Train(Box<train::Args>),
    /// Show a running or finished training in the browser
    Watch(watch::Args),
    /// Draw accuracy and loss over the epochs of one or more runs
    Curves(curves::Args),
    /// Explain the answer for a photo in one picture: answer, map, LIME and a sentence
    Explain(explain::Args),
    /// Show which pixels an answer depends on, by fifteen methods
    Saliency(Box<saliency::Args>),
    /// Show which regions of a face speak for and against a class (LIME)
    Lime(lime::Args),
    /// Show the picture that each filter, or each class, responds to most
    Filters(Box<filters::Args>),
    /// Show the feature maps of a layer for one face, or their mean for each class
    Activations(Box<activations::Args>),
    /// Write one page that explains and evaluates a network
    Report(report::Args),
    /// Write a page for every method and every expression, with an index
    Gallery(Box<gallery::Args>),
    /// Check that the gradients of a network are exact on a face
    Verify(verify::Args),
    /// Recognise the expressions in photos, folders of pictures, or rows of a CSV
    Predict(predict::Args),
    /// Open a page for photos, the camera and videos, and a microscope for the network
    Serve(serve::Args),
    /// Export a network as ONNX or safetensors for other programs
    Export(export::Args),
    /// Fit a softmax temperature, so that 80 % means right in 80 % of cases
    Calibrate(calibrate::Args),
    /// Measure how a face detected in a photo should be cropped
    CropCalibration(crop_calibration::Args),
    /// Evaluate a network on labelled faces: accuracy, confusion matrix, errors
    Eval(eval::Args),
    /// Print the layers of a network: output shape, parameters, multiply-accumulates
    Summary(summary::Args),
    /// Show one pass node by node: gradients, operations, bytes, times; as a page to play with
    Tape(Box<tape::Args>),
    /// Exercises on the engine's own source, graded offline
    Learn(learn::Args),
    /// Write the file of a new op into the source, and make it known to library and tests
    NewOp(learn::NewOp),
    /// Measure the speed of training and inference on this machine
    Bench(bench::Args),
    /// Print CPU features, SIMD path, threads and version
    Info(info::Args),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of all commands into a folder
    Man {
        /// The folder, created where it is missing
        folder: PathBuf,
    },
}

/// Version, target, and the commit where the builder named it in `FER_COMMIT`.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("FER_COMMIT").map_or(String::new(), |c| format!(", commit {c}"));
    let [arch, os] = [std::env::consts::ARCH, std::env::consts::OS];
    format!("{} ({arch}-{os}{commit})", env!("CARGO_PKG_VERSION"))
});

/// The commands as `fer --help` lists them.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Train", &["demo", "data", "train", "watch", "curves"]),
    (
        "Explain",
        &["explain", "saliency", "lime", "filters", "activations", "report", "gallery", "verify"],
    ),
    ("Use", &["predict", "serve", "export", "calibrate", "crop-calibration"]),
    (
        "Inspect",
        &["eval", "summary", "tape", "learn", "new-op", "bench", "info", "completions", "man"],
    ),
];

/// The program for clap, with its commands in groups.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let mut groups = String::new();
    for (group, names) in GROUPS {
        groups += &format!("{group}:\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(|c| c.get_about());
            groups += &format!("  {name:<17} {}\n", about.cloned().unwrap_or_default());
        }
        groups += "\n";
    }
    let template = format!(
        "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{groups}Options:\n{{options}}\n\n\
         Start with fer demo. fer COMMAND --help explains a command.\n"
    );
    command.help_template(template)
}

/// Parses a command line; its first word is the program.
///
/// # Errors
/// Help, the version, or what is wrong with the line.
pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let line: Vec<OsString> = line.into_iter().collect();
    let parsed = command().try_get_matches_from(&line);
    let parsed = parsed.and_then(|found| Cli::from_arg_matches(&found));
    parsed.map_err(|error| way_out::added(error, &line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let command = command();
        let all: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(listed, all);
    }

    #[test]
    fn definitions_are_consistent() {
        command().debug_assert();
    }
}
