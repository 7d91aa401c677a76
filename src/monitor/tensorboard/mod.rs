//! TensorBoard's event files.
//!
//! TensorBoard shows the contents of files named `…tfevents…` below a folder. Such a file is a
//! sequence of records, a record holds one event in the encoding of Protocol Buffers, and an event
//! holds a value under a tag at a step. From the outside in:
//!
//! ```text
//! file     [record][record][record] …                              record
//! record   [length, 8][its crc, 4][data, length][data's crc, 4]    record
//! data     Event: [key, value][key, value] …                       event, protobuf
//! value    a tag, a tensor, the plugin that draws it               tensor; scalar, histogram, …
//! ```
//!
//! The scalar 1.0 under the tag "loss" at step 3, as the bytes of its record:
//!
//! ```text
//! 2e 00 00 00 00 00 00 00               length 46
//! c5 cb 57 fa                           masked CRC-32C of these 8 bytes
//! 09  00 00 00 00 00 00 00 40           field 1, 8 bytes: wall time 2.0
//! 10  03                                field 2, varint: step 3
//! 2a 21                                 field 5, 33 bytes: summary
//!   0a 1f                                 field 1, 31 bytes: value
//!     0a 04  6c 6f 73 73                    field 1, 4 bytes: tag "loss"
//!     42 0a                                 field 8, 10 bytes: tensor
//!       08  01                                field 1, varint: f32
//!       12 00                                 field 2, 0 bytes: shape without dimensions
//!       22 04  00 00 80 3f                    field 4, 4 bytes: 1.0
//!     4a 0b                                 field 9, 11 bytes: metadata
//!       0a 09                                 field 1, 9 bytes: plugin data
//!         0a 07  73 63 61 6c 61 72 73           field 1, 7 bytes: plugin "scalars"
//! e6 b2 0c fa                           masked CRC-32C of the 46 bytes
//! ```
//!
//! `format` holds records, events, tensors, tags, resuming and the decoder; `summary` holds one file
//! per kind of value; [`event_writer`] writes one event file, [`run_writer`] those of a training.
//!
//! ```
//! use fer::monitor::tensorboard::format::tags;
//! use fer::monitor::tensorboard::{EventWriter, system_clock};
//! # let run = tempfile::tempdir()?;
//! let mut train = EventWriter::create(run.path().join(tags::TRAIN), system_clock)?;
//! train.scalar(tags::EPOCH_LOSS, 0, 1.79)?;
//! train.histogram(&tags::weight("conv2d", "kernel"), 0, &[-0.5, 0.1, 0.2])?;
//! train.flush()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod event_writer;
pub mod format;
pub mod graphs;
pub mod run_writer;
pub mod summary;

pub use event_writer::{Clock, EventWriter, system_clock};
pub use summary::hparams::{HParam, Metric, Status};
pub use summary::projector::Embedding;

use std::path::Path;

/// Returns the command that shows a run. By default TensorBoard keeps only 10 images per tag.
///
/// ```
/// let line = fer::monitor::tensorboard::launch_line("runs/1".as_ref());
/// assert_eq!(line, "tensorboard --logdir runs/1 --samples_per_plugin images=1000,histograms=1000");
/// ```
pub fn launch_line(logdir: &Path) -> String {
    let logdir = logdir.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%,:".contains(c);
    let logdir = match logdir.chars().all(plain) && !logdir.starts_with('-') {
        true => logdir,
        false => format!("'{}'", logdir.replace('\'', r"'\''")),
    };
    format!("tensorboard --logdir {logdir} --samples_per_plugin images=1000,histograms=1000")
}
