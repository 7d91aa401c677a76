//! Poor choices are refused in plain words.

use crate::support::models::{Polynomial, TinyNet, noise_faces, soft_faces};
use fer::explain::attribute;
use fer::explain::attribution::cam::grad_cam::grad_cam;
use fer::explain::attribution::cam::grad_cam_pp::grad_cam_pp;
use fer::explain::attribution::cam::layer_cam::layer_cam;
use fer::explain::attribution::cam::score_cam::score_cam;
use fer::explain::attribution::gradient::grad_x_input::grad_x_input;
use fer::explain::attribution::gradient::guided_backprop::guided_backprop;
use fer::explain::attribution::gradient::integrated_gradients::integrated_gradients;
use fer::explain::attribution::gradient::saliency::saliency;
use fer::explain::attribution::gradient::smooth_grad::{Noise, smooth_grad, var_grad};
use fer::explain::attribution::lime::{LimeOptions, lime, lime_with_superpixels};
use fer::explain::attribution::method::MapKind;
use fer::explain::attribution::perturbation::occlusion::{Window, occlusion};
use fer::explain::attribution::perturbation::rise::{RiseOptions, rise};
use fer::explain::layers::{check_filters, deepest_map, find_layer, previous_block, relu_of};
use fer::explain::sanity::faithfulness::faithfulness;
use fer::explain::sanity::infidelity::{Squares, infidelity};
use fer::explain::sanity::sensitivity::max_sensitivity;
use fer::explain::validate::check;
use fer::explain::{AttributionOptions, Classifier, Method, Target};
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
    let text = usage(find_layer(&TinyNet::new(0), "conv2_2").unwrap_err());
    assert!(text.contains("did you mean `conv2d_2`?"), "{text}");
    assert!(text.contains("batch_normalization_1"), "{text}");
    let layer = find_layer(&TinyNet::new(0), "conv2d_2").unwrap();
    let text = usage(check_filters(&layer, &[0, 8]).unwrap_err());
    assert!(text.contains("8 filters, 0 to 7"), "{text}");
    assert_eq!(check_filters(&layer, &[]).unwrap(), (0..8).collect::<Vec<_>>());
}

#[test]
fn networks_without_relu_or_map_are_refused_not_drawn() {
    let model = Polynomial::linear();
    for method in [Method::GuidedBackprop, Method::GradCam, Method::LayerCam, Method::ScoreCam] {
        let found =
            attribute(&model, method, &noise_faces(1), &[Target::Predicted], &options()).unwrap();
        let why = found[0].refused.as_deref().expect("refused");
        assert!(why.contains("ReLU"), "{method}: {why}");
        assert!(found[0].caption(&["a", "b", "c"]).contains(why));
    }
    let with_layer = AttributionOptions { layer: Some("dense_1".into()), ..options() };
    let found = attribute(
        &TinyNet::new(0),
        Method::GradCam,
        &soft_faces(1),
        &[Target::Predicted],
        &with_layer,
    );
    let why = found.unwrap()[0].refused.clone().expect("refused");
    assert!(why.contains("`dense_1` has no map"), "{why}");
}

#[test]
fn faces_and_classes_are_checked() {
    let model = Polynomial::linear();
    assert!(check(&model, &[0.0; 100], &[]).is_err());
    assert!(check(&model, &[0.0; PIXELS], &[]).is_err());
    assert!(check(&model, &[f32::NAN; PIXELS], &[Target::Predicted]).is_err());
    let text = usage(check(&model, &[0.0; PIXELS], &[Target::Class(3)]).unwrap_err());
    assert!(text.contains("classes 0 to 2"), "{text}");
    assert!(AttributionOptions::new(vec![0.5; 10], 0).is_err());
    for name in ["gradcam++", "ig", "smoothgrad-sq"] {
        assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
    }
    let text = usage("grad-cam".parse::<Method>().unwrap_err());
    assert!(text.contains("gradcam++"), "{text}");
}

/// Every public method by itself: `attribute` is not the only way in.
#[test]
fn every_method_checks_faces_classes_and_pictures() {
    let model = TinyNet::new(0);
    let (faces, gray, layer) = (soft_faces(1), [0.5; PIXELS], "activation_2");
    let masks = RiseOptions { samples: 2, ..RiseOptions::default() };
    let pieces = LimeOptions { num_samples: 20, fits: 1, ..LimeOptions::default() };
    let window = Window::with_fill(0.5);
    let noise = Noise { samples: 2, ..Noise::default() };
    let ask = |faces: &[f32], class: usize, gray: &[f32]| -> Vec<(&str, Option<Error>)> {
        let (m, t, c) = (&model, &[Target::Class(class)], &[class]);
        vec![
            ("saliency", saliency(m, faces, t).err()),
            ("grad_x_input", grad_x_input(m, faces, t).err()),
            ("guided_backprop", guided_backprop(m, faces, t).err()),
            ("smooth_grad", smooth_grad(m, faces, t, &noise).err()),
            ("var_grad", var_grad(m, faces, t, &noise).err()),
            ("grad_cam", grad_cam(m, layer, faces, t).err()),
            ("grad_cam_pp", grad_cam_pp(m, layer, faces, t).err()),
            ("layer_cam", layer_cam(m, layer, faces, t).err()),
            ("occlusion", occlusion(m, faces, t, &window).err()),
            ("integrated_gradients", integrated_gradients(m, faces, t, gray).err()),
            ("score_cam", score_cam(m, layer, faces, c, gray).err()),
            ("rise", rise(m, faces, c, gray, &masks).err()),
            ("lime", lime(m, faces, c, &pieces).err()),
            ("faithfulness", faithfulness(m, faces, faces, c, gray, 0).err()),
            ("squares", Squares::new(m, faces, t, gray, 0).err()),
        ]
    };
    for (name, error) in ask(&faces, 2, &gray) {
        assert!(error.is_none(), "{name}: {error:?}");
    }
    let classes = model.classes();
    for (name, error) in ask(&faces, classes, &gray) {
        assert!(usage(error.expect(name)).contains("does not exist"), "{name}");
    }
    for faces in [&[][..], &faces[1..], &[f32::NAN; PIXELS]] {
        for (name, error) in ask(faces, 0, &gray) {
            assert!(matches!(error.expect(name), Error::Shape { .. }), "{name}");
        }
    }
    let with_picture = ["integrated_gradients", "score_cam", "rise", "faithfulness", "squares"];
    for (name, error) in ask(&faces, 0, &gray[1..]) {
        assert_eq!(error.is_some(), with_picture.contains(&name), "{name}");
    }
}

#[test]
fn maps_and_pieces_that_do_not_fit_the_face_are_refused() {
    let (model, faces, gray) = (Polynomial::linear(), noise_faces(1), [0.5; PIXELS]);
    let short = &faces[1..];
    assert!(faithfulness(&model, &faces, short, &[0], &gray, 0).is_err());
    let (kind, target) = (MapKind::Contribution, [Target::Class(0)]);
    assert!(infidelity(&model, &faces, short, kind, &target, &gray, 0).is_err());
    assert!(max_sensitivity(&faces, short, 0, &mut |x| Ok(x.to_vec())).is_err());
    assert!(max_sensitivity(&faces, &faces, 0, &mut |_| Ok(vec![])).is_err());
    for pieces in [vec![], vec![0; 10], vec![usize::MAX; PIXELS]] {
        let found = lime_with_superpixels(&model, &faces, 0, pieces, &LimeOptions::default());
        assert!(found.is_err());
    }
}

#[test]
fn layers_find_their_relatives() {
    let layers = TinyNet::new(0).layers();
    assert_eq!(deepest_map(&layers, 6).unwrap().name, "activation_2");
    assert_eq!(deepest_map(&layers, 30).unwrap().name, "activation_1");
    assert_eq!(relu_of(&layers, "conv2d_2").unwrap().name, "activation_2");
    assert_eq!(relu_of(&layers, "activation_1").unwrap().name, "activation_1");
    assert!(relu_of(&layers, "dense_1").is_none());
    assert_eq!(previous_block(&layers, "activation_2").unwrap().name, "activation_1");
    assert!(previous_block(&layers, "batch_normalization_1").is_none());
    // A cell of the second block sees 10 pixels; zero padding reaches its outer cells.
    let second = &layers[4];
    assert_eq!(second.receptive_field.size, 10);
    assert_eq!(second.interior(24), 2..22);
}

#[test]
fn methods_of_the_probability_refuse_the_loss() {
    let model = TinyNet::new(0);
    let options = AttributionOptions::new(vec![0.5; PIXELS], 0).unwrap();
    for method in Method::ALL {
        let found = attribute(&model, method, &soft_faces(1), &[Target::Loss(1)], &options);
        let refused = found.unwrap().remove(0).refused;
        match method.explains_probability() {
            true => assert!(refused.unwrap().contains("explains the probability"), "{method}"),
            false => assert_eq!(refused, None, "{method}"),
        }
    }
}
