//! Pages of filters and of feature maps.

pub mod feature_map_page;
pub mod filter_page;
pub mod filter_significance;
