//! Eyes, nose and mouth of a face, found by a small network.
//!
//! The network has four convolutions and 30,000 weights. It was trained on the training faces of FER2013, on
//! points that MediaPipe Face Mesh found there; `data/README.md` says how, and how far it is off.

use crate::model::weights::Archive;
use crate::model::weights::network_file::from_archive;
use crate::model::{Inference, Network};
use crate::stats::mean_sd;
use crate::tensor::Tensor;
use crate::{Error, PIXELS, Result, SIDE};
use std::path::Path;
use std::sync::OnceLock;

/// Number of landmarks.
pub const LANDMARKS: usize = 4;

/// Row and column of the left eye, the right eye, the tip of the nose and the middle of the mouth, in pixels. Left and
/// right are those of the picture. A landmark may lie outside the picture.
pub type Landmarks = [[f64; 2]; LANDMARKS];

/// Pixels that an output of 1 stands for, counted from the centre of the face.
const PIXELS_PER_UNIT: f64 = 10.0;
/// Row and column of the centre.
const CENTRE: f64 = (SIDE as f64 - 1.0) / 2.0;
/// Added to the standard deviation of a face, so that an even face is not all noise.
const LEAST_SD: f64 = 0.02;
/// Faces in one pass of the network.
const BATCH: usize = 64;

/// Finds the landmarks of faces `[n, 48, 48]` with pixels in [0, 1].
///
/// # Errors
/// `Shape` if the faces are not 48×48.
pub fn find_landmarks(faces: &[f32]) -> Result<Vec<Landmarks>> {
    if !faces.len().is_multiple_of(PIXELS) {
        return Err(Error::shape("find_landmarks", format!("{} pixels", faces.len())));
    }
    let network = network()?;
    let mut found = Vec::with_capacity(faces.len() / PIXELS);
    for batch in faces.chunks(BATCH * PIXELS) {
        let pixels: Vec<f32> = batch.chunks_exact(PIXELS).flat_map(standardised).collect();
        let input = Tensor::from_slice(&pixels, &[pixels.len() / PIXELS, 1, SIDE, SIDE])?;
        let output = network.logits(&input)?.to_vec();
        found.extend(output.chunks_exact(2 * LANDMARKS).map(in_pixels));
    }
    Ok(found)
}

/// Returns (x − mean)/(sd + 0.02) of the pixels of a face.
fn standardised(face: &[f32]) -> Vec<f32> {
    let values: Vec<f64> = face.iter().map(|&v| f64::from(v)).collect();
    let (mean, sd) = mean_sd(&values);
    values.iter().map(|v| ((v - mean) / (sd + LEAST_SD)) as f32).collect()
}

fn in_pixels(output: &[f32]) -> Landmarks {
    let pixels = |k: usize| CENTRE + PIXELS_PER_UNIT * f64::from(output[k]);
    std::array::from_fn(|mark| [pixels(2 * mark), pixels(2 * mark + 1)])
}

/// The network, which is part of the program; read once.
fn network() -> Result<&'static Inference> {
    static NETWORK: OnceLock<Inference> = OnceLock::new();
    if let Some(network) = NETWORK.get() {
        return Ok(network);
    }
    let path = Path::new("embedded landmarks");
    let archive = Archive::from_bytes(path, include_bytes!("../../../data/landmarks.safetensors"))?;
    let network: Network<f32> = from_archive(path, &archive)?;
    Ok(NETWORK.get_or_init(|| Inference::new(&network)))
}
