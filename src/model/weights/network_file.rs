//! A network as an archive, and back.

use crate::model::build::MAX_PARAMETERS;
use crate::model::weights::Archive;
use crate::model::weights::durable::read_or_previous;
use crate::model::{Network, NetworkSpec};
use crate::tensor::Tensor;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The network's specification and state.
///
/// # Errors
/// None in practice.
pub fn archive(network: &Network<f32>) -> Result<Archive> {
    let mut archive = Archive::default();
    archive.put("network", &network.spec)?;
    for (name, t) in network.state() {
        archive.tensors.insert(format!("network/{name}"), (t.shape().to_vec(), t.to_vec()));
    }
    Ok(archive)
}

/// The network that an archive holds: the average of the weights if there is one, else the weights.
///
/// # Errors
/// [`Error::Model`] if tensors are missing, of another shape, or not finite, or if what is described
/// is no network or more than the file holds.
pub fn from_archive(path: &Path, archive: &Archive) -> Result<Network<f32>> {
    let averaged = archive.tensors.keys().any(|k| k.starts_with("ema/"));
    from_network_tensors(path, archive, if averaged { "ema" } else { "network" })
}

/// Parameters that a file may lack and still be built, so that the missing tensor can be named. A
/// description of more than the file holds is refused before memory is taken for it.
const LACKING: usize = 1 << 20;

/// The network whose tensors are named `prefix/…`.
///
/// # Errors
/// As [`from_archive`].
pub fn from_network_tensors(path: &Path, archive: &Archive, prefix: &str) -> Result<Network<f32>> {
    let spec: NetworkSpec = archive.get(path, "network")?;
    let own = format!("{prefix}/");
    let own = || archive.tensors.iter().filter(|(name, _)| name.starts_with(&own));
    let held: usize = own().map(|(_, (_, values))| values.len()).sum();
    let built = Network::within(MAX_PARAMETERS.min(held + LACKING), spec, 0);
    let mut network =
        built.map_err(|e| Error::model(path, format!("describes no network: {e}")))?;
    let (known, found) = (network.state().len(), own().count());
    if found > known {
        let message = format!("has {found} tensors, its network has {known}");
        return Err(Error::model(path, message));
    }
    for (name, value) in network.state_mut() {
        *value = tensor(path, archive, &format!("{prefix}/{name}"), value)?;
    }
    Ok(network)
}

/// A tensor of the archive that has the shape of `like` and is finite.
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

/// Name of the network that comes with the program, where one is shown.
pub const OWN: &str = "fer's own network";

/// Short for it, where a model is asked for; a file or folder of this name goes first.
pub const OWN_WORD: &str = "own";

/// Whether a model's name means the network that comes with the program.
pub fn is_own(model: &Path) -> bool {
    model == Path::new(OWN) || model == Path::new(OWN_WORD) && !model.exists()
}

/// The network that comes with the program.
///
/// # Errors
/// None in practice: a test reads it.
pub fn own() -> Result<(Network<f32>, Archive)> {
    let path = Path::new(OWN);
    let archive = Archive::from_bytes(path, include_bytes!("../../../data/fer.safetensors"))?;
    Ok((from_archive(path, &archive)?, archive))
}

/// CRC-32 over names and values of the network's state: tells whether weights are still those that
/// something was measured with.
pub fn checksum(network: &Network<f32>) -> String {
    let mut crc = crc32fast::Hasher::new();
    for (name, tensor) in network.state() {
        crc.update(name.as_bytes());
        tensor.to_vec().iter().for_each(|v| crc.update(&v.to_le_bytes()));
    }
    format!("{:08x}", crc.finalize())
}

/// Reads MODEL: a weights file, a checkpoint, or a run folder (its last state).
///
/// # Errors
/// [`Error::Model`] if there is none or it cannot be used.
pub fn read_model(model: &Path) -> Result<(Network<f32>, Archive)> {
    if is_own(model) {
        return own();
    }
    let path = if model.is_dir() { model.join("last.safetensors") } else { model.to_path_buf() };
    if !path.exists() {
        return Err(Error::model(model, missing(model)));
    }
    let archive = if model.is_dir() { read_or_previous(&path)? } else { Archive::read(&path)? };
    Ok((from_archive(&path, &archive)?, archive))
}

fn missing(model: &Path) -> String {
    match model.is_dir() {
        true => "is not a run folder: it holds no last.safetensors".into(),
        false => {
            let near: Vec<PathBuf> = std::fs::read_dir("runs")
                .map(|d| d.filter_map(|e| e.ok().map(|e| e.path())).collect())
                .unwrap_or_default();
            let mut names: Vec<String> = near.iter().map(|p| p.display().to_string()).collect();
            names.sort();
            let hint = if names.is_empty() { "none".into() } else { names.join(", ") };
            format!("does not exist; expected a run folder or a weights file (here: {hint})")
        }
    }
}
