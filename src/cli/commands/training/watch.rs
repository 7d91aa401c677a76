//! `fer watch`: the live page of a run.

use crate::console::{self, eprintln_safe};
use crate::error::Shown as _;
use crate::monitor::live::views::LIVE;
use crate::serve::LivePage;
use crate::{Error, Result};
use std::path::PathBuf;

/// Arguments of `fer watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer watch runs/fer-s-1")]
pub struct Args {
    /// The run folder of a running or finished training
    run: PathBuf,
    /// Port on this machine [default: 4848, or a free one]
    #[arg(long)]
    port: Option<u16>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if !args.run.join(LIVE).is_file() {
        let found = match (args.run.is_dir(), args.run.exists()) {
            (true, _) => "holds no live.json",
            (false, true) => "is not a folder",
            (false, false) => "does not exist",
        };
        let expected = "expected the run folder of a training";
        return Err(Error::model(&args.run, format!("{found}; {expected}")));
    }
    let server = LivePage::start(&args.run, args.port)?;
    console::print(&format!("{}\n", server.address()))?;
    eprintln_safe!("serving {} on this machine only; stop with Ctrl-C", args.run.shown());
    server.wait();
    Ok(())
}
