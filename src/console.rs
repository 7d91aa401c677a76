//! Writing to standard output and standard error without a panic where nobody reads.

#[cfg(feature = "cli")]
use crate::{Error, Result};
#[cfg(feature = "cli")]
use serde::Serialize;

/// Prints a line to standard error like `eprintln!`, but ignores a write that fails: a training must
/// not end because its messages are piped into `head`, or because the disk is full.
macro_rules! eprintln_safe {
    ($($arguments:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($arguments)*);
    }};
}
pub(crate) use eprintln_safe;

/// Writes text to standard output.
///
/// # Errors
/// [`Error::Io`] if standard output is closed or full.
#[cfg(feature = "cli")]
pub fn print(text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::io("standard output"))
}

/// Prints a value as one line of JSON.
///
/// # Errors
/// Those of [`print()`].
#[cfg(feature = "cli")]
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Error::Usage(e.to_string()))?;
    print(&(text + "\n"))
}
