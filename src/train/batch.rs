//! The batches of an epoch: the order of the faces, the pixels, and the targets.

use crate::Result;
use crate::dataset::Dataset;
use crate::ops::Targets;
use crate::random::{Purpose, Rng};
use crate::tensor::{Element, Shape, Tensor};
use crate::train::config::TrainConfig;
use fer_kernels::Layout;
use std::ops::Range;

/// The images of a step, their targets and their labels.
#[derive(Clone, Debug)]
pub struct Batch<T: Element = f32> {
    /// Images `[n, 1, h, w]` in \[0,1\].
    pub pixels: Tensor<T>,
    /// Targets of the loss.
    pub targets: Targets<T>,
    /// Class of each image, for the accuracy: its label, whatever the teachers answer; after mixup the
    /// label of the face with the larger share.
    pub labels: Vec<usize>,
}

impl<T: Element> Batch<T> {
    /// Makes a batch whose targets are its labels.
    pub fn labelled(pixels: Tensor<T>, labels: Vec<usize>) -> Self {
        Self { pixels, targets: Targets::Labels(labels.clone()), labels }
    }

    /// Returns the images at these places.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if the targets do not fit the images.
    pub(crate) fn part(&self, places: Range<usize>) -> Result<Self> {
        let rows = |x: &Tensor<T>| {
            let shape = x.shape();
            let row = shape[1..].iter().product::<usize>();
            let shape: Vec<usize> =
                std::iter::once(places.len()).chain(shape[1..].iter().copied()).collect();
            Tensor::from_slice(&x.to_vec()[places.start * row..places.end * row], &shape)
        };
        let labels = self.labels[places.clone()].to_vec();
        let targets = match &self.targets {
            Targets::Labels(_) => Targets::Labels(labels.clone()),
            Targets::Soft(soft) => Targets::Soft(rows(soft)?),
        };
        Ok(Self { pixels: rows(&self.pixels)?, targets, labels })
    }
}

/// Answers of the teachers, for distillation.
#[derive(Clone, Debug)]
pub struct SoftLabels {
    /// Probabilities, `[faces, classes]`.
    pub probabilities: Vec<f32>,
    /// Share of the teachers in the target, in \[0,1\]; the label has the rest.
    pub weight: f32,
}

impl SoftLabels {
    /// Returns the CRC-32 of the probabilities' bits.
    pub fn checksum(&self) -> String {
        let mut crc = crc32fast::Hasher::new();
        self.probabilities.iter().for_each(|p| crc.update(&p.to_le_bytes()));
        format!("{:08x}", crc.finalize())
    }
}

/// Returns the order of the faces in an epoch: every face once; with `class_balanced`, faces drawn at
/// random from each class in turn.
pub fn epoch_order(data: &Dataset, class_balanced: bool, seed: u64, epoch: u64) -> Vec<usize> {
    let mut rng = Rng::new(seed, Purpose::Shuffle, epoch, 0);
    if class_balanced {
        let classes: Vec<Vec<usize>> = (0..crate::CLASS_NAMES.len() as u8)
            .map(|c| data.indices_of(c))
            .filter(|faces| !faces.is_empty())
            .collect();
        return (0..data.len())
            .map(|i| {
                let faces = &classes[i % classes.len()];
                faces[rng.below(faces.len())]
            })
            .collect::<Vec<_>>();
    }
    let mut order: Vec<usize> = (0..data.len()).collect();
    rng.shuffle(&mut order);
    order
}

/// Returns a batch of augmented faces `[n, 1, side, side]` with its targets and labels.
///
/// With teachers or mixup the targets are soft and include label smoothing:
/// t = (1 − w)·((1 − ε)·label + ε/classes) + w·teachers; the teachers' share is not smoothed. The
/// cross-entropy against t is (1 − w)·CE + w·KL up to a constant. `start` is the position of the first
/// face in the epoch's order.
///
/// # Errors
/// Those of [`Tensor::from_slice`].
pub fn assemble(
    config: &TrainConfig,
    data: &Dataset,
    soft: Option<&SoftLabels>,
    faces: &[usize],
    side: usize,
    (epoch, start): (u64, usize),
) -> Result<Batch> {
    let n = faces.len();
    // A face that is drawn several times in an epoch gets another augmentation each time.
    let draws: Vec<u64> = match config.class_balanced {
        true => (start..start + n).map(|place| (data.len() + place) as u64).collect(),
        false => faces.iter().map(|&face| face as u64).collect(),
    };
    let shape = Shape::new(&[n, 1, side, side]);
    let mut pixels = Tensor::build(shape, Layout::Nchw, |out| {
        config.augment.fill_batch(data, faces, &draws, side, out, (config.seed, epoch));
    });
    let mut labels: Vec<usize> =
        faces.iter().map(|&i| usize::from(data.label(i).unwrap_or(0))).collect();
    if soft.is_none() && config.mixup == 0.0 {
        return Ok(Batch::labelled(pixels, labels));
    }
    let classes = crate::CLASS_NAMES.len();
    let weight = soft.map_or(0.0, |s| s.weight);
    let smoothing = config.label_smoothing as f32;
    let mut targets = vec![(1.0 - weight) * smoothing / classes as f32; n * classes];
    for ((row, &label), &face) in targets.chunks_mut(classes).zip(&labels).zip(faces) {
        row[label] += (1.0 - weight) * (1.0 - smoothing);
        if let Some(soft) = soft {
            let taught = &soft.probabilities[face * classes..][..classes];
            row.iter_mut().zip(taught).for_each(|(t, &p)| *t += weight * p);
        }
    }
    if config.mixup > 0.0 {
        let mut rng = Rng::new(config.seed, Purpose::Batch, epoch, start as u64);
        let share = beta(config.mixup, &mut rng) as f32;
        blend_with_reversed(pixels.as_mut_slice(), side * side, share);
        blend_with_reversed(&mut targets, classes, share);
        if share < 0.5 {
            labels.reverse();
        }
    }
    let targets = Targets::Soft(Tensor::from_slice(&targets, &[n, classes])?);
    Ok(Batch { pixels, targets, labels })
}

/// Mixes each row with its partner: row i becomes share·row i + (1 − share)·row n−1−i (mixup, Zhang et
/// al. 2018; the partner comes from the same shuffled batch).
fn blend_with_reversed(values: &mut [f32], row: usize, share: f32) {
    let n = values.len() / row;
    for i in 0..n / 2 {
        let (head, tail) = values.split_at_mut((n - 1 - i) * row);
        for (a, b) in head[i * row..][..row].iter_mut().zip(&mut tail[..row]) {
            let (x, y) = (*a, *b);
            *a = share * x + (1.0 - share) * y;
            *b = share * y + (1.0 - share) * x;
        }
    }
}

/// Draws from Beta(α, α) by Jöhnk's method: u^(1/α), v^(1/α) until their sum is at most 1.
fn beta(alpha: f64, rng: &mut Rng) -> f64 {
    loop {
        let (x, y) = (rng.uniform().powf(1.0 / alpha), rng.uniform().powf(1.0 / alpha));
        if x + y > 0.0 && x + y <= 1.0 {
            return x / (x + y);
        }
    }
}
