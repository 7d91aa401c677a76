//! Evidence of the regions of a face.

use fer::PIXELS;
use fer::explain::NetworkClassifier;
use fer::explain::regions::face_regions::Template;
use fer::explain::regions::region_evidence::region_evidence;
use fer::model::{Network, NetworkSpec};

/// Of a network without ReLU, so that what a region does depends on no other.
const LINEAR: &str = r#"
name = "linear"
layers = [{ type = "flatten" }, { type = "linear", units = 7 }]
"#;

#[test]
fn of_a_linear_network_it_adds_up_and_is_the_same_both_ways() {
    let spec: NetworkSpec = toml::from_str(LINEAR).unwrap();
    let network = Network::<f32>::new(spec, 3).unwrap();
    let model = NetworkClassifier::new(&network).unwrap();
    let level = |p: usize, step: usize| ((p * step) % 101) as f32 / 100.0;
    let faces: Vec<f32> = (0..2 * PIXELS).map(|p| level(p, 37)).collect();
    let mean_face: Vec<f32> = (0..PIXELS).map(|p| level(p, 53)).collect();
    let templates = [Template::fixed(), Template::placed([2, -1], 1.08, 8.0)];
    let evidence =
        |classes: &[usize]| region_evidence(&model, &faces, classes, &templates, &mean_face);
    let found = evidence(&[2, 5]).unwrap();
    let score = |face: &[f32], class: usize| {
        let logits = fer::explain::Classifier::logits(&model, face).unwrap();
        f64::from(logits[class]) - logits.iter().map(|&v| f64::from(v)).sum::<f64>() / 7.0
    };
    for ((found, face), class) in found.iter().zip(faces.chunks(PIXELS)).zip([2, 5]) {
        for e in found {
            assert!((e.lost - e.gained).abs() < 1e-4, "{e:?}");
            assert!((e.mean() - e.lost).abs() < 1e-4);
        }
        let sum: f64 = found.iter().map(|e| e.lost).sum();
        let change = score(face, class) - score(&mean_face, class);
        assert!((sum - change).abs() < 1e-3 && change.abs() > 0.01, "{sum} for {change}");
    }
    assert!(evidence(&[2]).is_err() && evidence(&[2, 7]).is_err());
}
