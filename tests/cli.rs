//! The program as a script sees it: outputs, messages, exit codes, in a fresh folder each time.

mod bench;
mod commands;
mod dead_ends;
mod documentation;
mod explain;
mod filters;
mod inputs;
mod limits;
mod poisoned;
mod runs;
mod written;
