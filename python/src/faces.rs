//! Faces from Python and to Python.

use crate::errors::{raise, usage};
use fer::cli::{InputFaces, PhotoArgs, Reading, named};
use fer::dataset::image::GrayImage;
use fer::dataset::{Dataset, SynthOptions};
use fer::photo::{FaceChoice, FaceLocation, SHORTEST, SeetaFace, crop_faces};
use fer::{PIXELS, SIDE};
use fer_kernels::on_pool;
use numpy::{IntoPyArray, PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;
use std::path::PathBuf;

/// Label of a face without one.
const NONE: i64 = -1;

/// Left edge, upper edge, side and detection score of a face in its photo, in pixels.
pub type Square = (f64, f64, f64, f64);

/// Faces `[n, 48, 48]`, labels (−1 for none) and ids.
type ReadFaces<'py> =
    (Bound<'py, PyArray3<u8>>, Bound<'py, PyArray1<i64>>, Vec<String>, Vec<Option<Square>>);

/// Copies faces into the memory of the engine, a byte a pixel.
pub fn dataset(faces: &PyReadonlyArray3<'_, u8>, labels: Option<Vec<i64>>) -> PyResult<Dataset> {
    let pixels = faces.as_slice().map_err(|_| usage("faces: expected an array in C order"))?;
    let n = pixels.len() / PIXELS;
    let labels = labels.unwrap_or_else(|| vec![NONE; n]);
    let label = |&label: &i64| match label {
        NONE => Ok(None),
        known => u8::try_from(known).map(Some),
    };
    let labels: Result<Vec<Option<u8>>, _> = labels.iter().map(label).collect();
    let labels = labels.map_err(|_| usage("labels: expected 0 to 6, or -1 for none"))?;
    Dataset::from_pixels(pixels.to_vec(), labels, "array").map_err(raise)
}

/// Returns the faces of a dataset as an array.
pub fn pixels<'py>(py: Python<'py>, faces: &Dataset) -> PyResult<Bound<'py, PyArray3<u8>>> {
    faces.pixels().to_vec().into_pyarray(py).reshape([faces.len(), SIDE, SIDE])
}

fn to_python<'py>(
    py: Python<'py>,
    faces: &Dataset,
    squares: Vec<Option<Square>>,
) -> PyResult<ReadFaces<'py>> {
    let labels: Vec<i64> = faces.labels().iter().map(|l| l.map_or(NONE, i64::from)).collect();
    let ids = (0..faces.len()).map(|i| faces.id(i)).collect();
    Ok((pixels(py, faces)?, labels.into_pyarray(py), ids, squares))
}

fn square(location: FaceLocation) -> Option<Square> {
    match location {
        FaceLocation::Detected(b, score) => Some((b.x, b.y, b.side, score)),
        FaceLocation::Whole | FaceLocation::WholeUndetected => None,
    }
}

fn choice(which: &str) -> PyResult<FaceChoice> {
    named(which).map_err(|e| usage(format!("detect={which:?}: {e}")))
}

/// Reads photos, folders of pictures and CSV files: faces, labels (-1 for none), ids, and the square of
/// each detected face.
#[pyfunction]
pub fn read<'py>(py: Python<'py>, paths: Vec<PathBuf>, which: &str) -> PyResult<ReadFaces<'py>> {
    let photos = PhotoArgs { choice: choice(which)? };
    let read = || photos.read(&paths, &Reading::default());
    let InputFaces { faces, crops, without_face, .. } =
        py.detach(|| on_pool(read)).map_err(raise)?;
    if faces.is_empty() {
        let names: Vec<String> =
            without_face.iter().map(|(_, p)| p.display().to_string()).collect();
        return Err(raise(fer::Error::NoFace(names.join(", "))));
    }
    let squares = crops.iter().map(|crop| crop.and_then(|crop| square(crop.location))).collect();
    to_python(py, &faces, squares)
}

/// Returns the faces of a gray photo, from left to right.
#[pyfunction]
pub fn detect<'py>(
    py: Python<'py>,
    photo: PyReadonlyArray2<'py, u8>,
    which: &str,
) -> PyResult<ReadFaces<'py>> {
    let [height, width] = [photo.as_array().nrows(), photo.as_array().ncols()];
    if width.min(height) < SHORTEST {
        let message = format!(
            "found a picture of {width} x {height} pixels; expected at least {SHORTEST} pixels per side"
        );
        return Err(raise(fer::Error::data("array", message)));
    }
    let gray = photo.as_slice().map_err(|_| usage("photo: expected an array in C order"))?.to_vec();
    let picture = GrayImage { width, height, gray };
    let which = choice(which)?;
    let search = || Ok(crop_faces(&picture, which, &SeetaFace::new()?));
    let crops = py.detach(|| on_pool(search)).map_err(raise)?;
    if crops.is_empty() {
        return Err(raise(fer::Error::NoFace("the array".into())));
    }
    let found: Vec<u8> = crops.iter().flat_map(|crop| crop.pixels.iter().copied()).collect();
    let faces = Dataset::from_pixels(found, vec![None; crops.len()], "array").map_err(raise)?;
    to_python(py, &faces, crops.iter().map(|crop| square(crop.location)).collect())
}

/// Draws faces: their pixels and labels.
#[pyfunction]
pub fn synthesize<'py>(
    py: Python<'py>,
    count: usize,
    seed: u64,
    first: u64,
) -> PyResult<ReadFaces<'py>> {
    let options = SynthOptions { count, seed, first, ..SynthOptions::default() };
    let faces = py.detach(|| on_pool(|| fer::dataset::synthesize(&options))).map_err(raise)?;
    to_python(py, &faces, vec![None; count])
}
