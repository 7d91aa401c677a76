//! The built-in architectures.

#[cfg(feature = "cli")]
use crate::dataset::read::foreign::{Foreign, recognise};
#[cfg(feature = "cli")]
use crate::error::Shown as _;
#[cfg(feature = "cli")]
use crate::files::read_text;
#[cfg(feature = "cli")]
use crate::limits::MAX_TEXT;
use crate::model::{LayerSpec, NetworkSpec};
use crate::{Error, Result};

/// Names of the built-in architectures.
pub const ARCHITECTURES: [&str; 5] = ["fer-s", "fer-m", "fer-l", "tiny", "vgg"];

/// Returns a built-in network by name, or reads one from a TOML file (a name that ends in `.toml`).
///
/// # Errors
/// [`Error::Usage`] for an unknown name or a file that does not describe a network.
pub fn architecture(name: &str) -> Result<NetworkSpec> {
    let layers = match name {
        "fer-s" => fer(16, [32, 64, 128]),
        "fer-m" => fer(16, [48, 96, 192]),
        "fer-l" => fer(32, [64, 128, 256]),
        "tiny" => vgg(&[32, 64, 128]),
        "vgg" => vgg(&[64, 128, 256, 512]),
        #[cfg(feature = "cli")]
        path if path.ends_with(".toml") => return from_toml(path.as_ref()),
        _ => {
            return Err(Error::Usage(format!(
                "unknown architecture {name:?}; expected {} or a .toml file",
                ARCHITECTURES.join(", ")
            )));
        }
    };
    Ok(NetworkSpec {
        name: name.into(),
        input: [1, crate::SIDE, crate::SIDE],
        classes: crate::CLASS_NAMES.map(String::from).to_vec(),
        mean: 0.5,
        std: 0.25,
        layers,
    })
}

/// Reads a network from a file, and builds it once, so that its errors name the file.
#[cfg(feature = "cli")]
fn from_toml(path: &std::path::Path) -> Result<NetworkSpec> {
    let refused = |detail: String| Error::Usage(format!("{}: {detail}", path.shown()));
    let text = read_text(path, MAX_TEXT).map_err(|e| refused(e.to_string()))?;
    let foreign = || recognise(text.as_bytes()).map(Foreign::as_toml);
    let spec: NetworkSpec =
        toml::from_str(&text).map_err(|e| refused(foreign().unwrap_or_else(|| e.to_string())))?;
    crate::model::Network::<f32>::new(spec.clone(), 0).map_err(|e| refused(e.to_string()))?;
    Ok(spec)
}

/// Returns a residual network of 3×3 convolutions with squeeze and excitation. It ends in a global
/// average pooling, so the input may have any side.
fn fer(stem: usize, blocks: [usize; 3]) -> Vec<LayerSpec> {
    let (conv, bn, relu) = (LayerSpec::conv3x3, LayerSpec::batch_norm, LayerSpec::relu);
    let mut layers = vec![conv(stem), bn(), relu()];
    for c in blocks {
        layers.extend([conv(c), LayerSpec::MaxPooling2d { size: 2 }, bn(), relu()]);
        let squeeze_excite = LayerSpec::SqueezeExcite { reduction: 4 };
        let body = vec![conv(c), bn(), relu(), conv(c), bn(), squeeze_excite];
        layers.extend([LayerSpec::Residual { layers: body }, relu()]);
    }
    layers.extend([
        LayerSpec::GlobalAveragePooling2d {},
        LayerSpec::Dropout { rate: 0.2 },
        LayerSpec::Linear { units: crate::CLASS_NAMES.len() },
    ]);
    layers
}

/// Returns blocks of two convolutions and a pooling, then two linear layers: the networks of the
/// benchmarks.
fn vgg(blocks: &[usize]) -> Vec<LayerSpec> {
    let mut layers = Vec::new();
    for &c in blocks {
        for _ in 0..2 {
            let (conv, bn, relu) = (LayerSpec::conv3x3, LayerSpec::batch_norm, LayerSpec::relu);
            layers.extend([conv(c), bn(), relu()]);
        }
        layers.push(LayerSpec::MaxPooling2d { size: 2 });
    }
    layers.extend([
        LayerSpec::Flatten {},
        LayerSpec::Linear { units: 256 },
        LayerSpec::relu(),
        LayerSpec::Dropout { rate: 0.2 },
        LayerSpec::Linear { units: crate::CLASS_NAMES.len() },
    ]);
    layers
}
