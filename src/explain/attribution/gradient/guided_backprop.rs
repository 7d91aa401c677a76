//! Guided backpropagation.

use crate::autograd::NodeId;
use crate::explain::attribution::gradient::saliency::gradient;
use crate::explain::{BackwardRule, Classifier, FaceBatch, LayerKind};
use crate::tensor::{Element, Tensor};
use crate::{Result, ops};

/// A warning shown beside every guided picture.
pub const WARNING: &str = "guided backpropagation draws the picture's edges more than the \
     network's reasons: its maps hardly change when the weights are randomised \
     (Adebayo et al. 2018)";

/// Returns the gradient with every ReLU passing g·\[pre > 0\]·\[g > 0\], `[n, 48, 48]`.
///
/// A hook on the backward pass; the network is not changed. Convolution and batch normalisation
/// are differentiated as usual.
///
/// **Source**: Springenberg et al. 2014 (arXiv 1412.6806); Captum `GuidedBackprop`.
pub fn guided_backprop(faces: &FaceBatch<'_>) -> Result<Vec<f32>> {
    gradient(faces, BackwardRule::Guided)
}

/// Sets the negative gradients that arrive at a ReLU to 0: a hook for
/// [`Tape::backward_with`](crate::autograd::Tape::backward_with).
pub fn block_negative_gradients<T: Element>(_: NodeId, op: &'static str, grad: &mut Tensor<T>) {
    if ops::ENDS_IN_RELU.contains(&op) {
        *grad = grad.map(|g| if g > T::ZERO { g } else { T::ZERO });
    }
}

/// Returns the reason why the network cannot be explained this way, if there is one.
pub fn refusal(model: &dyn Classifier) -> Option<String> {
    let layers = model.layers();
    if let Some(other) = layers.iter().find(|l| l.kind == LayerKind::OtherActivation) {
        let name = &other.name;
        return Some(format!(
            "guided backpropagation is defined for ReLU only, and `{name}` is another activation; \
             use saliency or smoothgrad"
        ));
    }
    let has_relu = layers.iter().any(|l| l.kind == LayerKind::Relu);
    (!has_relu)
        .then(|| "guided backpropagation needs ReLUs and the network has none; use saliency".into())
}
