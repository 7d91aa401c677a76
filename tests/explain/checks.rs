//! The sanity measurements accept a faithful map and reject an unfaithful one.

use crate::support::models::{Polynomial, batch, noise_faces, normals, soft_faces, tiny_net};
use fer::PIXELS;
use fer::explain::attribution::gradient::grad_x_input::grad_x_input;
use fer::explain::attribution::gradient::integrated_gradients::integrated_gradients;
use fer::explain::attribution::method::MapKind::{Contribution, Gradient};
use fer::explain::regions::class_maps::{class_maps, mean_density};
use fer::explain::regions::face_regions::Region;
use fer::explain::regions::region_lift::{LiftOptions, MapSource, region_lift};
use fer::explain::sanity::faithfulness::{Advantage, faithfulness};
use fer::explain::sanity::gradient_check::{GradientCheckOptions, check_gradients};
use fer::explain::sanity::infidelity::infidelity;
use fer::explain::sanity::kinks::{branches, kinks};
use fer::explain::sanity::randomisation::{Similarity, randomisation};
use fer::explain::sanity::sanity_table::{SanityOptions, SanityRow, sanity_table};
use fer::explain::sanity::sensitivity::max_sensitivity;
use fer::explain::significance::TestResult;
use fer::explain::{AttributionOptions, Classifier, Face, Method, Target};
use fer::model::{Network, NetworkSpec};
use fer::nn::{Mode, Pass};
use fer::tensor::Tensor;
use std::collections::BTreeSet;

/// The logit of class 0 rises with the brightness of the upper rows; the others are constant.
fn top_model() -> Polynomial {
    let mut model = Polynomial::linear();
    model.bias = vec![-3.0, 0.0, 0.0];
    model.linear.fill(0.0);
    model.linear[..10 * 48].fill(0.02);
    model
}

#[test]
fn deletion_and_insertion_reward_the_right_order() {
    let model = top_model();
    let faces = vec![1.0; PIXELS];
    let baseline = Face::gray(0.0);
    let batch = batch(&model, &faces, &[Target::Class(0)]);
    let good = &model.linear[..PIXELS];
    let found = faithfulness(&batch, good, &baseline, 0).unwrap()[0];
    // The top tenth is gone after 10 of 48 steps; p falls from σ-like heights to about 0.02.
    assert!(found.map.deletion < 0.15 && found.map.insertion > 0.85, "{found:?}");
    let advantage = Advantage::of(&[found; 6]);
    let better = found.random.deletion.min(found.centre.deletion) - found.map.deletion;
    assert!((advantage.deletion.mean - better).abs() < 1e-12 && advantage.deletion.faces == 6);
    assert_eq!(advantage.deletion.above(0.0), TestResult::Passed);
    assert_eq!(advantage.insertion.above(0.0), TestResult::Passed);
    let bad: Vec<f32> = good.iter().map(|v| -v).collect();
    let found = faithfulness(&batch, &bad, &baseline, 0).unwrap()[0];
    assert!(found.map.deletion > 0.7 && found.map.insertion < 0.3, "{found:?}");
    let advantage = Advantage::of(&[found; 6]);
    assert_eq!(
        [advantage.deletion, advantage.insertion].map(|l| l.above(0.0)),
        [TestResult::Failed; 2]
    );
}

#[test]
fn infidelity_is_zero_for_the_exact_map_of_a_linear_model_and_one_for_zeros() {
    let model = Polynomial::linear();
    let faces = noise_faces(1);
    let batch = batch(&model, &faces, &[Target::Class(1)]);
    // With baseline b the change is w·(x − b): the map w predicts it exactly.
    let baseline = Face::gray(0.5);
    let of = |map: &[f32], kind| infidelity(&batch, map, kind, &baseline, 3).unwrap()[0];
    let w = &model.linear[PIXELS..2 * PIXELS];
    assert!(of(w, Gradient) < 1e-5);
    // The contributions w·(x − b) contain the step already; with the wrong kind they predict
    // little.
    let parts: Vec<f32> = w.iter().zip(&faces).map(|(w, x)| w * (x - 0.5)).collect();
    assert!(of(&parts, Contribution) < 1e-5);
    assert!(of(&parts, Gradient) > 0.5 && of(w, Contribution) > 0.5);
    for kind in [Gradient, Contribution] {
        assert_eq!(of(&vec![0.0; PIXELS], kind), 1.0);
        assert!(of(&normals(50, PIXELS, 1.0), kind) > 0.8);
    }
}

#[test]
fn max_sensitivity_by_hand() {
    let faces = noise_faces(1);
    let model = Polynomial::linear();
    let batch = batch(&model, &faces, &[Target::Class(0)]);
    // The map is the face: the change is the noise itself, ‖e‖/‖x‖ with e uniform in ±0.02:
    // 0.02/√3 against √(1/3), that is 0.02.
    let maps = faces.clone();
    let found = max_sensitivity(&batch, &maps, 0, &mut |x| Ok(x.to_vec())).unwrap()[0];
    assert!((found - 0.02).abs() < 0.001, "{found}");
    let found = max_sensitivity(&batch, &maps, 0, &mut |_| Ok(maps.clone())).unwrap()[0];
    assert_eq!(found, 0.0);
    let zeros = vec![0.0; PIXELS];
    let found = max_sensitivity(&batch, &zeros, 0, &mut |_| Ok(zeros.clone())).unwrap()[0];
    assert!(found.is_nan());
}

#[test]
fn randomisation_falls_for_a_map_of_the_network_only() {
    let faces = noise_faces(2);
    let targets = [Target::Class(0); 2];
    let model = Polynomial::linear();
    let map = |m: &Polynomial| grad_x_input(&batch(m, &faces, &targets));
    let original = map(&model).unwrap();
    let steps = randomisation(&original, 2, &mut |k| {
        let mut random = Polynomial::linear();
        random.linear = normals(60 + k as u64, random.linear.len(), 0.05);
        map(&random)
    });
    let steps = steps.unwrap();
    assert_eq!(steps.iter().map(|s| s.layers).collect::<Vec<_>>(), [1, 2]);
    // The input's part of the map remains, so the correlation is not 0; it is far below 1.
    assert!(steps.iter().all(|s| s.spearman < 0.5), "{steps:?}");
    let blind = randomisation(&faces, 1, &mut |_| Ok(faces.clone())).unwrap();
    assert!((blind[0].spearman - 1.0).abs() < 1e-12);
    assert!(Similarity::of(&faces, &faces[..10]).is_err());
    // A face with an empty map is left out.
    let half = [&faces[..PIXELS], &[0.0; PIXELS]].concat();
    let found = Similarity::of(&half, &faces).unwrap();
    assert_eq!((found.left_out, found.spearman.mean.round()), (1, 1.0));
    assert!(found.spearman.interval.margin() < 1e-12);
    let found = Similarity::of(&half[PIXELS..], &faces[PIXELS..]).unwrap();
    assert!(found.spearman.mean.is_nan() && found.left_out == 1);
    // A map that becomes empty has changed completely.
    let found = Similarity::of(&faces, &half).unwrap();
    assert!(found.left_out == 0 && (found.spearman.mean - 0.5).abs() < 1e-12);
}

#[test]
fn region_lift_finds_a_mouth_and_keeps_its_controls() {
    let faces = soft_faces(6);
    let labels = [0, 0, 0, 1, 1, 1];
    let template = fer::explain::regions::face_regions::Template::fixed();
    // Half of the attribution on the mouth, half spread evenly.
    let mouth = template.areas()[Region::Mouth as usize];
    let level = |r: &Region| if *r == Region::Mouth { 0.5 / mouth + 0.5 } else { 0.5 } as f32;
    let maps: Vec<f32> = (0..6).flat_map(|_| template.regions.iter().map(level)).collect();
    let options = LiftOptions { resamples: 50, seed: 0 };
    let templates = vec![template.clone(); 6];
    let mut random = |x: &[f32]| Ok(vec![1.0; x.len()]);
    let rows =
        region_lift(&faces, &labels, &maps, &templates, &options, Some(&mut random)).unwrap();
    assert_eq!(rows.len(), 4 * 3 * 9); // sources, {all, 0, 1}, regions
    for row in &rows {
        let expected = match (row.source, row.region) {
            (MapSource::Network, Region::Mouth) => 0.5 / mouth + 0.5,
            (MapSource::Network, _) => 0.5,
            (MapSource::Sobel, _) => continue,
            _ => 1.0,
        };
        assert!((row.lift - expected).abs() < 1e-3, "{row:?}");
        // Six faces decide something, three of a class nothing.
        assert_eq!(row.is_known(), row.class.is_none());
        assert!(row.interval.contains(row.lift) || row.interval.margin() < 1e-9);
        assert_eq!(row.faces, if row.class.is_none() { 6 } else { 3 });
    }
    assert!(region_lift(&faces, &labels, &maps[1..], &templates, &options, None).is_err());
    assert!(region_lift(&faces, &labels, &maps, &templates[1..], &options, None).is_err());
}

#[test]
fn noise_of_a_difference_is_small_where_the_groups_differ() {
    let level = |p: usize, lower: bool| if (p >= PIXELS / 2) == lower { 1.0 } else { 0.5 };
    let mut rng = fer::random::Rng::new(1, fer::random::Purpose::Explain, 0, 0);
    let mut map = |lower: bool| -> Vec<f32> {
        (0..PIXELS).map(|p| level(p, lower) + 0.1 * rng.uniform() as f32).collect()
    };
    let maps: Vec<f32> = (0..16).flat_map(|i| map(i % 2 == 0)).collect();
    let noise = |predicted: Vec<usize>| {
        let found = class_maps(&maps, &[0; 16], &predicted, 2).unwrap();
        found.correct_minus_wrong[0].as_ref().unwrap().noise
    };
    let apart = noise((0..16).map(|i| i % 2).collect());
    let by_chance = noise((0..16).map(|i| i / 2 % 2).collect());
    assert!(apart < 0.01 && by_chance > 0.5, "{apart} {by_chance}");
}

#[test]
fn class_maps_by_hand() {
    // A map of size v on the upper or on the lower half: twice the even share there, whatever v.
    let half = |v: f32, lower: bool| {
        let at = |p: usize| if (p >= PIXELS / 2) == lower { v } else { 0.0 };
        (0..PIXELS).map(at).collect::<Vec<f32>>()
    };
    let blank = vec![0.0; PIXELS];
    let maps =
        [half(1.0, false), half(-300.0, true), half(2.0, false), blank.clone(), blank].concat();
    let found = class_maps(&maps, &[0, 0, 1, 0, 2], &[0, 1, 1, 0, 2], 3).unwrap();
    assert_eq!((found.mean[0][0], found.mean[0][PIXELS - 1]), (1.0, 1.0));
    assert_eq!((found.mean[1][0], found.mean[1][PIXELS - 1]), (2.0, 0.0));
    let difference = found.correct_minus_wrong[0].as_ref().unwrap();
    assert_eq!((difference.faces, difference.noise), ([1, 1], 1.0));
    assert_eq!((difference.map[5], difference.map[PIXELS - 5]), (2.0, -2.0));
    assert!(found.correct_minus_wrong[1].is_none() && found.correct_minus_wrong[2].is_none());
    // The zero maps of classes 0 and 2 are left out.
    assert_eq!((found.faces, found.blank), (vec![2, 1, 0], 2));
    assert_eq!(found.mean[2], vec![0.0; PIXELS]);
    assert_eq!(mean_density(&maps, &[3, 4]), None);
    assert_eq!(mean_density(&maps, &[1, 3]).unwrap(), half(2.0, true));
}

#[test]
fn sanity_table_says_which_methods_fail() {
    let model = tiny_net(0);
    let random = tiny_net(9);
    let faces = soft_faces(6);
    let mut settings = AttributionOptions::new(vec![0.5; PIXELS], 0).unwrap();
    settings.noise.samples = 4;
    let options = SanityOptions {
        attribution: &settings,
        seed: 0,
        half_randomised: None,
        randomised: Some(&random),
    };
    let methods = [Method::IntegratedGradients, Method::GradCam, Method::Saliency];
    let rows =
        sanity_table(&batch(&model, &faces, &[Target::Predicted; 6]), &methods, &options).unwrap();
    assert_eq!(
        rows.iter().map(|r| r.method.as_str()).collect::<Vec<_>>(),
        ["ig", "gradcam", "saliency"]
    );
    for row in &rows {
        assert!(row.randomisation.is_some() && row.infidelity.is_some(), "{row:?}");
        for (words, verdict) in
            [(&row.failures, TestResult::Failed), (&row.undecided, TestResult::Undecided)]
        {
            let said = words.iter().any(|w| w.contains("control order"));
            assert_eq!(said, row.control_test().contains(&verdict), "{row:?}");
        }
    }
    // This network is nearly linear: maps of either kind predict its changes.
    assert!(rows.iter().all(|r| r.infidelity < Some(0.2) && r.refused == 0), "{rows:?}");
    // The residual is the sum of the errors divided by the sum of the changes.
    let found =
        integrated_gradients(&batch(&model, &faces, &[Target::Predicted; 6]), &settings.mean_face)
            .unwrap();
    let change: f64 = found.iter().map(|ig| ig.change.abs()).sum();
    let error: f64 = found.iter().map(|ig| ig.residual * ig.change.abs()).sum();
    assert!((rows[0].residual.unwrap() - error / change).abs() < 1e-12 && error > 0.0);
    assert_eq!(rows[1].residual, None);
    // One face is too few for tests with an interval.
    let one = &faces[..PIXELS];
    let rows = sanity_table(&batch(&model, one, &[Target::Predicted]), &methods, &options).unwrap();
    assert!(rows.iter().all(|r| r.control_test() == [TestResult::Undecided; 2]), "{rows:?}");
}

#[test]
fn a_map_that_survives_random_weights_fails_the_sanity_check() {
    let (model, random) = (tiny_net(0), tiny_net(35));
    let faces = soft_faces(8);
    let settings = AttributionOptions::new(vec![0.5; PIXELS], 0).unwrap();
    // The first layer of all these networks is the same, so that most of their maps are alike;
    // those of number 35 are not. A "randomised" network that kept its weights keeps its map.
    let row_with = |half: &dyn Classifier, all: &dyn Classifier| {
        let options = SanityOptions {
            attribution: &settings,
            seed: 0,
            half_randomised: Some(half),
            randomised: Some(all),
        };
        let methods = [Method::Saliency];
        let rows =
            sanity_table(&batch(&model, &faces, &[Target::Predicted; 8]), &methods, &options);
        rows.unwrap().remove(0)
    };
    let failures = |row: &SanityRow| row.failures.join("; ");
    let row = row_with(&model, &random);
    assert!((row.half_randomised.unwrap().spearman.mean - 1.0).abs() < 1e-9);
    assert!(row.randomisation.unwrap().spearman.mean < 0.5, "{row:?}");
    assert!(
        failures(&row).contains(
            "(rank correlation 1.00 ± 0.00 with the upper half of them; the limit is 0.5)"
        )
    );
    let row = row_with(&random, &random);
    assert!(!failures(&row).contains("random weights"), "{row:?}");
    let row = row_with(&random, &model);
    assert!(failures(&row).contains("1.00 ± 0.00 with all of them"), "{row:?}");
}

/// A drawn face on a black ground: its flat parts put many units of the network on a kink.
fn flat_face() -> Vec<f32> {
    (0..PIXELS).map(|p| if (p / 48).abs_diff(24) < 9 && p % 48 > 20 { 0.8 } else { 0.0 }).collect()
}

/// With every layer that has a backward pass of its own.
fn every_kind() -> Network<f32> {
    let spec: NetworkSpec = toml::from_str(
        r#"
        name = "toy"
        input = [1, 16, 16]
        layers = [
            { type = "conv2d", filters = 6 },
            { type = "batch_normalization" },
            { type = "activation" },
            { type = "max_pooling2d", size = 2 },
            { type = "residual", layers = [
                { type = "conv2d", filters = 6 },
                { type = "batch_normalization" },
                { type = "squeeze_excite", reduction = 2 },
            ] },
            { type = "activation" },
            { type = "max_pooling2d", size = 4 },
            { type = "conv2d", filters = 8 },
            { type = "activation", function = "leaky_relu" },
            { type = "average_pooling2d", size = 2 },
            { type = "global_average_pooling2d" },
            { type = "linear", units = 7 },
        ]
        "#,
    )
    .unwrap();
    Network::new(spec, 3).unwrap()
}

#[test]
fn gradient_check_passes_beside_the_kinks_of_a_flat_face() {
    let network = every_kind();
    let baseline = Face::gray(0.5);
    for face in [flat_face(), soft_faces(1), vec![0.0; PIXELS], vec![1.0; PIXELS]] {
        let options = GradientCheckOptions::default();
        let found = check_gradients(&network, &face, 2, &baseline, &options).unwrap();
        let brief = check_gradients(&network, &face, 2, &baseline, &options.brief()).unwrap();
        let failed: Vec<_> =
            found.checks.iter().chain(&brief.checks).filter(|c| !c.passed).collect();
        assert!(failed.is_empty(), "{failed:#?} {:?}", found.kinks);
        assert_eq!(found.kinks.units == 0, found.kinks.widest.is_none());
    }
}

/// An error of a thousandth in the backward pass of any op is found by finite differences.
#[test]
fn gradient_check_finds_an_error_planted_in_any_backward_pass() {
    let network = every_kind();
    let wide = network.cast::<f64>().unwrap();
    let mut pass = Pass::new(Mode::Eval, true);
    let pixels = pass.tape.leaf(Tensor::zeros(&[1, 1, 16, 16]));
    wide.forward(&mut pass, &pixels).unwrap();
    let ops: BTreeSet<&str> =
        pass.tape.nodes().map(|(_, op, ..)| op).filter(|op| *op != "leaf").collect();
    assert!(ops.len() >= 10, "{ops:?}");
    for op in ops {
        let planted = Some((op, 1.001));
        let options = GradientCheckOptions {
            pixels: 8,
            directions: 2,
            planted,
            ..GradientCheckOptions::default()
        };
        for options in [options, options.brief()] {
            let found =
                check_gradients(&network, &flat_face(), 2, &Face::gray(0.5), &options).unwrap();
            let finite = found.checks.iter().filter(|c| c.name != "f32 against f64");
            assert!(finite.clone().any(|c| !c.passed), "{op}: {:#?}", found.checks);
        }
    }
}

/// The f32 gradient of a face on a kink belongs to a neighbouring piece: the report says so.
#[test]
fn kinks_are_named_with_their_margin() {
    let network = every_kind();
    let wide = network.cast::<f64>().unwrap();
    let input = |v: f64| Tensor::full(&[1, 1, 16, 16], v);
    let here = branches(&wide, input(0.25)).unwrap().1;
    // Equal pixels: the windows of the first pooling are tied, so their margin is only rounding.
    let pool = here.iter().find(|b| b.layer == "max_pooling2d_1").unwrap();
    assert!(pool.margins.iter().filter(|m| **m < 1e-12).count() > 20, "{:?}", pool.margins);
    assert!(kinks(&here, &here).len() > 20);
    let mut clear = here.clone();
    clear.iter_mut().flat_map(|b| &mut b.margins).for_each(|m| *m = 0.5);
    assert!(kinks(&clear, &clear).is_empty());
    let mut other = clear.clone();
    other[1].taken[7] += 1;
    let found = kinks(&clear, &other);
    assert_eq!((found.len(), found[0].layer.as_str()), (1, clear[1].layer.as_str()));
    assert_eq!((found[0].unit, found[0].margin), ([0, 0, 7], 0.5));
}
