//! Charts, pages of images, PNG, SVG and HTML from numbers. Nothing here depends on networks or data
//! sets.
//!
//! A drawing is a [`Scene`], a list of shapes and text that is written as PNG or as SVG. [`chart`] draws
//! charts and confusion matrices, [`panel`] draws pages of images with headers and captions,
//! [`colormap`] turns maps into images, [`html`] builds pages, [`terminal`] draws curves as text, and
//! [`mod@format`] formats numbers.
//!
//! The functions return bytes; [`mod@write`] writes them to files.

pub mod canvas;
pub mod chart;
pub mod colormap;
pub mod font;
pub mod format;
pub mod html;
pub mod image;
pub mod panel;
pub mod scene;
mod svg;
pub mod terminal;
pub mod theme;
pub mod write;

pub use colormap::{BarEnds, Colormap, Scale, ScaleBar};
pub use image::{Rgb, RgbImage};
pub use scene::Scene;
pub use svg::hex;
pub use theme::Theme;
