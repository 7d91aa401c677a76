//! What differs between operating systems: signals, and folders that are made durable.
//!
//! [`unix`](self) stands for Linux and macOS; everything else takes the fallback, which is compiled and
//! tested here too. Locks of files and temporary names are the standard library's and the same everywhere.

#[cfg(any(not(unix), test))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use other::*;
#[cfg(unix)]
pub use unix::*;
