//! Chapter 12: where does it look?

use fer::prelude::*;

#[allow(dead_code)]
#[path = "../../examples/saliency.rs"]
mod example;

/// A drawn face, happy.
fn face() -> Vec<f32> {
    let options = SynthOptions { count: 1, first: 3, ..SynthOptions::default() };
    synthesize(&options).unwrap().pixels().iter().map(|&p| f32::from(p) / 255.0).collect()
}

mod saliency {
    use super::{example, face};
    use fer::model::weights::network_file::{EMBEDDED, read_model};
    use fer::prelude::*;

    /// Moving all pixels a little along the map moves the logit by its squared length.
    #[test]
    fn the_map_is_the_gradient_of_the_logit() {
        let (network, _) = read_model(EMBEDDED.as_ref()).unwrap();
        let (class, map) = example::saliency(&face()).unwrap();
        let logit = |by: f32| {
            let moved: Vec<f32> = face().iter().zip(&map).map(|(x, g)| x + by * g).collect();
            let pixels = Tensor::from_slice(&moved, &[1, 1, 48, 48]).unwrap();
            network.logits(pixels).unwrap().to_vec()[class]
        };
        let length: f32 = map.iter().map(|g| g * g).sum();
        let step = 0.005 / length; // the logit moves by 0.005 each way
        let found = (logit(step) - logit(-step)) / (2.0 * step);
        assert!((found / length - 1.0).abs() < 0.1, "{found} by differences, {length} by the map");
    }
}

mod grad_cam {
    use super::face;
    use fer::explain::attribution::cam::grad_cam::grad_cam;
    use fer::explain::{Classifier, FaceBatch, NetworkClassifier, Target};
    use fer::prelude::*;

    #[test]
    fn maps_are_weighed_by_their_mean_gradient() {
        let network = Network::<f32>::new(architecture("tiny").unwrap(), 0).unwrap();
        let classifier = NetworkClassifier::new(&network).unwrap();
        let (face, target) = (face(), [Target::Class(3)]);
        let faces = FaceBatch::new(&classifier, &face, &target).unwrap();
        let layer = classifier.layer_gradient("activation_3", &face, &target).unwrap();
        let cells = layer.maps.h * layer.maps.w;
        let mut want = vec![0.0; cells];
        for (map, gradient) in layer.maps.data.chunks(cells).zip(layer.gradient.chunks(cells)) {
            let weight = gradient.iter().sum::<f32>() / cells as f32;
            want.iter_mut().zip(map).for_each(|(sum, a)| *sum += weight * a);
        }
        let cam = &grad_cam(&faces, "activation_3").unwrap()[0];
        for (got, want) in cam.cells.iter().zip(want) {
            assert!((got - want.max(0.0)).abs() < 1e-4 * want.abs().max(0.01), "{got}, {want}");
        }
    }
}
