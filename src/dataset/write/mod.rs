//! Writers for datasets.

pub mod csv;
pub mod folder;
