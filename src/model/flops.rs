//! What a training costs: the figure that makes accuracies comparable.

use crate::model::Network;
use crate::tensor::Element;

/// Floating-point operations of one training step for each face of `side` pixels: those of the
/// forward pass, and as many again for the gradients of the inputs and of the weights.
pub fn flop_per_face<T: Element>(network: &Network<T>, side: usize) -> f64 {
    3.0 * forward_flop_per_face(network, side)
}

/// Floating-point operations of asking a network about a face of `side` pixels: two for every
/// multiply-accumulate of the forward pass. Convolutions and matrices only; by the definition of the
/// convolution, whatever the algorithm.
pub fn forward_flop_per_face<T: Element>(network: &Network<T>, side: usize) -> f64 {
    let mut shape = vec![network.spec.input[0], side, side];
    let mut macs = 0;
    for layer in network.layers() {
        macs += layer.macs(&shape);
        shape = layer.output_shape(&shape).unwrap_or(shape);
    }
    2.0 * macs as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Network, architecture};

    #[test]
    fn a_quarter_of_the_pixels_costs_about_a_quarter() {
        let spec = architecture("tiny").expect("an architecture");
        let network = Network::<f32>::new(spec, 0).expect("a network");
        let (whole, half) = (flop_per_face(&network, 48), flop_per_face(&network, 24));
        assert!((3.5..4.0).contains(&(whole / half)), "{whole} and {half}");
        let table = crate::model::summary::summary(&network).expect("a table");
        assert_eq!(whole, 6.0 * table.macs as f64);
        assert_eq!(forward_flop_per_face(&network, 48), 2.0 * table.macs as f64);
    }
}
