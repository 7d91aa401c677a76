//! Writers that [`read()`](crate::dataset::read()) can read again: CSV files and folders of images.

pub mod csv;
pub mod folder;
