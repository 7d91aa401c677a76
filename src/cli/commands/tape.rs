//! `fer tape`: one pass of a network, node by node.

use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::output::{keep_inputs, print_written};
use crate::explain::face_resize::FaceResize;
use crate::model::{Network, architecture};
use crate::trace::Trace;
use crate::trace::measure::trace;
use crate::{Error, PIXELS, Result, console, files};
use std::io::BufRead as _;
use std::path::PathBuf;

/// Arguments of `fer tape`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  fer tape\n  fer tape me.jpg --html tape.html\n  \
                        fer tape --arch tiny --step\n  fer tape --dot tape.dot")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    faces: FaceArgs,
    /// An architecture (fer-s, fer-m, fer-l, tiny, vgg) or a .toml file, with random weights
    #[arg(long, value_name = "A")]
    arch: Option<String>,
    /// Go through the pass, forward and backward; Enter shows the next step
    #[arg(long, conflicts_with = "json")]
    step: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write the tape as a graph for Graphviz
    #[arg(long, value_name = "FILE")]
    dot: Option<PathBuf>,
    /// Write a page that plays the pass, forward and backward
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    keep_inputs(args.dot.iter().chain(&args.html), &args.faces.inputs())?;
    let mut model = Model::read(args.model.take(), &mut args.faces)?;
    if let Some(name) = &args.arch {
        model.trained.network = Network::new(architecture(name)?, 0)?;
    }
    let mut trace = of_first_face(&args.faces, &model)?;
    if let Some(path) = &args.dot {
        files::write_atomic(path, trace.dot.as_bytes())?;
        print_written(path);
    }
    if let Some(path) = &args.html {
        files::write_atomic(path, trace.to_html()?.as_bytes())?;
        print_written(path);
    }
    if args.step {
        return go_through(&trace);
    }
    if args.json {
        trace.nodes.iter_mut().for_each(|node| node.pictures = [None, None]);
        return console::print_json(&trace);
    }
    if args.dot.is_some() || args.html.is_some() {
        return Ok(());
    }
    console::print(&trace.to_text())
}

/// Traces the first face: its own class if it has a label, else that of the answer.
fn of_first_face(args: &FaceArgs, model: &Model) -> Result<Trace> {
    let chosen = args.choose(model)?;
    let Some(face) = chosen.pixels.get(..PIXELS) else {
        return Err(Error::Usage("there is no face to run".into()));
    };
    let network = model.network();
    let [channels, height, width] = network.spec.input;
    if channels != 1 || height != width {
        let found = format!("{} takes {:?}", network.spec.name, network.spec.input);
        return Err(Error::Usage(format!("{found}; fer tape runs networks of one square channel")));
    }
    let label = chosen.labels().first().copied().flatten();
    trace(
        network,
        &FaceResize::new(height).forward(face),
        label.filter(|l| *l < network.spec.classes.len()),
    )
}

/// Prints a step for every line of standard input; all of them once it has ended.
fn go_through(trace: &Trace) -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    for step in trace.steps() {
        console::print(&(step + "\n"))?;
        if let Some(line) = lines.next() {
            line.map_err(Error::io("standard input"))?;
        }
    }
    Ok(())
}
