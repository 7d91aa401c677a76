//! Random persons, poses, light and cameras.

use crate::dataset::synth::canvas::{Map, Point};
use crate::random::Rng;
use crate::{PIXELS, SIDE};

/// Centre of the face, as in FER2013's mean face.
pub const CENTRE: Point = [24.0, 25.0];

/// Hairstyle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hair {
    /// No hair.
    Bald,
    /// Short all round.
    Short,
    /// Covers the forehead.
    Fringe,
    /// Long, with a parting.
    Long,
    /// High at the temples.
    Receding,
}

/// Features of a person. Lengths are in pixels of the 48×48 face; grays are 0 black to 1 white.
#[derive(Clone, Debug)]
pub struct Person {
    /// Gray of the skin.
    pub skin: f32,
    /// Gray of hair and brows.
    pub hair_gray: f32,
    /// Hairstyle.
    pub hair: Hair,
    /// Lower end of the hair on the forehead.
    pub hairline: f32,
    /// Half of the head's width.
    pub head: f32,
    /// How much the jaw narrows, 0…1.
    pub jaw: f32,
    /// Distance of the eyes from the middle.
    pub eye_gap: f32,
    /// Height of the eyes on the face.
    pub eye_y: f32,
    /// Scale of the eyes.
    pub eye_size: f32,
    /// Gray of the iris.
    pub iris: f32,
    /// Distance from eye to brow.
    pub brow_gap: f32,
    /// Thickness of the brows.
    pub brow: f32,
    /// Lower end of the nose.
    pub nose_y: f32,
    /// Half of the nose's width.
    pub nose: f32,
    /// Height of the mouth.
    pub mouth_y: f32,
    /// Half of the mouth's width.
    pub mouth: f32,
    /// Thickness of the lips.
    pub lip: f32,
    /// Gray of the lips divided by the gray of the skin.
    pub lip_gray: f32,
    /// Strength of all creases.
    pub age: f32,
    /// Gray of the frame of the glasses; `None` without glasses.
    pub glasses: Option<f32>,
    /// Density of the beard, 0…1.
    pub beard: f32,
    /// Density of the moustache, 0…1.
    pub moustache: f32,
}

impl Person {
    /// Draws a random person.
    pub fn draw(rng: &mut Rng) -> Self {
        let mut between = |low: f64, high: f64| rng.uniform_in(low, high) as f32;
        let skin = between(0.46, 0.88);
        let person = Person {
            skin,
            hair_gray: between(0.03, 0.42),
            hair: Hair::Short,
            hairline: between(4.0, 8.0),
            head: between(16.5, 19.5),
            jaw: between(0.12, 0.34),
            eye_gap: between(8.6, 10.2),
            eye_y: between(16.2, 17.8),
            eye_size: between(0.98, 1.25),
            iris: between(0.05, 0.32),
            brow_gap: between(4.4, 5.8),
            brow: between(1.5, 2.6),
            nose_y: between(28.0, 30.5),
            nose: between(2.8, 4.4),
            mouth_y: between(37.2, 39.0),
            mouth: between(6.2, 7.8),
            lip: between(0.7, 1.6),
            lip_gray: between(0.55, 0.78),
            age: between(0.4, 1.1),
            glasses: None,
            beard: 0.0,
            moustache: 0.0,
        };
        let styles = [Hair::Bald, Hair::Short, Hair::Short, Hair::Fringe, Hair::Long, Hair::Long];
        let hair = [Hair::Receding].iter().chain(&styles).nth(rng.below(7)).copied();
        let bearded = rng.bernoulli(0.14);
        let moustached = bearded || rng.bernoulli(0.06);
        Person {
            hair: hair.unwrap_or(Hair::Short),
            glasses: rng.bernoulli(0.13).then(|| rng.uniform_in(0.03, 0.35) as f32),
            beard: if bearded { rng.uniform_in(0.35, 0.85) as f32 } else { 0.0 },
            moustache: if moustached { rng.uniform_in(0.4, 0.9) as f32 } else { 0.0 },
            ..person
        }
    }
}

/// Pose of the head.
#[derive(Clone, Copy, Debug)]
pub struct Pose {
    /// Shift right and down, in pixels.
    pub shift: Point,
    /// Tilt, in radians.
    pub tilt: f32,
    /// Zoom.
    pub zoom: f32,
    /// Whether the face is mirrored.
    pub mirror: bool,
    /// Turn to the side, −1…1.
    pub yaw: f32,
    /// Nod, −1…1.
    pub pitch: f32,
}

impl Pose {
    /// Draws a random pose within FER2013's usual range.
    pub fn draw(rng: &mut Rng) -> Self {
        let normal =
            |rng: &mut Rng, sd: f64, most: f64| (sd * rng.normal()).clamp(-most, most) as f32;
        Pose {
            shift: [normal(rng, 1.5, 3.5), normal(rng, 1.3, 3.0)],
            tilt: normal(rng, 0.10, 0.26),
            zoom: 1.02 + normal(rng, 0.05, 0.12),
            mirror: rng.bernoulli(0.5),
            yaw: normal(rng, 0.4, 1.0),
            pitch: normal(rng, 0.35, 0.9),
        }
    }

    /// Returns the point of the head at each pixel, and the point of its features. The features are on the
    /// bulge of the face and move further when the head turns.
    pub fn maps(&self) -> (Box<Map>, Box<Map>) {
        let (mut head, mut features) = (Box::new([[0.0; 2]; PIXELS]), Box::new([[0.0; 2]; PIXELS]));
        let (sin, cos) = self.tilt.sin_cos();
        let sign = if self.mirror { -1.0 } else { 1.0 };
        for (i, (h, f)) in head.iter_mut().zip(features.iter_mut()).enumerate() {
            let x = (i % SIDE) as f32 - CENTRE[0] - self.shift[0];
            let y = (i / SIDE) as f32 - CENTRE[1] - self.shift[1];
            let u = sign * (cos * x + sin * y) / self.zoom;
            let v = (cos * y - sin * x) / self.zoom;
            *h = [u + CENTRE[0], v + CENTRE[1]];
            let bulge = (1.0 - (u / 21.0).powi(2) - (v / 30.0).powi(2)).max(0.0);
            *f = [h[0] - 4.0 * self.yaw * bulge, h[1] - 2.2 * self.pitch * bulge];
        }
        (head, features)
    }
}

/// Background, light and camera.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Gray of the background at the top left, and its change to the right and down.
    pub background: [f32; 3],
    /// Strength of the cloudy texture behind the head.
    pub texture: f32,
    /// Direction of the light times its strength.
    pub light: Point,
    /// Contrast about the middle gray.
    pub contrast: f32,
    /// Brightness added.
    pub brightness: f32,
    /// Exponent on gray.
    pub gamma: f32,
    /// Amount of blur, 0…1.
    pub blur: f32,
    /// Standard deviation of the sensor's noise.
    pub noise: f32,
    /// Position and size of a hand that covers part of the face, if there is one.
    pub hand: Option<(Point, f32)>,
}

impl Environment {
    /// Draws a random environment.
    pub fn draw(rng: &mut Rng) -> Self {
        let angle = rng.uniform_in(0.0, std::f64::consts::TAU);
        let strength = rng.uniform_in(0.0, 0.34);
        let hand = rng.bernoulli(0.06).then(|| {
            let side = if rng.bernoulli(0.5) { 1.0 } else { -1.0 };
            let x = 24.0 + side * rng.uniform_in(10.0, 15.0) as f32;
            ([x, rng.uniform_in(36.0, 44.0) as f32], rng.uniform_in(0.8, 1.2) as f32)
        });
        let mut between = |low: f64, high: f64| rng.uniform_in(low, high) as f32;
        Environment {
            background: [between(0.05, 0.9), between(-0.25, 0.25), between(-0.2, 0.2)],
            texture: between(0.0, 0.22),
            light: [(angle.cos() * strength) as f32, (angle.sin() * strength) as f32],
            contrast: between(0.7, 1.2),
            brightness: between(-0.1, 0.1),
            gamma: between(0.8, 1.25),
            blur: between(0.0, 0.8),
            noise: between(0.004, 0.025),
            hand,
        }
    }
}
