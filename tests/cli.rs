//! The program as a script sees it: outputs, messages, exit codes, in a fresh folder each time.

pub mod place;

mod bench;
mod commands;
mod poisoned;
mod runs;
