//! A user's photo: faces are found and framed, a small picture is taken whole, and "no face found" is
//! an answer.

use crate::support::place::{Done, Place, finished};
use fer::dataset::image::GrayImage;
use fer::dataset::image::resize::resize;
use fer::dataset::{SynthOptions, synthesize};
use fer::photo::{FaceDetector as _, SeetaFace};
use fer::{PIXELS, SIDE};
use serde_json::Value;

/// A gray wall with drawn faces on it: number of the face, left edge, upper edge, side.
pub(super) fn wall(width: usize, height: usize, faces: &[(u64, usize, usize, usize)]) -> GrayImage {
    let mut gray = vec![128; width * height];
    for &(first, left, top, side) in faces {
        let drawn = SynthOptions { count: 1, first, ..SynthOptions::default() };
        let face = resize(synthesize(&drawn).unwrap().image(0), SIDE, SIDE, side, side);
        for (y, row) in face.chunks(side).enumerate() {
            gray[(top + y) * width + left..][..side].copy_from_slice(row);
        }
    }
    GrayImage { width, height, gray }
}

pub(super) fn png(picture: &GrayImage) -> Vec<u8> {
    let drawn = fer::render::RgbImage::from_gray(&picture.gray, picture.width, picture.height);
    drawn.unwrap().to_png().unwrap()
}

/// A run with bytes on standard input.
fn piped(place: &Place, line: &str, bytes: Vec<u8>) -> Done {
    finished(place.command(line).write_stdin(bytes))
}

pub(super) fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_second_network_is_no_input_and_a_blank_picture_is_called_so() {
    let place = Place::with_run(1);
    place.ok("data synth --count 7 --out drawn");
    place.fails("predict run run drawn", 2, &["run is a network", "--ensemble run"]);
    let gray = GrayImage { width: 48, height: 48, gray: vec![99; 48 * 48] };
    place.write("gray.png", &png(&gray));
    let answer = answers(&place.ok("predict gray.png --json").stdout);
    assert!(answer[0]["message"].as_str().unwrap().contains("blank"), "{answer:?}");
}

#[test]
fn without_a_model_the_program_uses_its_own() {
    let place = Place::with_faces();
    place.ok("data synth --count 7 --out drawn");
    let all = answers(&place.ok("predict drawn --json").stdout);
    assert_eq!(all.len(), 7);
    for answer in &all {
        let total: f64 = answer["top"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["probability"].as_f64().unwrap())
            .sum();
        assert!((total - 1.0).abs() < 1e-5 && answer["top"].as_array().unwrap().len() == 7);
        assert!(answer["box"].is_null() && answer["calibrated"] == true);
    }
    let picture = all[0]["name"].as_str().unwrap().to_owned();
    place.ok(&format!("saliency {picture} --out map.png"));
    assert!(place.has_picture("map.png"));
    assert_eq!(place.ok("eval --data faces.csv --json").json()["n"], 140);
    assert!(place.ok("summary").stdout.contains("squeeze_excite_1"));
    place.ok(&format!("activations {picture} --layer activation_1 --filter 0-3 --out maps.png"));
    place.fails("eval", 2, &["--data"]);
    place.fails("predict", 2, &["name a photo"]);
    place.fails(&format!("predict nowhere {picture}"), 4, &["nowhere", "does not exist"]);
    place.fails("predict nowhere.png", 3, &["nowhere.png", "does not exist"]);
    place.fails(&format!("saliency {picture} --index 3 --out a.png"), 2, &["--index"]);
}

#[test]
fn no_face_is_an_answer_with_its_own_exit_code() {
    let place = Place::with_run(1);
    place.write("wall.png", &png(&wall(300, 200, &[])));
    place.write("small.png", &png(&wall(SIDE, SIDE, &[(3, 0, 0, SIDE)])));
    place.fails("predict run wall.png", 6, &["no face found in wall.png", "--detect off"]);
    place.fails("saliency run wall.png --out map.png", 6, &["no face found"]);
    assert!(place.ok("predict run wall.png --detect off").stdout.starts_with("wall.png  "));
    let both = place.ok("predict run small.png wall.png").stdout;
    let lines: Vec<&str> = both.lines().collect();
    assert!(lines[0].starts_with("small.png  ") && lines[1] == "wall.png  no face found", "{both}");
    // In the order of the inputs; alone, too.
    let both = answers(&place.ok("predict run wall.png small.png --json").stdout);
    assert_eq!((&both[0]["faces"], &both[0]["name"]), (&0.into(), &"wall.png".into()));
    assert_eq!((&both[1]["whole"], &both[1]["name"]), (&true.into(), &"small.png".into()));
    let alone = place.run("predict run wall.png --json");
    assert_eq!((alone.code, &answers(&alone.stdout)[0]), (6, &both[0]));
    let out = place.ok("predict run small.png wall.png --out o.csv");
    assert!(
        out.stdout.is_empty() && out.stderr.contains("wall.png: no face found"),
        "{}",
        out.stderr
    );
    assert!(out.stderr.contains("written: o.csv"), "{}", out.stderr);
    assert_eq!(place.text("o.csv").lines().count(), 2);
    place.fails(
        "predict run wall.png --detect some",
        2,
        &["some", "`auto`, `largest`, `all`, `off`"],
    );
    place.fails("predict run small.png wall.png --draw a.png", 2, &["--draw", "one"]);
}

#[test]
fn a_small_picture_is_drawn_whole() {
    let place = Place::with_run(1);
    place.write("small.png", &png(&wall(SIDE, SIDE, &[(3, 0, 0, SIDE)])));
    place.ok("predict run small.png --draw drawn.png");
    let drawn = fer::render::RgbImage::from_png(&place.read("drawn.png")).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (480, 480));
    assert!(!drawn.is_gray(), "neither box nor saliency");
    assert!(drawn.pixels().len() > PIXELS);
}

/// A photo with two faces, from the file to the drawing.
#[test]
fn every_face_of_a_photo_is_answered_and_drawn() {
    let place = Place::with_run(1);
    let photo = wall(640, 360, &[(3, 60, 50, 144), (10, 380, 90, 180)]);
    place.write("party.png", &png(&photo));
    let all = answers(&place.ok("predict run party.png --json --draw drawn.png").stdout);
    assert_eq!(all.len(), 2);
    let number = |answer: &Value, key: &str| answer["box"][key].as_f64().unwrap();
    assert!(number(&all[0], "x") < number(&all[1], "x"), "from left to right");
    for (answer, (x, y, side)) in all.iter().zip([(60.0, 50.0, 144.0), (380.0, 90.0, 180.0)]) {
        for (found, true_edge) in [(number(answer, "x"), x), (number(answer, "y"), y)] {
            assert!((found - true_edge).abs() < 0.25 * side, "{answer}");
        }
    }
    assert_eq!(
        (all[0]["id"].as_str(), all[1]["id"].as_str()),
        (Some("party.png#1"), Some("party.png#2"))
    );
    let largest = answers(&place.ok("predict run party.png --json --detect largest").stdout);
    assert_eq!(largest.len(), 1);
    assert_eq!(largest[0]["box"], all[1]["box"]);
    assert!(all.iter().all(|a| a["score"].as_f64() >= Some(2.0) && a["whole"] == false));
    let text = place.ok("predict run party.png --top-k 1").stdout;
    let (first, second) = text.split_once('\n').unwrap();
    assert!(first.starts_with("party.png#1  ") && second.starts_with("party.png#2  "), "{text}");
    assert!(first.contains("  left ") && first.contains(", top ") && first.contains(", width "));
    // The drawing: colour inside the boxes, none far from them.
    let drawn = fer::render::RgbImage::from_png(&place.read("drawn.png")).unwrap();
    let scale = drawn.width() as f64 / 640.0;
    let colourful = |x: f64, y: f64| {
        let [r, g, b] = drawn.at((x * scale) as usize, (y * scale) as usize);
        r != g || g != b
    };
    for answer in &all {
        let (x, y, side) = (number(answer, "x"), number(answer, "y"), number(answer, "side"));
        assert!(colourful(x + side / 2.0, y), "no box at {answer}");
    }
    assert!(!colourful(300.0, 340.0) && !colourful(10.0, 350.0));
    place.ok("saliency run party.png --out map.png");
    place.fails("predict run party.png --draw no/such/drawn.png", 2, &["does not exist"]);
    place.fails("predict run party.png --draw ./party.png", 2, &["an input (party.png)"]);
    place.fails("predict run party.png --draw drawn.jpg", 2, &["drawn.jpg", "ends in .png"]);
    place.fails("saliency run party.png --out party.png", 2, &["an input (party.png)"]);
    assert_eq!(place.read("party.png"), png(&photo));
}

#[test]
fn a_photo_on_standard_input_is_a_photo() {
    let place = Place::with_run(1);
    let photo = png(&wall(640, 360, &[(3, 60, 50, 144), (10, 380, 90, 180)]));
    place.write("party.png", &photo);
    let by_name = answers(&place.ok("predict run party.png --json --draw a.png").stdout);
    let done = piped(&place, "predict run - --json --draw b.png", photo.clone());
    let piped_in = answers(&done.stdout);
    assert_eq!((done.code, piped_in.len(), &piped_in[1]["id"]), (0, 2, &"<stdin>#2".into()));
    for key in ["box", "score", "top"] {
        assert_eq!(by_name[1][key], piped_in[1][key], "{key}");
    }
    assert_eq!(place.read("a.png"), place.read("b.png"));
    let largest = piped(&place, "predict run - --detect largest --json", photo);
    assert_eq!(answers(&largest.stdout).len(), 1);
    assert_eq!(piped(&place, "predict run -", png(&wall(300, 200, &[]))).code, 6);
    let table = piped(&place, "predict run - --draw c.png", place.read("faces.csv"));
    assert_eq!(table.code, 2, "{}", table.stderr);
}

#[test]
fn a_colour_photo_keeps_its_colours() {
    let place = Place::with_run(1);
    let gray = wall(640, 360, &[(3, 60, 50, 144)]);
    let green = |x: usize, y: usize| {
        let value = gray.gray[y * gray.width + x];
        [value - value / 4, value, value / 2]
    };
    let photo = fer::render::RgbImage::from_fn(gray.width, gray.height, green);
    place.write("green.png", &photo.to_png().unwrap());
    place.ok("predict run green.png --draw drawn.png");
    let drawn = fer::render::RgbImage::from_png(&place.read("drawn.png")).unwrap();
    assert_eq!(drawn.at(drawn.width() - 5, drawn.height() - 5), [96, 128, 64]);
}

#[test]
fn what_cannot_be_read_says_why() {
    let place = Place::with_run(1);
    place.write("small.png", &png(&wall(SIDE, SIDE, &[(3, 0, 0, SIDE)])));
    place.write("thin.png", &png(&wall(11, 60, &[])));
    place.write("empty.jpg", b"");
    place.write("text.png", b"no picture");
    place.fails("predict nosuch", 3, &["nosuch: does not exist"]);
    place.fails("predict run empty.jpg", 3, &["empty.jpg: the file is empty", "picture"]);
    place.fails("predict run text.png", 3, &["text.png: found no picture data; expected PNG"]);
    place.fails("predict run thin.png", 3, &["11 x 60", "at least 12"]);
    let skipping = "predict run empty.jpg thin.png --skip-bad --json";
    place.fails(skipping, 3, &["at least 12", "nothing that can be read"]);
    assert_eq!(place.ok("predict run empty.jpg small.png --skip-bad").stdout.lines().count(), 1);
    std::fs::create_dir(place.path("album")).unwrap();
    // One bad file loses none of the others, and every answer has the same keys.
    let line = "predict run empty.jpg small.png text.png small.png";
    let done = place.run(line);
    assert_eq!((done.code, done.stdout.lines().count()), (3, 2), "{}", done.stderr);
    assert!(done.stderr.contains("2 inputs cannot be read"), "{}", done.stderr);
    assert!(done.stderr.contains("empty.jpg: ") && done.stderr.contains("text.png: "));
    let done = place.run(&format!("{line} --json"));
    let all = answers(&done.stdout);
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((done.code, all.len()), (3, 4));
    assert!(all.iter().all(|a| keys(a) == keys(&all[1])));
    assert_eq!(all.iter().map(|a| a["faces"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 0, 1]);
    assert!(all[2]["message"].as_str().unwrap().contains("no picture data"));
    let done = place.run(&format!("{line} --out some.csv"));
    assert_eq!((done.code, place.text("some.csv").lines().count()), (3, 3));
    place.write("album/b.tif", b"II*\0");
    place.write("album/c.heic", b"\0\0\0\x18ftypheic");
    place.write("album/notes.txt", b"nothing");
    place.fails("predict run album", 3, &["album", "2 pictures of other kinds"]);
    place.write("album/a.png", &place.read("small.png"));
    let done = place.ok("predict run album");
    assert!(done.stderr.contains("album: 2 pictures skipped"), "{}", done.stderr);
    assert_eq!(done.stdout.lines().count(), 1);
}

#[test]
fn a_cropped_picture_in_which_nothing_is_found_is_taken_whole() {
    let place = Place::with_run(1);
    place.write("crop.png", &png(&wall(200, 200, &[])));
    let text = place.ok("predict run crop.png").stdout;
    assert!(text.contains("no face found, taken whole"), "{text}");
    let answer = place.ok("predict run crop.png --json").json();
    assert_eq!((&answer["whole"], &answer["box"]), (&true.into(), &Value::Null));
    place.fails("predict run crop.png --detect all", 6, &["no face found"]);
}

#[test]
fn small_faces_of_a_large_photo_are_found() {
    let found = SeetaFace::new().unwrap().detect(&wall(4_000, 3_000, &[(3, 1_000, 900, 144)]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((found[0].x - 1_000.0).abs() < 40.0 && (found[0].y - 900.0).abs() < 40.0);
}

#[test]
fn drawn_faces_on_a_wall_are_found_where_they_are() {
    let at = [(3, 60, 50, 144), (10, 380, 90, 180)];
    let photo = wall(640, 360, &at);
    let found = SeetaFace::new().unwrap().detect(&photo);
    assert_eq!(found.len(), 2, "{found:?}");
    for face in &found {
        let middle = (face.x + face.side / 2.0, face.y + face.side / 2.0);
        let inside = at.iter().any(|&(_, x, y, side)| {
            let within = |v: f64, low: usize| v > low as f64 && v < (low + side) as f64;
            within(middle.0, x) && within(middle.1, y)
        });
        assert!(inside, "{face:?}");
    }
}
