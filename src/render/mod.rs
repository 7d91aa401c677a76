//! Numbers to pictures. Nothing here knows a network or a dataset.
//!
//! A drawing is a [`Scene`]: shapes and text, written once as PNG and as SVG. On top of it:
//! [`chart`] for curves and bars, [`confusion`] for the confusion matrix, [`panel`] for pages of
//! pictures with headers and captions. [`colormap`] turns maps into pictures, [`html`] binds
//! everything into a page, [`ascii`] draws in the terminal, [`numbers`] writes raw values.
//!
//! The functions return bytes; [`mod@write`] and [`crate::files::write_atomic`] make them durable.

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

/// `bytes` in base 64 with padding (RFC 4648), as `data:` addresses want it.
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| chunk.get(i).copied().unwrap_or(0) as u32;
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * i)) as usize & 63] as char;
            text.push(if i <= chunk.len() { sign } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_matches_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(super::base64(bytes.as_bytes()), text);
        }
    }
}
