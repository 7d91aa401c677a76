//! Pages of filters and of feature maps.

pub mod feature_map_page;
pub mod layer_page;
pub mod significance;
