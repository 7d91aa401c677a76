//! `fer predict` of videos: rows, times, identities, and what is refused.

use crate::support::place::{Place, finished};
use serde_json::Value;

const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/photos/astronaut.jpg");

/// A video of the photo in gray, moved right by two pixels in each frame; the third of five is gray.
fn y4m() -> Vec<u8> {
    let photo = fer::dataset::image::read_image(PHOTO.as_ref()).unwrap().image;
    let (w, h) = (photo.width, photo.height);
    let head = format!("YUV4MPEG2 W{w} H{h} F10:1 Ip A1:1 Cmono XCOLORRANGE=FULL\n");
    let mut bytes = head.into_bytes();
    for k in 0..5 {
        bytes.extend(b"FRAME\n");
        let moved = |i: usize| photo.gray[i / w * w + (i % w).saturating_sub(2 * k)];
        bytes.extend((0..w * h).map(|i| if k == 2 { 128 } else { moved(i) }));
    }
    bytes
}

fn rows(csv: &str) -> Vec<Vec<String>> {
    csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_video_has_one_row_per_face_and_frame() {
    let place = Place::with_run(1);
    place.write("v.y4m", &y4m());
    let done = place.ok("predict run v.y4m");
    let all = rows(&done.stdout);
    assert_eq!(all[0][..7], ["seconds", "frame", "face", "x", "y", "side", "class"]);
    assert_eq!((all[0].len(), all.len()), (21, 5), "{}", done.stdout);
    let column = |k: usize| all[1..].iter().map(|row| row[k].as_str()).collect::<Vec<_>>();
    assert_eq!(column(0), ["0.000", "0.100", "0.300", "0.400"]);
    assert_eq!(column(1), ["0", "1", "3", "4"]);
    assert_eq!(column(2), ["1"; 4], "the face keeps its number over a frame without it");
    assert_eq!(all[1][7..14], all[1][14..], "nothing to smooth in the first frame");
    let sum: f64 = all[4][7..14].iter().map(|p| p.parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");

    // From a pipe, every second frame, as JSON; and into a file.
    let mut command = place.command("predict run - --every 2 --json");
    let done = finished(command.write_stdin(y4m()));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let lines: Vec<Value> = done.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let frames: Vec<_> = lines.iter().map(|l| l["frame"].as_u64().unwrap()).collect();
    assert_eq!(frames, [0, 4]);
    place.ok("predict run v.y4m --out v.csv");
    assert_eq!(rows(&place.text("v.csv")), all);
}

#[test]
fn motion_jpeg_is_a_video_and_one_picture_is_none() {
    let place = Place::with_run(1);
    let photo = std::fs::read(PHOTO).unwrap();
    place.write("v.mjpeg", &photo.repeat(2));
    let all = rows(&place.ok("predict run v.mjpeg --fps 4").stdout);
    assert_eq!((all.len(), all[2][0].as_str()), (3, "0.250"));
    let from_pipe = |line: &str| finished(place.command(line).write_stdin(photo.repeat(2))).stdout;
    assert_eq!(rows(&from_pipe("predict run - --fps 4")), all);
    assert!(!from_pipe("predict run -").contains("seconds"), "without --fps it is a picture");
}

#[test]
fn what_a_video_does_not_have_is_refused() {
    let place = Place::with_run(1);
    place.write("v.y4m", &y4m());
    place.write("bad.y4m", b"RIFF");
    place.write("empty.y4m", b"YUV4MPEG2 W64 H64 F10:1 Cmono\n");
    place.fails("predict run bad.y4m", 3, &["bad.y4m", "neither YUV4MPEG2", "ffmpeg"]);
    place.fails("predict run empty.y4m", 6, &["no face found", "empty.y4m"]);
    place.fails("predict run v.y4m v.y4m", 2, &["predicted alone"]);
    place.fails("predict run v.y4m --tta", 2, &["are for photos"]);
    place.fails("predict run v.y4m --fps 0", 2, &["expected a number above 0"]);
    place.fails("predict run v.y4m --every 0", 2, &["--every"]);
}
