//! LIME against its own formula, written a second time in the plainest way.

use super::models::{CLASSES, Polynomial, noise_faces};
use fer::PIXELS;
use fer::explain::lime::{LimeOptions, lime, lime_with_segments};
use fer::explain::model::softmax;
use fer::explain::segments::{Segmentation, segment_means};
use fer::explain::{Classifier, Method, Options, Target, attribute};

/// A score that is a sum over nine squares of 16×16 pixels: showing square k instead of its mean
/// changes the logit of class 0 by a known amount.
fn squares() -> Vec<usize> {
    (0..PIXELS).map(|p| p / 48 / 16 * 3 + p % 48 / 16).collect()
}

/// A face with one bright pixel in each square, and a model that reads just those pixels.
fn dotted() -> (Polynomial, Vec<f32>) {
    let mut model = Polynomial::linear();
    model.bias = vec![0.0; CLASSES];
    model.linear.fill(0.0);
    let mut face = vec![0.0; PIXELS];
    for k in 0..9 {
        let p = (k / 3 * 16 + 8) * 48 + k % 3 * 16 + 8;
        face[p] = 1.0;
        model.linear[p] = 0.2 * (k as f32 - 3.0);
    }
    (model, face)
}

#[test]
fn lime_recovers_the_order_of_an_additive_model() {
    let (model, face) = dotted();
    let options = LimeOptions { fits: 3, alpha: 1e-6, ..Default::default() };
    let found = lime_with_segments(&model, &face, 0, squares(), &options).unwrap();
    assert!(found.coefficients.windows(2).all(|w| w[0] < w[1]), "{:?}", found.coefficients);
    assert!(found.coefficients[0] < -0.05 && found.coefficients[3].abs() < 0.02);
    assert!(found.r2 > 0.95 && found.refused.is_none(), "{}", found.r2);
    assert!(found.rank_agreement > 0.95, "{}", found.rank_agreement);
    let p = f64::from(softmax(&model.logits(&face).unwrap())[0]);
    assert!((found.model_prediction - p).abs() < 1e-6);
    assert!((found.local_prediction - p).abs() < 0.05, "{} {p}", found.local_prediction);
    // Positive and negative evidence are painted on their squares.
    let map = found.map();
    assert_eq!(
        (map[0], map[PIXELS - 1]),
        (found.coefficients[0] as f32, found.coefficients[8] as f32)
    );
}

/// A hidden segment shows its mean, not black.
#[test]
fn hidden_segments_show_their_mean() {
    let face = noise_faces(1);
    let segments = squares();
    let means = segment_means(&face, &segments);
    let own: f32 = (0..PIXELS).filter(|&p| segments[p] == 4).map(|p| face[p]).sum::<f32>() / 256.0;
    assert!((means[24 * 48 + 24] - own).abs() < 1e-5);
    // A model that reads only the mean of each square sees no difference at all: nothing to fit.
    let mut model = Polynomial::linear();
    for c in 0..CLASSES {
        (0..PIXELS).for_each(|p| model.linear[c * PIXELS + p] = segments[p] as f32 * 1e-3);
    }
    model.linear[PIXELS..].fill(0.0);
    let options = LimeOptions { fits: 1, ..Default::default() };
    let found = lime_with_segments(&model, &face, 0, segments, &options).unwrap();
    assert!(found.coefficients.iter().all(|c| c.abs() < 1e-5), "{:?}", found.coefficients);
}

#[test]
fn lime_refuses_few_pieces_and_poor_fits() {
    let (model, face) = dotted();
    let halves: Vec<usize> = (0..PIXELS).map(|p| p / 1152).collect();
    let options = LimeOptions { fits: 1, num_samples: 50, ..Default::default() };
    let found = lime_with_segments(&model, &face, 0, halves, &options).unwrap();
    assert!(found.refused.as_deref().is_some_and(|why| why.contains("2 pieces")), "{found:?}");

    // A probability decided by the parity of the squares shown cannot be explained linearly.
    struct Parity;
    impl Classifier for Parity {
        fn classes(&self) -> usize {
            2
        }
        fn logits(&self, faces: &[f32]) -> fer::Result<Vec<f32>> {
            let dots = |x: &[f32]| x.iter().filter(|v| **v == 1.0).count();
            let odd = |x| if dots(x) % 2 == 1 { 3.0 } else { -3.0 };
            Ok(faces.chunks_exact(PIXELS).flat_map(|x| [odd(x), 0.0]).collect())
        }
        fn input_gradient(
            &self,
            _: &[f32],
            _: &[Target],
            _: fer::explain::BackwardRule,
        ) -> fer::Result<fer::explain::InputGradient> {
            Ok(Default::default())
        }
        fn layer_gradient(
            &self,
            _: &str,
            _: &[f32],
            _: &[Target],
        ) -> fer::Result<fer::explain::LayerGradient> {
            Ok(Default::default())
        }
        fn activations(&self, _: &str, _: &[f32]) -> fer::Result<fer::explain::Maps> {
            Ok(Default::default())
        }
        fn objective_gradient(
            &self,
            _: &fer::explain::Objective,
            _: &[f32],
        ) -> fer::Result<fer::explain::ObjectiveGradient> {
            Ok(Default::default())
        }
        fn layers(&self) -> Vec<fer::explain::LayerInfo> {
            vec![]
        }
        fn normalization(&self) -> fer::explain::Normalization {
            fer::explain::Normalization { mean: 0.5, std: 0.25 }
        }
    }
    let options = LimeOptions { fits: 2, ..Default::default() };
    let found = lime_with_segments(&Parity, &face, 0, squares(), &options).unwrap();
    assert!(found.r2 < 0.3, "{}", found.r2);
    assert!(found.refused.as_deref().is_some_and(|why| why.contains("mislead")), "{found:?}");
}

#[test]
fn lime_on_a_face_has_enough_pieces_and_says_so() {
    let model = Polynomial::linear();
    let face = super::models::soft_faces(1);
    for (segmentation, least) in [(Segmentation::Slic, 25), (Segmentation::Face, 12)] {
        let options = LimeOptions { segmentation, num_samples: 200, fits: 2, ..Default::default() };
        let found = &lime(&model, &face, &[0], &options).unwrap()[0];
        assert!(found.coefficients.len() >= least, "{segmentation}: {}", found.coefficients.len());
    }
    let options = Options::new(vec![0.5; PIXELS], 0).unwrap();
    let found = &attribute(&model, Method::Lime, &face, &[Target::Predicted], &options).unwrap()[0];
    let caption = found.caption(&["a", "b", "c"]);
    for part in ["pieces", "R²", "agreement of fits", "probability of"] {
        assert!(caption.contains(part) || found.refused.is_some(), "{caption}");
    }
}
