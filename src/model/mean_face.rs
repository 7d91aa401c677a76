//! The mean face. That of the training faces is part of the model file: explanations use it as a baseline,
//! an image that shows no face in particular.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::weights::Archive;
use crate::{Error, PIXELS, Result, SIDE};
use std::path::Path;

/// Entry of a model file.
pub(crate) const ENTRY: &str = "mean_face";

/// Faces in memory at once.
const AT_ONCE: usize = 256;

/// Returns the pixel-wise mean of the faces as the network sees them, `[48, 48]` in \[0,1\], rounded to
/// four decimals (one gray level is 0.004).
pub fn mean_face(faces: &Dataset, equalize: bool) -> Vec<f32> {
    let mut sum = vec![0.0_f64; PIXELS];
    let all: Vec<usize> = (0..faces.len()).collect();
    for some in all.chunks(AT_ONCE) {
        add(&mut sum, &View::PLAIN.batch(faces, some, equalize, SIDE));
    }
    let count = faces.len().max(1) as f64;
    let rounded = |sum: f64| ((sum / count * 1e4).round() / 1e4) as f32;
    sum.into_iter().map(rounded).collect()
}

/// Returns the pixel-wise mean of faces `[n, 48, 48]`; 0.5 everywhere for none.
pub fn mean_of(faces: &[f32]) -> Vec<f32> {
    let n = faces.len() / PIXELS;
    if n == 0 {
        return vec![0.5; PIXELS];
    }
    let mut sum = vec![0.0; PIXELS];
    add(&mut sum, faces);
    sum.into_iter().map(|s| (s / n as f64) as f32).collect()
}

/// Adds faces to a sum, pixel by pixel.
fn add(sum: &mut [f64], faces: &[f32]) {
    for face in faces.chunks_exact(PIXELS) {
        sum.iter_mut().zip(face).for_each(|(sum, &v)| *sum += f64::from(v));
    }
}

/// Reads the mean face of a model file, if it holds one.
///
/// # Errors
/// [`Error::Model`] if it is not a face with pixels in \[0,1\].
pub(crate) fn find(path: &Path, archive: &Archive) -> Result<Option<Vec<f32>>> {
    let found: Option<Vec<f32>> = archive.find(path, ENTRY)?;
    match &found {
        Some(mean) if mean.len() != PIXELS => {
            let message = format!("its mean face has {} pixels, expected {PIXELS}", mean.len());
            Err(Error::model(path, message))
        }
        Some(mean) if mean.iter().any(|v| !(0.0..=1.0).contains(v)) => {
            Err(Error::model(path, "its mean face has pixels that are not between 0 and 1"))
        }
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use crate::PIXELS;
    use crate::dataset::{SynthOptions, synthesize};
    use crate::model::mean_face::{ENTRY, find, mean_face};
    use crate::model::weights::Archive;
    use std::path::Path;

    #[test]
    fn it_is_the_mean_of_more_faces_than_are_summed_at_once() {
        let options = SynthOptions { count: 300, ..SynthOptions::default() };
        let faces = synthesize(&options).unwrap();
        let found = mean_face(&faces, false);
        for (p, &mean) in found.iter().enumerate() {
            let sum: f64 = (0..300).map(|i| f64::from(faces.image(i)[p])).sum();
            assert!((f64::from(mean) - sum / (300.0 * 255.0)).abs() < 1e-4, "pixel {p}");
        }
        assert_ne!(found, mean_face(&faces, true));
    }

    #[test]
    fn damaged_ones_are_refused() {
        let path = Path::new("m");
        let with = |mean: &[f32]| {
            let mut archive = Archive::default();
            archive.put(ENTRY, &mean).unwrap();
            find(path, &archive)
        };
        assert_eq!(find(path, &Archive::default()).unwrap(), None);
        assert_eq!(with(&[0.5; PIXELS]).unwrap().unwrap(), [0.5; PIXELS]);
        assert!(with(&[0.5; 7]).unwrap_err().to_string().contains("has 7 pixels"));
        assert!(with(&[1.5; PIXELS]).unwrap_err().to_string().contains("not between 0 and 1"));
    }
}
