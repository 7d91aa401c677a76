//! Exercises on the engine's own source: what `fer learn` does.
//!
//! An exercise is an item of a source file, named by its first line ([`excerpt`]), and a hole that
//! takes the place of its body. The source itself is the reference, so exercises cannot drift from it. A
//! student works in a folder of its own ([`Course`]), a copy of the engine without the program around it;
//! `cargo test` grades there, offline.

pub mod course;
pub mod excerpt;
pub mod exercise;
mod grade;
pub mod new_op;
pub mod progress;

pub use course::Course;
pub use exercise::{Exercise, exercises};
