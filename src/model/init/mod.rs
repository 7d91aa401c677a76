//! Initialisation of the convolutions, other than random.

pub mod eigen;

use crate::model::Network;
use crate::model::init::eigen::symmetric_eigen;
use crate::nn::Parameter;
use crate::tensor::Tensor;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Initial values of the convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// Random, variance 2/fan_in (He et al. 2015).
    #[default]
    Kaiming,
    /// The first filters of every convolution copy one input channel each; the rest are random
    /// (Jordan 2024, airbench).
    Identity,
    /// The first convolution whitens patches of the training faces: its outputs are uncorrelated
    /// and of variance 1. The rest is random (Page 2019, "How to train your ResNet 8").
    Whitening,
    /// Whitening in the first convolution, identity in the others.
    WhiteningIdentity,
}

/// Added to the eigenvalues: without it, whitening would amplify noise to the size of the signal.
const EPS: f64 = 5e-4;

impl Init {
    fn identity(self) -> bool {
        matches!(self, Init::Identity | Init::WhiteningIdentity)
    }

    /// Returns whether it needs training faces.
    pub fn whitening(self) -> bool {
        matches!(self, Init::Whitening | Init::WhiteningIdentity)
    }

    /// Sets the convolutions of a network with random weights. `pixels` are faces in [0, 1],
    /// `[n, side, side]`, for whitening.
    ///
    /// # Errors
    /// [`Error::Usage`] if the first convolution does not have one input channel, or is larger than
    /// the faces.
    pub fn apply(self, network: &mut Network<f32>, pixels: &[f32], side: usize) -> Result<()> {
        let (mean, std) = (network.spec.mean, network.spec.std);
        let convolutions =
            network.parameters_mut().into_iter().filter(|p| p.value.shape().len() == 4);
        for (number, p) in convolutions.enumerate() {
            if number == 0 && self.whitening() {
                let normalised: Vec<f32> =
                    pixels.iter().map(|&x| ((f64::from(x) - mean) / std) as f32).collect();
                whiten(p, &normalised, side)?;
            } else if self.identity() {
                set_identity(p)?;
            }
        }
        Ok(())
    }
}

/// Sets weight\[o, o, middle\] = 1 and the rest of filter o to 0, for every input channel o of a
/// group.
fn set_identity(p: &mut Parameter<f32>) -> Result<()> {
    let [c_out, c_in, k_h, k_w] = sizes(p);
    let mut weight = p.value.to_vec();
    let taps = k_h * k_w;
    for o in 0..c_out.min(c_in) {
        let filter = &mut weight[o * c_in * taps..][..c_in * taps];
        filter.fill(0.0);
        filter[o * taps + (k_h / 2) * k_w + k_w / 2] = 1.0;
    }
    p.value = Tensor::from_slice(&weight, &p.value.shape())?;
    Ok(())
}

/// Sets the filters to ±eᵢ/√(λᵢ + ε), where (λᵢ, eᵢ) are the eigenpairs of the covariance of the
/// patches, the largest first: all with plus, then all with minus. Further filters stay random.
fn whiten(p: &mut Parameter<f32>, pixels: &[f32], side: usize) -> Result<()> {
    let [c_out, c_in, k_h, k_w] = sizes(p);
    if c_in != 1 {
        let message = format!("init whitening: {} has {c_in} input channels, expected 1", p.name);
        return Err(Error::Usage(message));
    }
    let taps = k_h * k_w;
    let Some(covariance) = patch_covariance(pixels, side, [k_h, k_w]) else {
        let message = format!("init whitening: no patch of {k_h}×{k_w} in faces of side {side}");
        return Err(Error::Usage(message));
    };
    let (values, vectors) = symmetric_eigen(&covariance, taps);
    let mut weight = p.value.to_vec();
    for (o, filter) in weight.chunks_mut(taps).enumerate().take(c_out.min(2 * taps)) {
        let sign = if o < taps { 1.0 } else { -1.0 };
        let scale = sign / (values[o % taps].max(0.0) + EPS).sqrt();
        for (w, e) in filter.iter_mut().zip(&vectors[o % taps]) {
            *w = (scale * e) as f32;
        }
    }
    p.value = Tensor::from_slice(&weight, &p.value.shape())?;
    Ok(())
}

fn sizes(p: &Parameter<f32>) -> [usize; 4] {
    let s = p.value.shape();
    [s[0], s[1], s[2], s[3]]
}

/// Returns the covariance `[k, k]` of the k = k_h·k_w pixels of all patches inside the faces;
/// `None` if there is no patch.
fn patch_covariance(pixels: &[f32], side: usize, [k_h, k_w]: [usize; 2]) -> Option<Vec<f64>> {
    let (rows, columns) = ((side + 1).checked_sub(k_h)?, (side + 1).checked_sub(k_w)?);
    let taps = k_h * k_w;
    let (mut sum, mut products) = (vec![0.0; taps], vec![0.0; taps * taps]);
    let mut patch = vec![0.0; taps];
    for face in pixels.chunks_exact(side * side) {
        for corner in (0..rows).flat_map(|y| (0..columns).map(move |x| y * side + x)) {
            for (t, value) in patch.iter_mut().enumerate() {
                *value = f64::from(face[corner + t / k_w * side + t % k_w]);
            }
            for i in 0..taps {
                sum[i] += patch[i];
                for j in 0..=i {
                    products[i * taps + j] += patch[i] * patch[j];
                }
            }
        }
    }
    let n = (pixels.len() / (side * side).max(1) * rows * columns) as f64;
    let entry = |i: usize| {
        let (a, b) = ((i / taps).max(i % taps), (i / taps).min(i % taps));
        products[a * taps + b] / n - sum[a] / n * (sum[b] / n)
    };
    (n > 0.0).then(|| (0..taps * taps).map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::Var;
    use crate::dataset::{SynthOptions, synthesize};
    use crate::model::architecture;
    use crate::nn::Pass;
    use crate::{PIXELS, SIDE};

    fn faces(n: usize) -> Vec<f32> {
        let set = synthesize(&SynthOptions { count: n, ..SynthOptions::default() }).unwrap();
        set.pixels().iter().map(|&p| f32::from(p) / 255.0).collect()
    }

    /// Returns the output of the first convolution, without its border, one row per channel.
    fn first_outputs(network: &Network<f32>, pixels: &[f32]) -> Vec<Vec<f64>> {
        let x = Tensor::from_slice(pixels, &[pixels.len() / PIXELS, 1, SIDE, SIDE]).unwrap();
        let mut pass = Pass::eval();
        pass.watch(&["conv2d_1"]);
        network.forward_to_watched(&mut pass, &Var::constant(x)).unwrap();
        let y = pass.output("conv2d_1").unwrap().value();
        let (c, y) = (y.shape()[1], y.to_vec());
        let inside = |i: &usize| {
            let (row, column) = (i / SIDE % SIDE, i % SIDE);
            (1..SIDE - 1).contains(&row) && (1..SIDE - 1).contains(&column)
        };
        let channel = |k: usize| {
            let of_k = (0..y.len()).filter(inside).filter(|i| i / PIXELS % c == k);
            of_k.map(|i| f64::from(y[i])).collect()
        };
        (0..c).map(channel).collect()
    }

    #[test]
    fn whitened_outputs_are_uncorrelated() {
        let mut network: Network<f32> = Network::new(architecture("fer-s").unwrap(), 0).unwrap();
        let pixels = faces(14);
        Init::Whitening.apply(&mut network, &pixels, SIDE).unwrap();
        let rows = first_outputs(&network, &pixels);
        let covariance = |a: &[f64], b: &[f64]| {
            let n = a.len() as f64;
            let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
            a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum::<f64>() / n
        };
        for i in 0..9 {
            let own = covariance(&rows[i], &rows[i]);
            assert!(own <= 1.001, "channel {i} has variance {own}");
            for j in 0..i {
                let both = covariance(&rows[i], &rows[j]);
                assert!(both.abs() < 2e-3, "channels {i} and {j}: {both}");
            }
        }
        assert!(covariance(&rows[0], &rows[0]) > 0.999);
        for i in 9..16 {
            assert!(rows[i].iter().zip(&rows[i - 9]).all(|(a, b)| (a + b).abs() < 1e-4));
        }
    }

    #[test]
    fn identity_copies_channels() {
        let mut network: Network<f32> = Network::new(architecture("fer-s").unwrap(), 0).unwrap();
        let random = network.clone();
        let pixels = faces(2);
        Init::Identity.apply(&mut network, &[], 0).unwrap();
        let rows = first_outputs(&network, &pixels);
        let (mean, std) = (network.spec.mean, network.spec.std);
        let inside = (0..pixels.len()).filter(|i| {
            (1..SIDE - 1).contains(&(i / SIDE % SIDE)) && (1..SIDE - 1).contains(&(i % SIDE))
        });
        for (i, found) in inside.zip(&rows[0]) {
            assert!((found - (f64::from(pixels[i]) - mean) / std).abs() < 1e-4);
        }
        // conv2d_2 takes 16 channels to 32: the first 16 filters are the identity, the rest random.
        let weight = |n: &Network<f32>| {
            let all = n.parameters();
            all.iter().find(|p| p.name == "conv2d_2.weight").unwrap().value.to_vec()
        };
        let (set, before) = (weight(&network), weight(&random));
        let half = 16 * 16 * 9;
        assert_eq!(set[half..], before[half..]);
        assert_eq!(set[..half].iter().filter(|&&w| w == 1.0).count(), 16);
        assert_eq!(set[..half].iter().filter(|&&w| w == 0.0).count(), half - 16);
        assert_eq!(set[5 * 16 * 9 + 5 * 9 + 4], 1.0);
    }
}
