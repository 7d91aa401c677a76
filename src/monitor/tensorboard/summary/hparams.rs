//! Hyper-parameters: the settings of a run beside the metrics it reached.
//!
//! Three summaries with empty tensors; the data is in the content of the plugin:
//!
//! ```text
//! HParamsPluginData { 2 experiment | 3 session_start_info | 4 session_end_info }
//! Experiment        { 4 hparam_infos { 1 name   4 type } …
//!                     5 metric_infos { 1 name { 1 group   2 tag }   3 display_name } … }
//! SessionStartInfo  { 1 hparams { 1 key   2 value { 2 number | 3 string | 4 bool } } …
//!                     5 start_time_secs }
//! SessionEndInfo    { 1 status   2 end_time_secs }
//! ```

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;
use crate::protobuf::Message;

/// The value of a hyper-parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum HParam {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
}

impl HParam {
    /// Returns the number in the enumeration `DataType`.
    fn data_type(&self) -> u64 {
        match self {
            HParam::Text(_) => 1,
            HParam::Flag(_) => 2,
            HParam::Number(_) => 3,
        }
    }
    /// `google.protobuf.Value`.
    fn encode(&self) -> Message {
        match self {
            HParam::Number(number) => Message::new().double(2, *number),
            HParam::Text(text) => Message::new().bytes(3, text),
            HParam::Flag(flag) => Message::new().varint(4, u64::from(*flag)),
        }
    }
}

/// A scalar by which runs are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric<'a> {
    /// Folder of the scalar below the session's; empty for the session's own.
    pub group: &'a str,
    /// Tag of the scalar.
    pub tag: &'a str,
    /// Header of the column.
    pub display_name: &'a str,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Status {
    /// The training finished.
    Success = 1,
    /// The training failed.
    Failure = 2,
}

/// Returns the summary with the columns of the table.
pub fn experiment(hparams: &[(&str, HParam)], metrics: &[Metric]) -> Summary {
    let hparams = hparams
        .iter()
        .map(|(name, value)| Message::new().bytes(1, name).varint(4, value.data_type()));
    let metrics = metrics.iter().map(|metric| {
        let name = Message::new().bytes(1, metric.group).bytes(2, metric.tag);
        Message::new().message(1, &name).bytes(3, metric.display_name)
    });
    let experiment = Message::new()
        .messages(4, &hparams.collect::<Vec<_>>())
        .messages(5, &metrics.collect::<Vec<_>>());
    summary("_hparams_/experiment", &Message::new().message(2, &experiment))
}

/// Returns the summary with the values of this run; `start_time` in seconds since 1970.
pub fn session_start(hparams: &[(&str, HParam)], start_time: f64) -> Summary {
    let entries: Vec<_> = hparams
        .iter()
        .map(|(name, value)| Message::new().bytes(1, name).message(2, &value.encode()))
        .collect();
    let start = Message::new().messages(1, &entries).double(5, start_time);
    summary("_hparams_/session_start_info", &Message::new().message(3, &start))
}

/// Returns the summary with the end of this run; `end_time` in seconds since 1970.
pub fn session_end(status: Status, end_time: f64) -> Summary {
    let end = Message::new().varint(1, status as u64).double(2, end_time);
    summary("_hparams_/session_end_info", &Message::new().message(4, &end))
}

fn summary(tag: &str, content: &Message) -> Summary {
    Summary::new(tag, "hparams", tensor::floats(&[0], &[])).with_content(content.clone())
}
