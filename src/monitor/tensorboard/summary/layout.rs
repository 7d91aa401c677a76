//! Custom scalars: which curves share a chart.
//!
//! ```text
//! Layout { 2 category { 1 title   2 chart { 1 title   2 multiline { 1 tag … } } … } … }
//! ```
//!
//! A tag in a layout is a regular expression. It is searched in every run, so that one tag draws
//! the training and the validation curve in one chart.

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;
use crate::protobuf::Message;

/// A chart with the curves of some tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Title.
    pub title: String,
    /// Tags, literally.
    pub tags: Vec<String>,
}

impl Chart {
    /// A chart of some tags.
    pub fn new(title: &str, tags: &[&str]) -> Self {
        Chart { title: title.into(), tags: tags.iter().map(|&tag| tag.into()).collect() }
    }
    fn encode(&self) -> Message {
        let multiline = self
            .tags
            .iter()
            .fold(Message::new(), |list, tag| list.bytes(1, format!("^{}$", literal(tag))));
        Message::new().bytes(1, &self.title).message(2, &multiline)
    }
}

/// Returns the summary with categories of charts, in this order.
pub fn layout(categories: &[(&str, Vec<Chart>)]) -> Summary {
    let layout = categories.iter().fold(Message::new(), |layout, (title, charts)| {
        let charts: Vec<_> = charts.iter().map(Chart::encode).collect();
        layout.message(2, &Message::new().bytes(1, title).messages(2, &charts))
    });
    let tensor = tensor::strings(&[], [layout.as_bytes()]);
    Summary::new("custom_scalars__config__", "custom_scalars", tensor)
}

/// Returns a regular expression that matches only `text`.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !"_/-".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
