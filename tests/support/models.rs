//! Networks with known answers, and faces for them.

pub mod solvable;
pub mod tiny_net;

pub use solvable::{Canned, Polynomial};
pub use tiny_net::tiny_net;

use fer::PIXELS;
use fer::explain::{Classifier, FaceBatch, LayerInfo, LayerKind, ReceptiveField, Target};
use fer::random::{Purpose, Rng};

pub const CLASSES: usize = 3;

/// Faces with these targets, checked.
pub fn batch<'a>(model: &'a dyn Classifier, faces: &'a [f32], targets: &[Target]) -> FaceBatch<'a> {
    FaceBatch::new(model, faces, targets).unwrap()
}

pub fn normals(index: u64, n: usize, sd: f64) -> Vec<f32> {
    let mut rng = Rng::new(11, Purpose::Test, 1, index);
    (0..n).map(|_| (sd * rng.normal()) as f32).collect()
}

/// n faces, uniform noise in [0,1].
pub fn noise_faces(n: usize) -> Vec<f32> {
    let mut rng = Rng::new(12, Purpose::Test, 2, 0);
    (0..n * PIXELS).map(|_| rng.uniform() as f32).collect()
}

/// n drawn "faces" with the spectrum of pictures: soft blobs, bright or dark, and a slope of light.
pub fn soft_faces(n: usize) -> Vec<f32> {
    let mut faces = vec![];
    for k in 0..n as u64 {
        let mut rng = Rng::new(13, Purpose::Test, 3, k);
        let blobs: Vec<[f64; 4]> = (0..12)
            .map(|_| {
                let at = |rng: &mut Rng| rng.uniform_in(0.0, 48.0);
                [at(&mut rng), at(&mut rng), rng.uniform_in(1.5, 9.0), rng.uniform_in(-0.4, 0.4)]
            })
            .collect();
        let slope = rng.uniform_in(-0.2, 0.2);
        faces.extend((0..PIXELS).map(|p| {
            let (i, j) = ((p / 48) as f64, (p % 48) as f64);
            let blob = |b: &[f64; 4]| {
                b[3] * (-((i - b[0]).powi(2) + (j - b[1]).powi(2)) / (2.0 * b[2] * b[2])).exp()
            };
            let light = 0.5 + slope * (j / 24.0 - 1.0);
            (light + blobs.iter().map(blob).sum::<f64>()).clamp(0.0, 1.0) as f32
        }));
    }
    faces
}

pub fn layer(name: &str, kind: LayerKind, output: [usize; 3], input: Option<&str>) -> LayerInfo {
    LayerInfo {
        name: name.into(),
        kind,
        output,
        receptive_field: ReceptiveField::PIXEL,
        input: input.map(Into::into),
        gamma: None,
    }
}
