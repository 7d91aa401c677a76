//! LIME explanations as a page and as JSON.

mod json;
mod page;
pub(crate) mod superpixels;

pub use json::LimeJson;
pub use page::LimePage;
