//! What the live page shows.

pub mod confusion;
pub mod faces;
pub mod filters;
pub mod live_page;
pub mod saliency;
