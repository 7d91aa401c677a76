//! The message in a record: `Event` and its parts.
//!
//! ```text
//! Event   { 1 wall_time (s since 1970)   2 step   and one of:
//!           3 file_version   4 graph_def   5 summary   7 session_log }
//! Summary { 1 value … }
//! Value   { 1 tag   8 tensor   9 metadata { 1 plugin_data { 1 plugin_name   2 content } } }
//! ```
//!
//! The name of the plugin says which pane draws the tensor. TensorBoard reads the metadata of the first
//! value of a tag; here every value has it, so that no value depends on another.

use crate::protobuf::Message;

/// Name of the format, in the first record of a file.
pub const FILE_VERSION: &str = "brain.Event:2";

/// One summary value: a tensor under a tag, drawn by a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    tag: String,
    plugin: &'static str,
    content: Message,
    tensor: Message,
}

impl Summary {
    /// A `tensor` (see [`super::tensor`]) under `tag` for `plugin`.
    pub fn new(tag: &str, plugin: &'static str, tensor: Message) -> Self {
        Summary { tag: tag.into(), plugin, content: Message::new(), tensor }
    }
    /// Adds the settings of the plugin.
    #[must_use]
    pub fn with_content(self, content: Message) -> Self {
        Summary { content, ..self }
    }
    /// Returns the tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }
    fn encode(&self) -> Message {
        let mut plugin_data = Message::new().bytes(1, self.plugin);
        if !self.content.as_bytes().is_empty() {
            plugin_data = plugin_data.message(2, &self.content);
        }
        let metadata = Message::new().message(1, &plugin_data);
        Message::new().bytes(1, &self.tag).message(8, &self.tensor).message(9, &metadata)
    }
}

fn event(wall_time: f64, step: u64) -> Message {
    let event = Message::new().double(1, wall_time);
    if step == 0 { event } else { event.varint(2, step) }
}

/// Encodes the first event of a file.
pub fn file_version(wall_time: f64) -> Message {
    event(wall_time, 0).bytes(3, FILE_VERSION)
}

/// Encodes the second event of a file: the start of a session, which replaces earlier files of the run.
///
/// A file that continues a run holds the whole run again (see
/// [`crate::monitor::tensorboard::format::resume`]). At the second such event an open Python loader of
/// TensorBoard drops all values from its step on; the step is 0, so it drops everything and reads it
/// again.
pub fn session_start(wall_time: f64) -> Message {
    const START: u64 = 1;
    event(wall_time, 0).message(7, &Message::new().varint(1, START))
}

/// Encodes a value at a step.
pub fn summary(wall_time: f64, step: u64, value: &Summary) -> Message {
    event(wall_time, step).message(5, &Message::new().message(1, &value.encode()))
}

/// Encodes a run graph (see [`crate::monitor::tensorboard::summary::graph`]).
pub fn graph(wall_time: f64, graph_def: &Message) -> Message {
    event(wall_time, 0).message(4, graph_def)
}
