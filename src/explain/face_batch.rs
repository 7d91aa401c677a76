//! Faces that enter an explanation, checked once when they are wrapped: [`Face`] and [`FaceBatch`].

use crate::explain::batch::{BATCH, face, logits_of};
use crate::explain::{Classifier, Target};
use crate::{Error, PIXELS, Result};
use std::borrow::Cow;
use std::ops::Deref;

/// One checked picture `[48, 48]`, such as the mean face or a baseline. Reads as a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Face(Vec<f32>);

impl Face {
    /// Wraps a picture; `name` stands for it in the error message.
    ///
    /// **Errors**: `Shape` where it is not 48×48 finite pixels.
    pub fn new(name: &str, pixels: impl Into<Vec<f32>>) -> Result<Face> {
        let pixels = pixels.into();
        if pixels.len() != PIXELS {
            let detail = format!("the {name} has {} pixels, expected {PIXELS}", pixels.len());
            return Err(Error::shape("explain", detail));
        }
        count_faces(&pixels)?;
        Ok(Face(pixels))
    }

    /// A picture of one gray level.
    pub fn gray(level: f32) -> Face {
        Face(vec![level; PIXELS])
    }
}

impl Deref for Face {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

/// Faces with one target each, and the logits that one classifier gives them.
///
/// Every explanation takes its faces in this form, so they are checked once, and
/// [`Target::Predicted`] is resolved once: a perturbed copy of a face cannot change what is being
/// explained.
#[derive(Clone)]
pub struct FaceBatch<'a> {
    classifier: &'a dyn Classifier,
    pixels: Cow<'a, [f32]>,
    targets: Vec<Target>,
    logits: Vec<f32>,
}

impl<'a> FaceBatch<'a> {
    /// Checks faces `[n, 48, 48]` in \[0,1\] with n targets, and computes their logits.
    ///
    /// **Errors**: `Shape` where the pixels are not a whole number of faces, a pixel is not finite,
    /// or the number of targets differs; `Usage` for a class that the classifier does not have.
    pub fn new(
        classifier: &'a dyn Classifier,
        pixels: &'a [f32],
        targets: &[Target],
    ) -> Result<Self> {
        let n = count_faces(pixels)?;
        if targets.len() != n {
            return Err(Error::shape("explain", format!("{n} faces, {} targets", targets.len())));
        }
        let classes = classifier.classes();
        let no_logits = vec![0.0; classes];
        if let Some(c) = targets.iter().map(|t| t.class(&no_logits)).find(|&c| c >= classes) {
            return Err(Error::Usage(format!(
                "class {c} does not exist; the network has classes 0 to {}",
                classes.saturating_sub(1)
            )));
        }
        let logits = logits_of(classifier, n, |i, out| out.copy_from_slice(face(pixels, i)))?;
        let rows = targets.iter().zip(logits.chunks_exact(classes.max(1)));
        let targets = rows.map(|(target, logits)| target.resolve(logits)).collect();
        Ok(FaceBatch { classifier, pixels: Cow::Borrowed(pixels), targets, logits })
    }

    /// The same with the logit of one class as each face's target.
    pub fn of_classes(
        classifier: &'a dyn Classifier,
        pixels: &'a [f32],
        classes: &[usize],
    ) -> Result<Self> {
        let targets: Vec<Target> = classes.iter().map(|&c| Target::Class(c)).collect();
        FaceBatch::new(classifier, pixels, &targets)
    }

    /// Number of faces.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no face.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The classifier.
    pub fn classifier(&self) -> &'a dyn Classifier {
        self.classifier
    }

    /// All faces, `[n, 48, 48]`.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// Face f, `[48, 48]`.
    pub fn face(&self, f: usize) -> &[f32] {
        face(&self.pixels, f)
    }

    /// The target of each face; never [`Target::Predicted`].
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Logits of face f, `[classes]`.
    pub fn logits(&self, f: usize) -> &[f32] {
        let classes = self.classifier.classes();
        &self.logits[f * classes..(f + 1) * classes]
    }

    /// The class of face f's target.
    pub fn class(&self, f: usize) -> usize {
        self.targets[f].class(self.logits(f))
    }

    /// The chosen faces, in that order.
    pub fn select(&self, chosen: &[usize]) -> FaceBatch<'a> {
        FaceBatch {
            classifier: self.classifier,
            pixels: chosen.iter().flat_map(|&f| self.face(f)).copied().collect::<Vec<_>>().into(),
            targets: chosen.iter().map(|&f| self.targets[f]).collect(),
            logits: chosen.iter().flat_map(|&f| self.logits(f)).copied().collect(),
        }
    }

    /// The faces in order, at most [`BATCH`] at once: for a caller that reports progress.
    pub fn parts(&self) -> impl Iterator<Item = FaceBatch<'a>> {
        (0..self.len())
            .step_by(BATCH)
            .map(|first| self.select(&(first..self.len().min(first + BATCH)).collect::<Vec<_>>()))
    }

    /// Checks that there is one map `[48, 48]` for every face.
    ///
    /// **Errors**: `Shape` with both counts.
    pub fn check_maps(&self, maps: &[f32]) -> Result<()> {
        if maps.len() != self.pixels.len() {
            let detail =
                format!("{} pixels of faces, {} map values", self.pixels.len(), maps.len());
            return Err(Error::shape("explain", detail));
        }
        Ok(())
    }
}

/// Returns the number of faces in a slice.
///
/// **Errors**: `Shape` where it is not a whole number of faces, or a pixel is not finite.
pub fn count_faces(pixels: &[f32]) -> Result<usize> {
    if !pixels.len().is_multiple_of(PIXELS) {
        let detail = format!("{} values are not a whole number of faces of {PIXELS}", pixels.len());
        return Err(Error::shape("explain", detail));
    }
    if let Some(at) = pixels.iter().position(|v| !v.is_finite()) {
        let detail = format!("pixel {} of face {} is not finite", at % PIXELS, at / PIXELS);
        return Err(Error::shape("explain", detail));
    }
    Ok(pixels.len() / PIXELS)
}
