//! Faces that are turned by a quarter or half of a circle in their picture, as in a photo without EXIF
//! orientation.

use crate::dataset::image::GrayImage;
use crate::dataset::image::exif::Orientation;
use crate::photo::CropBox;

/// How far a face is turned in its picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// Not at all.
    #[default]
    Upright,
    /// By 90° clockwise: the top of the head is on the right.
    Clockwise,
    /// By 180°.
    UpsideDown,
    /// By 90° counterclockwise: the top of the head is on the left.
    Counterclockwise,
}

impl Turn {
    /// The turns of a face that does not stand upright.
    pub const TURNED: [Turn; 3] = [Turn::Clockwise, Turn::Counterclockwise, Turn::UpsideDown];

    /// Returns the turn in degrees, clockwise.
    pub fn degrees(self) -> u32 {
        match self {
            Turn::Upright => 0,
            Turn::Clockwise => 90,
            Turn::UpsideDown => 180,
            Turn::Counterclockwise => 270,
        }
    }

    /// Returns the picture in which a face of this turn stands upright.
    pub fn upright(self, picture: &GrayImage) -> GrayImage {
        let exif = match self {
            Turn::Upright => 1,
            Turn::Clockwise => 8,
            Turn::UpsideDown => 3,
            Turn::Counterclockwise => 6,
        };
        Orientation::new(exif).apply(picture.clone())
    }

    /// Returns where a square of the upright picture is in `picture`.
    pub fn in_picture(self, square: CropBox, picture: &GrayImage) -> CropBox {
        let CropBox { x, y, side } = square;
        let right = |at: f64| picture.width as f64 - at - side;
        let bottom = |at: f64| picture.height as f64 - at - side;
        let (x, y) = match self {
            Turn::Upright => (x, y),
            Turn::Clockwise => (right(y), x),
            Turn::UpsideDown => (right(x), bottom(y)),
            Turn::Counterclockwise => (y, bottom(x)),
        };
        CropBox { x, y, side }
    }

    /// Returns the place in the upright square of a place in the square of the picture, both from 0 to 1.
    pub fn to_upright(self, [u, v]: [f64; 2]) -> [f64; 2] {
        match self {
            Turn::Upright => [u, v],
            Turn::Clockwise => [v, 1.0 - u],
            Turn::UpsideDown => [1.0 - u, 1.0 - v],
            Turn::Counterclockwise => [1.0 - v, u],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The square around a dark pixel of the upright picture is around the same pixel of the picture, and
    /// the pixel has the same place in the square.
    #[test]
    fn squares_and_places_follow_the_picture() {
        let mut picture = GrayImage { width: 30, height: 20, gray: vec![255; 600] };
        picture.gray[7 * 30 + 22] = 0;
        for turn in [Turn::Upright, Turn::Clockwise, Turn::UpsideDown, Turn::Counterclockwise] {
            let upright = turn.upright(&picture);
            let at = upright.gray.iter().position(|&v| v == 0).unwrap();
            let (x, y) = ((at % upright.width) as f64, (at / upright.width) as f64);
            let square = CropBox { x: x - 1.0, y: y - 2.0, side: 5.0 };
            let found = turn.in_picture(square, &picture);
            let own = [(22.5 - found.x) / 5.0, (7.5 - found.y) / 5.0];
            let [u, v] = turn.to_upright(own);
            assert!((u - 0.3).abs() < 1e-9 && (v - 0.5).abs() < 1e-9, "{turn:?}: {u} {v}");
        }
        // A head with its top on the right is turned clockwise.
        let top_right = GrayImage { width: 3, height: 1, gray: vec![9, 9, 0] };
        assert_eq!(Turn::Clockwise.upright(&top_right).gray, [0, 9, 9]);
    }
}
