//! Signals that stop a training: Ctrl-C, SIGTERM, and the hang-up of the terminal.

use crate::console::eprintln_safe;
use crate::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Exit code of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Time between two looks at the signal.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// State of the signals. While a training runs, the first signal stops the training and the second
/// ends the program; before and after, the first one ends the program.
pub(crate) struct StopSignal {
    /// Whether the training shall finish its step, save and end.
    pub requested: Arc<AtomicBool>,
    /// Whether a signal ends the program at once.
    at_once: Arc<AtomicBool>,
}

impl StopSignal {
    /// Registers the signal handlers.
    ///
    /// # Errors
    /// [`Error::Usage`] if the system refuses.
    pub fn new() -> Result<Self> {
        let stop = Self { requested: Arc::default(), at_once: Arc::new(AtomicBool::new(true)) };
        for signal in signals() {
            // In this order: the second signal finds the flag that the first one has set.
            flag::register_conditional_shutdown(signal, INTERRUPTED, stop.at_once.clone())
                .and_then(|_| flag::register(signal, stop.at_once.clone()))
                .and_then(|_| flag::register(signal, stop.requested.clone()))
                .map_err(|e| Error::Usage(format!("cannot catch signal {signal}: {e}")))?;
        }
        let requested = stop.requested.clone();
        std::thread::spawn(move || confirm(&requested));
        Ok(stop)
    }

    /// Sets whether a training is running.
    pub fn set_training(&self, running: bool) {
        self.at_once.store(!running, Ordering::SeqCst);
    }
}

/// Prints a confirmation once a stop is requested. A signal handler must not print.
fn confirm(requested: &AtomicBool) {
    while !requested.load(Ordering::SeqCst) {
        std::thread::sleep(POLL_INTERVAL);
    }
    eprintln_safe!("\nstopping after this step; repeat to end without saving");
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
