//! Explanations with known answers.

mod activations;
mod attribution;
mod cams;
mod checks;
mod filters;
mod lime;
mod refusals;
mod regions;
mod repeatable;
