//! Image files to 48×48 gray faces.

#[cfg(feature = "images")]
mod decode;
pub mod exif;
pub mod picture;
pub mod resize;
