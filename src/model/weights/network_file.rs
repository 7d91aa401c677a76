//! Networks as archives: writing them, and reading them from run folders, weights files and the program.

use crate::dataset::read::foreign::refuse_as_model;
use crate::dataset::read::read_head;
use crate::error::Shown as _;
use crate::limits::MAX_PARAMETERS;
use crate::model::weights::Archive;
use crate::model::weights::crash_safe;
use crate::model::{Network, NetworkSpec};
use crate::tensor::Tensor;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes the network's specification and state into a new archive.
pub fn archive(network: &Network<f32>) -> Result<Archive> {
    let mut archive = Archive::default();
    archive.put("network", &network.spec)?;
    for (name, t) in network.state() {
        archive.tensors.insert(format!("network/{name}"), (t.shape().to_vec(), t.to_vec()));
    }
    Ok(archive)
}

/// Reads the network of an archive, with EMA weights if there are any, otherwise with the current ones.
///
/// # Errors
/// [`Error::Model`] if tensors are missing, have another shape or are not finite, if the description is
/// invalid, or if it describes more parameters than the file holds.
pub fn from_archive(path: &Path, archive: &Archive) -> Result<Network<f32>> {
    let averaged = archive.tensors.keys().any(|k| k.starts_with("ema/"));
    from_network_tensors(path, archive, if averaged { "ema" } else { "network" })
}

/// Number of parameters that may be missing in a file before it is refused outright. The network is then
/// still built, so that the message can name the missing tensor; beyond it no memory is allocated.
const LACKING: usize = 1 << 20;

/// Reads the network whose tensors are named `prefix/…`.
pub fn from_network_tensors(path: &Path, archive: &Archive, prefix: &str) -> Result<Network<f32>> {
    let spec: NetworkSpec = archive.get(path, "network")?;
    let start = format!("{prefix}/");
    let tensors = || archive.tensors.iter().filter(|(name, _)| name.starts_with(&start));
    let held: usize = tensors().map(|(_, (_, values))| values.len()).sum();
    let built = Network::within(MAX_PARAMETERS.min(held + LACKING), spec, 0);
    let mut network =
        built.map_err(|e| Error::model(path, format!("does not describe a valid network: {e}")))?;
    let (known, found) = (network.state().len(), tensors().count());
    if found > known {
        let message = format!("has {found} tensors, its network has {known}");
        return Err(Error::model(path, message));
    }
    for (name, value) in network.state_mut() {
        *value = tensor(path, archive, &format!("{prefix}/{name}"), value)?;
    }
    Ok(network)
}

/// Reads a tensor that must be finite and have the shape of `like`.
///
/// # Errors
/// [`Error::Model`] that names the tensor.
pub fn tensor(path: &Path, archive: &Archive, name: &str, like: &Tensor) -> Result<Tensor> {
    let bad = |message: String| Error::model(path, message);
    let Some((shape, values)) = archive.tensors.get(name) else {
        return Err(bad(format!("tensor {name} is missing")));
    };
    if *shape != *like.shape() {
        return Err(bad(format!("tensor {name} is {shape:?}, expected {:?}", like.shape())));
    }
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        return Err(bad(format!("tensor {name} holds {} at {at}", values[at])));
    }
    Tensor::from_slice(values, shape)
}

/// Name of the embedded network, which is part of the program, in output.
pub const EMBEDDED: &str = "embedded network";

/// Keywords for the embedded network, where a model is named; a file or folder of the same name takes
/// precedence. The second is that of earlier versions.
const KEYWORDS: [&str; 2] = ["embedded", "own"];

/// Whether a model's name stands for the embedded network.
pub fn is_embedded(model: &Path) -> bool {
    let is_keyword = KEYWORDS.iter().any(|keyword| model == Path::new(keyword));
    model == Path::new(EMBEDDED) || is_keyword && !model.exists()
}

/// Reads the embedded network.
///
/// # Errors
/// [`Error::Model`] if the program was built with a damaged file.
pub fn embedded() -> Result<(Network<f32>, Archive)> {
    let path = Path::new(EMBEDDED);
    let archive = Archive::from_bytes(path, include_bytes!("../../../data/fer.safetensors"))?;
    Ok((from_archive(path, &archive)?, archive))
}

/// Returns the CRC-32 of the names and values of the network's state. It identifies the weights that a
/// measurement belongs to.
pub fn checksum(network: &Network<f32>) -> String {
    let mut crc = crc32fast::Hasher::new();
    for (name, tensor) in network.state() {
        crc.update(name.as_bytes());
        tensor.to_vec().iter().for_each(|v| crc.update(&v.to_le_bytes()));
    }
    format!("{:08x}", crc.finalize())
}

/// Reads a model: a weights file, a checkpoint, a run folder (its last state) or `embedded`.
///
/// # Errors
/// [`Error::Model`] if it does not exist or cannot be used.
pub fn read_model(model: &Path) -> Result<(Network<f32>, Archive)> {
    if is_embedded(model) {
        return embedded();
    }
    let path = if model.is_dir() { model.join("last.safetensors") } else { model.to_path_buf() };
    let exists = path.exists() || model.is_dir() && crash_safe::exists(&path);
    if !exists {
        return Err(Error::model(model, missing(model)));
    }
    if !model.is_dir()
        && let Some(message) = refuse_as_model(&path, &read_head(&path)?)
    {
        return Err(Error::model(&path, message));
    }
    let archive = match model.is_dir() {
        true => crash_safe::read_or_previous(&path)?,
        false => Archive::read(&path)?,
    };
    Ok((from_archive(&path, &archive)?, archive))
}

fn missing(model: &Path) -> String {
    match model.is_dir() {
        true => "is not a run folder: it holds no last.safetensors".into(),
        false => {
            let near: Vec<PathBuf> = std::fs::read_dir("runs")
                .map(|d| d.filter_map(|e| e.ok().map(|e| e.path())).collect())
                .unwrap_or_default();
            let mut names: Vec<String> = near.iter().map(|p| p.shown()).collect();
            names.sort();
            let hint = if names.is_empty() { "none".into() } else { names.join(", ") };
            format!("does not exist; expected a run folder or a weights file (here: {hint})")
        }
    }
}
