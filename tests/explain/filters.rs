//! Activation maximization on a small network of waves.

use crate::support::models::{noise_faces, normals, soft_faces, tiny_net};
use fer::PIXELS;
use fer::explain::filters::activation_maximization::fourier::{DECAY, Fourier};
use fer::explain::filters::activation_maximization::maco::Maco;
use fer::explain::filters::activation_maximization::method::MaximizationMethod;
use fer::explain::filters::activation_maximization::pixels::Pixels;
use fer::explain::filters::activation_maximization::spectrum::Extension;
use fer::explain::filters::activation_maximization::{
    MaximizationOptions, Parametrization, values_of,
};
use fer::explain::filters::filter_report::{
    FilterOptions, FilterReport, filter_report, summarise, total_steps,
};
use fer::explain::filters::naturalness::Naturalness;
use fer::explain::filters::top_activations::{
    filter_objective, filter_statistics, find_layer_or_logits, is_in_first_block,
};
use fer::explain::filters::training_faces::TrainingFaces;
use fer::explain::{Classifier, Objective};
use fer::random::{Purpose, Rng};

/// ⟨dx/dp·v, g⟩ by finite differences = ⟨v, gradient(p, g)⟩.
fn parametrization_gradient_is_exact(what: &dyn Parametrization) {
    let mut rng = Rng::new(1, Purpose::Test, 9, 0);
    let p: Vec<f32> =
        what.start(0, &mut rng).iter().map(|v| v + 0.1 * rng.normal() as f32).collect();
    let v = normals(70, p.len(), 1.0);
    let g = normals(71, PIXELS, 1.0);
    let step = 1e-3;
    let at = |s: f32| {
        let moved: Vec<f32> = p.iter().zip(&v).map(|(p, v)| p + s * v).collect();
        let x = what.picture(&moved);
        x.iter().zip(&g).map(|(&x, &g)| f64::from(x) * f64::from(g)).sum::<f64>()
    };
    let numeric = (at(step) - at(-step)) / (2.0 * f64::from(step));
    let analytic: f64 =
        what.gradient(&p, &g).iter().zip(&v).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
    assert!((numeric - analytic).abs() < 2e-2 * analytic.abs().max(0.1), "{numeric} {analytic}");
}

#[test]
fn parametrizations_have_exact_gradients() {
    let faces = soft_faces(8);
    let labels = [0; 8];
    let training = TrainingFaces::new(&faces, &labels, Extension::Hann).unwrap();
    parametrization_gradient_is_exact(&Maco::new(training.magnitude));
    parametrization_gradient_is_exact(&Fourier::new(DECAY));
    parametrization_gradient_is_exact(&Pixels);
}

#[test]
fn maco_pictures_are_natural_before_the_first_step() {
    let faces = soft_faces(16);
    let labels = [0; 16];
    let training = TrainingFaces::new(&faces, &labels, Extension::Hann).unwrap();
    let maco = Maco::new(training.magnitude);
    for k in 0..4 {
        let picture = maco.picture(&maco.start(0, &mut Rng::new(0, Purpose::Test, 10, k)));
        let n = Naturalness::of(&picture);
        assert!(n.is_natural(), "{n:?}");
    }
}

/// Whatever the phases, the middle of a picture has no more fine detail than a face.
#[test]
fn maco_limits_the_detail_in_the_middle() {
    // With a flat spectrum, free phases could make white noise.
    let maco = Maco::new(vec![1.0; fer::explain::filters::activation_maximization::spectrum::BINS]);
    for k in 0..4 {
        let picture = maco.picture(&maco.start(0, &mut Rng::new(0, Purpose::Test, 11, k)));
        let n = Naturalness::of(&picture);
        assert!((0.10..0.19).contains(&n.hf), "{n:?}");
    }
}

#[test]
fn maco_from_a_face_starts_as_that_face() {
    let faces = soft_faces(8);
    let training = TrainingFaces::new(&faces, &[0; 8], Extension::None).unwrap();
    let face = &faces[..PIXELS];
    let near = Maco::starting_at(training.magnitude.clone(), face);
    let far = Maco::new(training.magnitude.clone());
    let likeness = |what: &Maco| {
        let x = what.picture(&what.start(0, &mut Rng::new(0, Purpose::Test, 12, 0)));
        fer::stats::ncc(&x, face)
    };
    assert!(
        likeness(&near) > 0.7 && likeness(&far) < 0.6,
        "{} {}",
        likeness(&near),
        likeness(&far)
    );
}

/// Each picture starts from its own face.
#[test]
fn maco_from_several_faces_starts_each_picture_as_its_own() {
    let faces = soft_faces(3);
    let training = TrainingFaces::new(&faces, &[0; 3], Extension::None).unwrap();
    let maco = Maco::starting_at(training.magnitude.clone(), &faces);
    for k in 0..3 {
        let x = maco.picture(&maco.start(k, &mut Rng::new(0, Purpose::Test, 13, 0)));
        let like: Vec<f64> = faces.chunks(PIXELS).map(|face| fer::stats::ncc(&x, face)).collect();
        assert_eq!(fer::stats::argmax(&like), k, "{like:?}");
    }
}

fn options(seeds: usize) -> FilterOptions {
    let short = |r: MaximizationMethod| (r, MaximizationOptions { steps: 48, ..r.options() });
    let methods = [MaximizationMethod::Naive, MaximizationMethod::Pixels, MaximizationMethod::Maco]
        .map(short)
        .to_vec();
    FilterOptions { methods, seeds, warps: 4, seed: 0 }
}

fn report(layer: &str, filters: &[usize], seeds: usize) -> FilterReport {
    let faces = soft_faces(40);
    let labels: Vec<usize> = (0..40).map(|f| f % 3).collect();
    let training = TrainingFaces::new(&faces, &labels, Extension::Hann).unwrap();
    let options = options(seeds);
    let mut steps = 0;
    let found =
        filter_report(&tiny_net(0), layer, filters, &training, &options, &mut |n| steps += n)
            .unwrap();
    assert_eq!(steps, total_steps(filters.len(), &options));
    found
}

#[test]
fn maco_is_natural_and_the_naive_method_is_not() {
    let found = report("conv2d_2", &[0, 3], 2);
    assert_eq!(found.pictures.len(), 6);
    for three in found.pictures.chunks_exact(3) {
        let [naive, pixels, maco] = three else { panic!() };
        let methods = [&naive.scores, &pixels.scores, &maco.scores].map(|n| n.method);
        assert_eq!(
            methods,
            [MaximizationMethod::Naive, MaximizationMethod::Pixels, MaximizationMethod::Maco]
        );
        assert!(maco.scores.natural && !naive.scores.natural, "{:?}", maco.scores);
        // Above the median face, although the drawn faces hold almost no fine detail to use.
        assert!(maco.scores.z > 0.2, "{:?}", maco.scores);
        assert!(naive.scores.agreement.is_none() && maco.scores.agreement.is_some());
        assert!(maco.importance.iter().sum::<f32>() > 0.0);
    }
    let summary = summarise(found.pictures.iter().map(|p| &p.scores));
    assert_eq!(summary.len(), 3);
    assert_eq!((summary[2].method, summary[2].natural), (MaximizationMethod::Maco, 1.0));
    let json = serde_json::to_value(&found.pictures[0].scores).unwrap();
    for key in [
        "layer", "filter", "method", "hf", "lag1", "tv", "robust_z", "similarity", "agreement",
        "dead",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(json["method"], "naive");
}

/// With gamma > 0 the pictures of convolution and batch normalisation are the same, with gamma < 0
/// they differ, and with gamma = 0 the ReLU is 0 everywhere.
#[test]
fn batch_norm_changes_the_picture_with_the_sign_of_gamma() {
    let conv = report("conv2d_2", &[0, 1], 1);
    let norm = report("batch_normalization_2", &[0, 1, 7], 1);
    assert_eq!(conv.pictures[2].picture, norm.pictures[2].picture);
    assert_ne!(conv.pictures[5].picture, norm.pictures[5].picture);
    let gammas: Vec<Option<f32>> = norm.pictures.iter().map(|p| p.scores.gamma).collect();
    assert_eq!((gammas[0], gammas[3], gammas[6]), (Some(0.5), Some(-1.0), Some(0.0)));
    assert_eq!(norm.dead, Some(vec![7]));
    assert!(norm.pictures[6..].iter().all(|p| p.scores.robust_z.is_nan()));
    assert_eq!((conv.pictures[0].scores.gamma, &conv.dead), (None, &Some(vec![])));
}

#[test]
fn a_filter_has_the_same_picture_alone_and_in_a_report() {
    let page = report("activation_2", &[2, 5], 1);
    let alone = report("activation_2", &[5], 1);
    for (a, b) in page.pictures[3..].iter().zip(&alone.pictures) {
        assert_eq!(a.picture, b.picture);
        assert_eq!(a.scores.robust_z, b.scores.robust_z);
    }
}

#[test]
fn the_objective_of_the_first_block_is_one_interior_cell() {
    let model = tiny_net(0);
    let layer = find_layer_or_logits(&model, "activation_1").unwrap();
    assert!(is_in_first_block(&model, &layer));
    let later = find_layer_or_logits(&model, "activation_2").unwrap();
    let objective = filter_objective(&model, &later, vec![0]);
    assert!(matches!(objective, Objective::Channel { .. }));
    let objective = filter_objective(&model, &layer, vec![1]);
    let mut map = model.activations("activation_1", &soft_faces(1)).unwrap();
    let (h, w) = (map.h, map.w);
    map.data.fill(0.25);
    let at = |i: usize, j: usize| (h + i) * w + j; // of channel 1
    map.data[at(0, 0)] = 9.0; // next to the zero padding
    map.data[at(5, 7)] = 2.0;
    assert_eq!(objective.values(&map), [2.0]);
    let gradient = objective.map_gradient(&map);
    let nonzero: Vec<usize> = (0..gradient.len()).filter(|&p| gradient[p] != 0.0).collect();
    assert_eq!((nonzero, gradient[at(5, 7)]), (vec![at(5, 7)], 1.0));
    // The statistics use the same cells.
    let faces = soft_faces(6);
    let found = &filter_statistics(&model, &layer, &[1], &faces).unwrap()[0];
    let (interior, values) = (layer.interior(h), &found.values);
    assert!(found.top.iter().all(|p| interior.contains(&p.row) && interior.contains(&p.column)));
    assert!(found.top.iter().all(|p| values[p.face] == p.value));
    let found = report("activation_1", &[1], 1);
    assert!(found.first_block);
    assert!(found.pictures.iter().all(|p| p.importance.iter().all(|&v| v == 1.0)));
}

#[test]
fn the_main_class_is_over_represented() {
    let model = tiny_net(0);
    let faces = soft_faces(24);
    let layer = find_layer_or_logits(&model, "activation_2").unwrap();
    let mut found = filter_statistics(&model, &layer, &[0], &faces).unwrap().remove(0);
    found.top.truncate(8);
    // The strongest eight faces are of class 1, as a third of all faces is.
    let mut labels = vec![0; 24];
    found.top.iter().for_each(|p| labels[p.face] = 1);
    let main = found.main_class(&labels, 2).unwrap();
    assert_eq!((main.class, main.count, main.total), (1, 8, 8));
    assert!((main.lift - 3.0).abs() < 1e-12);
    // Where all faces are of one class, it is not over-represented.
    assert_eq!(found.main_class(&[0; 24], 2), None);
}

#[test]
fn logits_are_reported_like_filters() {
    let found = report("logits", &[1], 1);
    let maco = &found.pictures[2];
    assert_eq!(maco.scores.layer, "logits");
    assert!(maco.scores.z > 0.5, "{:?}", maco.scores);
}

#[test]
fn top_activations_hold_the_strongest_cell_of_each_face() {
    let model = tiny_net(0);
    let faces = soft_faces(12);
    let layer = find_layer_or_logits(&model, "activation_1").unwrap();
    let found = &filter_statistics(&model, &layer, &[4], &faces).unwrap()[0];
    let maps = model.activations("activation_1", &faces).unwrap();
    assert_eq!(found.top.len(), 12);
    let mut seen: Vec<usize> = found.top.iter().map(|p| p.face).collect();
    assert!(found.top.windows(2).all(|w| w[0].value >= w[1].value));
    seen.sort_unstable();
    assert_eq!(seen, (0..12).collect::<Vec<_>>());
    for patch in &found.top {
        let map = maps.channel(patch.face, 4);
        assert_eq!(map[patch.row * 48 + patch.column], patch.value);
        let inside = |i: usize, j: usize| map[i * 48 + j] <= patch.value;
        let interior = layer.interior(48);
        assert!(interior.clone().all(|i| interior.clone().all(|j| inside(i, j))));
    }
    let objective = filter_objective(&model, &layer, vec![4; 12]);
    assert_eq!(values_of(&model, &objective, &faces).unwrap(), found.values);
    assert_eq!(found.classes(&[1; 12], 3), [0, 12, 0]);
}

#[test]
fn objective_gradient_matches_finite_difference() {
    let model = tiny_net(0);
    let face = noise_faces(1);
    let layer = find_layer_or_logits(&model, "batch_normalization_2").unwrap();
    for objective in [
        Objective::Channel { layer: layer.clone(), units: vec![2] },
        Objective::Peak { layer, units: vec![2] },
        Objective::Logit { units: vec![1] },
    ] {
        let found = model.objective_gradient(&objective, &face).unwrap();
        // Along the gradient the derivative is its length.
        let length = found.gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let at = |s: f32| {
            let step = |(x, g): (&f32, &f32)| x + s * g / length;
            let x: Vec<f32> = face.iter().zip(&found.gradient).map(step).collect();
            values_of(&model, &objective, &x).unwrap()[0]
        };
        let numeric = (at(0.005) - at(-0.005)) / 0.01;
        assert!((numeric - length).abs() < 0.02 * length, "{numeric} {length}");
    }
}
