//! Everything that can go wrong, and the exit code a script sees.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words that say where, what was found, what was expected, and the way out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation got tensors whose shapes do not fit it.
    #[error("{op}: {detail}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// Shapes found and expected.
        detail: String,
    },
    /// A command, option or configuration that cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// A row, picture or folder that cannot be read as data.
    #[error("{}{}: {message}", path.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
    Data {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1, where there is one.
        line: Option<u64>,
        /// Found, expected, way out.
        message: String,
    },
    /// A network, weights file or checkpoint that cannot be used.
    #[error("{}: {message}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Found, expected, way out.
        message: String,
    },
    /// A check that was asked for did not hold.
    #[error("{0}")]
    Failed(String),
    /// Training ran into NaN or infinity and could not go on.
    #[error("{0}")]
    Diverged(String),
    /// Ctrl-C or SIGTERM, after the state was saved.
    #[error("interrupted; {0}")]
    Interrupted(String),
    /// The pictures hold no face that could be found.
    #[error("no face found in {0}; --face off takes a picture whole")]
    NoFace(String),
    /// The operating system refused a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
    /// A picture or page could not be drawn.
    #[error("cannot draw: {0}")]
    Render(String),
}

impl Error {
    /// A shape error of `op`.
    pub fn shape(op: &'static str, detail: impl Into<String>) -> Self {
        Error::Shape { op, detail: detail.into() }
    }
    /// A data error without a line.
    pub fn data(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Error::Data { path: path.as_ref().into(), line: None, message: message.into() }
    }
    /// A data error at a line, counted from 1.
    pub fn data_at(path: impl AsRef<Path>, line: u64, message: impl Into<String>) -> Self {
        Error::Data { path: path.as_ref().into(), line: Some(line), message: message.into() }
    }
    /// A model error.
    pub fn model(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Error::Model { path: path.as_ref().into(), message: message.into() }
    }
    /// Wraps an I/O error with the file it happened on; made for `map_err(Error::io(path))`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, source }
    }
    /// The process's exit code: 1 failed while running, 2 usage, 3 bad data, 4 bad model,
    /// 5 diverged, 6 no face found, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Shape { .. } | Error::Io { .. } | Error::Render(_) | Error::Failed(_) => 1,
            Error::Usage(_) => 2,
            Error::Data { .. } => 3,
            Error::Model { .. } => 4,
            Error::Diverged(_) => 5,
            Error::NoFace(_) => 6,
            Error::Interrupted(_) => 130,
        }
    }
}
