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
#[cfg(feature = "cli")]
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|e| Error::Usage(e.to_string()))?;
    print(&(text + "\n"))
}

/// Returns a whole number with thousands separators: `28,709`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with its noun: `1 face`, `3,589 faces`.
#[cfg(feature = "cli")]
pub fn counted(n: usize, one: &str) -> String {
    format!("{} {one}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}
