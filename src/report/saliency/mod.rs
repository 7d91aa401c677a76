//! Pages of saliency maps: single faces, whole sets, regions, sanity checks.

pub mod class_maps_page;
pub mod methods_page;
pub mod mistake_maps;
pub mod region_page;
pub mod region_words;
pub mod saliency_page;
pub mod sanity_page;
pub mod template_page;
