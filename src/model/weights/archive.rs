//! The file format: tensors and JSON values in one safetensors file, which Python can read.
//!
//! The metadata of the file has one entry, `fer`, with JSON: format version, checksum, and the values
//! that the writer added. Reading trusts nothing: sizes are checked before anything is allocated, and
//! the checksum covers names, shapes, values and JSON.

use crate::limits::{MAX_HEADER, MAX_WEIGHTS_FILE};
use crate::model::weights::half::{from_half, to_half};
use crate::{Error, Result};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
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
        Self::from_reader(path, bytes, bytes.len() as u64)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not such a file, [`Error::Io`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let meta = std::fs::metadata(path).map_err(Error::io(path))?;
        if !meta.is_file() {
            return Err(Error::model(
                path,
                "found a pipe or a device; expected a weights file or a run folder",
            ));
        }
        let file = File::open(path).map_err(Error::io(path))?;
        Self::from_reader(path, BufReader::with_capacity(1 << 16, file), meta.len())
    }

    /// Reads `length` bytes of a file: first the header, then, if it tells that many, the tensors.
    fn from_reader(path: &Path, mut input: impl Read, length: u64) -> Result<Self> {
        let bad = |message: String| Error::model(path, message);
        let header = read_header(path, &mut input, length)?;
        let Some(json) = header.metadata().as_ref().and_then(|m| m.get("fer")) else {
            let message = "is a safetensors file, but was not written by fer; networks of other programs are not \
                           read: train one with `fer train`";
            return Err(bad(message.into()));
        };
        let envelope: Envelope =
            serde_json::from_str(json).map_err(|e| bad(format!("damaged header: {e}")))?;
        if envelope.version != VERSION {
            let (found, ours) = (envelope.version, VERSION);
            let message = format!("format version {found}, this program reads {ours}");
            return Err(bad(format!("{message}; use the fer that wrote it")));
        }
        let mut archive = Self { meta: envelope.meta, ..Self::default() };
        for name in header.offset_keys() {
            let Some(info) = header.info(&name) else { continue };
            archive.half |= info.dtype == Dtype::F16;
            if !matches!(info.dtype, Dtype::F32 | Dtype::F16) {
                let message = format!("tensor {name} is {:?}, expected F32 or F16", info.dtype);
                return Err(bad(message));
            }
            let values = read_values(&mut input, info).map_err(Error::io(path))?;
            archive.tensors.insert(name, (info.shape.clone(), values));
        }
        let checksum = archive.checksum()?;
        if checksum != envelope.checksum {
            let message = format!("damaged: checksum {checksum}, expected {}", envelope.checksum);
            return Err(bad(format!("{message}; use another copy")));
        }
        Ok(archive)
    }
}

/// Advice for a file that cannot be used.
const OTHER_COPY: &str = "use another copy, or give a run folder or a weights file of fer";

/// Reads the header of a file of `length` bytes. Its tensors are then known to fill the rest.
fn read_header(path: &Path, input: &mut impl Read, length: u64) -> Result<Metadata> {
    let bad = |message: String| Error::model(path, message);
    if length < 8 {
        return Err(bad(format!("{length} bytes are not a weights file: {OTHER_COPY}")));
    }
    let mut size = [0; 8];
    input.read_exact(&mut size).map_err(Error::io(path))?;
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER as u64 {
        let message = format!("not a weights file: its header would be {size} bytes");
        return Err(bad(format!("{message}, at most {MAX_HEADER} are read: {OTHER_COPY}")));
    }
    let mut json = Vec::new();
    input.take(size).read_to_end(&mut json).map_err(Error::io(path))?;
    let damaged =
        |found: String| bad(format!("not a safetensors file, or damaged: {found}; {OTHER_COPY}"));
    let header: Metadata = serde_json::from_slice(&json).map_err(|e| damaged(e.to_string()))?;
    let expected = (header.data_len() as u64).saturating_add(8 + size);
    if length != expected {
        return Err(damaged(format!("it is {length} bytes long, its header says {expected}")));
    }
    if length > MAX_WEIGHTS_FILE {
        return Err(bad(format!("is {length} bytes long; at most {MAX_WEIGHTS_FILE} are read")));
    }
    Ok(header)
}

/// Reads the values of a tensor of type F32 or F16.
fn read_values(input: &mut impl Read, info: &TensorInfo) -> io::Result<Vec<f32>> {
    let size = if info.dtype == Dtype::F16 { 2 } else { 4 };
    let mut left = info.data_offsets.1 - info.data_offsets.0;
    let mut values = Vec::with_capacity(left / size);
    let mut block = [0; 1 << 14];
    while left > 0 {
        let bytes = &mut block[..left.min(1 << 14)];
        input.read_exact(bytes)?;
        match info.dtype {
            Dtype::F16 => {
                let halves = bytes.as_chunks().0.iter();
                values.extend(halves.map(|&b| from_half(u16::from_le_bytes(b))));
            }
            _ => values.extend(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b))),
        }
        left -= bytes.len();
    }
    Ok(values)
}
