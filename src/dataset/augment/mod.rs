//! Augments faces and assembles batches of `f32` in [0, 1].
//!
//! A face is warped with cubic interpolation (`warp`), then its gray levels are changed and a rectangle is
//! erased (`levels`). The result depends only on (seed, epoch, face), not on threads or their order.
//! [`View`] is one of the fixed warps of test-time augmentation.

mod levels;
mod view;
mod warp;

pub use view::View;
pub(crate) use warp::cubic_weights;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::random::{Purpose, Rng};
use crate::{Error, Result};
use levels::{adjust_light, erase};
use warp::Warp;

/// Strength of the augmentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// No augmentation.
    None,
    /// ±10°, ±3 pixels, zoom 0.9 to 1.1, flips.
    #[default]
    Light,
    /// ±15°, ±5 pixels, zoom 0.85 to 1.15, flips, contrast 0.8 to 1.2, brightness ±0.1, erasing.
    Strong,
}

/// When to mirror a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flip {
    /// Never.
    #[default]
    None,
    /// With probability ½.
    Random,
    /// Every second epoch, starting with a random one per face, so two epochs show every face both
    /// ways (Jordan 2024, airbench).
    Alternating,
}

/// Augmentation of the training faces. Every field may be set independently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Largest rotation in either direction, in degrees.
    pub rotation: f32,
    /// Largest horizontal and vertical shift in either direction, in pixels of the 48×48 face.
    pub shift: f32,
    /// Smallest and largest zoom; above 1 the face grows.
    pub zoom: [f32; 2],
    /// When to mirror.
    pub flip: Flip,
    /// Smallest and largest contrast factor about the face's mean.
    pub contrast: [f32; 2],
    /// Largest change of brightness in either direction, where white is 1.
    pub brightness: f32,
    /// Probability of erasing a rectangle.
    pub erase_probability: f32,
    /// Smallest and largest share of the area to erase.
    pub erase_area: [f32; 2],
    /// Equalise the histogram first. It is not random, so it applies to evaluation, too.
    pub equalize: bool,
}

impl Default for Augment {
    fn default() -> Self {
        Self::preset(Preset::None)
    }
}

impl Augment {
    /// Returns the settings of a preset.
    pub fn preset(preset: Preset) -> Self {
        let none = Augment {
            rotation: 0.0,
            shift: 0.0,
            zoom: [1.0, 1.0],
            flip: Flip::None,
            contrast: [1.0, 1.0],
            brightness: 0.0,
            erase_probability: 0.0,
            erase_area: [0.02, 0.2],
            equalize: false,
        };
        match preset {
            Preset::None => none,
            Preset::Light => Augment {
                rotation: 10.0,
                shift: 3.0,
                zoom: [0.9, 1.1],
                flip: Flip::Alternating,
                ..none
            },
            Preset::Strong => Augment {
                rotation: 15.0,
                shift: 5.0,
                zoom: [0.85, 1.15],
                flip: Flip::Alternating,
                contrast: [0.8, 1.2],
                brightness: 0.1,
                erase_probability: 0.25,
                ..none
            },
        }
    }

    /// Checks the range of every number.
    ///
    /// # Errors
    /// [`Error::Usage`] with the field, its value and the expected range.
    pub fn validate(&self) -> Result<()> {
        let expect = |ok: bool, field: &str, found: String, expected: &str| {
            if ok {
                return Ok(());
            }
            Err(Error::Usage(format!("augment.{field} is {found}; expected {expected}")))
        };
        let one = |v: f32| format!("{v}");
        let two = |[a, b]: [f32; 2]| format!("[{a}, {b}]");
        let in_order = |[a, b]: [f32; 2], low: f32, high: f32| low <= a && a <= b && b <= high;
        let p = self.erase_probability;
        expect((0.0..=180.0).contains(&self.rotation), "rotation", one(self.rotation), "0 to 180")?;
        expect((0.0..=24.0).contains(&self.shift), "shift", one(self.shift), "0 to 24")?;
        expect(in_order(self.zoom, 0.25, 4.0), "zoom", two(self.zoom), "[low, high] in .25 to 4")?;
        let contrast = in_order(self.contrast, 0.0, 4.0);
        expect(contrast, "contrast", two(self.contrast), "[low, high] in 0 to 4")?;
        let brightness = (0.0..=1.0).contains(&self.brightness);
        expect(brightness, "brightness", one(self.brightness), "0 to 1")?;
        expect((0.0..=1.0).contains(&p), "erase_probability", one(p), "0 to 1")?;
        let area = in_order(self.erase_area, 0.0, 0.9);
        expect(area, "erase_area", two(self.erase_area), "[low, high] in 0 to .9")
    }

    /// Writes a face, augmented for (seed, epoch, sample), to `out` (`[side, side]`).
    ///
    /// # Panics
    /// If `image` is not `[48, 48]` or `out` not `[side, side]`.
    pub fn apply(
        &self,
        image: &[u8],
        side: usize,
        out: &mut [f32],
        (seed, epoch, sample): (u64, u64, u64),
    ) {
        let mut rng = Rng::new(seed, Purpose::Augment, epoch, sample);
        let mut draw = |low: f32, high: f32| rng.uniform_in(low.into(), high.into()) as f32;
        // Every number is drawn whether it is used or not, so that no setting changes the effect of another.
        let angle = draw(-self.rotation, self.rotation).to_radians();
        let shift = [draw(-self.shift, self.shift), draw(-self.shift, self.shift)];
        let zoom = draw(self.zoom[0], self.zoom[1]);
        let contrast = draw(self.contrast[0], self.contrast[1]);
        let brightness = draw(-self.brightness, self.brightness);
        let coin = rng.bernoulli(0.5);
        let mirror = match self.flip {
            Flip::None => false,
            Flip::Random => coin,
            Flip::Alternating => {
                let parity = Rng::new(seed, Purpose::Augment, u64::MAX, sample).bits();
                (parity.wrapping_add(epoch)) & 1 == 1
            }
        };
        let warp = Warp { angle, shift, zoom, mirror };
        warp.render(image, self.equalize, side, out);
        adjust_light(out, contrast, brightness);
        if rng.bernoulli(self.erase_probability.into()) {
            erase(out, side, self.erase_area, &mut rng);
        }
    }

    /// Fills a batch `[indices.len(), 1, side, side]` with augmented faces, on all threads. `draws` holds
    /// the sample number of each: the face's index, or another one if a face occurs twice.
    ///
    /// # Panics
    /// If `out` or `draws` have another length or an index is out of range.
    pub fn fill_batch(
        &self,
        dataset: &Dataset,
        indices: &[usize],
        draws: &[u64],
        side: usize,
        out: &mut [f32],
        (seed, epoch): (u64, u64),
    ) {
        assert_eq!(out.len(), indices.len() * side * side, "batch of {} faces", indices.len());
        assert_eq!(draws.len(), indices.len(), "one draw per face");
        out.par_chunks_mut(side * side).zip(indices).zip(draws).for_each(|((face, &i), &draw)| {
            self.apply(dataset.image(i), side, face, (seed, epoch, draw));
        });
    }
}
