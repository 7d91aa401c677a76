//! Draws synthetic faces, so that the program can be tried without a download.
//!
//! | file | what it holds |
//! |---|---|
//! | [`expression`] | what each of the seven expressions changes |
//! | [`person`] | random person, pose, light and camera |
//! | [`canvas`] | shapes painted by signed distance |
//! | [`features`], [`mod@face`] | eyes, nose and mouth; head, hair, light and camera |
//!
//! Eyes, nose and mouth are where those of FER2013's mean face are.

pub mod canvas;
pub mod expression;
pub mod face;
pub mod features;
pub mod person;

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::limits::MAX_FACES;
use crate::random::{Purpose, Rng};
use crate::{CLASS_NAMES, Error, PIXELS, Result};
use expression::Expression;
use person::{Environment, Person, Pose};

/// Distribution of the classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// All equally often.
    #[default]
    Even,
    /// As often as in FER2013's training part.
    Fer,
}

/// Options of [`synthesize`].
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynthOptions {
    /// Number of faces.
    pub count: usize,
    /// Number of the first face; faces n, n + 1, … of a seed differ from its faces 0 to n − 1.
    pub first: u64,
    /// Seed.
    pub seed: u64,
    /// Distribution of the classes.
    pub balance: Balance,
    /// Smallest and largest strength of the expression; 1 is a posed one.
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

/// Returns the class of face `index`.
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

/// Draws face `index` and returns its pixels and its class.
///
/// The result depends only on the index and the options other than `count` and `first`.
pub fn face(options: &SynthOptions, index: u64) -> ([u8; PIXELS], u8) {
    let mut rng = Rng::new(options.seed, Purpose::Synth, 0, index);
    let label = class_of(options.balance, index, &mut rng);
    let person = Person::draw(&mut rng);
    let pose = Pose::draw(&mut rng);
    let environment = Environment::draw(&mut rng);
    let expression = Expression::draw(label, options.strength, &mut rng);
    (face::draw(&person, &expression, &pose, &environment, &mut rng), label)
}

/// Draws a dataset of faces on all threads. The same options give the same bytes.
///
/// # Errors
/// [`Error::Usage`] for more than [`MAX_FACES`].
pub fn synthesize(options: &SynthOptions) -> Result<Dataset> {
    if options.count > MAX_FACES {
        let found = format!("{} faces to draw", options.count);
        return Err(Error::Usage(format!("{found}; at most {MAX_FACES} are drawn")));
    }
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
