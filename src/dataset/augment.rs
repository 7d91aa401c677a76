//! Bytes of a face to `f32` in [0, 1], varied on the way: one cubic warp, then light, then erasing.
//!
//! A face's variation depends on (seed, epoch, face) alone, so any thread may make it, at any time.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::random::{Purpose, Rng};
use crate::{Error, PIXELS, Result, SIDE};

/// How strongly to vary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Not at all.
    None,
    /// ±10°, ±3 px, zoom .9–1.1, flips.
    #[default]
    Light,
    /// ±15°, ±5 px, zoom .85–1.15, flips, contrast .8–1.2, brightness ±.1, erasing.
    Strong,
}

/// When to mirror a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flip {
    /// Never.
    #[default]
    None,
    /// By a coin.
    Random,
    /// Every second epoch; which one differs from face to face. So two epochs show every face both
    /// ways (Jordan 2024, airbench).
    Alternating,
}

/// Variation of the training faces. Every field may be set alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Largest rotation either way, in degrees.
    pub rotation: f32,
    /// Largest shift either way and in each direction, in pixels of the 48×48 face.
    pub shift: f32,
    /// Smallest and largest zoom; above 1 the face grows.
    pub zoom: [f32; 2],
    /// When to mirror.
    pub flip: Flip,
    /// Smallest and largest contrast factor, around the face's own mean.
    pub contrast: [f32; 2],
    /// Largest brightness added or taken, in units of [0, 1].
    pub brightness: f32,
    /// Probability of erasing a rectangle.
    pub erase_probability: f32,
    /// Smallest and largest share of the area that is erased.
    pub erase_area: [f32; 2],
    /// Spread the gray levels evenly first (histogram equalisation). Not random: use it for
    /// evaluation, too.
    pub equalize: bool,
}

impl Default for Augment {
    fn default() -> Self {
        Self::preset(Preset::None)
    }
}

impl Augment {
    /// The settings of a preset.
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

    /// Checks every number.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the field, its value and what was expected.
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

    /// Writes face `sample`, varied for `epoch`, into `out` (`[side, side]`).
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
        // Every number is drawn whether it is used or not: one setting never moves another.
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
        relight(out, contrast, brightness);
        if rng.bernoulli(self.erase_probability.into()) {
            erase(out, side, self.erase_area, &mut rng);
        }
    }

    /// Fills a batch `[indices.len(), 1, side, side]` with varied faces, on all threads. `draws`
    /// address the variation of each: the face's number, or another where a face comes twice.
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
        assert_eq!(draws.len(), indices.len(), "one draw a face");
        out.par_chunks_mut(side * side).zip(indices).zip(draws).for_each(|((face, &i), &draw)| {
            self.apply(dataset.image(i), side, face, (seed, epoch, draw));
        });
    }
}

/// One way to look at a face, for averaging predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Mirrored.
    pub mirror: bool,
    /// Turned clockwise, in degrees.
    pub rotation: f32,
    /// Above 1 the face grows.
    pub zoom: f32,
}

impl View {
    /// The face as it is.
    pub const PLAIN: View = View { mirror: false, rotation: 0.0, zoom: 1.0 };

    /// Ten views: plain and mirrored, each turned a little either way at its own size and a tenth
    /// smaller, and smaller only. All of them are interpolated, as nearly every face of a training
    /// is: the plain face is sharper than what a network has learnt from, and counts for less.
    pub fn tta() -> Vec<View> {
        let warps = [(-8.0, 1.0), (8.0, 1.0), (-8.0, 0.9), (0.0, 0.9), (8.0, 0.9)];
        let views = |mirror| warps.map(|(rotation, zoom)| View { mirror, rotation, zoom });
        [views(false), views(true)].concat()
    }

    /// Returns the views over which a prediction is averaged: the plain one, or [`View::tta`].
    pub fn for_prediction(tta: bool) -> Vec<View> {
        if tta { Self::tta() } else { vec![Self::PLAIN] }
    }

    /// Writes the view of a face into `out` (`[side, side]`).
    pub fn render(self, image: &[u8], equalize: bool, side: usize, out: &mut [f32]) {
        let View { mirror, rotation, zoom } = self;
        let warp = Warp { angle: rotation.to_radians(), shift: [0.0; 2], zoom, mirror };
        warp.render(image, equalize, side, out);
    }

    /// Returns this view of some faces, `[indices.len(), side, side]`.
    pub fn batch(
        self,
        dataset: &Dataset,
        indices: &[usize],
        equalize: bool,
        side: usize,
    ) -> Vec<f32> {
        let mut out = vec![0.0; indices.len() * side * side];
        self.fill_batch(dataset, indices, equalize, side, &mut out);
        out
    }

    /// Writes this view of some faces into `out` (`[indices.len(), 1, side, side]`), on all threads.
    pub fn fill_batch(
        self,
        dataset: &Dataset,
        indices: &[usize],
        equalize: bool,
        side: usize,
        out: &mut [f32],
    ) {
        assert_eq!(out.len(), indices.len() * side * side, "batch of {} faces", indices.len());
        out.par_chunks_mut(side * side).zip(indices).for_each(|(face, &i)| {
            self.render(dataset.image(i), equalize, side, face);
        });
    }
}

/// A similarity of the plane: mirror, then rotate and zoom about the centre, then shift.
#[derive(Clone, Copy, Debug)]
struct Warp {
    angle: f32,      // radians, clockwise on the screen
    shift: [f32; 2], // pixels of the 48×48 face, right and down
    zoom: f32,
    mirror: bool,
}

impl Warp {
    /// For every output pixel: where it comes from, cubic between the sixteen neighbours there.
    /// Outside, the edge pixels go on.
    ///
    /// With output pixel o, centres c and scale s = 48/side:
    /// in = c_in + M·R(−angle)/zoom · (s·(o − c_out) − shift), M = diag(±1, 1).
    fn render(self, image: &[u8], equalize: bool, side: usize, out: &mut [f32]) {
        assert_eq!(image.len(), PIXELS, "a face has {PIXELS} pixels");
        assert_eq!(out.len(), side * side, "output of side {side}");
        let levels = if equalize { equalized_levels(image) } else { PLAIN_LEVELS };
        let still = self.angle == 0.0 && self.shift == [0.0, 0.0] && self.zoom == 1.0;
        if still && side == SIDE && !self.mirror {
            for (o, &p) in out.iter_mut().zip(image) {
                *o = levels[usize::from(p)];
            }
            return;
        }
        let mut source = [0.0_f32; PIXELS];
        for (s, &p) in source.iter_mut().zip(image) {
            *s = levels[usize::from(p)];
        }
        let scale = SIDE as f32 / side as f32;
        let (sin, cos) = self.angle.sin_cos();
        let (sin, cos) = (sin / self.zoom, cos / self.zoom);
        let sign = if self.mirror { -1.0 } else { 1.0 };
        let (middle_in, middle_out) = ((SIDE - 1) as f32 / 2.0, (side as f32 - 1.0) / 2.0);
        for (y, row) in out.chunks_exact_mut(side).enumerate() {
            let v = scale * (y as f32 - middle_out) - self.shift[1];
            for (x, pixel) in row.iter_mut().enumerate() {
                let u = scale * (x as f32 - middle_out) - self.shift[0];
                let from_x = middle_in + sign * (cos * u + sin * v);
                let from_y = middle_in + cos * v - sin * u;
                *pixel = cubic(&source, from_x, from_y);
            }
        }
    }
}

/// Value between the sixteen pixels around (x, y) by cubic convolution, which passes through the
/// pixels and keeps edges sharp (Keys 1981, a = −½); coordinates outside move to the edge. Beside a
/// sharp edge the result leaves [0, 1] a little: held there, it would not be linear in the pixels, and
/// gradients could not go the same way back.
#[inline]
fn cubic(source: &[f32; PIXELS], x: f32, y: f32) -> f32 {
    let last = (SIDE - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (x0, y0) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
    let weights = |t: f32| keys(f64::from(t)).map(|w| w as f32);
    let (wx, wy) = (weights(x - x0 as f32), weights(y - y0 as f32));
    let column = |k: usize| (x0 + k).clamp(1, SIDE) - 1;
    let columns = [column(0), column(1), column(2), column(3)];
    let mut sum = 0.0;
    for (k, w) in wy.into_iter().enumerate() {
        let row = &source[((y0 + k).clamp(1, SIDE) - 1) * SIDE..][..SIDE];
        let [a, b, c, d] = columns.map(|x| row[x]);
        sum += w * (wx[0] * a + wx[1] * b + wx[2] * c + wx[3] * d);
    }
    sum
}

/// Weights of the pixels at −1, 0, 1 and 2 for the place t between 0 and 1.
#[inline]
pub(crate) fn keys(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    ]
}

/// Pixel value / 255.
const PLAIN_LEVELS: [f32; 256] = {
    let mut levels = [0.0; 256];
    let mut i = 0;
    while i < 256 {
        levels[i] = i as f32 / 255.0;
        i += 1;
    }
    levels
};

/// New value of each gray level so that the levels spread evenly: (c(v) − c_min)/(n − c_min), with
/// c(v) the number of pixels ≤ v and c_min that of the darkest level. A blank face stays as it is.
fn equalized_levels(image: &[u8]) -> [f32; 256] {
    let mut counts = [0_u32; 256];
    for &p in image {
        counts[usize::from(p)] += 1;
    }
    let darkest = counts.iter().copied().find(|&c| c > 0).unwrap_or(0);
    let spread = image.len() as u32 - darkest;
    if spread == 0 {
        return PLAIN_LEVELS;
    }
    let mut below = 0;
    counts.map(|count| {
        below += count;
        below.saturating_sub(darkest) as f32 / spread as f32
    })
}

/// out ← clamp((out − mean)·contrast + mean + brightness) to [0, 1].
fn relight(out: &mut [f32], contrast: f32, brightness: f32) {
    if contrast == 1.0 && brightness == 0.0 {
        return;
    }
    let mean = out.iter().sum::<f32>() / out.len() as f32;
    let offset = mean * (1.0 - contrast) + brightness;
    for value in out {
        *value = (*value * contrast + offset).clamp(0.0, 1.0);
    }
}

/// Fills a rectangle with one random gray (Zhong et al. 2020, random erasing; sides' ratio .3–3.3).
fn erase(out: &mut [f32], side: usize, area: [f32; 2], rng: &mut Rng) {
    let area = rng.uniform_in(area[0].into(), area[1].into()) * (side * side) as f64;
    let ratio = rng.uniform_in(0.3_f64.ln(), 3.3_f64.ln()).exp();
    let height = ((area * ratio).sqrt().round() as usize).clamp(1, side);
    let width = ((area / ratio).sqrt().round() as usize).clamp(1, side);
    let (top, left) = (rng.below(side - height + 1), rng.below(side - width + 1));
    let gray = rng.uniform() as f32;
    for row in out.chunks_exact_mut(side).skip(top).take(height) {
        row[left..left + width].fill(gray);
    }
}
