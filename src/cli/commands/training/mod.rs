//! Commands that train, evaluate and export a network.

pub(crate) mod calibrate;
pub(crate) mod curves;
pub(crate) mod display;
pub(crate) mod eval;
pub(crate) mod export;
mod messages;
mod processes;
pub(crate) mod summary;
pub(crate) mod train;
pub(crate) mod train_args;
pub(crate) mod watch;
