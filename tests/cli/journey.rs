//! The data's journey as the README tells it: every file it names exists, and a row of a CSV arrives
//! as a picture.

use fer::dataset::{Augment, ReadOptions, read};
use fer::explain::attribute;
use fer::explain::{Attribution, AttributionOptions, FaceBatch, Method, NetworkClassifier, Target};
use fer::model::{Network, architecture};
use fer::render::colormap::draw_map;
use fer::render::{Colormap, RgbImage, Scale};
use fer::tensor::Tensor;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_readme_names_files_that_exist() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let quoted = readme.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|q| {
        let known = ["src/", "kernels/", "tests/", "data/"].iter().any(|p| q.starts_with(p));
        known && !q.contains("NAME") && !q.contains(' ')
    });
    let mut count = 0;
    for path in paths {
        assert!(root().join(path).exists(), "README names {path}");
        count += 1;
    }
    assert!(count > 15, "{count} paths found in the README");
}

#[test]
fn a_row_becomes_a_picture() {
    // CSV row → sample
    let sample = root().join("data/sample.csv");
    let (faces, report) = read(&sample, &ReadOptions::default()).unwrap();
    assert_eq!((faces.len(), report.bad_count), (21, 0));
    // → batch [N, 1, 48, 48]
    let mut pixels = vec![0.0; fer::PIXELS];
    Augment::default().fill_batch(&faces, &[4], &[4], fer::SIDE, &mut pixels, (0, 0));
    let expected: Vec<f32> = faces.image(4).iter().map(|&p| f32::from(p) / 255.0).collect();
    assert_eq!(pixels, expected);
    // → leaf tensor → logits [N, 7]
    let network = Network::<f32>::new(architecture("fer-s").unwrap(), 1).unwrap();
    let batch = Tensor::from_slice(&pixels, &[1, 1, fer::SIDE, fer::SIDE]).unwrap();
    let logits = network.logits(batch).unwrap();
    assert_eq!(*logits.shape(), [1, 7]);
    // → saliency: a logit, and back to the pixels
    let model = NetworkClassifier::new(&network).unwrap();
    let options =
        AttributionOptions::new(fer::model::mean_face::mean_face(&faces, false), 0).unwrap();
    let faces = FaceBatch::new(&model, &pixels, &[Target::Predicted]).unwrap();
    let found = attribute(&faces, Method::Saliency, &options).unwrap();
    let Attribution { map, raw_max, .. } = &found[0];
    assert!(map.len() == fer::PIXELS && *raw_max > 0.0);
    // → colours → PNG
    let scale = Scale::percentile99(map);
    let picture = draw_map(map, fer::SIDE, fer::SIDE, Colormap::BlueRed, scale).unwrap();
    let png = picture.to_png().unwrap();
    assert_eq!(RgbImage::from_png(&png).unwrap(), picture);
    assert!(!Path::new("saliency.png").exists(), "a library writes no files by itself");
}
