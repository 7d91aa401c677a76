//! Attribution by gradients with respect to the pixels.

pub mod grad_x_input;
pub mod guided_backprop;
pub mod integrated_gradients;
pub mod saliency;
pub mod smooth_grad;
