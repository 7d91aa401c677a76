//! Faces that keep their identity from frame to frame of a video.

use crate::dataset::image::GrayImage;
use crate::photo::{DetectedFace, FaceDetector};

/// Longest side, in pixels, of a frame that is searched as a whole; larger ones are shrunk first.
const LONGEST: usize = 640;

/// Seconds after which the whole frame is searched again, for faces that have come.
const SEARCH_EVERY: f64 = 0.5;

/// Seconds after which a face that was not seen is forgotten.
const FORGET_AFTER: f64 = 1.0;

/// Side of the neighbourhood in which a known face is searched, in sides of the face.
const NEIGHBOURHOOD: f64 = 2.0;

/// Side of a face in its neighbourhood, in pixels, to which larger ones are shrunk. The detector needs 40.
const FACE_SIDE: f64 = 64.0;

/// Least overlap (intersection over union) of two boxes of the same face in neighbouring frames.
const SAME_FACE: f64 = 0.3;

/// Time constant of the smoothed probabilities, in seconds.
const SMOOTHING: f64 = 0.35;

/// A face in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackedFace {
    /// Number of the face, the same in every frame; from 1.
    pub id: u64,
    /// Its box in this frame.
    pub face: DetectedFace,
}

/// The faces of a video, so far.
#[derive(Clone, Debug, Default)]
pub struct FaceTracker {
    tracks: Vec<Track>,
    /// Number of faces so far.
    faces: u64,
    /// Time of the last frame, in seconds.
    seconds: f64,
    /// Time of the last frame that was searched as a whole.
    searched: Option<f64>,
}

#[derive(Clone, Debug)]
struct Track {
    id: u64,
    face: DetectedFace,
    /// Time of the last frame with this face, in seconds.
    seen: f64,
    /// Smoothed probabilities, and their time.
    smoothed: Option<(f64, Vec<f32>)>,
}

impl FaceTracker {
    /// Returns the faces of the next frame, at a time in seconds, from left to right.
    ///
    /// Known faces are searched in their neighbourhood. The whole frame is searched every half second,
    /// and whenever a known face is not found there. A time before that of the last frame starts anew.
    pub fn follow(
        &mut self,
        frame: &GrayImage,
        seconds: f64,
        detector: &dyn FaceDetector,
    ) -> Vec<TrackedFace> {
        if seconds < self.seconds {
            *self = FaceTracker { faces: self.faces, ..FaceTracker::default() };
        }
        let last = std::mem::replace(&mut self.seconds, seconds);
        self.tracks.retain(|track| seconds - track.seen <= FORGET_AFTER);
        let known: Vec<&Track> = self.tracks.iter().filter(|track| track.seen == last).collect();
        let is_due = self.searched.is_none_or(|at| seconds - at >= SEARCH_EVERY);
        let near = || known.iter().map(|t| search_near(frame, &t.face, detector)).collect();
        let near: Option<Vec<DetectedFace>> =
            if is_due || known.is_empty() { None } else { near() };
        let found = near.unwrap_or_else(|| {
            self.searched = Some(seconds);
            search(frame, LONGEST, detector)
        });
        self.identify(found, seconds)
    }

    /// Gives every detection the number of the known face that it overlaps most, or a new one.
    fn identify(&mut self, found: Vec<DetectedFace>, seconds: f64) -> Vec<TrackedFace> {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            let overlaps = found.iter().map(|face| overlap(&track.face, face)).enumerate();
            pairs.extend(overlaps.filter(|(_, o)| *o >= SAME_FACE).map(|(f, o)| (o, t, f)));
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut owner: Vec<Option<usize>> = vec![None; found.len()];
        for (_, track, face) in pairs {
            if owner[face].is_none() && !owner.contains(&Some(track)) {
                owner[face] = Some(track);
            }
        }
        let mut all = Vec::with_capacity(found.len());
        for (face, owner) in found.into_iter().zip(owner) {
            let id = match owner.map(|t| &mut self.tracks[t]) {
                Some(track) => {
                    (track.face, track.seen) = (face, seconds);
                    track.id
                }
                None => {
                    self.faces += 1;
                    let id = self.faces;
                    self.tracks.push(Track { id, face, seen: seconds, smoothed: None });
                    id
                }
            };
            all.push(TrackedFace { id, face });
        }
        all.sort_by(|a, b| a.face.x.total_cmp(&b.face.x).then(a.id.cmp(&b.id)));
        all
    }

    /// Returns the smoothed probabilities s of face `id` after this frame's p:
    /// s ← s + (1 − exp(−Δt/0.35 s))·(p − s); p itself in the first frame of a face.
    pub fn smooth(&mut self, id: u64, probabilities: &[f32]) -> Vec<f32> {
        let now = self.seconds;
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else {
            return probabilities.to_vec();
        };
        let next = match &track.smoothed {
            Some((at, before)) if before.len() == probabilities.len() => {
                let share = 1.0 - (-(now - at) / SMOOTHING).exp() as f32;
                before.iter().zip(probabilities).map(|(s, p)| s + share * (p - s)).collect()
            }
            _ => probabilities.to_vec(),
        };
        track.smoothed = Some((now, next.clone()));
        next
    }
}

/// Searches a frame that is shrunk to a longest side.
fn search(frame: &GrayImage, longest: usize, detector: &dyn FaceDetector) -> Vec<DetectedFace> {
    if frame.width.min(frame.height) == 0 {
        return Vec::new();
    }
    let (small, scale) = frame.shrunk(longest);
    let enlarge = |f: DetectedFace| DetectedFace {
        x: f.x / scale,
        y: f.y / scale,
        side: f.side / scale,
        ..f
    };
    detector.detect(&small).into_iter().map(enlarge).collect()
}

/// Searches a face near its last place.
fn search_near(
    frame: &GrayImage,
    last: &DetectedFace,
    detector: &dyn FaceDetector,
) -> Option<DetectedFace> {
    let side = (NEIGHBOURHOOD * last.side).round();
    let from = |at: f64| (at - (side - last.side) / 2.0).round().max(0.0);
    let (left, top) = (from(last.x), from(last.y));
    let part = frame.crop(left as usize, top as usize, side as usize)?;
    let longest = (part.width.max(part.height) as f64 * (FACE_SIDE / last.side).min(1.0)).ceil();
    let moved = |f: DetectedFace| DetectedFace { x: f.x + left, y: f.y + top, ..f };
    let found = search(&part, longest as usize, detector).into_iter().map(moved);
    let found = found.filter(|face| overlap(face, last) >= SAME_FACE);
    found.max_by(|a, b| overlap(a, last).total_cmp(&overlap(b, last)))
}

/// Returns the intersection over union of two boxes, in \[0, 1\].
fn overlap(a: &DetectedFace, b: &DetectedFace) -> f64 {
    let shared = |a: f64, b: f64, a_side: f64, b_side: f64| {
        ((a + a_side).min(b + b_side) - a.max(b)).max(0.0)
    };
    let both = shared(a.x, b.x, a.side, b.side) * shared(a.y, b.y, a.side, b.side);
    let either = a.side * a.side + b.side * b.side - both;
    if either > 0.0 { both / either } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Finds bright pixels as faces of 40 pixels, and notes the sizes of what it searched.
    #[derive(Default)]
    struct Bright(RefCell<Vec<usize>>);

    impl FaceDetector for Bright {
        fn detect(&self, picture: &GrayImage) -> Vec<DetectedFace> {
            self.0.borrow_mut().push(picture.width);
            let bright = picture.gray.iter().enumerate().filter(|(_, v)| **v == 255);
            let face = |(at, _): (usize, &u8)| DetectedFace {
                x: (at % picture.width) as f64,
                y: (at / picture.width) as f64,
                side: 40.0,
                score: 9.0,
            };
            bright.map(face).collect()
        }
    }

    fn frame(faces: &[(usize, usize)]) -> GrayImage {
        let mut gray = vec![0; 320 * 240];
        faces.iter().for_each(|&(x, y)| gray[y * 320 + x] = 255);
        GrayImage { width: 320, height: 240, gray }
    }

    fn ids(found: &[TrackedFace]) -> Vec<u64> {
        found.iter().map(|f| f.id).collect()
    }

    #[test]
    fn faces_keep_their_numbers_and_are_searched_nearby() {
        let (mut tracker, eye) = (FaceTracker::default(), Bright::default());
        let mut follow =
            |seconds, faces: &[(usize, usize)]| tracker.follow(&frame(faces), seconds, &eye);
        assert_eq!(ids(&follow(0.0, &[(50, 60), (200, 60)])), [1, 2]);
        assert_eq!(ids(&follow(0.1, &[(58, 62), (194, 60)])), [1, 2]);
        assert_eq!(eye.0.borrow().as_slice(), [320, 80, 80], "the second frame only in part");
        // A face that leaves makes the whole frame be searched; within a second it comes back.
        assert_eq!(ids(&follow(0.2, &[(60, 64)])), [1]);
        assert_eq!(ids(&follow(0.8, &[(62, 64), (192, 62)])), [1, 2]);
        assert_eq!(ids(&follow(2.5, &[(64, 64)])), [3], "forgotten after a second");
        assert_eq!(ids(&follow(0.0, &[(64, 64)])), [4], "a video that starts again");
    }

    #[test]
    fn faces_that_cross_keep_the_larger_overlap() {
        let (mut tracker, eye) = (FaceTracker::default(), Bright::default());
        tracker.follow(&frame(&[(100, 60), (120, 60)]), 0.0, &eye);
        let found = tracker.follow(&frame(&[(104, 60), (118, 60)]), 0.6, &eye);
        assert_eq!(ids(&found), [1, 2]);
    }

    #[test]
    fn probabilities_approach_those_of_the_frames() {
        let (mut tracker, eye) = (FaceTracker::default(), Bright::default());
        tracker.follow(&frame(&[(50, 60)]), 0.0, &eye);
        assert_eq!(tracker.smooth(1, &[1.0, 0.0]), [1.0, 0.0]);
        tracker.follow(&frame(&[(50, 60)]), SMOOTHING, &eye);
        let smoothed = tracker.smooth(1, &[0.0, 1.0]);
        assert!((smoothed[0] - (-1.0f32).exp()).abs() < 1e-6, "{smoothed:?}");
        assert!((smoothed[0] + smoothed[1] - 1.0).abs() < 1e-6);
        assert_eq!(tracker.smooth(7, &[0.5, 0.5]), [0.5, 0.5], "unknown faces are not smoothed");
    }
}
