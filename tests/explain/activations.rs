//! Feature maps: grouping of layers and class means with known answers.

use crate::support::models::{soft_faces, tiny_net};
use fer::explain::filters::feature_maps::{class_means, map_layers, stages};
use fer::explain::layers::find_layer;
use fer::explain::{Classifier, LayerInfo};

#[test]
fn a_group_is_a_convolution_and_what_follows_it() {
    let layers = map_layers(&tiny_net(0), &["all".into()]).unwrap();
    let network = tiny_net(0).layers();
    let groups = stages(&network, &layers);
    let names: Vec<Vec<&str>> =
        groups.iter().map(|g| g.iter().map(|l| l.name.as_str()).collect()).collect();
    assert!(names.iter().all(|g| g[0].starts_with("conv2d")), "{names:?}");
    assert_eq!(names[1][..3], ["conv2d_2", "batch_normalization_2", "activation_2"]);
    assert!(names.iter().flatten().all(|n| !n.starts_with("linear")), "{names:?}");
    // Filters of different convolutions are different, even if there are equally many.
    let of_eight = |l: &LayerInfo| LayerInfo { output: [8, 24, 24], ..l.clone() };
    let network: Vec<LayerInfo> = network.iter().map(of_eight).collect();
    let apart = [network[0].clone(), network[6].clone()];
    assert_eq!(stages(&network, &apart), [[network[0].clone()], [network[6].clone()]]);
    // The layers come in the order of the network, whatever the order of the names.
    let two = map_layers(&tiny_net(0), &["activation_1".into(), "conv2d_1".into()]).unwrap();
    assert_eq!([&two[0].name, &two[1].name], ["conv2d_1", "activation_1"]);
}

#[test]
fn class_means_are_the_means_of_the_classes() {
    let model = tiny_net(0);
    let layer = find_layer(&model.layers(), "activation_2").unwrap();
    let faces = soft_faces(130); // more than one batch
    // Class 1 has the first and the last face, class 2 none; the others have no class.
    let mut labels = vec![usize::MAX; 130];
    (labels[0], labels[129], labels[7]) = (1, 1, 0);
    let mut progress = 0;
    let means = class_means(&model, &layer, &faces, &labels, &mut |n| progress += n).unwrap();
    assert_eq!((progress, &means.faces[..]), (130, &[1, 2, 0][..]));
    let maps = model.activations("activation_2", &faces).unwrap();
    for (k, mean) in means.maps.face(1).iter().enumerate() {
        let expected = (maps.face(0)[k] + maps.face(129)[k]) / 2.0;
        assert!((mean - expected).abs() < 1e-5, "{k}: {mean} {expected}");
    }
    assert_eq!(means.maps.face(0), maps.face(7));
    assert!(means.maps.face(2).iter().all(|&v| v == 0.0));
}
