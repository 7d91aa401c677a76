//! Answers of the calls, against the library.

use crate::serve::{Served, numbers};
use fer::explain::Classifier;
use fer::model::LoadedModel;
use serde_json::{Value, json};

const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/photos/astronaut.jpg");

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn a_photo_is_answered_as_predict_answers_it() {
    let served = Served::new();
    let photo = std::fs::read(PHOTO).unwrap();
    let found = served.ask("picture", json!({ "name": "astronaut.jpg" }), &photo);
    let predicted = served.place.ok(&format!("predict run {PHOTO} --json")).json();
    let face = &found.json["faces"][0];
    assert_eq!(found.json["faces"].as_array().unwrap().len(), 1);
    assert_eq!(found.bytes.len(), fer::PIXELS);
    assert_eq!(face["box"], predicted["box"], "{face} {predicted}");
    let text = predicted.to_string();
    let best = floats(&face["probabilities"]).into_iter().fold(0.0, f32::max);
    assert!(text.contains(&format!("{best:.3}")[..4]), "{best} in {text}");
    // The crop alone, and as pixels that the browser decoded, gives the same answer.
    let again = served.ask("answer", json!({}), &found.bytes);
    assert_eq!(again.json["probabilities"][0], face["probabilities"]);
    let width = json!({ "name": "pasted", "width": 48 });
    let pasted = served.ask("picture", width, &found.bytes);
    assert_eq!(pasted.json["faces"][0]["probabilities"], face["probabilities"]);
    assert_eq!(pasted.json["faces"][0]["box"], Value::Null);
}

#[test]
fn a_face_keeps_its_number_through_the_frames_of_a_video() {
    let served = Served::new();
    let photo = fer::dataset::image::read_image(PHOTO.as_ref()).unwrap().image;
    let frame = |video: &str, seconds: f64, gray: &[u8]| {
        let asked = json!({ "video": video, "seconds": seconds, "width": photo.width });
        served.ask("frame", asked, gray).json["faces"].clone()
    };
    let first = frame("a", 0.0, &photo.gray);
    assert_eq!(
        (first[0]["id"].as_u64(), &first[0]["smoothed"]),
        (Some(1), &first[0]["probabilities"])
    );
    let next = frame("a", 0.1, &photo.gray);
    assert_eq!(next[0]["id"], 1, "{next}");
    let overlap = next[0]["box"]["x"].as_f64().unwrap() - first[0]["box"]["x"].as_f64().unwrap();
    assert!(overlap.abs() < 30.0, "{first} {next}");
    assert_eq!(frame("a", 0.2, &vec![0; photo.gray.len()]), json!([]));
    assert_eq!(frame("b", 9.0, &photo.gray)[0]["id"], 1, "another page counts for itself");
}

#[test]
fn maps_and_kernels_are_those_of_the_network() {
    let served = Served::new();
    let set = served.ask("set", json!({ "faces": [3] }), b"");
    let ask = |name: &str, json: Value| served.ask(name, json, &set.bytes);
    let input = numbers(&ask("maps", json!({ "layer": "input" })));
    let map = numbers(&ask("maps", json!({ "layer": "conv2d_1" })));
    let kernel = served.ask("kernel", json!({ "layer": "conv2d_1", "filter": 5 }), b"");
    assert_eq!(kernel.json["shape"], json!([1, 3, 3]));
    let (weights, (row, column)) = (numbers(&kernel), (20, 31));
    let mut sum = kernel.json["bias"].as_f64().unwrap() as f32;
    for i in 0..9 {
        sum += weights[i] * input[(row + i / 3 - 1) * 48 + column + i % 3 - 1];
    }
    let value = map[(5 * 48 + row) * 48 + column];
    assert!((sum - value).abs() < 1e-4, "{sum} {value}");

    let model = LoadedModel::read(&served.place.path("run")).unwrap();
    let classifier = model.classifier().unwrap();
    let hello = served.ask("hello", json!({}), b"").json;
    assert_eq!(hello["classes"].as_array().unwrap().len(), classifier.classes());
    assert_eq!(hello["layers"].as_array().unwrap().len(), classifier.layers().len());
    assert_eq!(hello["methods"].as_array().unwrap().len(), fer::explain::Method::ALL.len());
}

#[test]
fn explanations_are_those_of_the_library() {
    let served = Served::new();
    let face = served.ask("set", json!({ "faces": [3] }), b"").bytes;
    let saliency = served.ask("attribution", json!({ "method": "saliency", "class": 2 }), &face);
    let model = LoadedModel::read(&served.place.path("run")).unwrap();
    let classifier = model.classifier().unwrap();
    let data = fer::dataset::Dataset::from_pixels(face.clone(), vec![None], "x").unwrap();
    let pixels = model.pixels(&data, &[0]);
    let faces = fer::explain::FaceBatch::of_classes(&classifier, &pixels, &[2]).unwrap();
    let expected = fer::explain::attribution::gradient::saliency::saliency(&faces).unwrap();
    assert_eq!(numbers(&saliency), expected);

    let parts = served.ask("superpixels", json!({ "segmentation": "face" }), &face);
    assert_eq!((parts.json["count"].as_u64(), parts.bytes.len()), (Some(12), 2 * fer::PIXELS));

    let patch = served.ask("patch", json!({ "fill": "gray" }), &face).json;
    if let Some(found) = patch["found"].as_object() {
        let at = |name: &str| found[name].as_u64().unwrap() as usize;
        let mut changed = pixels.clone();
        for p in 0..fer::PIXELS {
            let (y, x, side) = (p / 48, p % 48, at("side"));
            if (at("y")..at("y") + side).contains(&y) && (at("x")..at("x") + side).contains(&x) {
                changed[p] = 0.5;
            }
        }
        let class = fer::stats::argmax(&classifier.logits(&changed).unwrap());
        assert_eq!(json!(class), found["class"]);
        assert_ne!(found["class"], patch["answer"]);
    }
}

#[test]
fn filters_are_described_and_climbed() {
    let served = Served::new();
    let asked = json!({ "layer": "conv2d_1", "filter": 1 });
    let filter = served.ask("filter", asked, b"");
    let (top, side) = (&filter.json["top"], filter.json["side"].as_u64().unwrap() as usize);
    assert_eq!((top.as_array().unwrap().len(), side), (9, 3));
    assert_eq!(filter.bytes.len(), 9 * side * side);
    assert_eq!(filter.json["values"].as_array().unwrap().len(), 70);
    let asked = json!({ "layer": "conv2d_1", "filter": 1, "method": "naive", "every": 5 });
    let steps = served.call("ascent", asked, b"").messages();
    let (last, before) = steps.split_last().unwrap();
    let shown: Vec<_> = before.iter().filter_map(|m| m.json["step"].as_u64()).collect();
    assert_eq!(shown, [0, 5, 10, 15]);
    assert_eq!((last.json["done"].as_bool(), numbers(last).len()), (Some(true), fer::PIXELS));
    let [pca, tsne] = ["pca", "tsne"].map(|layout| {
        let messages = served.call("map", json!({ "layout": layout }), b"").messages();
        let told = messages.iter().filter(|m| m.json["progress"].is_u64()).count();
        let points = messages.last().unwrap().json["points"].clone();
        assert_eq!((points.as_array().unwrap().len(), told > 0), (70, true), "{layout}");
        points
    });
    assert_ne!(pca, tsne);
    let row = served.ask("sanity", json!({ "method": "saliency" }), b"").json;
    assert_eq!((row["faces"].as_u64(), &row["row"]["method"]), (Some(32), &json!("saliency")));
}
