//! `fer watch`.

use crate::console::{self, eprintln_safe};
use crate::monitor::live::live_page::LIVE;
use crate::serve::Server;
use crate::{Error, Result};
use std::path::PathBuf;

/// Arguments of `fer watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, of a training that goes on or has ended
    run: PathBuf,
    /// Port on this machine [default: 4848, or a free one]
    #[arg(long)]
    port: Option<u16>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if !args.run.join(LIVE).is_file() {
        let found = if args.run.is_dir() { "holds no live.json" } else { "is not a folder" };
        let expected = "expected the run folder of a training";
        return Err(Error::model(&args.run, format!("{found}; {expected}")));
    }
    let server = Server::start(&args.run, args.port)?;
    console::print(&format!("{}\n", server.address()))?;
    eprintln_safe!("serving {} to this machine only; Ctrl-C ends it", args.run.display());
    server.wait();
    Ok(())
}
