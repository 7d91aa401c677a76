//! Schedules: the learning rate over a training.

use serde::{Deserialize, Serialize};

/// How the learning rate changes after warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleShape {
    /// Constant.
    Constant,
    /// A tenth at one half, a hundredth at three quarters of the training.
    Step,
    /// (1 + cos πp)/2: falls to exactly 0 (Loshchilov and Hutter 2017).
    Cosine,
    /// Rises along a cosine from 1/25 for three tenths of the training, falls along a cosine to
    /// 1/250,000 (Smith and Topin 2018; PyTorch's `OneCycleLR`).
    OneCycle,
    /// 1 − p: falls to exactly 0.
    #[default]
    Linear,
}

/// Warm-up, then a shape. It is a function of the progress p, the share of the training that is
/// done, by steps or by time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// The shape after warm-up.
    pub shape: ScheduleShape,
    /// Share of the training in which the rate rises linearly from 0. One-cycle ignores it.
    pub warmup: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { shape: ScheduleShape::Linear, warmup: 0.05 }
    }
}

/// Returns half a cosine from `from` to `to` as t goes from 0 to 1.
fn cosine(from: f64, to: f64, t: f64) -> f64 {
    to + (from - to) * (1.0 + (std::f64::consts::PI * t).cos()) / 2.0
}

impl Schedule {
    /// Returns the factor on the learning rate at progress p in \[0, 1\].
    pub fn factor(&self, p: f64) -> f64 {
        const RISE: f64 = 0.3;
        let p = p.clamp(0.0, 1.0);
        if self.shape == ScheduleShape::OneCycle {
            return match p < RISE {
                true => cosine(1.0 / 25.0, 1.0, p / RISE),
                false => cosine(1.0, 1.0 / 250_000.0, (p - RISE) / (1.0 - RISE)),
            };
        }
        if p < self.warmup {
            return p / self.warmup;
        }
        let after = (p - self.warmup) / (1.0 - self.warmup).max(f64::MIN_POSITIVE);
        match self.shape {
            ScheduleShape::Constant | ScheduleShape::OneCycle => 1.0,
            ScheduleShape::Step if after < 0.5 => 1.0,
            ScheduleShape::Step if after < 0.75 => 0.1,
            ScheduleShape::Step => 0.01,
            ScheduleShape::Cosine => cosine(1.0, 0.0, after),
            ScheduleShape::Linear => 1.0 - after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(shape: ScheduleShape, warmup: f64, p: f64) -> f64 {
        Schedule { shape, warmup }.factor(p)
    }

    #[test]
    fn shapes_pass_through_their_points() {
        assert_eq!(at(ScheduleShape::Constant, 0.0, 0.9), 1.0);
        assert_eq!(at(ScheduleShape::Linear, 0.0, 0.25), 0.75);
        assert_eq!(at(ScheduleShape::Linear, 0.2, 0.1), 0.5);
        assert_eq!(at(ScheduleShape::Linear, 0.2, 0.2), 1.0);
        assert_eq!(at(ScheduleShape::Linear, 0.2, 1.0), 0.0);
        assert!((at(ScheduleShape::Cosine, 0.0, 0.5) - 0.5).abs() < 1e-15);
        assert_eq!(at(ScheduleShape::Cosine, 0.0, 1.0), 0.0);
        assert_eq!(
            [0.49, 0.5, 0.74, 0.75].map(|p| at(ScheduleShape::Step, 0.0, p)),
            [1.0, 0.1, 0.1, 0.01]
        );
        assert!((at(ScheduleShape::OneCycle, 0.0, 0.0) - 0.04).abs() < 1e-15);
        assert_eq!(at(ScheduleShape::OneCycle, 0.0, 0.3), 1.0);
        assert!((at(ScheduleShape::OneCycle, 0.0, 1.0) - 4e-6).abs() < 1e-12);
    }
}
