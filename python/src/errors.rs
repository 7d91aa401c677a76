//! Errors of the library as exceptions of `fer_cnn`, with the same words.

use fer::Error;
use pyo3::prelude::*;

/// Name of the exception in `fer_cnn/_errors.py`.
fn class_of(error: &Error) -> &'static str {
    match error {
        Error::Shape { .. } => "ShapeError",
        Error::Usage(_) => "UsageError",
        Error::Data { .. } | Error::Inputs(_) => "DataError",
        Error::Model { .. } => "ModelError",
        Error::Diverged(_) => "DivergedError",
        Error::NoFace(_) => "NoFaceError",
        Error::Io { .. } => "FileError",
        Error::Failed(_) | Error::Render(_) | Error::Interrupted(_) => "FerError",
    }
}

/// Makes the exception of an error.
pub fn raise(error: Error) -> PyErr {
    Python::attach(|py| exception(py, &error).map_or_else(|e| e, PyErr::from_value))
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("fer_cnn._errors")?.getattr(class_of(error))?;
    class.call1((error.to_string(),))
}

/// Makes the exception of a wrong argument.
pub fn usage(message: impl Into<String>) -> PyErr {
    raise(Error::Usage(message.into()))
}
