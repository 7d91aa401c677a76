//! The Python module `fer_cnn._fer`: the library behind the package `fer_cnn`, which turns its numbers
//! into dataclasses. Faces come in as `uint8` arrays `[n, 48, 48]`; results go out as arrays that take
//! over the memory of the engine. Whatever computes runs without the interpreter's lock.
//!
//! Without the feature `extension` the crate is empty.

#![allow(unsafe_code, reason = "the macros of PyO3 write it")]

#[cfg(feature = "extension")]
mod engine;
#[cfg(feature = "extension")]
mod errors;
#[cfg(feature = "extension")]
mod explain;
#[cfg(feature = "extension")]
mod faces;
#[cfg(feature = "extension")]
mod model;
#[cfg(feature = "extension")]
mod pictures;
#[cfg(feature = "extension")]
mod training;

#[cfg(feature = "extension")]
#[pyo3::pymodule]
mod _fer {
    use pyo3::prelude::*;
    use std::ffi::OsString;

    #[pymodule_export]
    use crate::engine::{Tape, Tensor, concat};
    #[pymodule_export]
    use crate::explain::{attribute, feature_maps, maximize};
    #[pymodule_export]
    use crate::faces::{detect, read, synthesize};
    #[pymodule_export]
    use crate::model::Network;
    #[pymodule_export]
    use crate::pictures::{map_png, pictures_png};
    #[pymodule_export]
    use crate::training::train;

    #[pymodule_init]
    fn constants(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let methods: Vec<&str> = fer::explain::Method::ALL.iter().map(|m| m.name()).collect();
        module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
        module.add("CLASS_NAMES", fer::CLASS_NAMES.to_vec())?;
        module.add("METHODS", methods)?;
        module.add("DEFAULT_METHOD", fer::explain::Method::DEFAULT.name())
    }

    /// Runs the program `fer` with a command line, whose first word is the program, and returns its
    /// exit code.
    #[pyfunction]
    fn run_program(py: Python<'_>, line: Vec<OsString>) -> u8 {
        py.detach(|| fer::cli::run_program(line))
    }
}
