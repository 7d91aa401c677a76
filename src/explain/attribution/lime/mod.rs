//! LIME: a linear model of the network around one face, over pieces shown or hidden.

pub mod ridge;
pub mod slic;
pub mod superpixels;

use crate::explain::Classifier;
use crate::explain::attribution::lime::ridge::{Ridge, ridge};
use crate::explain::attribution::lime::superpixels::{Segmentation, count, segment, segment_means};
use crate::explain::batch::{face, probabilities_of};
use crate::explain::validate::check_classes;
use crate::random::{Purpose, Rng};
use crate::stats::spearman;
use crate::{Error, PIXELS, Result};

/// How LIME samples and fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimeOptions {
    /// The pieces.
    pub segmentation: Segmentation,
    /// Pictures with random pieces hidden; the first hides none.
    pub num_samples: usize,
    /// Width of the kernel on cosine distance.
    pub kernel_width: f64,
    /// Ridge penalty.
    pub alpha: f64,
    /// Fits that are compared with each other, each of `num_samples`; of one fit nobody knows how
    /// stable it is.
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

/// Fewer pieces than this explain nothing.
pub const MIN_SUPERPIXELS: usize = 8;
/// A local fit below this weighted R² is not drawn.
pub const MIN_R2: f64 = 0.3;
/// Fits that share less of their five strongest pieces than this are not drawn.
pub const MIN_TOP5: f64 = 0.5;
/// A local model that misses the network's probability of the face itself by more is not drawn: it
/// describes other pictures. Ours; neither paper nor library names a limit.
pub const MAX_GAP: f64 = 0.2;
/// Probabilities that differ by less are equal but for rounding.
const ROUNDING: f32 = 1e-5;

/// LIME's explanation of one face.
#[derive(Clone, Debug)]
pub struct Lime {
    /// Piece of every pixel, `[48, 48]`.
    pub segments: Vec<usize>,
    /// Change of the probability when the piece is shown, for each piece: mean over the fits.
    pub coefficients: Vec<f64>,
    /// Intercept, the local model with every piece hidden: mean over the fits.
    pub intercept: f64,
    /// Weighted R²: mean over the fits.
    pub r2: f64,
    /// Probability of the whole face by the local model.
    pub local_prediction: f64,
    /// Probability by the network.
    pub model_prediction: f64,
    /// How far the fits agree; `None` of a single fit.
    pub agreement: Option<Agreement>,
    /// Why no picture should be drawn.
    pub refused: Option<String>,
}

/// How far fits with other random pictures agree, mean over all pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Spearman correlation of the coefficients.
    pub rank: f64,
    /// Share of the five strongest pieces that two fits have in common.
    pub top5: f64,
}

impl Lime {
    /// By how much the local model misses the network's probability of the face itself.
    pub fn gap(&self) -> f64 {
        (self.local_prediction - self.model_prediction).abs()
    }

    /// The coefficients painted on their pieces, `[48, 48]`: positive evidence above 0.
    pub fn map(&self) -> Vec<f32> {
        self.segments.iter().map(|&k| self.coefficients[k] as f32).collect()
    }
}

/// Explains the probability of `classes[face]` for every face.
///
/// Pieces are shown by Bernoulli(½) masks (the first shows all); a hidden piece is painted in its
/// mean gray. Distance of a mask with k of n pieces from the full one is cosine, 1 − sqrt(k/n);
/// weight sqrt(exp(−d²/width²)); then weighted ridge with intercept, solved exactly. Repeated
/// with other seeds, because one LIME picture says nothing about how stable it is. Refused below
/// 8 pieces or R² 0.3, where the fits disagree, and where the local model misses the face itself.
/// **Errors**: those of [`check_classes`].
/// **Source**: Ribeiro, Singh & Guestrin 2016 (arXiv 1602.04938); `lime` 0.2 `lime_image`, whose
/// quickshift defaults leave a median of two pieces on a 48×48 face. Captum's `Lime` uses Lasso
/// and 25 samples, xplique Ridge(2) and 150.
pub fn lime(
    model: &dyn Classifier,
    faces: &[f32],
    classes: &[usize],
    options: &LimeOptions,
) -> Result<Vec<Lime>> {
    check_classes(model, faces, classes)?;
    let explain = |(f, &class): (usize, &usize)| {
        let x = face(faces, f);
        lime_with_superpixels(model, x, class, segment(x, options.segmentation), options)
    };
    classes.iter().enumerate().map(explain).collect()
}

/// The same for one face with the caller's pieces, numbered from 0 without gaps.
///
/// **Errors**: those of [`check_classes`]; `Shape` where a pixel has no piece or a number is too high.
pub fn lime_with_superpixels(
    model: &dyn Classifier,
    x: &[f32],
    class: usize,
    segments: Vec<usize>,
    options: &LimeOptions,
) -> Result<Lime> {
    check_classes(model, x, &[class])?;
    if segments.len() != PIXELS || segments.iter().any(|&k| k >= PIXELS) {
        let highest = segments.iter().max();
        let found = format!("pieces up to {highest:?} for {} pixels", segments.len());
        let detail = format!("{found}, expected numbers below {PIXELS} for {PIXELS} pixels");
        return Err(Error::shape("lime", detail));
    }
    let pieces = count(&segments);
    let hidden = segment_means(x, &segments);
    let mut fits = Vec::new();
    let (mut model_prediction, mut reach) = (0.0, 0.0f32);
    for fit in 0..options.fits.max(1) as u64 {
        let masks = draw_masks(options, pieces, fit);
        let paint = |s: usize, out: &mut [f32]| {
            for (p, o) in out.iter_mut().enumerate() {
                let shown = masks[s * pieces + segments[p]] > 0.0;
                *o = if shown { x[p] } else { hidden[p] };
            }
        };
        let samples = options.num_samples.max(1);
        let seen = probabilities_of(model, samples, paint, |_| class)?;
        model_prediction = f64::from(seen[0]);
        reach = seen.iter().fold(reach, |r, p| r.max((p - seen[0]).abs()));
        let y: Vec<f64> = seen.into_iter().map(f64::from).collect();
        let weights: Vec<f64> = masks.chunks_exact(pieces).map(|m| weight(m, options)).collect();
        fits.push(ridge(&masks, &y, &weights, options.alpha)?);
    }
    let mean =
        |value: &dyn Fn(&Ridge) -> f64| fits.iter().map(value).sum::<f64>() / fits.len() as f64;
    let coefficients: Vec<f64> = (0..pieces).map(|k| mean(&|r| r.coefficients[k])).collect();
    let (intercept, r2) = (mean(&|r| r.intercept), mean(&|r| r.r2));
    let mut found = Lime {
        local_prediction: intercept + coefficients.iter().sum::<f64>(),
        intercept,
        r2,
        model_prediction,
        agreement: agreement(&fits),
        coefficients,
        segments,
        refused: None,
    };
    found.refused = if reach > ROUNDING { refusal(&found) } else { Some(STILL.into()) };
    Ok(found)
}

/// Why a face without contrast is refused.
const STILL: &str = "hiding pieces changes nothing the network sees: every piece of this face is as gray \
                     as its own mean";

fn refusal(found: &Lime) -> Option<String> {
    let (pieces, r2) = (found.coefficients.len(), found.r2);
    if pieces < MIN_SUPERPIXELS {
        return Some(format!(
            "LIME found {pieces} pieces and needs {MIN_SUPERPIXELS}; use --segments face"
        ));
    }
    if let Some(Agreement { top5, .. }) = found.agreement.filter(|a| a.top5 < MIN_TOP5) {
        // A fit on fewer pictures than pieces has a high R² and explains nothing.
        return Some(format!(
            "LIME's fits with other random pictures share {:.0} % of their five strongest pieces \
             (needed {:.0} %); ask for more pictures with --samples",
            100.0 * top5,
            100.0 * MIN_TOP5
        ));
    }
    if r2 < MIN_R2 {
        return Some(format!(
            "LIME's linear model explains {:.0} % of what the network does around this face \
             (R² {r2:.2}, needed {MIN_R2}); a picture of it would mislead",
            100.0 * r2.max(0.0)
        ));
    }
    (found.gap() > MAX_GAP).then(|| {
        format!(
            "LIME's linear model gives this very face {:.2} where the network gives {:.2} (at most \
             {MAX_GAP} apart is drawn): it describes the pictures with hidden pieces, not the face",
            found.local_prediction, found.model_prediction
        )
    })
}

/// Masks `[samples, pieces]` of 0 and 1; the first shows everything.
fn draw_masks(options: &LimeOptions, pieces: usize, fit: u64) -> Vec<f64> {
    let mut masks = vec![1.0; options.num_samples.max(1) * pieces];
    let seed = options.seed.wrapping_add(fit);
    for (s, mask) in masks.chunks_exact_mut(pieces).enumerate().skip(1) {
        let mut rng = Rng::new(seed, Purpose::Explain, 3, s as u64);
        mask.fill_with(|| f64::from(u8::from(rng.bernoulli(0.5))));
    }
    masks
}

/// sqrt(exp(−d²/width²)) with d the cosine distance to the full mask; 1 where nothing is shown.
fn weight(mask: &[f64], options: &LimeOptions) -> f64 {
    let shown: f64 = mask.iter().sum();
    let distance = 1.0 - (shown / mask.len() as f64).sqrt();
    (-(distance / options.kernel_width).powi(2)).exp().sqrt()
}

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

    /// 48 pieces, R² 0.96, network 0.9.
    fn fit(top5: f64, local_prediction: f64) -> Lime {
        Lime {
            segments: vec![],
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
