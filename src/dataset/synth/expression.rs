//! Displacements of the facial features from the neutral face, for each expression.
//!
//! They follow the facial action coding system (Ekman and Friesen), simplified to what 48×48 pixels can
//! show. Lengths are in pixels of the 48×48 face.

use crate::random::Rng;

/// Displacements from the neutral face.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expression {
    /// Inner ends of the brows, up.
    pub brow_inner: f32,
    /// Outer ends of the brows, up.
    pub brow_outer: f32,
    /// Brows bend upwards.
    pub brow_arch: f32,
    /// Inner ends of the brows, towards each other.
    pub brow_knit: f32,
    /// Creases between the brows, 0…1.
    pub frown: f32,
    /// Creases across the forehead, 0…1.
    pub forehead: f32,
    /// Upper lids, up.
    pub lid_upper: f32,
    /// Lower lids, up.
    pub lid_lower: f32,
    /// Outer corners of the eyes, down.
    pub eye_droop: f32,
    /// Gaze, down.
    pub gaze: f32,
    /// Creases on the nose, 0…1.
    pub nose_wrinkle: f32,
    /// Folds from nose to mouth, and raised cheeks, 0…1.
    pub cheek: f32,
    /// Corners of the mouth, up.
    pub corner: f32,
    /// Middle of the upper lip, up.
    pub lip_upper: f32,
    /// Middle of the lower lip, down.
    pub lip_lower: f32,
    /// Half of the mouth's width, wider.
    pub width: f32,
    /// Round mouth, 0…1.
    pub round: f32,
    /// Teeth that show, 0…1.
    pub teeth: f32,
    /// Lower lip pushed up and out, 0…1.
    pub pout: f32,
    /// One corner of the mouth higher than the other.
    pub skew: f32,
}

/// A face without expression.
const NEUTRAL: Expression = Expression {
    brow_inner: 0.0,
    brow_outer: 0.0,
    brow_arch: 0.0,
    brow_knit: 0.0,
    frown: 0.0,
    forehead: 0.0,
    lid_upper: 0.0,
    lid_lower: 0.0,
    eye_droop: 0.0,
    gaze: 0.0,
    nose_wrinkle: 0.0,
    cheek: 0.0,
    corner: 0.0,
    lip_upper: 0.0,
    lip_lower: 0.0,
    width: 0.0,
    round: 0.0,
    teeth: 0.0,
    pout: 0.0,
    skew: 0.0,
};

/// Variants of each class, in the order of [`crate::CLASS_NAMES`].
const VARIANTS: [&[Expression]; 7] = [
    &[ANGRY_PRESSED, ANGRY_BARED],
    &[DISGUST_LIP, DISGUST_OPEN],
    &[FEAR_OPEN, FEAR_STRETCHED],
    &[HAPPY_OPEN, HAPPY_OPEN, HAPPY_CLOSED],
    &[SAD_LOW, SAD_POUT],
    &[SURPRISE_O, SURPRISE_WIDE],
    &[NEUTRAL],
];

const ANGRY_PRESSED: Expression = Expression {
    brow_inner: -3.4,
    brow_outer: 2.2,
    brow_knit: 1.8,
    frown: 1.0,
    lid_upper: -0.5,
    lid_lower: 0.6,
    corner: -1.0,
    width: -1.0,
    pout: 0.5,
    ..NEUTRAL
};

const ANGRY_BARED: Expression = Expression {
    lip_upper: 2.0,
    lip_lower: 2.8,
    width: 0.6,
    round: 0.5,
    teeth: 1.0,
    cheek: 0.5,
    pout: 0.0,
    corner: -0.6,
    ..ANGRY_PRESSED
};

const DISGUST_LIP: Expression = Expression {
    brow_inner: -1.6,
    brow_outer: -0.6,
    brow_knit: 1.0,
    frown: 0.4,
    lid_upper: -1.0,
    lid_lower: 1.0,
    nose_wrinkle: 1.0,
    cheek: 0.9,
    corner: -1.2,
    lip_upper: 2.6,
    lip_lower: 0.2,
    width: -0.8,
    teeth: 0.6,
    skew: 1.8,
    ..NEUTRAL
};

const DISGUST_OPEN: Expression =
    Expression { lip_upper: 2.8, lip_lower: 2.0, teeth: 0.7, skew: 1.2, ..DISGUST_LIP };

const FEAR_OPEN: Expression = Expression {
    brow_inner: 3.0,
    brow_outer: -0.2,
    brow_arch: -0.6,
    brow_knit: 1.5,
    forehead: 0.8,
    lid_upper: 1.7,
    lid_lower: -0.4,
    corner: -1.8,
    lip_upper: 1.0,
    lip_lower: 2.8,
    width: 1.6,
    round: 0.5,
    teeth: 0.3,
    ..NEUTRAL
};

const FEAR_STRETCHED: Expression =
    Expression { lip_upper: 0.9, lip_lower: 2.0, width: 2.4, teeth: 0.9, ..FEAR_OPEN };

const HAPPY_OPEN: Expression = Expression {
    brow_outer: 0.4,
    brow_arch: 0.4,
    lid_upper: -0.4,
    lid_lower: 0.9,
    cheek: 1.0,
    corner: 3.2,
    lip_upper: -0.4,
    lip_lower: 3.6,
    width: 2.8,
    teeth: 1.0,
    ..NEUTRAL
};

const HAPPY_CLOSED: Expression = Expression {
    lip_upper: -0.7,
    lip_lower: 0.9,
    corner: 2.7,
    teeth: 0.0,
    width: 2.2,
    ..HAPPY_OPEN
};

const SAD_LOW: Expression = Expression {
    brow_inner: 2.6,
    brow_outer: -1.6,
    brow_arch: -0.3,
    brow_knit: 1.0,
    frown: 0.2,
    lid_upper: -1.1,
    eye_droop: 1.2,
    gaze: 0.8,
    corner: -2.9,
    width: -0.6,
    ..NEUTRAL
};

const SAD_POUT: Expression = Expression { pout: 1.0, corner: -3.3, width: -1.3, ..SAD_LOW };

const SURPRISE_O: Expression = Expression {
    brow_inner: 2.8,
    brow_outer: 2.6,
    brow_arch: 1.6,
    forehead: 0.6,
    lid_upper: 1.7,
    lid_lower: -0.6,
    corner: 0.0,
    lip_upper: 3.2,
    lip_lower: 4.6,
    width: -3.0,
    round: 1.0,
    ..NEUTRAL
};

const SURPRISE_WIDE: Expression =
    Expression { lip_upper: 2.4, lip_lower: 3.6, width: -1.8, ..SURPRISE_O };

impl Expression {
    /// Draws a variant of class `label` with random strength and small random deviations.
    pub fn draw(label: u8, strength: [f32; 2], rng: &mut Rng) -> Self {
        let variants = VARIANTS[usize::from(label)];
        let variant = variants[rng.below(variants.len())];
        let strength = rng.uniform_in(strength[0].into(), strength[1].into()) as f32;
        let mut e = variant;
        for field in e.fields_mut() {
            *field *= strength * (1.0 + 0.10 * rng.normal() as f32);
        }
        let lengths = [
            &mut e.brow_inner, &mut e.brow_outer, &mut e.brow_arch, &mut e.lid_upper,
            &mut e.corner, &mut e.width,
        ];
        for field in lengths {
            *field += 0.2 * rng.normal() as f32;
        }
        if rng.bernoulli(0.5) {
            e.skew = -e.skew;
        }
        e.skew += 0.25 * rng.normal() as f32;
        e.gaze += 0.2 * rng.normal() as f32;
        e
    }

    fn fields_mut(&mut self) -> [&mut f32; 20] {
        [
            &mut self.brow_inner, &mut self.brow_outer, &mut self.brow_arch, &mut self.brow_knit,
            &mut self.frown, &mut self.forehead, &mut self.lid_upper, &mut self.lid_lower,
            &mut self.eye_droop, &mut self.gaze, &mut self.nose_wrinkle, &mut self.cheek,
            &mut self.corner, &mut self.lip_upper, &mut self.lip_lower, &mut self.width,
            &mut self.round, &mut self.teeth, &mut self.pout, &mut self.skew,
        ]
    }
}
