//! Poor choices are refused in plain words.

use super::models::{Polynomial, TinyNet, noise_faces, soft_faces};
use fer::explain::layers::{check_filters, deepest_map, find_layer, previous_block, relu_of};
use fer::explain::model::check;
use fer::explain::{Classifier, Method, Options, Target, attribute};
use fer::{Error, PIXELS};

fn options() -> Options {
    Options::new(vec![0.5; PIXELS], 0).unwrap()
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
    let with_layer = Options { layer: Some("dense_1".into()), ..options() };
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
    assert!(Options::new(vec![0.5; 10], 0).is_err());
    for name in ["gradcam++", "ig", "smoothgrad-sq"] {
        assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
    }
    let text = usage("grad-cam".parse::<Method>().unwrap_err());
    assert!(text.contains("gradcam++"), "{text}");
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
    let options = Options::new(vec![0.5; PIXELS], 0).unwrap();
    for method in Method::ALL {
        let found = attribute(&model, method, &soft_faces(1), &[Target::Loss(1)], &options);
        let refused = found.unwrap().remove(0).refused;
        match method.explains_probability() {
            true => assert!(refused.unwrap().contains("explains the probability"), "{method}"),
            false => assert_eq!(refused, None, "{method}"),
        }
    }
}
