//! Procedurally drawn faces: no download needed to see the whole program work.
//!
//! Seven expressions ([`expression`]) on faces that differ in person, pose, light and camera
//! ([`person`]), drawn by signed distances ([`canvas`], [`features`], [`mod@face`]). The features stand
//! where those of FER2013's mean face stand.

pub mod canvas;
pub mod expression;
pub mod face;
pub mod features;
pub mod person;

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::random::{Purpose, Rng};
use crate::{CLASS_NAMES, PIXELS, Result};

use crate::dataset::synth::expression::Expression;
use crate::dataset::synth::person::{Person, Pose, Scene};

/// How often each class is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// All equally.
    #[default]
    Even,
    /// As often as FER2013's training part does.
    Fer,
}

/// What to draw.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynthOptions {
    /// How many faces.
    pub count: usize,
    /// Number of the first one; faces n… of one seed never repeat faces 0…n.
    pub first: u64,
    /// Seed.
    pub seed: u64,
    /// How often each class.
    pub balance: Balance,
    /// Weakest and strongest expression, 1 being a posed one.
    pub strength: [f32; 2],
}

impl Default for SynthOptions {
    fn default() -> Self {
        SynthOptions {
            count: 1_000,
            first: 0,
            seed: 0,
            balance: Balance::Even,
            strength: [0.7, 1.15],
        }
    }
}

/// Faces of each class in FER2013's training part.
const FER_COUNTS: [usize; 7] = [3995, 436, 4097, 7215, 4830, 3171, 4965];

/// Class of face `index`.
fn class_of(balance: Balance, index: u64, rng: &mut Rng) -> u8 {
    match balance {
        Balance::Even => (index % CLASS_NAMES.len() as u64) as u8,
        Balance::Fer => {
            let mut left = rng.below(FER_COUNTS.iter().sum());
            let mut label = 0;
            while left >= FER_COUNTS[label] {
                left -= FER_COUNTS[label];
                label += 1;
            }
            label as u8
        }
    }
}

/// Draws face `index` of a seed: its pixels and its class.
///
/// Depends on seed, index and balance alone; not on how many faces are drawn or by whom.
pub fn face(options: &SynthOptions, index: u64) -> ([u8; PIXELS], u8) {
    let mut rng = Rng::new(options.seed, Purpose::Synth, 0, index);
    let label = class_of(options.balance, index, &mut rng);
    let person = Person::draw(&mut rng);
    let pose = Pose::draw(&mut rng);
    let scene = Scene::draw(&mut rng);
    let expression = Expression::draw(label, options.strength, &mut rng);
    (face::draw(&person, &expression, &pose, &scene, &mut rng), label)
}

/// Draws a set of faces, on all threads. The same options give the same bytes.
///
/// # Errors
/// Never for now; a set of pixels and labels that fit is returned as [`Dataset::from_pixels`] does.
pub fn synthesize(options: &SynthOptions) -> Result<Dataset> {
    let mut pixels = vec![0; options.count * PIXELS];
    let labels = pixels
        .par_chunks_exact_mut(PIXELS)
        .enumerate()
        .map(|(i, image)| {
            let (drawn, label) = face(options, options.first.wrapping_add(i as u64));
            image.copy_from_slice(&drawn);
            Some(label)
        })
        .collect();
    Dataset::from_pixels(pixels, labels, "synthetic")
}
