//! Floating-point operations of training and inference.

use crate::model::Network;
use crate::tensor::Element;

/// Returns the floating-point operations of a training step per face of `side`×`side` pixels: three
/// times those of the forward pass, for the gradients of the inputs and of the weights cost as much
/// each.
pub fn flop_per_face<T: Element>(network: &Network<T>, side: usize) -> f64 {
    3.0 * forward_flop_per_face(network, side)
}

/// Returns the floating-point operations of the forward pass per face of `side`×`side` pixels: two
/// per multiply-accumulate, of convolutions and matrices only. Convolutions count by their
/// definition, whatever the algorithm.
pub fn forward_flop_per_face<T: Element>(network: &Network<T>, side: usize) -> f64 {
    2.0 * network.macs(&[network.spec.input[0], side, side]) as f64
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
        let table = crate::model::summary(&network).expect("a table");
        assert_eq!(whole, 6.0 * table.macs as f64);
        assert_eq!(forward_flop_per_face(&network, 48), 2.0 * table.macs as f64);
    }
}
