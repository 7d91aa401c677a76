//! `fer bench` says what it measured; how fast that was is nobody's test.

use crate::support::place::Place;
use serde_json::Value;

/// A convolution that Winograd's tiles do not fit.
const FIVE: &str = "filters = 8, kernel = 5";

fn texts<'a>(rows: &'a Value, key: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap()).collect()
}

#[test]
fn layers_account_for_the_whole_step() {
    let place = Place::new();
    let options = "--arch tiny --batch-size 3 --steps 2 --warmup 1";
    let profile = place.ok(&format!("bench layers {options} --threads 2 --json")).json();
    assert_eq!((&profile["steps"], &profile["threads"]), (&2.into(), &2.into()));
    let parts = &profile["parts"];
    let names = texts(parts, "name").join("+");
    assert!(names.starts_with("normalise+conv2d_1+batch_normalization_1"), "{names}");
    assert!(names.ends_with("linear_2+cross_entropy+update"), "{names}");
    assert_eq!(names.matches("conv2d").count(), 6);
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value}"));
    let sum = |key: &str| parts.as_array().unwrap().iter().map(|p| number(&p[key])).sum::<f64>();
    assert!((sum("share") - 1.0).abs() < 1e-9);
    // 2 · MAC · 3 pictures; nobody asks for the gradient of the pixels.
    let flop = |way: &str| (number(&profile["total"][way]["gflop"]) * 1e9).round() as u64;
    let (first, all) = (2 * 3 * 48 * 48 * 9 * 32, 3 * 173_559_296);
    assert_eq!((flop("forward"), flop("backward")), (all, 2 * all - first));
    let conv = parts
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"].as_str().unwrap().starts_with("conv2d_2"));
    let conv = conv.unwrap();
    assert_eq!(conv["forward"]["algorithms"], serde_json::json!(["winograd 4x4"]));
    assert!(number(&conv["forward"]["milliseconds"]) > 0.0);
    assert!(number(&conv["backward"]["milliseconds"]) > 0.0);
    let inference = &profile["inference"];
    let names = texts(&inference["layers"], "name");
    let last = ["flatten_1+linear_1+activation_7", "linear_2"];
    assert_eq!((names[0], &names[7..]), ("normalise", &last[..]));
    for layer in inference["layers"].as_array().unwrap() {
        assert!(number(&layer["milliseconds"]) > 0.0, "{layer}");
        assert!((0.0..=1.0).contains(&number(&layer["waiting"])), "{layer}");
    }
    let text = place.ok(&format!("bench layers {options} --conv im2col")).stdout;
    for word in
        ["One training step of tiny", "convolution im2col", "GFLOP/s", "im2col", "total", "waiting"]
    {
        assert!(text.contains(word), "{word} is missing from {text}");
    }
    assert!(!text.contains("winograd"), "{text}");
}

#[test]
fn infer_says_how_long_the_slowest_pictures_take() {
    let place = Place::new();
    let options = "--arch fer-s --batch-size 1 --warmup 1";
    let measured = place.ok(&format!("bench infer {options} --steps 5 --json")).json();
    let at = |key: &str| measured[format!("milliseconds{key}")].as_f64().unwrap();
    let sorted = [at("_best"), at("_q1"), at(""), at("_q3"), at("_p95"), at("_p99")];
    assert!(sorted.is_sorted() && measured["steps"] == 5, "{measured}");
    assert_eq!(measured["precision"], "f32");
    let half = place.ok(&format!("bench infer {options} --steps 2 --precision bf16 --json")).json();
    assert_eq!(half["precision"], "bf16");
    let train = format!("bench train {options} --steps 1 --precision bf16 --json");
    assert_eq!(place.ok(&train).json()["precision"], "bf16");
    let text = place.ok(&format!("bench infer {options}")).stdout;
    assert!(text.contains("95 % within") && text.contains("99 % within"), "{text}");
}

#[test]
fn kernels_climbs_the_ladder_and_draws_it() {
    let place = Place::new();
    let options = "--layer 5-7@9 --batch-size 2 --steps 1 --out pictures";
    let ladder = place.ok(&format!("bench kernels {options} --threads 2 --json")).json();
    let names = texts(&ladder["rungs"], "name");
    assert_eq!((names.len(), names[0], names[9]), (10, "naive loops", "Winograd, all threads"));
    for (rung, threads) in
        ladder["rungs"].as_array().unwrap().iter().zip([1, 1, 1, 1, 1, 1, 1, 2, 1, 2])
    {
        assert_eq!(rung["threads"], threads);
        assert!(rung["share_of_peak"].as_f64() > Some(0.0), "{rung}");
        assert!(rung["share_of_bandwidth"].as_f64() > Some(0.0), "{rung}");
    }
    assert!(place.has_picture("pictures/roofline.png"));
    let svg = place.text("pictures/roofline.svg");
    for word in ["5-7@9", "FLOP/byte", "GFLOP/s", "DRAM", "2 threads", "naive loops"] {
        assert!(svg.contains(word), "{word} is missing from the picture");
    }
    let text = place.ok(&format!("bench kernels {options} --threads 1")).stdout;
    assert!(text.contains("im2col, blocked product") && !text.contains("all threads"), "{text}");
}

#[test]
fn the_algorithm_of_convolutions_can_be_chosen() {
    let place = Place::new();
    let chosen = |conv: &str| {
        let line =
            format!("bench conv --layer 16-16@24 --batch-size 1 --steps 1 --conv {conv} --json");
        let measured = place.ok(&line).json();
        assert_eq!(measured["conv"], conv);
        texts(&measured["passes"], "algorithm").join(", ")
    };
    assert_eq!(chosen("direct"), "direct, direct, direct");
    assert_eq!(chosen("im2col"), "im2col, im2col, im2col");
    assert_eq!(chosen("winograd"), "winograd 4x4, winograd 4x4, winograd 4x4");
    assert_eq!(chosen("auto"), chosen("winograd"));
    // Where an algorithm does not apply, another takes its place.
    place.write("five.toml", place.text("small.toml").replace("filters = 8", FIVE).as_bytes());
    let line = "bench layers --arch five.toml --batch-size 2 --steps 1 --conv winograd --json";
    let profile = place.ok(line).json();
    let conv = &profile["parts"][1];
    assert_eq!(conv["forward"]["algorithms"], serde_json::json!(["direct"]));
    assert_eq!(conv["backward"]["algorithms"], serde_json::json!(["none", "direct"]));
    let text = place.ok("bench conv --layer 3-4@6 --batch-size 1 --steps 1").stdout;
    assert!(text.contains("3-4@6       backward_weight  direct"), "{text}");
    place.fails("bench conv --conv fft", 2, &["fft", "auto, direct, im2col or winograd"]);
    place.fails("bench conv --layer 3", 2, &["64-128@24"]);
    place.fails("bench train --batch-size 0", 2, &["--batch-size 0"]);
}
