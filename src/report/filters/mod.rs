//! Pages of filters: activation maximization, feature maps, comparison of the methods.

pub mod feature_map_page;
pub mod layer_page;
pub mod significance;
