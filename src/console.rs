//! Writing to standard output and standard error without a panic where nobody reads.

#[cfg(feature = "cli")]
use crate::{Error, Result};
#[cfg(feature = "cli")]
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints a line to standard error like `eprintln!`, but ignores a write that fails: a training must
/// not end because its messages are piped into `head`, or because the disk is full.
macro_rules! eprintln_safe {
    ($($arguments:tt)*) => {
        $crate::console::say(&format!($($arguments)*))
    };
}
pub(crate) use eprintln_safe;

/// Whether messages are swallowed.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Swallows all messages from now on, or no longer: of several processes that train together one speaks.
#[cfg(feature = "mpi")]
pub(crate) fn silence(silent: bool) {
    SILENT.store(silent, Ordering::Relaxed);
}

/// Prints a line to standard error, [`printable`]. A write that fails is ignored.
pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    if SILENT.load(Ordering::Relaxed) {
        return;
    }
    let _ = std::io::stderr().write_all((printable(line) + "\n").as_bytes());
}

/// Replaces what could command a terminal, such as an escape sequence in the name of a file, by its
/// escape, `\u{1b}`: control characters except line break and tab, and changes of the writing direction.
pub fn printable(text: &str) -> String {
    let is_plain = |c: char| match c {
        '\n' | '\t' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) { out.push(c) } else { out.extend(c.escape_unicode()) }
    }
    out
}

/// Writes text to standard output; on a terminal, [`printable`].
///
/// # Errors
/// [`Error::Io`] if standard output is closed or full.
#[cfg(feature = "cli")]
pub fn print(text: &str) -> Result<()> {
    use std::io::IsTerminal as _;
    if std::io::stdout().is_terminal() {
        print_drawing(&printable(text))
    } else {
        print_drawing(text)
    }
}

/// Writes text with colours for a terminal to standard output, as it is.
///
/// # Errors
/// [`Error::Io`] if standard output is closed or full.
#[cfg(feature = "cli")]
pub fn print_drawing(text: &str) -> Result<()> {
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

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_command_a_terminal() {
        let shown = super::printable("a\u{1b}]0;title\u{7}\r\u{9b}2Jb\u{202e}\tμ\n");
        assert_eq!(shown, "a\\u{1b}]0;title\\u{7}\\u{d}\\u{9b}2Jb\\u{202e}\tμ\n");
    }
}
