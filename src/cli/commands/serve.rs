//! `fer serve`: the page that answers and explains.

use crate::cli::shared::input::{Reading, model_or_input};
use crate::cli::shared::network_input::mean_face;
use crate::cli::shared::output::print_written;
use crate::cli::shared::progress;
use crate::console::{self, eprintln_safe};
use crate::dataset::{Dataset, SynthOptions, synthesize};
use crate::error::Shown as _;
use crate::model::LoadedModel;
use crate::page::workspace::Source;
use crate::serve::export::export;
use crate::serve::network_page;
use crate::{Error, Result};
use fer_kernels::on_pool;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Number of drawn faces for a network whose own faces are not there, and the number of the first: far
/// behind those that a training draws.
const DRAWN: (usize, u64) = (700, 1 << 32);

/// Arguments of `fer serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer serve --open\n  fer serve runs/fer-s-1 --data test.csv --port 8000\n  fer serve runs/fer-s-1 --export site"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Faces to look at: a CSV (plain or gzip) or a folder with one folder per class [default: the
    /// validation faces of the network, else drawn ones]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Port on this machine [default: 4848, or a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// Write the microscope of the network as a static site into a folder, instead of serving it
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["open", "port"])]
    export: Option<PathBuf>,
    /// With --export: filters of each convolution for which gradient ascent is computed
    #[arg(long, value_name = "N", default_value_t = 4, requires = "export")]
    ascents: usize,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let source = on_pool(|| source(&args))?;
    let title = source.model.title();
    if let Some(folder) = &args.export {
        return on_pool(|| write_site(&source, folder, args.ascents));
    }
    let server = network_page::start(source, args.port)?;
    let address = server.address();
    console::print(&format!("{address}\n"))?;
    eprintln_safe!("serving {title} on this machine only; stop with Ctrl-C");
    if args.open && !open(&address) {
        eprintln_safe!("found no browser to open; open the address above");
    }
    server.wait();
    Ok(())
}

/// Writes the static site, with a progress bar.
fn write_site(source: &Source, folder: &Path, ascents: usize) -> Result<()> {
    let bar = progress::bar(1_000, "site");
    export(source, folder, ascents, &mut |what, share| {
        bar.set_message(what.to_owned());
        bar.set_position((share * 1e3) as u64);
    })?;
    bar.finish_and_clear();
    print_written(&folder.join("index.html"));
    Ok(())
}

/// Reads the network and its faces.
fn source(args: &Args) -> Result<Source> {
    let mut others = Vec::new();
    let model = model_or_input(args.model.clone(), &mut others)?;
    if let Some(other) = others.first() {
        let other = other.shown();
        let message = format!("{other} is no network; faces to look at: --data {other}");
        return Err(Error::Usage(message));
    }
    let model = LoadedModel::read_or_embedded(model.as_deref())?;
    let (faces, faces_from) = faces(args, &model)?;
    let mean_face = mean_face(&model, &faces);
    Ok(Source { model, faces, faces_from, mean_face })
}

/// Returns the faces to look at, and where they come from.
fn faces(args: &Args, model: &LoadedModel) -> Result<(Dataset, String)> {
    if let Some(path) = &args.data {
        return Ok((args.reading.read(path)?, crate::files::name(path)));
    }
    if model.record.source.is_some() {
        match model.validation_faces() {
            Ok(faces) => return Ok((faces, "validation".into())),
            Err(e) => eprintln_safe!("{e}\ndrawn faces take their place; name others with --data"),
        }
    }
    let (count, first) = DRAWN;
    Ok((synthesize(&SynthOptions { count, first, ..SynthOptions::default() })?, "drawn".into()))
}

/// Opens an address in the browser of this system; returns whether one was started.
fn open(address: &str) -> bool {
    let (program, words): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(words).arg(address).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::null()).spawn().is_ok()
}
