//! The file format: tensors and JSON values in one safetensors file, which Python can read.
//!
//! The metadata of the file has one entry, `fer`, with JSON: format version, checksum, and the values
//! that the writer added. Reading trusts nothing: sizes are checked before anything is allocated, and
//! the checksum covers names, shapes, values and JSON.

use crate::limits::MAX_HEADER;
use crate::model::weights::half::{from_half, to_half};
use crate::{Error, Result};
use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the JSON. A file of another version is refused.
pub const VERSION: u32 = 1;

/// Tensors by name and JSON values by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archive {
    /// Shape and row-major values of each tensor.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// JSON values: settings, history, and the like.
    pub meta: BTreeMap<String, Value>,
    /// Whether the file stores its values in half precision.
    pub half: bool,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u32,
    checksum: String,
    meta: BTreeMap<String, Value>,
}

struct Entry<'a> {
    tensor: &'a (Vec<usize>, Vec<f32>),
    half: bool,
}

impl View for Entry<'_> {
    fn dtype(&self) -> Dtype {
        if self.half { Dtype::F16 } else { Dtype::F32 }
    }
    fn shape(&self) -> &[usize] {
        &self.tensor.0
    }
    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.tensor.1.iter();
        Cow::Owned(match self.half {
            true => values.flat_map(|&v| to_half(v).to_le_bytes()).collect(),
            false => values.flat_map(|v| v.to_le_bytes()).collect(),
        })
    }
    fn data_len(&self) -> usize {
        self.tensor.1.len() * if self.half { 2 } else { 4 }
    }
}

impl Archive {
    /// Adds a JSON value.
    ///
    /// # Errors
    /// [`Error::Usage`] for a value that JSON cannot represent.
    pub fn put(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value).map_err(|e| Error::Usage(e.to_string()))?;
        self.meta.insert(name.into(), value);
        Ok(())
    }

    /// Reads a JSON value.
    ///
    /// # Errors
    /// [`Error::Model`] if it is missing or has another form; `path` is named in the message.
    pub fn get<T: for<'de> Deserialize<'de>>(&self, path: &Path, name: &str) -> Result<T> {
        let Some(value) = self.meta.get(name) else {
            return Err(Error::model(path, format!("has no entry {name:?}; was it made by fer?")));
        };
        serde_json::from_value(value.clone())
            .map_err(|e| Error::model(path, format!("entry {name:?}: {e}")))
    }

    /// Reads a JSON value, if there is one of this name.
    ///
    /// # Errors
    /// [`Error::Model`] if it has another form; `path` is named in the message.
    pub fn find<T: for<'de> Deserialize<'de>>(&self, path: &Path, name: &str) -> Result<Option<T>> {
        self.meta.contains_key(name).then(|| self.get(path, name)).transpose()
    }

    /// Rounds every value to half precision and marks the file as such.
    ///
    /// # Errors
    /// [`Error::Usage`] that names a tensor with a value beyond 65,504.
    pub fn halved(mut self) -> Result<Self> {
        self.half = true;
        for (name, (_, values)) in &mut self.tensors {
            values.iter_mut().for_each(|v| *v = from_half(to_half(*v)));
            if values.iter().any(|v| !v.is_finite()) {
                let message = "holds values beyond 65,504, which half precision cannot";
                return Err(Error::Usage(format!("{name} {message}; leave out --half")));
            }
        }
        Ok(self)
    }

    /// Returns the CRC-32 of JSON, names, shapes and values, in a fixed order.
    fn checksum(&self) -> Result<String> {
        let mut crc = crc32fast::Hasher::new();
        let meta = serde_json::to_vec(&self.meta).map_err(|e| Error::Usage(e.to_string()))?;
        crc.update(&meta);
        for (name, (shape, values)) in &self.tensors {
            crc.update(name.as_bytes());
            shape.iter().for_each(|s| crc.update(&(*s as u64).to_le_bytes()));
            let mut block = Vec::with_capacity(4 * 4096);
            for chunk in values.chunks(4096) {
                block.clear();
                block.extend(chunk.iter().flat_map(|v| v.to_le_bytes()));
                crc.update(&block);
            }
        }
        Ok(format!("{:08x}", crc.finalize()))
    }

    /// Returns the bytes of the file; equal archives give equal bytes. In half precision the values must
    /// be those of [`Archive::halved`].
    ///
    /// # Errors
    /// [`Error::Usage`] if the JSON is too large for a header.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let checksum = self.checksum()?;
        let envelope = Envelope { version: VERSION, checksum, meta: self.meta.clone() };
        let json = serde_json::to_string(&envelope).map_err(|e| Error::Usage(e.to_string()))?;
        // The header holds it as a string with escaped quotes, at most twice as long.
        if json.len() > MAX_HEADER / 2 {
            let message =
                format!("{} bytes of history and settings do not fit a header", json.len());
            return Err(Error::Usage(message));
        }
        let half = self.half;
        let tensors = self.tensors.iter().map(|(name, tensor)| (name, Entry { tensor, half }));
        let metadata = [("fer".to_owned(), json)].into_iter().collect();
        safetensors::serialize(tensors, Some(metadata))
            .map_err(|e| Error::Usage(format!("cannot write weights: {e}")))
    }

    /// Reads the bytes of a file; `path` is named in messages.
    ///
    /// # Errors
    /// [`Error::Model`] for anything that [`Archive::to_bytes`] would not have written.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let bad = |message: String| Error::model(path, message);
        let header = bytes.get(..8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        match header {
            None => return Err(bad(format!("{} bytes are not a weights file", bytes.len()))),
            Some(n) if n > MAX_HEADER as u64 => {
                let message = format!("not a weights file: its header would be {n} bytes");
                return Err(bad(format!("{message}, at most {MAX_HEADER} are read")));
            }
            Some(_) => {}
        }
        let damaged = |e| bad(format!("not a safetensors file, or damaged: {e}"));
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let json = header.metadata().as_ref().and_then(|m| m.get("fer"));
        let Some(json) = json else {
            return Err(bad("is a safetensors file, but was not written by fer".into()));
        };
        let envelope: Envelope =
            serde_json::from_str(json).map_err(|e| bad(format!("damaged header: {e}")))?;
        if envelope.version != VERSION {
            let (found, ours) = (envelope.version, VERSION);
            let message = format!("format version {found}, this program reads {ours}");
            return Err(bad(format!("{message}; use the fer that wrote it")));
        }
        let mut archive = Self { meta: envelope.meta, ..Self::default() };
        for (name, view) in file.tensors() {
            let values = match view.dtype() {
                Dtype::F32 => {
                    view.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
                }
                Dtype::F16 => {
                    archive.half = true;
                    let halves = view.data().as_chunks().0.iter();
                    halves.map(|&b| from_half(u16::from_le_bytes(b))).collect()
                }
                other => {
                    let message = format!("tensor {name} is {other:?}, expected F32 or F16");
                    return Err(bad(message));
                }
            };
            archive.tensors.insert(name, (view.shape().to_vec(), values));
        }
        let checksum = archive.checksum()?;
        if checksum != envelope.checksum {
            let message = format!("damaged: checksum {checksum}, expected {}", envelope.checksum);
            return Err(bad(format!("{message}; use another copy")));
        }
        Ok(archive)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not such a file, [`Error::Io`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let meta = std::fs::metadata(path).map_err(Error::io(path))?;
        if !meta.is_file() {
            return Err(Error::model(path, "is not a file"));
        }
        Self::from_bytes(path, &std::fs::read(path).map_err(Error::io(path))?)
    }
}
