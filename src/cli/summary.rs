//! `fer summary`.

use crate::checkpoint::weights::read_model;
use crate::error::Result;
use crate::model::{Network, architecture, summary::summary};
use std::path::Path;

/// Arguments of `fer summary`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A built-in network (fer-s, fer-m, fer-l, tiny, vgg), a .toml file, a run folder or a weights
    /// file
    pub network: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: Args) -> Result<()> {
    let path = Path::new(&args.network);
    let network: Network<f32> = match path.exists() && path.extension().is_none_or(|e| e != "toml")
    {
        true => read_model(path)?.0,
        false => Network::new(architecture(&args.network)?, 0)?,
    };
    let table = summary(&network)?;
    if args.json { super::print_json(&table) } else { super::print(&table.to_text()) }
}
