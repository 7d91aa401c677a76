//! LIME on models with known answers, and against a second implementation.

use crate::support::models::{CLASSES, Polynomial, batch, noise_faces};
use fer::explain::Note;
use fer::explain::attribution::lime::superpixels::{Segmentation, superpixel_means};
use fer::explain::attribution::lime::{LimeOptions, lime, lime_with_superpixels};
use fer::explain::{
    AttributionOptions, BackwardRule, Classifier, FaceBatch, FeatureMaps, InputGradient,
    LayerGradient, LayerInfo, Method, Normalization, Objective, ObjectiveGradient, Target,
    attribute,
};
use fer::stats::softmax;
use fer::{PIXELS, Result};
use std::sync::Mutex;

/// A classifier that is a function from faces to logits.
struct Function<F>(F);

impl<F: Fn(&[f32]) -> Vec<f32> + Sync> Classifier for Function<F> {
    fn classes(&self) -> usize {
        CLASSES
    }
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        Ok((self.0)(faces))
    }
    fn input_gradient(&self, _: &[f32], _: &[Target], _: BackwardRule) -> Result<InputGradient> {
        Ok(Default::default())
    }
    fn layer_gradient(&self, _: &str, _: &[f32], _: &[Target]) -> Result<LayerGradient> {
        Ok(Default::default())
    }
    fn activations(&self, _: &str, _: &[f32]) -> Result<FeatureMaps> {
        Ok(Default::default())
    }
    fn objective_gradient(&self, _: &Objective, _: &[f32]) -> Result<ObjectiveGradient> {
        Ok(Default::default())
    }
    fn layers(&self) -> Vec<LayerInfo> {
        vec![]
    }
    fn normalization(&self) -> Normalization {
        Normalization { mean: 0.5, std: 0.25 }
    }
}

/// A face with class 0 as target.
fn class_0<'a>(model: &'a dyn Classifier, face: &'a [f32]) -> FaceBatch<'a> {
    batch(model, face, &[Target::Class(0)])
}

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
    let found = lime_with_superpixels(&class_0(&model, &face), 0, squares(), &options).unwrap();
    assert!(found.coefficients.windows(2).all(|w| w[0] < w[1]), "{:?}", found.coefficients);
    assert!(found.coefficients[0] < -0.05 && found.coefficients[3].abs() < 0.02);
    assert!(found.r2 > 0.95 && found.refused.is_none(), "{}", found.r2);
    assert!(found.agreement.unwrap().rank > 0.95, "{:?}", found.agreement);
    let p = f64::from(softmax(&model.logits(&face).unwrap(), 1.0)[0]);
    assert!((found.model_prediction - p).abs() < 1e-6);
    assert!((found.local_prediction - p).abs() < 0.05, "{} {p}", found.local_prediction);
    // Every coefficient is painted on its square.
    let map = found.map();
    assert_eq!(
        (map[0], map[PIXELS - 1]),
        (found.coefficients[0] as f32, found.coefficients[8] as f32)
    );
}

/// A hidden superpixel shows its mean, not black.
#[test]
fn hidden_superpixels_show_their_mean() {
    let face = noise_faces(1);
    let superpixels = squares();
    let means = superpixel_means(&face, &superpixels);
    let own: f32 =
        (0..PIXELS).filter(|&p| superpixels[p] == 4).map(|p| face[p]).sum::<f32>() / 256.0;
    assert!((means[24 * 48 + 24] - own).abs() < 1e-5);
    // A model that depends only on the mean of each square does not change.
    let mut model = Polynomial::linear();
    for c in 0..CLASSES {
        (0..PIXELS).for_each(|p| model.linear[c * PIXELS + p] = superpixels[p] as f32 * 1e-3);
    }
    model.linear[PIXELS..].fill(0.0);
    let options = LimeOptions { fits: 1, ..Default::default() };
    let found = lime_with_superpixels(&class_0(&model, &face), 0, superpixels, &options).unwrap();
    assert!(found.coefficients.iter().all(|c| c.abs() < 1e-5), "{:?}", found.coefficients);
}

#[test]
fn lime_refuses_few_superpixels_and_poor_fits() {
    let (model, face) = dotted();
    let halves: Vec<usize> = (0..PIXELS).map(|p| p / 1152).collect();
    let options = LimeOptions { fits: 1, num_samples: 50, ..Default::default() };
    let found = lime_with_superpixels(&class_0(&model, &face), 0, halves, &options).unwrap();
    assert!(found.refused.as_deref().is_some_and(|why| why.contains("2 superpixels")), "{found:?}");

    // A probability decided by the parity of the squares shown cannot be explained linearly.
    let parity = Function(|faces: &[f32]| {
        let dots = |x: &[f32]| x.iter().filter(|v| **v == 1.0).count();
        let odd = |x| if dots(x) % 2 == 1 { 3.0 } else { -3.0 };
        faces.chunks_exact(PIXELS).flat_map(|x| [odd(x), 0.0, 0.0]).collect()
    });
    let options = LimeOptions { fits: 2, ..Default::default() };
    let found = lime_with_superpixels(&class_0(&parity, &face), 0, squares(), &options).unwrap();
    assert!(found.r2 < 0.3, "{}", found.r2);
    assert!(
        found.refused.as_deref().is_some_and(|why| why.contains("linear model explains")),
        "{found:?}"
    );
}

/// A network that is sure whatever it sees is not said to see a face without contrast.
#[test]
fn a_network_that_nothing_changes_is_told_from_a_flat_face() {
    let sure = Function(|faces: &[f32]| {
        faces.chunks_exact(PIXELS).flat_map(|_| [500.0, 0.0, 0.0]).collect()
    });
    let faces = noise_faces(1);
    let batch = FaceBatch::of_classes(&sure, &faces, &[0]).unwrap();
    let found =
        lime(&batch, &LimeOptions { num_samples: 40, ..LimeOptions::default() }).unwrap().remove(0);
    assert!(found.refused.as_deref().is_some_and(|why| why.contains("as sure")), "{found:?}");
}

#[test]
fn a_face_without_contrast_is_refused() {
    let (model, gray) = (Polynomial::linear(), vec![0.3; PIXELS]);
    let options = LimeOptions { fits: 2, num_samples: 50, ..Default::default() };
    let found = lime_with_superpixels(&class_0(&model, &gray), 0, squares(), &options).unwrap();
    assert!(found.refused.as_deref().is_some_and(|why| why.contains("does not change")));
}

/// A second implementation of LIME: it finds the superpixels shown from the pictures given to the
/// model, and solves the weighted ridge regression by elimination.
#[test]
fn coefficients_are_those_of_an_independent_weighted_fit() {
    let (model, face) = dotted();
    let pictures = Mutex::new(Vec::new());
    let recorder = Function(|faces: &[f32]| {
        pictures.lock().unwrap().extend_from_slice(faces);
        model.logits(faces).unwrap()
    });
    let options = LimeOptions { fits: 1, num_samples: 200, seed: 5, ..Default::default() };
    let found = lime_with_superpixels(&class_0(&recorder, &face), 0, squares(), &options).unwrap();

    let pictures = pictures.into_inner().unwrap().split_off(PIXELS); // the first is the face itself
    assert_eq!(pictures.len(), 200 * PIXELS);
    let mut system = vec![vec![0.0; 11]; 10];
    let (mut rows, mut total) = (Vec::new(), 0.0);
    for picture in pictures.chunks_exact(PIXELS) {
        let dot = |k: usize| picture[(k / 3 * 16 + 8) * 48 + k % 3 * 16 + 8];
        let shown: Vec<f64> = (0..9).map(|k| f64::from(u8::from(dot(k) == 1.0))).collect();
        let distance = 1.0 - (shown.iter().sum::<f64>() / 9.0).sqrt();
        let weight = (-(distance * distance) / (0.25 * 0.25)).exp().sqrt();
        let y = f64::from(softmax(&model.logits(picture).unwrap(), 1.0)[0]);
        let row: Vec<f64> = std::iter::once(1.0).chain(shown).chain([y]).collect();
        for i in 0..10 {
            (0..11).for_each(|j| system[i][j] += weight * row[i] * row[j]);
        }
        total += weight;
        rows.push((weight, row));
    }
    (1..10).for_each(|k| system[k][k] += options.alpha);
    let b = eliminate(system);
    let far = |a: f64, b: f64| (a - b).abs() > 1e-7;
    assert!(!far(found.intercept, b[0]), "{} {}", found.intercept, b[0]);
    for (own, other) in found.coefficients.iter().zip(&b[1..]) {
        assert!(!far(*own, *other), "{:?} {b:?}", found.coefficients);
    }
    let mean = rows.iter().map(|(w, row)| w * row[10]).sum::<f64>() / total;
    let predicted = |row: &[f64]| row[..10].iter().zip(&b).map(|(x, b)| x * b).sum::<f64>();
    let missed: f64 = rows.iter().map(|(w, row)| w * (row[10] - predicted(row)).powi(2)).sum();
    let variance: f64 = rows.iter().map(|(w, row)| w * (row[10] - mean).powi(2)).sum();
    assert!(!far(found.r2, 1.0 - missed / variance), "{}", found.r2);
}

/// Solves rows of `[A | y]` by Gauss–Jordan elimination with pivots.
fn eliminate(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let n = rows.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs())).unwrap();
        rows.swap(k, pivot);
        let head: Vec<f64> = rows[k].iter().map(|v| v / rows[k][k]).collect();
        for row in &mut rows {
            let factor = row[k];
            row.iter_mut().zip(&head).for_each(|(v, h)| *v -= factor * h);
        }
        rows[k] = head;
    }
    rows.into_iter().map(|row| row[n]).collect()
}

#[test]
fn lime_on_a_face_has_enough_superpixels() {
    let model = Polynomial::linear();
    let face = crate::support::models::soft_faces(1);
    for (segmentation, least) in [(Segmentation::Slic, 25), (Segmentation::Face, 12)] {
        let options = LimeOptions { segmentation, num_samples: 200, fits: 2, ..Default::default() };
        let found = &lime(&class_0(&model, &face), &options).unwrap()[0];
        assert!(found.coefficients.len() >= least, "{segmentation}: {}", found.coefficients.len());
    }
    let options = AttributionOptions::new(vec![0.5; PIXELS], 0).unwrap();
    let found =
        &attribute(&batch(&model, &face, &[Target::Predicted]), Method::Lime, &options).unwrap()[0];
    let notes: String = found.notes.iter().map(Note::to_string).collect();
    for part in ["superpixels", "R²", "agreement of fits"] {
        assert!(notes.contains(part) || found.refused.is_some(), "{notes}");
    }
}
