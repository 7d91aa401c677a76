//! Signals that stop the program: Ctrl-C, SIGTERM, and the hang-up of the terminal.
//!
//! While a training runs, the first signal stops the training after its step, and the second ends the
//! program. At any other time the first one ends it. Temporary files are removed before.

use crate::console::eprintln_safe;
use crate::files;
use crate::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a training that was interrupted.
const INTERRUPTED: i32 = 130;

/// Whether the program is `fer train`, which always answers with an exit code.
static TRAINS: AtomicBool = AtomicBool::new(false);
/// Whether a training is running.
static RUNNING: AtomicBool = AtomicBool::new(false);
/// Whether the training shall finish its step, save and end.
static STOP: AtomicBool = AtomicBool::new(false);

/// Set by a handler that is there for its effect only; see [`listen`].
#[cfg(unix)]
static FILE_TOO_LARGE: AtomicBool = AtomicBool::new(false);

/// Starts to listen to the signals.
///
/// # Errors
/// [`Error::Usage`] if the system refuses.
pub fn listen() -> Result<()> {
    let refused = |e: std::io::Error| Error::Usage(format!("cannot catch signals: {e}"));
    // With a handler of any kind, a file beyond `ulimit -f` is an error of the write.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, &FILE_TOO_LARGE).map_err(refused)?;
    let mut signals = Signals::new(signals()).map_err(refused)?;
    let listen = move || signals.forever().for_each(receive);
    std::thread::Builder::new().spawn(listen).map(drop).map_err(refused)
}

fn receive(signal: i32) {
    if RUNNING.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst) {
        eprintln_safe!("\nstopping after this step; repeat to end without saving");
        return;
    }
    files::end_with(|| {
        if !TRAINS.load(Ordering::SeqCst) {
            let _ = emulate_default_handler(signal); // so that a script sees the signal
        }
        std::process::exit(INTERRUPTED);
    });
}

/// Sets whether a training is running.
pub fn set_training(running: bool) {
    TRAINS.store(true, Ordering::SeqCst);
    RUNNING.store(running, Ordering::SeqCst);
}

/// Returns whether the training shall finish its step, save and end.
pub fn stop_requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

fn signals() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !hang_up_is_ignored() {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// Whether the hang-up signal is ignored, as under `nohup`; a handler would undo that. If the system
/// does not tell, returns true, so that the signal keeps its effect.
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 1)
}
