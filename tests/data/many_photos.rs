//! Many photos at once: a folder of drawings, a contact sheet, sorted answers.

use crate::data::photos::{answers, png, wall};
use crate::support::place::Place;
use fer::SIDE;
use fer::render::RgbImage;
use serde_json::Value;

/// Two faces in `album/party.png`, one in `album/trip/party.png`, none in `album/wall.png`.
fn album() -> Place {
    let place = Place::with_run(1);
    std::fs::create_dir_all(place.path("album/trip")).unwrap();
    let two = wall(640, 360, &[(3, 60, 50, 144), (10, 380, 90, 180)]);
    place.write("album/party.png", &png(&two));
    place.write("album/trip/party.png", &png(&wall(640, 360, &[(3, 60, 50, 144)])));
    place.write("album/wall.png", &png(&wall(640, 360, &[])));
    place
}

#[test]
fn every_picture_of_a_folder_is_drawn_into_another() {
    let place = album();
    place.ok("predict run album/party.png --draw one.png");
    let done = place.ok("predict run album --draw drawn");
    assert!(done.stderr.contains("2 pictures in drawn"), "{}", done.stderr);
    assert_eq!(place.read("drawn/party.png"), place.read("one.png"), "as if it were drawn alone");
    assert!(place.has_picture("drawn/trip/party.png"));
    assert!(!place.path("drawn/wall.png").exists(), "no face, no drawing");
    // Of two files with one name, given one by one, none is lost.
    place.ok("predict run album/party.png album/trip/party.png --draw flat --out a.csv");
    assert_eq!(place.read("flat/party.png"), place.read("one.png"));
    assert_eq!(place.read("flat/party-2.png"), place.read("drawn/trip/party.png"));
    assert_eq!(place.text("a.csv").lines().count(), 4, "a table beside the drawings");
    let inside = "predict run album --draw album/drawn";
    place.fails(inside, 2, &["inside the input folder album", "elsewhere"]);
    place.fails("predict run album --draw album", 2, &["inside the input folder"]);
    place.fails("predict run album --draw a.png", 2, &["expected one picture", "name a folder"]);
    place.fails("predict run faces.csv --draw tables", 2, &["faces.csv is a table"]);
    assert!(!place.path("tables").exists());
}

#[test]
fn sorted_answers_go_by_class_and_probability() {
    let place = album();
    place.ok("data synth --count 21 --out drawn");
    place.write("drawn/torn.png", b"\x89PNG\r\n\x1a\nno more");
    let key = |a: &Value| (a["label"].as_u64(), -a["probability"].as_f64().unwrap_or(0.0));
    let done = place.run("predict run album/wall.png drawn --json --sort class");
    let all = answers(&done.stdout);
    assert_eq!((done.code, all.len()), (3, 23), "{}", done.stderr);
    let faces: Vec<_> = all[..21].iter().map(key).collect();
    assert!(faces.is_sorted(), "{faces:?}");
    assert!(faces.iter().any(|f| f.0 != faces[0].0), "one class only shows no order");
    assert!(all[21..].iter().all(|a| a["faces"] == 0), "what has no face comes last");
    let by_probability = "predict run drawn --skip-bad --sort probability";
    let sorted = place.ok(&format!("{by_probability} --json")).stdout;
    let falling: Vec<f64> = answers(&sorted).iter().map(|a| key(a).1).collect();
    assert!(falling.is_sorted() && falling.len() == 21);
    // The table has the same order, and every face keeps its own answer.
    place.ok(&format!("{by_probability} --out sorted.csv"));
    place.ok("predict run drawn --skip-bad --out plain.csv");
    let rows = |name: &str| place.text(name).lines().map(String::from).collect::<Vec<_>>();
    let (mut sorted_rows, mut plain) = (rows("sorted.csv"), rows("plain.csv"));
    assert!(sorted_rows[1].starts_with(answers(&sorted)[0]["id"].as_str().unwrap()));
    assert_ne!(sorted_rows, plain);
    sorted_rows.sort();
    plain.sort();
    assert_eq!(sorted_rows, plain);
    place.fails("predict run drawn --sort size", 2, &["size", "`class` or `probability`"]);
    place.fails("predict run drawn --sort class --resume --out a.csv", 2, &["--sort"]);
}

#[test]
fn the_contact_sheet_holds_every_face() {
    let place = album();
    place.ok("predict run album --sheet sheet.svg");
    let svg = place.text("sheet.svg");
    assert_eq!(svg.matches("<image").count(), 3, "two faces and one");
    for words in ["3 faces", "party.png#1", "party.png#2", "trip/"] {
        assert!(svg.contains(words), "{words}");
    }
    place.ok("predict run album --sheet sheet.png --sort probability --draw drawn");
    let sheet = RgbImage::from_png(&place.read("sheet.png")).unwrap();
    assert!(sheet.width() > 3 * 2 * SIDE && place.has_picture("drawn/party.png"));
    place.fails("predict run album/wall.png --sheet none.png", 6, &["no face found"]);
    assert!(!place.path("none.png").exists());
    place.fails("predict run album/party.png --sheet a.png --draw a.png", 2, &["same file"]);
    place.fails("predict run album --sheet sheet.jpg", 2, &["sheet.jpg", ".png"]);
    place.fails("predict run album --sheet album/wall.png", 2, &["an input"]);
}
