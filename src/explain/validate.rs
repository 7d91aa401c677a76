//! What is checked before a network is asked: the functions that explain faces begin here.

use crate::explain::{Classifier, Target};
use crate::{Error, PIXELS, Result};

/// Number of faces in the slice.
///
/// **Errors**: `Shape` where it is no whole number of faces, or a pixel is not finite.
pub fn count_faces(faces: &[f32]) -> Result<usize> {
    if !faces.len().is_multiple_of(PIXELS) {
        let detail = format!("{} values are no whole number of faces of {PIXELS}", faces.len());
        return Err(Error::shape("explain", detail));
    }
    if let Some(at) = faces.iter().position(|v| !v.is_finite()) {
        let detail = format!("pixel {} of face {} is not finite", at % PIXELS, at / PIXELS);
        return Err(Error::shape("explain", detail));
    }
    Ok(faces.len() / PIXELS)
}

/// Number of faces, after checking that each has a target within the network's classes.
///
/// **Errors**: those of [`count_faces`]; `Shape` where faces and targets differ in number; `Usage` for
/// a class that the network does not have.
pub fn check(model: &dyn Classifier, faces: &[f32], targets: &[Target]) -> Result<usize> {
    let n = count_faces(faces)?;
    if targets.len() != n {
        return Err(Error::shape("explain", format!("{n} faces, {} targets", targets.len())));
    }
    let classes = model.classes();
    let unused = vec![0.0; classes];
    if let Some(c) = targets.iter().map(|t| t.class(&unused)).find(|&c| c >= classes) {
        return Err(Error::Usage(format!(
            "class {c} does not exist; the network has classes 0 to {}",
            classes.saturating_sub(1)
        )));
    }
    Ok(n)
}

/// The same for the classes themselves.
///
/// **Errors**: those of [`check`].
pub fn check_classes(model: &dyn Classifier, faces: &[f32], classes: &[usize]) -> Result<usize> {
    let targets: Vec<Target> = classes.iter().map(|&c| Target::Class(c)).collect();
    check(model, faces, &targets)
}

/// That a picture, the mean face or a baseline, is 48×48.
///
/// **Errors**: `Shape` that names it.
pub fn check_picture(name: &str, picture: &[f32]) -> Result<()> {
    if picture.len() != PIXELS {
        let detail = format!("the {name} has {} pixels, not {PIXELS}", picture.len());
        return Err(Error::shape("explain", detail));
    }
    Ok(())
}

/// That there is a map for every face.
///
/// **Errors**: `Shape` with both counts.
pub fn check_maps(faces: &[f32], maps: &[f32]) -> Result<()> {
    if maps.len() != faces.len() {
        let detail = format!("{} pixels of faces, {} map values", faces.len(), maps.len());
        return Err(Error::shape("explain", detail));
    }
    Ok(())
}
