//! Pages of saliency maps: one method, all methods, class means, face regions, mistakes, sanity checks.

pub mod all_methods_page;
pub mod class_maps_page;
pub mod mistake_pages;
pub mod one_method_page;
pub mod region_page;
pub mod region_sentences;
pub mod sanity_page;
pub mod template_page;
