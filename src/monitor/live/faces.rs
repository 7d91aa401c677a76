//! The few faces on which a training is watched: the same ones in every epoch.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::tensor::{Shape, Tensor};
use fer_kernels::Layout;

/// The first `most` faces of each class, class by class; places in `data`.
pub fn first_of_each_class(data: &Dataset, most: usize) -> Vec<usize> {
    let classes = 0..crate::CLASS_NAMES.len() as u8;
    classes.flat_map(|class| data.indices_of(class).into_iter().take(most)).collect()
}

/// Faces as the network sees them in validation, `[n, 1, side, side]` in [0, 1].
pub fn plain_pixels(data: &Dataset, faces: &[usize], equalize: bool, side: usize) -> Tensor {
    let shape = Shape::new(&[faces.len(), 1, side, side]);
    let fill = |x: &mut [f32]| View::PLAIN.fill_batch(data, faces, equalize, side, x);
    Tensor::build(shape, Layout::Nchw, fill)
}

/// Classes of labelled faces.
pub fn labels(data: &Dataset, faces: &[usize]) -> Vec<usize> {
    faces.iter().map(|&i| usize::from(data.label(i).unwrap_or(0))).collect()
}
