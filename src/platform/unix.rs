//! Linux and macOS.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes renames within a folder survive a power failure.
///
/// **Errors**: those of opening and syncing it.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(feature = "cli")]
pub use signals::*;

#[cfg(feature = "cli")]
mod signals {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    /// Calls `receive` with the number of each signal that asks the program to end: Ctrl-C, SIGTERM, and
    /// the hang-up of the terminal.
    ///
    /// **Errors**: those of the system.
    pub fn on_signal(receive: fn(i32)) -> io::Result<()> {
        // With a handler of any kind, a file beyond `ulimit -f` is an error of the write.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let mut wanted = vec![SIGINT, SIGTERM];
        if !hang_up_is_ignored() {
            wanted.push(SIGHUP);
        }
        let mut signals = Signals::new(wanted)?;
        let listen = move || signals.forever().for_each(receive);
        std::thread::Builder::new().spawn(listen).map(drop)
    }

    /// Ends the program as the signal would have, so that a script sees the signal.
    pub fn end_by(signal: i32) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }

    /// Whether the hang-up signal is ignored, as under `nohup`; a handler would undo that. If the system
    /// does not tell, returns true, so that the signal keeps its effect.
    fn hang_up_is_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_none_or(|mask| mask >> (SIGHUP - 1) & 1 == 1)
    }
}
