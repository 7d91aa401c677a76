//! Pages of LIME explanations.

pub mod lime_page;
