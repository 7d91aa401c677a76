//! Evidence of the regions of a face.

use fer::dataset::read::{ReadOptions, read};
use fer::explain::NetworkClassifier;
use fer::explain::regions::face_regions::Template;
use fer::explain::regions::landmarks::find_landmarks;
use fer::explain::regions::region_evidence::region_evidence;
use fer::model::{Network, NetworkSpec};
use fer::{PIXELS, SIDE};

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
    let templates = [Template::fixed(), Template::placed([2.0, -1.0], 1.08, 8.0)];
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

/// Of drawn faces, which the network of the landmarks never saw, to two pixels.
#[test]
fn landmarks_follow_a_face_that_is_moved_or_mirrored() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample.csv");
    let (sample, _) = read(path, &ReadOptions::default()).unwrap();
    let faces: Vec<f32> = sample.pixels().iter().map(|&v| f32::from(v) / 255.0).collect();
    let changed = |from: &dyn Fn(usize, usize) -> (usize, usize)| -> Vec<f32> {
        let place = |p: usize| from(p / SIDE, p % SIDE);
        let pixel = |face: &[f32], (i, j): (usize, usize)| face[i * SIDE + j];
        let all = faces.chunks(PIXELS);
        all.flat_map(|face| (0..PIXELS).map(move |p| pixel(face, place(p)))).collect()
    };
    let found = find_landmarks(&faces).unwrap();
    let moved = changed(&|i, j| (i.saturating_sub(3), (j + 2).min(SIDE - 1)));
    let mirrored = changed(&|i, j| (i, SIDE - 1 - j));
    let moved = find_landmarks(&moved).unwrap();
    let mirrored = find_landmarks(&mirrored).unwrap();
    let mut far = vec![];
    for ((own, moved), mirrored) in found.iter().zip(&moved).zip(&mirrored) {
        let [left, right, nose, mouth] = *own;
        assert!(left[1] < nose[1] && nose[1] < right[1], "{own:?}");
        assert!(left[0].max(right[0]) < nose[0] && nose[0] < mouth[0], "{own:?}");
        for (mark, other) in [0, 1, 2, 3].into_iter().zip([1, 0, 2, 3]) {
            far.push((moved[mark][0] - own[mark][0] - 3.0).abs());
            far.push((moved[mark][1] - own[mark][1] + 2.0).abs());
            far.push((mirrored[other][0] - own[mark][0]).abs());
            far.push((mirrored[other][1] - (47.0 - own[mark][1])).abs());
        }
    }
    assert!(fer::stats::quantile(&far, 0.9) < 2.0, "{}", fer::stats::quantile(&far, 0.9));
    assert!(find_landmarks(&faces[..100]).is_err());
}
