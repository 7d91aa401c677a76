//! Class activation maps by hand.

use crate::support::models::{CLASSES, Canned, batch, soft_faces, tiny_net};
use fer::PIXELS;
use fer::explain::attribution::cam::grad_cam::grad_cam;
use fer::explain::attribution::cam::grad_cam_pp::grad_cam_pp;
use fer::explain::attribution::cam::layer_cam::{hires_cam, layer_cam};
use fer::explain::attribution::cam::score_cam::score_cam;
use fer::explain::{Classifier, Face, FeatureMaps, Target};

/// Two channels of 1×2 cells: A₀ = (1, 3), A₁ = (2, 0); g₀ = (½, −1), g₁ = (−1, ¼).
fn canned() -> Canned {
    Canned {
        maps: FeatureMaps { n: 1, c: 2, h: 1, w: 2, data: vec![1.0, 3.0, 2.0, 0.0] },
        gradient: vec![0.5, -1.0, -1.0, 0.25],
    }
}

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{found:?} is not {expected:?}");
    }
}

#[test]
fn grad_cam_by_hand() {
    // Weights −¼ and −⅜: (−¼ − ¾, −¾) → ReLU → 0.
    let cam = &grad_cam(&batch(&canned(), &[0.5; PIXELS], &[Target::Class(0)]), "activation_1")
        .unwrap()[0];
    close(&cam.cells, &[0.0, 0.0]);
    assert!(!cam.has_positive_evidence());
    assert!(cam.map.iter().all(|v| *v == 0.0));
    // With the negated gradient: ¼·(1, 3) + ⅜·(2, 0) = (1, ¾).
    let mut model = canned();
    model.gradient.iter_mut().for_each(|g| *g = -*g);
    let cam =
        &grad_cam(&batch(&model, &[0.5; PIXELS], &[Target::Class(0)]), "activation_1").unwrap()[0];
    close(&cam.cells, &[1.0, 0.75]);
    assert_eq!(cam.native, [1, 2]);
    assert_eq!((cam.map[0], cam.map[47]), (1.0, 0.75));
}

#[test]
fn grad_cam_plus_plus_by_hand() {
    // Channel 0: ΣA = 4. g = ½: α = ¼/(½ + 4/8) = ¼, term ⅛. g = −1: ReLU(g) = 0. w₀ = ⅛.
    // Channel 1: ΣA = 2. g = −1 gives 0. g = ¼: α = (1/16)/(⅛ + 2/64) = 2/5, term 1/10. w₁ = 1/10.
    let cam = &grad_cam_pp(&batch(&canned(), &[0.5; PIXELS], &[Target::Class(0)]), "activation_1")
        .unwrap()[0];
    close(&cam.cells, &[0.125 + 0.2, 0.375]);
    // α = 0 where g = 0, not 0/0.
    let mut model = canned();
    model.gradient.fill(0.0);
    let cam = &grad_cam_pp(&batch(&model, &[0.5; PIXELS], &[Target::Class(0)]), "activation_1")
        .unwrap()[0];
    close(&cam.cells, &[0.0, 0.0]);
}

#[test]
fn layer_cam_and_hires_cam_by_hand() {
    let faces = [0.5; PIXELS];
    let cam =
        &layer_cam(&batch(&canned(), &faces, &[Target::Class(0)]), "activation_1").unwrap()[0];
    close(&cam.cells, &[0.5, 0.0]); // (½·1 + 0·2, 0·3 + ¼·0)
    let cam =
        &hires_cam(&batch(&canned(), &faces, &[Target::Class(0)]), "activation_1").unwrap()[0];
    close(&cam.cells, &[0.5 - 2.0, -3.0]);
}

#[test]
fn score_cam_by_hand() {
    // A third, constant channel must be skipped, not turn the map into NaN.
    let data = vec![0.0, 4.0, 6.0, 0.0, 5.0, 5.0];
    let model = Canned { maps: FeatureMaps { n: 1, c: 3, h: 1, w: 2, data }, gradient: vec![] };
    // Both masks are mirror images with mean ½: on a constant face of 0.8 both probabilities are
    // sigmoid(4·0.4), so both weights are ½: ½·(0, 4) + ½·(6, 0) = (3, 2).
    let found = score_cam(
        &batch(&model, &[0.8; PIXELS], &[Target::Class(0)]),
        "activation_1",
        &Face::gray(0.0),
    )
    .unwrap();
    close(&found[0].cells, &[3.0, 2.0]);

    // On a face that is bright on the right only, channel 0 keeps the light and channel 1 hides
    // it: means 0.8·m₀ and 0.8·m₁ over the right half, with m from the bilinear ramp.
    let face: Vec<f32> = (0..PIXELS).map(|p| if p % 48 < 24 { 0.0 } else { 0.8 }).collect();
    let found =
        score_cam(&batch(&model, &face, &[Target::Class(0)]), "activation_1", &Face::gray(0.0))
            .unwrap();
    let ramp = |j: f64| (((j + 0.5) * 2.0 / 48.0 - 0.5).clamp(0.0, 1.0), 1.0 / 48.0);
    let kept: f64 = (24..48).map(|j| ramp(f64::from(j))).map(|(m, share)| 0.8 * m * share).sum();
    let hidden: f64 = 0.8 * 0.5 - kept;
    let p = |mean: f64| 1.0 / (1.0 + (-4.0 * mean).exp());
    let (a, b) = ((p(kept) - 0.5).exp(), (p(hidden) - 0.5).exp());
    let weight = a / (a + b);
    close(&found[0].cells, &[(6.0 * (1.0 - weight)) as f32, (4.0 * weight) as f32]);
}

/// The last map is followed by a mean and a matrix, both linear without bias, so the cells of
/// HiResCAM sum to the logit.
#[test]
fn hires_cam_sums_to_the_logit() {
    let model = tiny_net(0);
    let faces = soft_faces(2);
    let logits = model.logits(&faces).unwrap();
    let cams =
        hires_cam(&batch(&model, &faces, &[Target::Class(1), Target::Class(2)]), "activation_2")
            .unwrap();
    for (f, class) in [(0, 1), (1, 2)] {
        let sum: f32 = cams[f].cells.iter().sum();
        let logit = logits[f * CLASSES + class];
        assert!((sum - logit).abs() < 1e-4 * logit.abs().max(1.0), "{sum} is not {logit}");
    }
}
