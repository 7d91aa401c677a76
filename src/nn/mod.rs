//! Layers: ops with parameters and a name; how they run one after the other, fused where possible.
//!
//! Layers carry Keras-style names (`conv2d_3`, `batch_normalization_3`, `activation_3`), counted
//! from 1 in the order of the network. Commands address layers by these names.

mod builder;
pub(crate) mod fusion;
mod layer;
mod layers;
mod parameter;
mod pass;
mod profiler;
mod sequential;

pub use builder::LayerBuilder;
pub use layer::{Activation, ActivationFunction, Layer, Residual, Sequential};
pub use layers::batch_norm::BatchNorm2d;
pub use layers::conv2d::Conv2d;
pub use layers::linear::Linear;
pub use layers::squeeze_excite::SqueezeExcite;
pub use parameter::{Parameter, Role};
pub use pass::{Mode, Pass};
pub use profiler::{Phase, Profiler, Span};
