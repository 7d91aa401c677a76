//! Gray images of any size.

use crate::SIDE;
use crate::dataset::image::resize::resize;

/// A gray image of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrayImage {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// `[height, width]`, row-major; 0 is black, 255 is white.
    pub gray: Vec<u8>,
}

impl GrayImage {
    /// Returns the square of `side` pixels whose top left corner is (x, y), without the part that lies
    /// outside the image; `None` if all of it lies outside.
    pub fn crop(&self, x: usize, y: usize, side: usize) -> Option<GrayImage> {
        let width = side.min(self.width.checked_sub(x)?);
        let height = side.min(self.height.checked_sub(y)?);
        if width == 0 || height == 0 {
            return None;
        }
        let rows = self.gray.chunks_exact(self.width).skip(y).take(height);
        let gray = rows.flat_map(|row| &row[x..x + width]).copied().collect();
        Some(GrayImage { width, height, gray })
    }

    /// Returns the largest centred square, scaled to `[48, 48]`. A 48×48 image is returned unchanged.
    pub fn to_face(&self) -> Vec<u8> {
        let side = self.width.min(self.height);
        let (x, y) = ((self.width - side) / 2, (self.height - side) / 2);
        match self.crop(x, y, side) {
            Some(square) => resize(&square.gray, square.width, square.height, SIDE, SIDE),
            None => vec![0; SIDE * SIDE],
        }
    }

    /// Returns the image shrunk to a longer side of at most `longest` pixels, and the scale (at most 1).
    ///
    /// # Panics
    /// If the image is empty.
    pub fn shrunk(&self, longest: usize) -> (GrayImage, f64) {
        let scale = (longest as f64 / self.width.max(self.height) as f64).min(1.0);
        let scaled = |n: usize| ((n as f64 * scale).round() as usize).max(1);
        let (width, height) = (scaled(self.width), scaled(self.height));
        let gray = resize(&self.gray, self.width, self.height, width, height);
        (GrayImage { width, height, gray }, scale)
    }
}

/// A colour image as three gray planes, which may be smaller than the image in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorPlanes {
    /// Red, green and blue, all of one size.
    pub planes: [GrayImage; 3],
    /// Side of a plane divided by the side in the file, at most 1.
    pub scale: f64,
}
