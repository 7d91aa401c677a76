//! How a training is asked to end: Ctrl-C, SIGTERM, a terminal that hangs up.

use crate::console::eprintln_safe;
use crate::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Exit code of a program that was ended at once.
const INTERRUPTED: i32 = 130;

/// Longest time until a wish to end is answered in words.
const HEARD_AFTER: Duration = Duration::from_millis(100);

/// What the signals say. While a training runs the first asks it to end and the second ends the
/// program; before and after it the first does.
pub(crate) struct Stop {
    /// Whether the training shall finish its step, save and end.
    pub wanted: Arc<AtomicBool>,
    /// Whether a signal ends the program at once.
    at_once: Arc<AtomicBool>,
}

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    /// [`Error::Usage`] if the system does not let it.
    pub fn new() -> Result<Self> {
        let stop = Self { wanted: Arc::default(), at_once: Arc::new(AtomicBool::new(true)) };
        for signal in signals() {
            // In this order: the second signal finds what the first has raised.
            flag::register_conditional_shutdown(signal, INTERRUPTED, stop.at_once.clone())
                .and_then(|_| flag::register(signal, stop.at_once.clone()))
                .and_then(|_| flag::register(signal, stop.wanted.clone()))
                .map_err(|e| Error::Usage(format!("cannot catch signal {signal}: {e}")))?;
        }
        let wanted = stop.wanted.clone();
        std::thread::spawn(move || answer(&wanted));
        Ok(stop)
    }

    /// Says whether a training is running.
    pub fn training(&self, running: bool) {
        self.at_once.store(!running, Ordering::SeqCst);
    }
}

/// Says that the wish was heard, which the signals' handlers cannot: they must not write.
fn answer(wanted: &AtomicBool) {
    while !wanted.load(Ordering::SeqCst) {
        std::thread::sleep(HEARD_AFTER);
    }
    eprintln_safe!("\nfinishing this step and saving; once more to end at once");
}

fn signals() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !hanging_up_is_ignored() {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// Whether hanging up does nothing, as under `nohup`, which a handler would undo. Where the system
/// does not tell, the answer is yes, so that SIGHUP stays what it was.
#[cfg(unix)]
fn hanging_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (signal_hook::consts::SIGHUP - 1) & 1 == 1)
}
