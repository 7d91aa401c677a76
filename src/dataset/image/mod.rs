//! Image files to 48×48 gray faces.
//!
//! | file | what it does |
//! |---|---|
//! | `format` | recognises formats by a file's first bytes |
//! | `decode`, `png`, `jpeg`, `webp`, `gif`, `bmp` | decodes files within bounded memory |
//! | `guard` | turns a panic of a decoder into an error |
//! | [`exif`] | reads the orientation that turns a photo upright |
//! | `gray_image` | [`GrayImage`]: crop, shrink, to a face |
//! | [`mod@resize`] | scales gray images |

#[cfg(feature = "images")]
mod bmp;
mod decode;
pub mod exif;
mod format;
#[cfg(feature = "images")]
mod gif;
mod gray_image;
#[cfg(feature = "images")]
mod guard;
#[cfg(feature = "images")]
mod jpeg;
#[cfg(feature = "images")]
mod png;
pub mod resize;
mod samples;
#[cfg(feature = "images")]
mod webp;

pub(crate) use decode::read_bounded;
pub use decode::{Decoded, decode, decode_colors, read_bytes, read_image};
pub use format::{
    Format, MAGIC_LENGTH, has_image_extension, is_image, read_magic, unsupported_image,
};
pub use gray_image::{ColorPlanes, GrayImage};
