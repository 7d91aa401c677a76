//! The same seed gives the same bytes: on any number of threads, and alone or in a batch for a
//! model whose results do not depend on the batch. (Those of the engine do up to rounding, because
//! the algorithm of a convolution may depend on the batch size.)

use crate::support::models::{batch, soft_faces, tiny_net};
use fer::PIXELS;
use fer::explain::attribution::perturbation::rise::RiseOptions;
use fer::explain::{
    Attribution, AttributionOptions, Classifier, Method, NetworkClassifier, Target, attribute,
};
use fer::model::{Network, architecture};

fn options(seed: u64) -> AttributionOptions {
    let mut options = AttributionOptions::new(vec![0.45; PIXELS], seed).unwrap();
    options.noise.samples = 10;
    options.rise = RiseOptions { samples: 60, ..options.rise };
    options.lime.num_samples = 80;
    options.lime.fits = 2;
    options
}

/// Makes a network and calls the function with it.
type Model = fn(&mut dyn FnMut(&dyn Classifier));

fn tiny(used: &mut dyn FnMut(&dyn Classifier)) {
    used(&tiny_net(0));
}

/// The real engine, with weights as the initialiser draws them.
fn fer_s(used: &mut dyn FnMut(&dyn Classifier)) {
    let network: Network<f32> = Network::new(architecture("fer-s").unwrap(), 3).unwrap();
    used(&NetworkClassifier::new(&network).unwrap());
}

fn all(model: Model, faces: &[f32], threads: usize, seed: u64) -> Vec<Attribution> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let targets = vec![Target::Predicted; faces.len() / PIXELS];
    let mut found = Vec::new();
    pool.install(|| {
        model(&mut |model| {
            let faces = batch(model, faces, &targets);
            let of = |&m: &Method| attribute(&faces, m, &options(seed)).unwrap();
            found.extend(Method::ALL.iter().flat_map(of));
        });
    });
    found
}

fn bits(found: &[Attribution]) -> Vec<(Method, Vec<u32>, String)> {
    let bits = |a: &Attribution| a.map.iter().map(|v| v.to_bits()).collect();
    found.iter().map(|a| (a.method, bits(a), format!("{:?} {:?}", a.notes, a.refused))).collect()
}

#[test]
fn every_method_gives_the_same_bytes_for_any_number_of_threads() {
    let faces = soft_faces(2);
    let models: [Model; 2] = [tiny, fer_s];
    for model in models {
        let one = bits(&all(model, &faces, 1, 0));
        assert_eq!(one.len(), 2 * Method::ALL.len());
        for threads in [2, 3] {
            for (a, b) in one.iter().zip(bits(&all(model, &faces, threads, 0))) {
                assert!(*a == b, "{} differs with {threads} threads", a.0);
            }
        }
    }
}

#[test]
fn a_face_has_the_same_map_alone_and_in_a_batch() {
    let faces = soft_faces(2);
    let both = bits(&all(tiny, &faces, 2, 0));
    let second = bits(&all(tiny, &faces[PIXELS..], 2, 0));
    for (a, b) in both.iter().skip(1).step_by(2).zip(&second) {
        assert!(a == b, "{} depends on the other faces", a.0);
    }
}

#[test]
fn the_seed_changes_only_methods_with_random_draws() {
    let faces = soft_faces(1);
    let (a, b) = (all(tiny, &faces, 2, 0), all(tiny, &faces, 2, 1));
    for (a, b) in a.iter().zip(&b) {
        let drawn = matches!(
            a.method,
            Method::SmoothGrad | Method::SmoothGradSquared | Method::VarGrad | Method::Rise
        );
        if a.method != Method::Lime {
            assert_eq!(a.map != b.map, drawn, "{}", a.method);
        }
    }
}
