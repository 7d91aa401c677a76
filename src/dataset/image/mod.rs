//! Image files to 48×48 gray faces.

pub(crate) mod decode;
pub mod exif;
pub mod picture;
pub mod resize;
