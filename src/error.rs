//! The error type of the crate, and the exit code of the program for each kind of error.

use std::path::{Path, PathBuf};

/// Result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error. Its message says where it happened, what was found, what was expected, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Tensors whose shapes do not fit an operation.
    #[error("{op}: {detail}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// Shapes found and expected.
        detail: String,
    },
    /// An invalid command, option or configuration.
    #[error("{0}")]
    Usage(String),
    /// A row, image or folder that cannot be read as data.
    #[error("{}{}: {message}", path.shown(), line.map(|l| format!(":{l}")).unwrap_or_default())]
    Data {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1, where there is one.
        line: Option<u64>,
        /// Found value, expected value, and the way out.
        message: String,
    },
    /// Several inputs that cannot be read, listed with their reasons.
    #[error("{0}")]
    Inputs(String),
    /// A network, weights file or checkpoint that cannot be used.
    #[error("{}: {message}", path.shown())]
    Model {
        /// The file.
        path: PathBuf,
        /// Found value, expected value, and the way out.
        message: String,
    },
    /// A requested check failed.
    #[error("{0}")]
    Failed(String),
    /// The training met NaN or infinity and ended.
    #[error("{0}")]
    Diverged(String),
    /// Ctrl-C or SIGTERM; the state was saved.
    #[error("interrupted; {0}")]
    Interrupted(String),
    /// The pictures hold no face that could be found.
    #[error("no face found in {0}; --detect off takes a picture whole")]
    NoFace(String),
    /// The operating system refused access to a file.
    #[error("{}: {source}", path.shown())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// An image or page could not be drawn.
    #[error("cannot draw: {0}")]
    Render(String),
}

/// Returns text in one line: a line break in a name would look like a message of its own.
pub(crate) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

/// A file as messages name it.
pub(crate) trait Shown {
    /// Returns the name, in [`one_line`].
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        one_line(&self.display().to_string())
    }
}

impl Error {
    /// Creates a shape error of `op`.
    pub fn shape(op: &'static str, detail: impl Into<String>) -> Self {
        Error::Shape { op, detail: detail.into() }
    }
    /// Creates a data error without a line.
    pub fn data(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Error::Data { path: path.as_ref().into(), line: None, message: message.into() }
    }
    /// Creates a data error at a line, counted from 1.
    pub fn data_at(path: impl AsRef<Path>, line: u64, message: impl Into<String>) -> Self {
        Error::Data { path: path.as_ref().into(), line: Some(line), message: message.into() }
    }
    /// Creates a model error.
    pub fn model(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Error::Model { path: path.as_ref().into(), message: message.into() }
    }
    /// Returns a function that adds the file to an I/O error, for `map_err(Error::io(path))`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, source }
    }
    /// Returns the exit code of the program: 1 failed while running, 2 usage, 3 bad data, 4 bad model,
    /// 5 diverged, 6 no face found, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Shape { .. } | Error::Io { .. } | Error::Render(_) | Error::Failed(_) => 1,
            Error::Usage(_) => 2,
            Error::Data { .. } | Error::Inputs(_) => 3,
            Error::Model { .. } => 4,
            Error::Diverged(_) => 5,
            Error::NoFace(_) => 6,
            Error::Interrupted(_) => 130,
        }
    }
}
