//! Signals that stop the program: Ctrl-C, SIGTERM, and the hang-up of the terminal.
//!
//! While a training runs, the first signal stops the training after its step, and the second ends the
//! program. At any other time the first one ends it. Temporary files are removed before.

use crate::console::eprintln_safe;
use crate::{Error, Result, files, platform};
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a training that was interrupted.
const INTERRUPTED: i32 = 130;

/// Whether the program is `fer train`, which always answers with an exit code.
static TRAINS: AtomicBool = AtomicBool::new(false);
/// Whether a training is running.
static RUNNING: AtomicBool = AtomicBool::new(false);
/// Whether the training shall finish its step, save and end.
static STOP: AtomicBool = AtomicBool::new(false);

/// Starts to listen to the signals.
///
/// # Errors
/// [`Error::Usage`] if the system refuses.
pub fn listen() -> Result<()> {
    platform::on_signal(receive).map_err(|e| Error::Usage(format!("cannot catch signals: {e}")))
}

fn receive(signal: i32) {
    if RUNNING.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst) {
        eprintln_safe!("\nstopping after this step; repeat to end without saving");
        return;
    }
    files::end_with(|| {
        if !TRAINS.load(Ordering::SeqCst) {
            platform::end_by(signal);
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
