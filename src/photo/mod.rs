//! From a photo to faces as the network knows them: find, frame, cut out.
//!
//! | file | what it does |
//! |---|---|
//! | [`detect`] | where faces are: a trait, and SeetaFace behind it |
//! | [`frame`] | the square around a face that FER2013 would have cut out |
//! | [`framing`] | the measurement behind that square |
//! | [`draw`] | boxes, labels and saliency on the photo |

pub mod crop;
pub mod crop_calibration;
pub mod detect;
pub mod draw;

pub use crop::Frame;
pub use detect::{FaceFinder, Found, SeetaFace};

use crate::dataset::image::picture::Picture;
use crate::{Error, Result};

/// Which part of a picture is taken for a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaceChoice {
    /// Every face that is found; a small or cropped picture whole.
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

/// Shortest side of a picture from which an expression can be read: a quarter of FER2013's.
pub const SHORTEST: usize = 12;

/// Longest side of a picture that `auto` takes for a face without looking: twice FER2013's.
const SMALL: usize = 96;

/// Longest side of a picture that `auto` takes for a cropped face where none is found in it: the
/// finder needs the surroundings of a face.
const CROPPED: usize = 256;

/// `auto` takes a picture whole if a single face fills this share of its shorter side.
const FILLED: f64 = 0.85;

/// Most of a longer side over a shorter one in a picture that is a cropped face.
const SQUARE: f64 = 1.25;

/// A face cut out of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoFace {
    /// `[48, 48]`, gray.
    pub pixels: Vec<u8>,
    /// Where it is.
    pub place: Place,
}

/// Where a face is in its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// The square that was cut out around a found face, and how sure the finder is, in its own unit.
    Found(Frame, f64),
    /// The picture was taken whole (its largest centred square).
    Whole,
    /// The same, because no face was found in a picture that may well be a cropped one.
    Unfound,
}

impl Place {
    /// The square around the face; none = the whole picture.
    pub fn frame(&self) -> Option<Frame> {
        match self {
            Place::Found(frame, _) => Some(*frame),
            Place::Whole | Place::Unfound => None,
        }
    }
}

/// The faces of a picture, from left to right; none if there is none to be found.
pub fn faces(picture: &Picture, choice: FaceChoice, finder: &dyn FaceFinder) -> Vec<PhotoFace> {
    let whole = |place| vec![PhotoFace { pixels: picture.to_face(), place }];
    let (short, long) = (picture.width.min(picture.height), picture.width.max(picture.height));
    if choice == FaceChoice::Off || choice == FaceChoice::Auto && long <= SMALL {
        return whole(Place::Whole);
    }
    let mut found = finder.find(picture);
    let square = long as f64 <= SQUARE * short as f64;
    if choice == FaceChoice::Auto && square {
        match found.as_slice() {
            [] if long <= CROPPED => return whole(Place::Unfound),
            [only] if Frame::around(only).side >= FILLED * short as f64 => {
                return whole(Place::Whole);
            }
            _ => {}
        }
    }
    if choice == FaceChoice::Largest {
        found.sort_by(|a, b| b.side.total_cmp(&a.side));
        found.truncate(1);
    }
    found.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let cut = |face: &Found| {
        let frame = Frame::around(face);
        PhotoFace { pixels: frame.cut(picture), place: Place::Found(frame, face.score) }
    };
    found.iter().map(cut).collect()
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
        let x = |f: &PhotoFace| f.place.frame().map(|f| f.x);
        assert!(x(&left_first[0]) < x(&left_first[1]));
        let largest = faces(&photo, FaceChoice::Largest, &two);
        assert_eq!((largest.len(), x(&largest[0])), (1, x(&left_first[0])));
        let whole = PhotoFace { pixels: photo.to_face(), place: Place::Whole };
        assert_eq!(faces(&photo, FaceChoice::Off, &two), [whole]);
        assert!(faces(&photo, FaceChoice::Auto, &Told(vec![])).is_empty());
    }

    #[test]
    fn small_and_cropped_pictures_are_taken_whole() {
        let none = Told(vec![]);
        let place = |width, height, choice, finder: &Told| {
            faces(&picture(width, height), choice, finder).first().map(|f| f.place)
        };
        use FaceChoice::{All, Auto, Largest};
        assert_eq!(place(96, 60, Auto, &none), Some(Place::Whole));
        assert_eq!(place(97, 60, Auto, &none), None);
        assert_eq!(place(200, 210, Auto, &none), Some(Place::Unfound));
        assert_eq!([place(200, 210, All, &none), place(200, 210, Largest, &none)], [None; 2]);
        assert_eq!([place(150, 200, Auto, &none), place(250, 257, Auto, &none)], [None; 2]);
        let filling = Told(vec![found(20.0, 170.0)]);
        let is_found = |place| matches!(place, Some(Place::Found(_, 9.0)));
        assert_eq!(place(200, 210, Auto, &filling), Some(Place::Whole));
        assert!(is_found(place(200, 210, All, &filling)));
        assert!(is_found(place(200, 300, Auto, &filling)));
    }
}
