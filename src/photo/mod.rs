//! From a photo to faces as the network knows them: find, frame, cut out.
//!
//! | file | what it does |
//! |---|---|
//! | [`detect`] | where faces are: a trait, and SeetaFace behind it |
//! | [`frame`] | the square around a face that FER2013 would have cut out |
//! | [`draw`] | boxes, labels and saliency on the photo |

pub mod detect;
pub mod draw;
pub mod frame;

pub use detect::{FaceFinder, Found, SeetaFace};
pub use frame::Frame;

use crate::dataset::picture::Picture;
use crate::error::{Error, Result};

/// Which part of a picture is taken for a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaceChoice {
    /// A small or already cropped picture whole, else every face that is found.
    #[default]
    Auto,
    /// The largest face.
    Largest,
    /// Every face.
    All,
    /// The whole picture (its largest centred square).
    Off,
}

impl std::str::FromStr for FaceChoice {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(FaceChoice::Auto),
            "largest" => Ok(FaceChoice::Largest),
            "all" => Ok(FaceChoice::All),
            "off" => Ok(FaceChoice::Off),
            other => Err(Error::Usage(format!("`{other}`: expected auto, largest, all or off"))),
        }
    }
}

/// Longest side of a picture that `auto` takes for a face without looking: twice FER2013's.
const SMALL: usize = 96;

/// `auto` takes a picture whole if a single face fills this share of its shorter side.
const FILLED: f64 = 0.85;

/// Most of a longer side over a shorter one in a picture that is a cropped face.
const SQUARE: f64 = 1.25;

/// A face cut out of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoFace {
    /// `[48, 48]`, gray.
    pub pixels: Vec<u8>,
    /// Where it is; none = the picture was taken whole.
    pub frame: Option<Frame>,
}

/// The faces of a picture, from left to right; none if there is none to be found.
pub fn faces(picture: &Picture, choice: FaceChoice, finder: &dyn FaceFinder) -> Vec<PhotoFace> {
    let whole = || vec![PhotoFace { pixels: picture.to_face(), frame: None }];
    let (short, long) = sides(picture);
    if choice == FaceChoice::Off || choice == FaceChoice::Auto && long <= SMALL {
        return whole();
    }
    let mut frames: Vec<Frame> = finder.find(picture).iter().map(Frame::around).collect();
    if let (FaceChoice::Auto, [only]) = (choice, frames.as_slice()) {
        let square = long as f64 <= SQUARE * short as f64;
        if square && only.side >= FILLED * short as f64 {
            return whole();
        }
    }
    if choice == FaceChoice::Largest {
        frames.sort_by(|a, b| b.side.total_cmp(&a.side));
        frames.truncate(1);
    }
    frames.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let cut = |frame: Frame| PhotoFace { pixels: frame.cut(picture), frame: Some(frame) };
    frames.into_iter().map(cut).collect()
}

fn sides(picture: &Picture) -> (usize, usize) {
    (picture.width.min(picture.height), picture.width.max(picture.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds what it was told.
    struct Told(Vec<Found>);

    impl FaceFinder for Told {
        fn find(&self, _: &Picture) -> Vec<Found> {
            self.0.clone()
        }
    }

    fn picture(width: usize, height: usize) -> Picture {
        let gray = (0..width * height).map(|i| (i % width) as u8).collect();
        Picture { width, height, gray }
    }

    fn found(x: f64, side: f64) -> Found {
        Found { x, y: 20.0, side, score: 9.0 }
    }

    #[test]
    fn each_choice_takes_its_faces() {
        let two = Told(vec![found(120.0, 30.0), found(20.0, 50.0)]);
        let photo = picture(200, 150);
        let count = |choice| faces(&photo, choice, &two).len();
        assert_eq!([FaceChoice::Auto, FaceChoice::All].map(count), [2, 2]);
        let left_first = faces(&photo, FaceChoice::All, &two);
        let x = |f: &PhotoFace| f.frame.as_ref().map(|f| f.x);
        assert!(x(&left_first[0]) < x(&left_first[1]));
        let largest = faces(&photo, FaceChoice::Largest, &two);
        assert_eq!((largest.len(), x(&largest[0])), (1, x(&left_first[0])));
        let whole = PhotoFace { pixels: photo.to_face(), frame: None };
        assert_eq!(faces(&photo, FaceChoice::Off, &two), [whole]);
        assert!(faces(&photo, FaceChoice::Auto, &Told(vec![])).is_empty());
    }

    #[test]
    fn small_and_cropped_pictures_are_taken_whole() {
        let none = Told(vec![]);
        assert_eq!(faces(&picture(96, 60), FaceChoice::Auto, &none)[0].frame, None);
        assert!(faces(&picture(97, 60), FaceChoice::Auto, &none).is_empty());
        let filling = Told(vec![found(20.0, 170.0)]);
        assert_eq!(faces(&picture(200, 210), FaceChoice::Auto, &filling)[0].frame, None);
        assert!(faces(&picture(200, 210), FaceChoice::All, &filling)[0].frame.is_some());
        assert!(faces(&picture(200, 300), FaceChoice::Auto, &filling)[0].frame.is_some());
    }
}
