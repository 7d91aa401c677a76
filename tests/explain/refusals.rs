//! Bad input is an error; networks that a method cannot explain are refused with a reason.

use crate::support::models::{Polynomial, batch, noise_faces, soft_faces, tiny_net};
use fer::explain::attribution::lime::{LimeOptions, lime_with_superpixels};
use fer::explain::attribution::method::MapKind;
use fer::explain::layers::{deepest_map, find_layer, previous_block, relu_of, select_filters};
use fer::explain::sanity::faithfulness::faithfulness;
use fer::explain::sanity::infidelity::infidelity;
use fer::explain::sanity::sensitivity::max_sensitivity;
use fer::explain::{AttributionOptions, Classifier, Face, FaceBatch, Method, Target, attribute};
use fer::{Error, PIXELS};

fn options() -> AttributionOptions {
    AttributionOptions::new(vec![0.5; PIXELS], 0).unwrap()
}

fn usage(error: Error) -> String {
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
    error.to_string()
}

#[test]
fn unknown_layer_names_the_nearest_and_lists_all() {
    let text = usage(find_layer(&tiny_net(0).layers(), "conv2_2").unwrap_err());
    assert!(text.contains("did you mean `conv2d_2`?"), "{text}");
    assert!(text.contains("batch_normalization_1"), "{text}");
    let layer = find_layer(&tiny_net(0).layers(), "conv2d_2").unwrap();
    let text = usage(select_filters(&layer, &[0, 8]).unwrap_err());
    assert!(text.contains("8 filters, 0 to 7"), "{text}");
    assert_eq!(select_filters(&layer, &[]).unwrap(), (0..8).collect::<Vec<_>>());
}

#[test]
fn networks_without_relu_or_map_are_refused_not_drawn() {
    let model = Polynomial::linear();
    for method in [Method::GuidedBackprop, Method::GradCam, Method::LayerCam, Method::ScoreCam] {
        let faces = noise_faces(1);
        let found =
            attribute(&batch(&model, &faces, &[Target::Predicted]), method, &options()).unwrap();
        let why = found[0].refused.as_deref().expect("refused");
        assert!(why.contains("ReLU"), "{method}: {why}");
    }
    let with_layer = AttributionOptions { layer: Some("linear_1".into()), ..options() };
    let (model, faces) = (tiny_net(0), soft_faces(1));
    let faces = batch(&model, &faces, &[Target::Predicted]);
    let found = attribute(&faces, Method::GradCam, &with_layer);
    let why = found.unwrap()[0].refused.clone().expect("refused");
    assert!(why.contains("`linear_1` has no map"), "{why}");
}

#[test]
fn faces_classes_and_pictures_are_checked() {
    let model = Polynomial::linear();
    let check = |faces: &[f32], targets: &[Target]| FaceBatch::new(&model, faces, targets).err();
    let face = [0.0; PIXELS];
    for (faces, targets) in [
        (&[0.0; 100][..], &[][..]),
        (&face, &[]),
        (&[], &[Target::Class(0)]),
        (&[f32::NAN; PIXELS], &[Target::Predicted]),
    ] {
        assert!(matches!(check(faces, targets), Some(Error::Shape { .. })));
    }
    for target in [Target::Class(3), Target::True(3), Target::Loss(3), Target::Contrast(3)] {
        let text = usage(check(&face, &[target]).expect("an error"));
        assert!(text.contains("classes 0 to 2"), "{text}");
    }
    for picture in [vec![0.5; 10], vec![0.5; 2 * PIXELS], vec![f32::INFINITY; PIXELS]] {
        assert!(matches!(Face::new("baseline", &picture[..]), Err(Error::Shape { .. })));
        assert!(AttributionOptions::new(picture, 0).is_err());
    }
}

#[test]
fn methods_are_found_by_name() {
    for name in ["gradcam++", "ig", "smoothgrad-sq"] {
        assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
    }
    let text = usage("gradcamm".parse::<Method>().unwrap_err());
    assert!(text.contains("gradcam++"), "{text}");
}

#[test]
fn a_batch_fixes_the_predicted_class_and_keeps_it_in_parts() {
    let (model, faces) = (tiny_net(0), soft_faces(130));
    let all = FaceBatch::new(&model, &faces, &[Target::Predicted; 130]).unwrap();
    let classes: Vec<usize> = (0..130).map(|f| all.class(f)).collect();
    assert!(all.targets().iter().zip(&classes).all(|(t, &c)| *t == Target::Class(c)));
    let parts: Vec<FaceBatch> = all.parts().collect();
    assert_eq!(parts.iter().map(FaceBatch::len).collect::<Vec<_>>(), [128, 2]);
    assert_eq!(parts.iter().flat_map(FaceBatch::pixels).copied().collect::<Vec<f32>>(), faces);
    let some = all.select(&[129, 3]);
    assert_eq!((some.face(0), some.logits(1)), (all.face(129), all.logits(3)));
}

#[test]
fn maps_and_superpixels_that_do_not_fit_the_face_are_refused() {
    let (model, faces, gray) = (Polynomial::linear(), noise_faces(1), Face::gray(0.5));
    let short = &faces[1..];
    let batch = batch(&model, &faces, &[Target::Class(0)]);
    assert!(faithfulness(&batch, short, &gray, 0).is_err());
    assert!(infidelity(&batch, short, MapKind::Contribution, &gray, 0).is_err());
    assert!(max_sensitivity(&batch, short, 0, &mut |x| Ok(x.to_vec())).is_err());
    assert!(max_sensitivity(&batch, &faces, 0, &mut |_| Ok(vec![])).is_err());
    for superpixels in [vec![], vec![0; 10], vec![usize::MAX; PIXELS]] {
        let found = lime_with_superpixels(&batch, 0, superpixels, &LimeOptions::default());
        assert!(found.is_err());
    }
}

#[test]
fn layers_find_their_neighbours() {
    let layers = tiny_net(0).layers();
    assert_eq!(deepest_map(&layers, 6).unwrap().name, "activation_2");
    assert_eq!(deepest_map(&layers, 30).unwrap().name, "activation_1");
    assert_eq!(relu_of(&layers, "conv2d_2").unwrap().name, "activation_2");
    assert_eq!(relu_of(&layers, "activation_1").unwrap().name, "activation_1");
    assert!(relu_of(&layers, "linear_1").is_none());
    assert_eq!(previous_block(&layers, "activation_2").unwrap().name, "activation_1");
    assert!(previous_block(&layers, "batch_normalization_1").is_none());
    // A cell of the second block depends on 10 pixels; its outer cells depend on zero padding.
    let second = &layers[4];
    assert_eq!(second.receptive_field.size, 10);
    assert_eq!(second.interior(24), 2..22);
}

#[test]
fn methods_of_the_probability_refuse_the_loss() {
    let (model, faces) = (tiny_net(0), soft_faces(1));
    let faces = batch(&model, &faces, &[Target::Loss(1)]);
    for method in Method::ALL {
        let found = attribute(&faces, method, &options());
        let refused = found.unwrap().remove(0).refused;
        match method.explains_probability() {
            true => assert!(refused.unwrap().contains("explains the probability"), "{method}"),
            false => assert_eq!(refused, None, "{method}"),
        }
    }
}
