//! From a photo to 48×48 faces: detects faces and crops them as FER2013 does.
//!
//! | file | what it does |
//! |---|---|
//! | [`detect`] | detects faces: the trait [`FaceDetector`] and its implementation [`SeetaFace`] |
//! | [`crop`] | crops the square around a face that FER2013 would have cropped |
//! | [`crop_calibration`] | measures which margin and shift of that square are best |
//! | [`turn`] | faces turned by 90° or 180° |
//! | [`track`] | follows faces from frame to frame of a video |
//! | [`video`] | reads the frames of YUV4MPEG2 and Motion JPEG |
//! | [`draw`](mod@draw) | draws boxes, labels and saliency on the photo |

pub mod crop;
pub mod crop_calibration;
pub mod detect;
#[cfg(feature = "cli")]
pub mod draw;
pub mod track;
pub mod turn;
pub mod video;

pub use crop::CropBox;
pub use detect::{DetectedFace, FaceDetector, SeetaFace};
pub use track::{FaceTracker, TrackedFace};
pub use turn::Turn;

use crate::dataset::image::GrayImage;
use crate::dataset::image::resize::resize;

/// Which parts of an image are taken as faces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaceChoice {
    /// Every detected face; the whole image if it is small or already cropped to a face.
    #[default]
    Auto,
    /// The largest detected face.
    Largest,
    /// Every detected face.
    All,
    /// The whole image (its largest centred square).
    Off,
}

/// Shortest side, in pixels, of an image whose expression can be recognised: a quarter of FER2013's.
pub const SHORTEST: usize = 12;

/// Longest side, in pixels, of an image that `auto` takes whole without detection: twice FER2013's.
const SMALL: usize = 96;

/// Longest side, in pixels, of an image without a detected face that `auto` takes whole. The detector
/// needs the surroundings of a face, which a cropped face lacks.
const CROPPED: usize = 256;

/// `auto` takes an image whole if its only face fills at least this share of the shorter side.
const FILLED: f64 = 0.85;

/// Largest ratio of the longer to the shorter side of an image that counts as a cropped face.
const SQUARE: f64 = 1.25;

/// Longest side, in pixels, of an image that may be searched at twice its size.
const ENLARGED: usize = 1_000;

/// Side in pixels from which a face is near: it does not suggest others too small for the detector.
const NEAR: f64 = 80.0;

/// Side in pixels of the detector's window; a smaller face must not be doubtful.
const WINDOW: f64 = 40.0;

/// Detection score below which a box is doubtful: on 106 photos all real faces but one of 133 had a
/// higher one, and things that are no faces a lower one.
pub const DOUBTFUL_SCORE: f64 = 3.0;

/// A face cropped from an image.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceCrop {
    /// `[48, 48]`, gray.
    pub pixels: Vec<u8>,
    /// Where the face is in its image.
    pub location: FaceLocation,
    /// How far it is turned there; the pixels are upright.
    pub turn: Turn,
}

/// Where a face is in its image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaceLocation {
    /// The cropped square around a detected face, and the detection score.
    Detected(CropBox, f64),
    /// The whole image was taken (its largest centred square).
    Whole,
    /// The whole image was taken because no face was detected and it may be a cropped face.
    WholeUndetected,
}

impl FaceLocation {
    /// Returns whether the detection score is so low that the square may hold no face.
    pub fn is_doubtful(&self) -> bool {
        matches!(self, FaceLocation::Detected(_, score) if *score < DOUBTFUL_SCORE)
    }

    /// Returns the square around the face; `None` for the whole image.
    pub fn crop_box(&self) -> Option<CropBox> {
        match self {
            FaceLocation::Detected(square, _) => Some(*square),
            FaceLocation::Whole | FaceLocation::WholeUndetected => None,
        }
    }
}

/// Returns the faces of an image from left to right; none if no face is detected. Where no face stands
/// upright, the image is searched turned by 90° and 180°, too.
pub fn crop_faces(
    picture: &GrayImage,
    choice: FaceChoice,
    detector: &dyn FaceDetector,
) -> Vec<FaceCrop> {
    let whole = |location| {
        let pixels = picture.to_face();
        vec![FaceCrop { pixels, location, turn: Turn::Upright }]
    };
    let (short, long) = (picture.width.min(picture.height), picture.width.max(picture.height));
    if choice == FaceChoice::Off || choice == FaceChoice::Auto && long <= SMALL {
        return whole(FaceLocation::Whole);
    }
    let detected = search(picture, detector);
    if detected.is_empty()
        && let Some((turn, faces)) = turned(picture, detector)
    {
        let upright = turn.upright(picture);
        let of_upright = crops(&upright, choice, faces);
        let mut faces: Vec<FaceCrop> =
            of_upright.into_iter().map(|face| face.turned(turn, picture)).collect();
        let place = |face: &FaceCrop| face.location.crop_box().map_or((0.0, 0.0), |b| (b.x, b.y));
        faces.sort_by(|a, b| {
            let (a, b) = (place(a), place(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        return faces;
    }
    let nearly_square = long as f64 <= SQUARE * short as f64;
    if choice == FaceChoice::Auto && nearly_square {
        match detected.as_slice() {
            [] if long <= CROPPED => return whole(FaceLocation::WholeUndetected),
            [only] if CropBox::around(only).side >= FILLED * short as f64 => {
                return whole(FaceLocation::Whole);
            }
            _ => {}
        }
    }
    crops(picture, choice, detected)
}

/// Detects faces, in a small image also at twice its size where that may show more: if there are small
/// faces, or none.
fn search(picture: &GrayImage, detector: &dyn FaceDetector) -> Vec<DetectedFace> {
    let found = detector.detect(picture);
    let large_ones_only = !found.is_empty() && found.iter().all(|face| face.side >= NEAR);
    if picture.width.max(picture.height) > ENLARGED || large_ones_only {
        return found;
    }
    let (width, height) = (2 * picture.width, 2 * picture.height);
    let gray = resize(&picture.gray, picture.width, picture.height, width, height);
    let mut more = detector.detect(&GrayImage { width, height, gray });
    for face in &mut more {
        (face.x, face.y, face.side) = (face.x / 2.0, face.y / 2.0, face.side / 2.0);
    }
    more.retain(|face| face.side >= WINDOW || face.score >= DOUBTFUL_SCORE);
    if more.len() > found.len() { more } else { found }
}

/// Detects faces in the turned image: the turn with the largest sum of scores, without doubtful ones.
fn turned(picture: &GrayImage, detector: &dyn FaceDetector) -> Option<(Turn, Vec<DetectedFace>)> {
    let search = |turn: Turn| {
        let mut faces = detector.detect(&turn.upright(picture));
        faces.retain(|face| face.score >= DOUBTFUL_SCORE);
        (turn, faces)
    };
    let total = |faces: &[DetectedFace]| faces.iter().map(|face| face.score).sum::<f64>();
    let found = Turn::TURNED.map(search).into_iter().filter(|(_, faces)| !faces.is_empty());
    found.max_by(|a, b| total(&a.1).total_cmp(&total(&b.1)))
}

/// Crops detected faces, from left to right.
fn crops(
    picture: &GrayImage,
    choice: FaceChoice,
    mut detected: Vec<DetectedFace>,
) -> Vec<FaceCrop> {
    if choice == FaceChoice::Largest {
        detected.sort_by(|a, b| b.side.total_cmp(&a.side));
        detected.truncate(1);
    }
    detected.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let crop = |face: &DetectedFace| {
        let square = CropBox::around(face);
        FaceCrop {
            pixels: square.crop(picture),
            location: FaceLocation::Detected(square, face.score),
            turn: Turn::Upright,
        }
    };
    detected.iter().map(crop).collect()
}

impl FaceCrop {
    /// Returns a face of the upright image as one of `picture`.
    fn turned(self, turn: Turn, picture: &GrayImage) -> FaceCrop {
        let location = match self.location {
            FaceLocation::Detected(square, score) => {
                FaceLocation::Detected(turn.in_picture(square, picture), score)
            }
            whole => whole,
        };
        FaceCrop { location, turn, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns fixed detections.
    struct FixedDetector(Vec<DetectedFace>);

    impl FaceDetector for FixedDetector {
        fn detect(&self, _: &GrayImage) -> Vec<DetectedFace> {
            self.0.clone()
        }
    }

    fn picture(width: usize, height: usize) -> GrayImage {
        let gray = (0..width * height).map(|i| (i % width) as u8).collect();
        GrayImage { width, height, gray }
    }

    fn found(x: f64, side: f64) -> DetectedFace {
        DetectedFace { x, y: 20.0, side, score: 9.0 }
    }

    #[test]
    fn each_choice_takes_its_faces() {
        let two = FixedDetector(vec![found(120.0, 30.0), found(20.0, 50.0)]);
        let photo = picture(200, 150);
        let count = |choice| crop_faces(&photo, choice, &two).len();
        assert_eq!([FaceChoice::Auto, FaceChoice::All].map(count), [2, 2]);
        let left_first = crop_faces(&photo, FaceChoice::All, &two);
        let x = |f: &FaceCrop| f.location.crop_box().map(|f| f.x);
        assert!(x(&left_first[0]) < x(&left_first[1]));
        let largest = crop_faces(&photo, FaceChoice::Largest, &two);
        assert_eq!((largest.len(), x(&largest[0])), (1, x(&left_first[0])));
        let whole = FaceCrop {
            pixels: photo.to_face(),
            location: FaceLocation::Whole,
            turn: Turn::Upright,
        };
        assert_eq!(crop_faces(&photo, FaceChoice::Off, &two), [whole]);
        assert!(crop_faces(&photo, FaceChoice::Auto, &FixedDetector(vec![])).is_empty());
    }

    #[test]
    fn small_and_cropped_pictures_are_taken_whole() {
        let none = FixedDetector(vec![]);
        let place = |width, height, choice, detector: &FixedDetector| {
            crop_faces(&picture(width, height), choice, detector).first().map(|f| f.location)
        };
        use FaceChoice::{All, Auto, Largest};
        assert_eq!(place(96, 60, Auto, &none), Some(FaceLocation::Whole));
        assert_eq!(place(97, 60, Auto, &none), None);
        assert_eq!(place(200, 210, Auto, &none), Some(FaceLocation::WholeUndetected));
        assert_eq!([place(200, 210, All, &none), place(200, 210, Largest, &none)], [None; 2]);
        assert_eq!([place(150, 200, Auto, &none), place(250, 257, Auto, &none)], [None; 2]);
        let filling = FixedDetector(vec![found(20.0, 170.0)]);
        let is_found = |place| matches!(place, Some(FaceLocation::Detected(_, 9.0)));
        assert_eq!(place(200, 210, Auto, &filling), Some(FaceLocation::Whole));
        assert!(is_found(place(200, 210, All, &filling)));
        assert!(is_found(place(200, 300, Auto, &filling)));
    }

    /// Finds a face at a fixed place of pictures that are higher than wide.
    struct HighOnly;

    impl FaceDetector for HighOnly {
        fn detect(&self, picture: &GrayImage) -> Vec<DetectedFace> {
            let high = picture.height > picture.width;
            if high { vec![found(120.0, 40.0)] } else { vec![] }
        }
    }

    #[test]
    fn a_turned_face_is_cropped_upright_and_placed_in_its_picture() {
        let photo = picture(400, 250);
        let faces = crop_faces(&photo, FaceChoice::Auto, &HighOnly);
        assert_eq!(faces.len(), 1);
        let FaceCrop { turn, location, pixels } = &faces[0];
        assert_ne!(turn.degrees() % 180, 0);
        let square = CropBox::around(&found(120.0, 40.0));
        assert_eq!(*pixels, square.crop(&turn.upright(&photo)));
        assert_eq!(location.crop_box(), Some(turn.in_picture(square, &photo)));
        // A doubtful score is not enough for a turned face.
        struct Doubtful;
        impl FaceDetector for Doubtful {
            fn detect(&self, picture: &GrayImage) -> Vec<DetectedFace> {
                let faces = HighOnly.detect(picture).into_iter();
                faces.map(|face| DetectedFace { score: 2.5, ..face }).collect()
            }
        }
        assert!(crop_faces(&photo, FaceChoice::Auto, &Doubtful).is_empty());
        assert_eq!(
            crop_faces(&picture(250, 400), FaceChoice::All, &HighOnly)[0].turn,
            Turn::Upright
        );
    }
}
