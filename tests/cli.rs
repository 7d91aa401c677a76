//! The program as a script sees it: outputs, messages, exit codes, in a fresh folder each time.

mod bench;
mod book;
mod bulk;
mod commands;
mod dead_ends;
mod documentation;
mod explain;
mod filters;
mod inputs;
mod learn;
mod limits;
mod poisoned;
mod runs;
mod tape;
mod video;
mod written;
