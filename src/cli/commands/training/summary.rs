//! `fer summary`: the layers of a network.

use crate::model::weights::network_file::{EMBEDDED, is_embedded, read_model};
use crate::model::{Network, architecture, summary};
use crate::{Result, console};
use std::path::Path;

/// Arguments of `fer summary`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer summary vgg")]
pub struct Args {
    /// An architecture (fer-s, fer-m, fer-l, tiny, vgg), a .toml file, a run folder or a weights file
    /// [default: the embedded network]
    pub network: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let name = args.network.as_deref().unwrap_or(EMBEDDED);
    let path = Path::new(name);
    let is_toml = path.extension().is_some_and(|e| e == "toml");
    let is_path = path.exists() || path.components().count() > 1;
    let is_model = is_embedded(path) || is_path && !is_toml;
    let network: Network<f32> = match is_model {
        true => read_model(path)?.0,
        false => Network::new(architecture(name)?, 0)?,
    };
    let table = summary(&network)?;
    if args.json { console::print_json(&table) } else { console::print(&table.to_text()) }
}
