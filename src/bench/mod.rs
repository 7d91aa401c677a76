//! Measurements of `fer bench`.
//!
//! [`machine`]: the machine and its limits. [`steps`]: training steps and inference. [`layers`]: the
//! profile of a training step. [`inference_layers`]: that of an inference. [`ladder`]: one convolution from naive loops to the fastest kernel.
//! [`conv`]: the three passes of single convolutions.
//!
//! GFLOP/s = 2 · multiply-accumulates of the definition / 1e9 / s, whatever an algorithm executes.
//! GB/s = 1e9 bytes / s. Rates of kernels are those of the fastest of several runs, because
//! disturbances only make a run slower.

pub mod conv;
pub mod inference_layers;
pub mod ladder;
pub mod layers;
mod layers_text;
pub mod machine;
pub mod steps;

use crate::random::{Purpose, Rng};
use fer_kernels::Conv2dGeometry;
use std::time::Instant;

/// Measures the seconds that `f` takes.
pub(crate) fn seconds(f: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    f();
    begun.elapsed().as_secs_f64()
}

/// Returns the value below which a `share` of `sorted` lies; 0 if `sorted` is empty.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len().max(1) - 1) as f64 * share;
    sorted.get(place.round() as usize).copied().unwrap_or(0.0)
}

/// Returns the median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// Returns standard normal numbers.
pub(crate) fn normal(len: usize) -> Vec<f32> {
    let mut rng = Rng::new(0, Purpose::Test, 0, len as u64);
    (0..len).map(|_| rng.normal() as f32).collect()
}

/// A 3×3 convolution with stride 1 and padding 1, written `64-128@24`: 64 channels in, 128 out, on
/// pictures of 24×24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvLayer {
    /// Input channels.
    pub c_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Height and width.
    pub side: usize,
}

impl ConvLayer {
    /// The convolutions of `vgg`.
    pub const OF_VGG: [ConvLayer; 8] = [
        ConvLayer { c_in: 1, c_out: 64, side: 48 },
        ConvLayer { c_in: 64, c_out: 64, side: 48 },
        ConvLayer { c_in: 64, c_out: 128, side: 24 },
        ConvLayer { c_in: 128, c_out: 128, side: 24 },
        ConvLayer { c_in: 128, c_out: 256, side: 12 },
        ConvLayer { c_in: 256, c_out: 256, side: 12 },
        ConvLayer { c_in: 256, c_out: 512, side: 6 },
        ConvLayer { c_in: 512, c_out: 512, side: 6 },
    ];

    /// Returns the sizes for a batch of `n` pictures.
    #[expect(clippy::expect_used, reason = "padding 1 fits a window of 3 around any picture")]
    pub fn geometry(self, n: usize) -> Conv2dGeometry {
        let Self { c_in, c_out, side } = self;
        let ones = [1, 1];
        Conv2dGeometry::new([n, c_in, side, side], [c_out, c_in, 3, 3], ones, ones, ones, 1)
            .expect("padding 1 fits a window of 3 around any picture")
    }
}

impl std::fmt::Display for ConvLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}@{}", self.c_in, self.c_out, self.side)
    }
}

impl std::str::FromStr for ConvLayer {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let parse = || {
            let (channels, side) = s.split_once('@')?;
            let (c_in, c_out) = channels.split_once('-')?;
            let part = |s: &str| s.parse().ok().filter(|n| (1..=4096).contains(n));
            Some(ConvLayer { c_in: part(c_in)?, c_out: part(c_out)?, side: part(side)? })
        };
        parse().ok_or_else(|| {
            "expected channels in, channels out and side, each 1 to 4096, such as 64-128@24".into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read_as_they_are_written() {
        for layer in ConvLayer::OF_VGG {
            assert_eq!(layer.to_string().parse(), Ok(layer));
        }
        for bad in ["", "64", "64-128", "64@24", "0-1@1", "1-1@0", "a-b@c", "1-1@5000"] {
            assert!(bad.parse::<ConvLayer>().is_err(), "{bad}");
        }
    }

    #[test]
    fn quantiles_of_few_values() {
        assert_eq!(quantile(&[], 0.5), 0.0);
        assert_eq!([0.0, 0.5, 1.0].map(|q| quantile(&[1.0, 2.0, 4.0], q)), [1.0, 2.0, 4.0]);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
