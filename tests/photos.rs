//! A user's photo: faces are found and framed, a small picture is taken whole, and "no face found" is
//! an answer.

use super::cli::place::Place;
use fer::dataset::picture::Picture;
use fer::dataset::resize::resize;
use fer::dataset::{SynthOptions, synthesize};
use fer::photo::{FaceFinder as _, SeetaFace};
use fer::{PIXELS, SIDE};
use serde_json::Value;

/// A gray wall with drawn faces on it: number of the face, left edge, upper edge, side.
fn wall(width: usize, height: usize, faces: &[(u64, usize, usize, usize)]) -> Picture {
    let mut gray = vec![128; width * height];
    for &(first, left, top, side) in faces {
        let drawn = SynthOptions { count: 1, first, ..SynthOptions::default() };
        let face = resize(synthesize(&drawn).unwrap().image(0), SIDE, SIDE, side, side);
        for (y, row) in face.chunks(side).enumerate() {
            gray[(top + y) * width + left..][..side].copy_from_slice(row);
        }
    }
    Picture { width, height, gray }
}

fn png(picture: &Picture) -> Vec<u8> {
    let drawn = fer::render::Picture::from_gray(&picture.gray, picture.width, picture.height);
    drawn.unwrap().to_png().unwrap()
}

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
    place.fails("predict run wall.png", 6, &["no face found in wall.png", "--face off"]);
    place.fails("saliency run wall.png --out map.png", 6, &["no face found"]);
    assert!(place.ok("predict run wall.png --face off").stdout.starts_with("wall.png  "));
    let both = place.ok("predict run small.png wall.png").stdout;
    let lines: Vec<&str> = both.lines().collect();
    assert!(lines[0].starts_with("small.png  ") && lines[1] == "wall.png  no face found", "{both}");
    let both = answers(&place.ok("predict run small.png wall.png --json").stdout);
    assert_eq!((&both[1]["faces"], &both[1]["name"]), (&0.into(), &"wall.png".into()));
    place.fails("predict run wall.png --face some", 2, &["auto, largest, all or off"]);
    place.fails("predict run small.png wall.png --draw a.png", 2, &["--draw", "one"]);
}

#[test]
fn a_small_picture_is_drawn_whole() {
    let place = Place::with_run(1);
    place.write("small.png", &png(&wall(SIDE, SIDE, &[(3, 0, 0, SIDE)])));
    place.ok("predict run small.png --draw drawn.png");
    let drawn = fer::render::Picture::from_png(&place.read("drawn.png")).unwrap();
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
        (Some("party.png"), Some("party.png#2"))
    );
    let largest = answers(&place.ok("predict run party.png --json --face largest").stdout);
    assert_eq!(largest.len(), 1);
    assert_eq!(largest[0]["box"], all[1]["box"]);
    // The drawing: colour inside the boxes, none far from them.
    let drawn = fer::render::Picture::from_png(&place.read("drawn.png")).unwrap();
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
}

#[test]
fn drawn_faces_on_a_wall_are_found_where_they_are() {
    let at = [(3, 60, 50, 144), (10, 380, 90, 180)];
    let photo = wall(640, 360, &at);
    let found = SeetaFace::new().unwrap().find(&photo);
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
