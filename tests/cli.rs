//! The program as a script sees it: outputs, messages, exit codes, in a fresh folder each time.

mod bench;
mod commands;
mod documentation;
mod explain;
mod filters;
mod inputs;
mod poisoned;
mod runs;
