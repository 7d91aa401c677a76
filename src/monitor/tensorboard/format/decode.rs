//! Decodes the events that this module writes, for resuming and for the tests.
//!
//! Fields that are never written are skipped. A tensor is read from `tensor_content` and `string_val`
//! only.

use crate::protobuf::{Fields, Value as Field};

/// Errors are messages; the caller adds the file.
type Result<T> = std::result::Result<T, String>;

/// An event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Seconds since 1970.
    pub wall_time: f64,
    /// The step; 0 for the head of the file.
    pub step: u64,
    /// Its content.
    pub content: EventContent,
}

/// The content of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum EventContent {
    /// The file version or the start of a session, at the head of every file.
    Head,
    /// A `GraphDef`, encoded.
    Graph(Vec<u8>),
    /// Values under tags.
    Summary(Vec<Value>),
    /// A kind that this module does not write.
    #[default]
    Other,
}

/// A value under a tag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// The tag.
    pub tag: String,
    /// The plugin that draws it.
    pub plugin: String,
    /// The plugin's settings, encoded.
    pub content: Vec<u8>,
    /// The numbers or strings.
    pub tensor: Tensor,
}

impl Value {
    /// Returns the number, if this is a scalar.
    pub fn scalar(&self) -> Option<f32> {
        match &self.tensor.data {
            Data::Floats(values) if self.plugin == "scalars" => values.first().copied(),
            _ => None,
        }
    }
}

/// A tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Sizes of its dimensions.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub data: Data,
}

/// Elements of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// f32.
    Floats(Vec<f32>),
    /// f64.
    Doubles(Vec<f64>),
    /// Byte strings.
    Strings(Vec<Vec<u8>>),
}

impl Default for Data {
    fn default() -> Self {
        Data::Strings(Vec::new())
    }
}

impl Event {
    /// Decodes the data of a record.
    ///
    /// **Errors**: a message that says what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut event = Event::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, Field::Double(seconds)) => event.wall_time = seconds,
                (2, Field::Varint(step)) => event.step = step,
                (3 | 7, Field::Bytes(_)) => event.content = EventContent::Head,
                (4, Field::Bytes(graph)) => event.content = EventContent::Graph(graph.to_vec()),
                (5, Field::Bytes(summary)) => {
                    event.content = EventContent::Summary(values(summary)?)
                }
                _ => {}
            }
        }
        Ok(event)
    }
}

fn values(summary: &[u8]) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    for field in Fields::new(summary) {
        if let (1, Field::Bytes(bytes)) = field? {
            values.push(value(bytes)?);
        }
    }
    Ok(values)
}

fn value(bytes: &[u8]) -> Result<Value> {
    let mut value = Value::default();
    for field in Fields::new(bytes) {
        match field? {
            (1, Field::Bytes(tag)) => value.tag = text(tag)?,
            (8, Field::Bytes(bytes)) => value.tensor = tensor(bytes)?,
            (9, Field::Bytes(metadata)) => {
                let plugin_data = inner(metadata, 1)?;
                value.plugin = text(inner(plugin_data, 1)?)?;
                value.content = inner(plugin_data, 2)?.to_vec();
            }
            _ => {}
        }
    }
    Ok(value)
}

fn tensor(bytes: &[u8]) -> Result<Tensor> {
    let (mut dtype, mut shape, mut content, mut strings) = (0, Vec::new(), &[][..], Vec::new());
    for field in Fields::new(bytes) {
        match field? {
            (1, Field::Varint(number)) => dtype = number,
            (2, Field::Bytes(dims)) => shape = sizes(dims)?,
            (4, Field::Bytes(raw)) => content = raw,
            (8, Field::Bytes(string)) => strings.push(string.to_vec()),
            _ => {}
        }
    }
    let data = match dtype {
        1 => Data::Floats(numbers(content, f32::from_le_bytes)),
        2 => Data::Doubles(numbers(content, f64::from_le_bytes)),
        7 => Data::Strings(strings),
        other => return Err(format!("tensor of unknown dtype {other}")),
    };
    Ok(Tensor { shape, data })
}

fn numbers<const N: usize, T>(raw: &[u8], from_le_bytes: fn([u8; N]) -> T) -> Vec<T> {
    raw.as_chunks().0.iter().map(|&bytes| from_le_bytes(bytes)).collect()
}

fn sizes(shape: &[u8]) -> Result<Vec<usize>> {
    let mut sizes = Vec::new();
    for field in Fields::new(shape) {
        if let (2, Field::Bytes(dim)) = field? {
            let size = match Fields::new(dim).next() {
                Some(Ok((1, Field::Varint(size)))) => size,
                _ => 0,
            };
            sizes.push(usize::try_from(size).unwrap_or(usize::MAX));
        }
    }
    Ok(sizes)
}

/// Returns the bytes of field `number`; empty if it is missing.
fn inner(message: &[u8], number: u64) -> Result<&[u8]> {
    let mut found = &[][..];
    for field in Fields::new(message) {
        match field? {
            (n, Field::Bytes(bytes)) if n == number => found = bytes,
            _ => {}
        }
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name that is not UTF-8".into())
}
