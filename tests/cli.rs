//! The program as a script sees it: outputs, messages, exit codes, in a fresh folder each time.

mod bench;
mod commands;
mod explain;
mod filters;
mod journey;
mod poisoned;
mod runs;
