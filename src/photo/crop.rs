//! The square that is cut out around a face.

use crate::SIDE;
use crate::dataset::image::picture::Picture;
use crate::dataset::image::resize::resize;
use crate::photo::Found;
use serde::{Serialize, Serializer};

/// How much wider than the found face the square is.
///
/// Measured by `fer framing` on PublicTest: cut so, 86.8 % of the faces are judged as FER2013 cut
/// them; with the best of 45 margins and shifts, 86.9 %.
pub const MARGIN: f64 = 0.1;

/// How far the square's middle is below (above, if negative) the found face's, in its sides.
pub const SHIFT: f64 = 0.0;

/// A square in a picture, in pixels; it may reach beyond the edges.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// Left edge.
    #[serde(serialize_with = "tenths")]
    pub x: f64,
    /// Upper edge.
    #[serde(serialize_with = "tenths")]
    pub y: f64,
    /// Side.
    #[serde(serialize_with = "tenths")]
    pub side: f64,
}

/// Rounds to one decimal: the finder knows no more.
fn tenths<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((value * 10.0).round() / 10.0 + 0.0) // + 0: no −0.0
}

impl Frame {
    /// FER2013's framing of a found face.
    pub fn around(found: &Found) -> Frame {
        Frame::with(found, MARGIN, SHIFT)
    }

    /// side' = (1 + margin)·side about the same middle, moved down by shift·side.
    pub fn with(found: &Found, margin: f64, shift: f64) -> Frame {
        let side = (1.0 + margin) * found.side;
        Frame {
            x: found.x + (found.side - side) / 2.0,
            y: found.y + (found.side - side) / 2.0 + shift * found.side,
            side,
        }
    }

    /// What the square shows, scaled to 48×48; beyond the picture its edge pixels go on.
    ///
    /// # Panics
    /// If the picture is empty.
    pub fn cut(&self, picture: &Picture) -> Vec<u8> {
        // No face is wider than that, and no memory goes into one that a finder would make up.
        let side = (self.side.round() as usize).clamp(1, 2 * picture.width.min(picture.height));
        let (left, top) = (self.x.round() as i64, self.y.round() as i64);
        let inside = |at: i64, size: usize| at.clamp(0, size as i64 - 1) as usize;
        let columns: Vec<usize> =
            (0..side as i64).map(|x| inside(left + x, picture.width)).collect();
        let mut square = Vec::with_capacity(side * side);
        for y in 0..side as i64 {
            let row = &picture.gray[inside(top + y, picture.height) * picture.width..];
            square.extend(columns.iter().map(|&x| row[x]));
        }
        resize(&square, side, side, SIDE, SIDE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margin_and_shift_move_the_square_as_said() {
        let found = Found { x: 100.0, y: 50.0, side: 40.0, score: 1.0 };
        let frame = Frame::with(&found, 0.5, 0.25);
        assert_eq!(frame, Frame { x: 90.0, y: 50.0, side: 60.0 });
        let frame = Frame { x: 1.1 * 54.5, y: -0.01, side: 59.800000000000004 };
        let json = serde_json::to_string(&frame).unwrap();
        assert_eq!(json, r#"{"x":60.0,"y":0.0,"side":59.8}"#);
    }

    #[test]
    fn a_cut_shows_its_place_and_goes_on_beyond_the_edge() {
        let gray: Vec<u8> = (0..100 * 60).map(|i| (i % 100) as u8).collect();
        let picture = Picture { width: 100, height: 60, gray };
        let inside = Frame { x: 20.0, y: 5.0, side: 48.0 }.cut(&picture);
        assert_eq!(inside[..48], (20..68).collect::<Vec<u8>>());
        let beyond = Frame { x: -24.0, y: 40.0, side: 48.0 }.cut(&picture);
        assert_eq!((beyond[0], beyond[24], beyond[47]), (0, 0, 23));
        assert_eq!(beyond[..48], beyond[47 * 48..]);
        assert_eq!(Frame { x: 900.0, y: 900.0, side: 0.0 }.cut(&picture), vec![99; 48 * 48]);
    }
}
