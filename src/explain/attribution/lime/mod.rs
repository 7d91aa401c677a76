//! LIME: a linear model of the network around one face, over superpixels shown or hidden.

pub mod ridge;
pub mod slic;
pub mod superpixels;

use crate::explain::FaceBatch;
use crate::explain::batch::probabilities_of;
use crate::random::{Purpose, Rng};
use crate::stats::spearman;
use crate::{Error, PIXELS, Result};
use ridge::{Ridge, ridge};
use superpixels::{Segmentation, count, segment, superpixel_means};

/// Settings of LIME.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimeOptions {
    /// How the face is cut into superpixels.
    pub segmentation: Segmentation,
    /// Pictures with random superpixels hidden, per fit; the first hides none.
    pub num_samples: usize,
    /// Width of the kernel on the cosine distance.
    pub kernel_width: f64,
    /// Ridge penalty.
    pub alpha: f64,
    /// Number of fits, each with its own random pictures. Their agreement shows how stable the
    /// explanation is.
    pub fits: usize,
    /// Seed of the first fit.
    pub seed: u64,
}

impl Default for LimeOptions {
    fn default() -> Self {
        LimeOptions {
            segmentation: Segmentation::Slic,
            num_samples: 1000,
            kernel_width: 0.25,
            alpha: 1.0,
            fits: 5,
            seed: 0,
        }
    }
}

/// Fewest superpixels that an explanation is drawn for.
pub const MIN_SUPERPIXELS: usize = 8;
/// Smallest weighted R² that is drawn.
pub const MIN_R2: f64 = 0.3;
/// Smallest overlap of the five strongest superpixels of two fits that is drawn.
pub const MIN_TOP5: f64 = 0.5;
/// Largest difference between the linear model's and the network's probability of the face itself
/// that is drawn. Neither the paper nor the library names a limit.
pub const MAX_GAP: f64 = 0.2;
/// Differences of probabilities below this are rounding.
const ROUNDING: f32 = 1e-5;

/// The LIME explanation of one face.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Lime {
    /// Superpixel of every pixel, `[48, 48]`.
    #[serde(skip)]
    pub superpixels: Vec<usize>,
    /// Change of the probability when a superpixel is shown, one for each superpixel: mean over the
    /// fits.
    pub coefficients: Vec<f64>,
    /// Intercept, the probability by the linear model with every superpixel hidden: mean over the
    /// fits.
    pub intercept: f64,
    /// Weighted R²: mean over the fits.
    pub r2: f64,
    /// Probability of the whole face by the linear model.
    pub local_prediction: f64,
    /// Probability of the whole face by the network.
    pub model_prediction: f64,
    /// Agreement of the fits; `None` for a single fit.
    #[serde(flatten)]
    pub agreement: Option<Agreement>,
    /// Why no map should be drawn; `None` where it may be.
    pub refused: Option<String>,
}

/// Agreement of fits with different random pictures, mean over all pairs.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Agreement {
    /// Spearman correlation of the coefficients.
    #[serde(rename = "rank_agreement")]
    pub rank: f64,
    /// Share of the five strongest superpixels that two fits have in common.
    #[serde(rename = "top5_agreement")]
    pub top5: f64,
}

impl Lime {
    /// Difference between the linear model's and the network's probability of the face itself.
    pub fn gap(&self) -> f64 {
        (self.local_prediction - self.model_prediction).abs()
    }

    /// The coefficients painted on their superpixels, `[48, 48]`; above 0 they raise the
    /// probability.
    pub fn map(&self) -> Vec<f32> {
        self.superpixels.iter().map(|&k| self.coefficients[k] as f32).collect()
    }
}

/// Explains the probability of the target's class for every face.
///
/// Bernoulli(½) masks choose which superpixels are shown (the first mask shows all); a hidden one
/// is painted in its mean gray. A mask that shows k of n superpixels has the cosine distance d = 1
/// − sqrt(k/n) from the full mask, and the weight sqrt(exp(−d²/width²)). The linear model is a
/// weighted ridge regression with intercept, solved exactly, and repeated with other seeds. The
/// result is refused below 8 superpixels or R² 0.3, where the fits disagree, and where the linear
/// model is wrong about the face itself.
///
/// **Errors**: those of the network; `Shape` where the regression is singular (`alpha` = 0).
/// **Source**: Ribeiro, Singh & Guestrin 2016 (arXiv 1602.04938); `lime` 0.2 `lime_image`, whose
/// quickshift defaults leave a median of two superpixels on a 48×48 face. Captum's `Lime` uses
/// Lasso and 25 samples, xplique Ridge(2) and 150.
pub fn lime(faces: &FaceBatch<'_>, options: &LimeOptions) -> Result<Vec<Lime>> {
    let explain = |f: usize| {
        let superpixels = segment(faces.face(f), options.segmentation);
        lime_with_superpixels(faces, f, superpixels, options)
    };
    (0..faces.len()).map(explain).collect()
}

/// Explains face f with the caller's superpixels, `[48, 48]`, numbered from 0 without gaps.
///
/// **Errors**: those of [`lime`]; `Shape` where a pixel has no superpixel or a number is too high.
pub fn lime_with_superpixels(
    faces: &FaceBatch<'_>,
    f: usize,
    superpixels: Vec<usize>,
    options: &LimeOptions,
) -> Result<Lime> {
    let (x, class) = (faces.face(f), faces.class(f));
    if superpixels.len() != PIXELS || superpixels.iter().any(|&k| k >= PIXELS) {
        let highest = superpixels.iter().max();
        let found = format!("superpixels up to {highest:?} for {} pixels", superpixels.len());
        let detail = format!("{found}, expected numbers below {PIXELS} for {PIXELS} pixels");
        return Err(Error::shape("lime", detail));
    }
    let n = count(&superpixels);
    let hidden = superpixel_means(x, &superpixels);
    let mut fits = Vec::new();
    let (mut model_prediction, mut largest_change) = (0.0, 0.0f32);
    for fit in 0..options.fits.max(1) as u64 {
        let masks = draw_masks(options, n, fit);
        let paint = |s: usize, out: &mut [f32]| {
            for (p, o) in out.iter_mut().enumerate() {
                let shown = masks[s * n + superpixels[p]] > 0.0;
                *o = if shown { x[p] } else { hidden[p] };
            }
        };
        let samples = options.num_samples.max(1);
        let found = probabilities_of(faces.classifier(), class, samples, paint)?;
        model_prediction = f64::from(found[0]);
        largest_change = found.iter().fold(largest_change, |top, p| top.max((p - found[0]).abs()));
        let y: Vec<f64> = found.into_iter().map(f64::from).collect();
        let weights: Vec<f64> = masks.chunks_exact(n).map(|m| weight(m, options)).collect();
        fits.push(ridge(&masks, &y, &weights, options.alpha)?);
    }
    let mean =
        |value: &dyn Fn(&Ridge) -> f64| fits.iter().map(value).sum::<f64>() / fits.len() as f64;
    let coefficients: Vec<f64> = (0..n).map(|k| mean(&|r| r.coefficients[k])).collect();
    let (intercept, r2) = (mean(&|r| r.intercept), mean(&|r| r.r2));
    let mut found = Lime {
        local_prediction: intercept + coefficients.iter().sum::<f64>(),
        intercept,
        r2,
        model_prediction,
        agreement: agreement(&fits),
        coefficients,
        superpixels,
        refused: None,
    };
    let is_flat = hidden.iter().zip(x).all(|(a, b)| (a - b).abs() < ROUNDING);
    found.refused = match (largest_change > ROUNDING, is_flat) {
        (true, _) => refusal(&found),
        (false, true) => Some(NO_CONTRAST.into()),
        (false, false) => Some(NO_CHANGE.into()),
    };
    Ok(found)
}

/// Reason for refusing a face without contrast.
const NO_CONTRAST: &str =
    "hiding superpixels does not change this face: every superpixel has one gray level";

/// Reason for refusing a face whose answer nothing changes.
const NO_CHANGE: &str =
    "hiding superpixels does not change the probability: the network is as sure whatever is hidden";

/// The reason why the map should not be drawn, if there is one.
fn refusal(found: &Lime) -> Option<String> {
    let (n, r2) = (found.coefficients.len(), found.r2);
    if n < MIN_SUPERPIXELS {
        return Some(format!(
            "LIME found {n} superpixels and needs {MIN_SUPERPIXELS}; use --segmentation face"
        ));
    }
    if let Some(Agreement { top5, .. }) = found.agreement.filter(|a| a.top5 < MIN_TOP5) {
        // A fit on fewer pictures than superpixels has a high R² by chance.
        return Some(format!(
            "LIME's fits with different random pictures share {:.0} % of their five strongest \
             superpixels (at least {:.0} % needed); use more pictures with --samples",
            100.0 * top5,
            100.0 * MIN_TOP5
        ));
    }
    if r2 < MIN_R2 {
        return Some(format!(
            "LIME's linear model explains {:.0} % of the network's probabilities around this face \
             (R² {r2:.2}, at least {MIN_R2} needed)",
            100.0 * r2.max(0.0)
        ));
    }
    (found.gap() > MAX_GAP).then(|| {
        format!(
            "LIME's linear model gives the whole face {:.2} and the network gives it {:.2} (at most \
             {MAX_GAP} apart allowed): the model describes the pictures with hidden superpixels, \
             not the face",
            found.local_prediction, found.model_prediction
        )
    })
}

/// Masks `[samples, n]` of 0 and 1 for n superpixels; the first shows everything.
fn draw_masks(options: &LimeOptions, n: usize, fit: u64) -> Vec<f64> {
    let mut masks = vec![1.0; options.num_samples.max(1) * n];
    let seed = options.seed.wrapping_add(fit);
    for (s, mask) in masks.chunks_exact_mut(n).enumerate().skip(1) {
        let mut rng = Rng::new(seed, Purpose::Explain, 3, s as u64);
        mask.fill_with(|| f64::from(u8::from(rng.bernoulli(0.5))));
    }
    masks
}

/// sqrt(exp(−d²/width²)), where d is the cosine distance to the full mask; d = 1 where nothing is
/// shown.
fn weight(mask: &[f64], options: &LimeOptions) -> f64 {
    let shown: f64 = mask.iter().sum();
    let distance = 1.0 - (shown / mask.len() as f64).sqrt();
    (-(distance / options.kernel_width).powi(2)).exp().sqrt()
}

/// Agreement of all pairs of fits; `None` for a single fit.
fn agreement(fits: &[Ridge]) -> Option<Agreement> {
    let narrow = |r: &Ridge| r.coefficients.iter().map(|&c| c as f32).collect::<Vec<f32>>();
    let top5 = |r: &Ridge| {
        let mut order: Vec<usize> = (0..r.coefficients.len()).collect();
        let size = |k: usize| r.coefficients[k].abs();
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
        order.truncate(5);
        order
    };
    let (mut rank, mut shared, mut pairs) = (0.0, 0.0, 0.0);
    for (i, a) in fits.iter().enumerate() {
        for b in &fits[i + 1..] {
            let (top_a, top_b) = (top5(a), top5(b));
            let common = top_a.iter().filter(|k| top_b.contains(k)).count();
            rank += spearman(&narrow(a), &narrow(b));
            shared += common as f64 / top_a.len().max(1) as f64;
            pairs += 1.0;
        }
    }
    (pairs > 0.0).then(|| Agreement { rank: rank / pairs, top5: shared / pairs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_that_disagree_are_refused_however_well_each_fits() {
        let why = refusal(&fit(0.13, 0.9)).expect("refused");
        assert!(why.contains("13 %"), "{why}");
        assert_eq!(refusal(&fit(MIN_TOP5, 0.9)), None);
    }

    #[test]
    fn a_local_model_that_misses_the_face_itself_is_refused() {
        let why = refusal(&fit(1.0, 0.65)).expect("refused");
        assert!(why.contains("0.65") && why.contains("0.90"), "{why}");
        assert_eq!(refusal(&fit(1.0, 0.75)), None);
    }

    #[test]
    fn a_single_fit_agrees_with_nothing() {
        let one = Ridge { coefficients: vec![0.3, -0.1], intercept: 0.2, r2: 0.9 };
        assert_eq!(agreement(std::slice::from_ref(&one)), None);
        let same = agreement(&[one.clone(), one]).expect("two fits");
        assert!((same.rank - 1.0).abs() < 1e-12 && same.top5 == 1.0, "{same:?}");
    }

    /// 48 superpixels, R² 0.96, network 0.9.
    fn fit(top5: f64, local_prediction: f64) -> Lime {
        Lime {
            superpixels: vec![],
            coefficients: vec![0.0; 48],
            intercept: local_prediction,
            r2: 0.96,
            local_prediction,
            model_prediction: 0.9,
            agreement: Some(Agreement { rank: top5, top5 }),
            refused: None,
        }
    }

    #[test]
    fn kernel_weight_of_half_a_mask() {
        let o = LimeOptions::default();
        assert_eq!(weight(&[1.0, 1.0], &o), 1.0);
        // d = 1 − sqrt(1/4) = 1/2; sqrt(exp(−4)) = e^−2
        assert!((weight(&[1.0, 0.0, 0.0, 0.0], &o) - (-2.0f64).exp()).abs() < 1e-12);
        assert!((weight(&[0.0, 0.0], &o) - (-8.0f64).exp()).abs() < 1e-12);
    }
}
