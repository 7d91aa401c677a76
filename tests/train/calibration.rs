//! Calibration: fitted on held-out faces, evaluated on others, valid only for the weights it was measured
//! with, used only if it reduces the error; it never changes the predicted class.

use crate::support::place::Place;
use fer::dataset::{Dataset, SynthOptions, synthesize};
use fer::model::calibration::held_out_faces;
use fer::model::{Calibration, LoadedModel, Predictions};

fn faces(count: usize, first: u64) -> Dataset {
    synthesize(&SynthOptions { count, first, ..SynthOptions::default() }).unwrap()
}

/// A run on drawn faces, and 210 other faces in `other.csv`.
fn place() -> Place {
    let place = Place::with_run(6);
    place.ok("data synth --count 210 --first 50000 --out other.csv");
    place
}

#[test]
fn accuracy_stays_and_the_error_falls_on_faces_it_was_not_fitted_on() {
    let place = place();
    let before = place.ok("eval run --data other.csv --json").json();
    let found = place.ok("calibrate run --data other.csv --json").json();
    let after = place.ok("eval run --data other.csv --json").json();
    assert_eq!(before["confusion"], after["confusion"]);
    assert_eq!(after["temperature_used"], found["plain"]["temperature"]);
    assert!(before["temperature_used"].is_null());
    assert_ne!(before["loss"], after["loss"]);
    let number = |v: &serde_json::Value| v.as_f64().unwrap();
    let plain = &found["plain"];
    assert!(number(&plain["ece_after"]) < number(&plain["ece_before"]), "{plain}");
    assert_eq!((&found["fitted_on"], &found["judged_on"]), (&210.into(), &210.into()));
    let text = place.ok("eval run --data other.csv --tta").stdout;
    // Where no temperature helps the other half, the probabilities stay and are not called calibrated.
    let tta = &found["tta"];
    let gained = number(&tta["ece_after"]) <= number(&tta["ece_before"]);
    let words = format!("calibrated (temperature {:.2})", number(&tta["temperature"]));
    assert_eq!(text.contains(&words), gained, "{tta} and {text}");
    assert_eq!(number(&tta["temperature"]) != 1.0, gained, "{tta}");
    let answer = place.ok("predict run other.csv --json").stdout;
    assert!(answer.lines().all(|l| l.contains("\"calibrated\":true")), "{answer}");
    // The pages show the same probability as `fer predict`, not another one.
    let first: serde_json::Value = serde_json::from_str(answer.lines().next().unwrap()).unwrap();
    let page = place.ok("saliency run --data other.csv --index 0 --json").json();
    let shown = number(&page["faces"][0]["probability"]);
    assert!((shown - number(&first["probability"])).abs() < 1e-5, "{shown} is not {first}");
    // The mean of two networks is that of calibrated probabilities, here twice the same; of means
    // in general nobody has measured how sure they may be.
    place.fails("eval run run --data other.csv", 2, &["the same network"]);
    place.ok("export run --weights copy.safetensors");
    let twice = place.ok("eval run copy.safetensors --data other.csv --json").json();
    assert!(twice["temperature_used"].is_null() && twice["calibrated"] == false, "{twice}");
    assert!((number(&twice["loss"]) - number(&after["loss"])).abs() < 1e-6);
}

#[test]
fn who_has_not_been_measured_is_named() {
    let place = place();
    place.fails(
        "calibrate embedded --data other.csv",
        2,
        &["the embedded network is already calibrated", "expected a run folder"],
    );
    let done = place.ok("predict run other.csv --ensemble own");
    assert_eq!(done.stderr.matches("fer calibrate").count(), 1, "{}", done.stderr);
    assert!(done.stderr.contains("fer calibrate run"), "{}", done.stderr);
    let done = place.ok("predict run other.csv --ensemble own --json");
    assert!(done.stderr.is_empty() && done.stdout.contains("\"calibrated\":false"));
    place.ok("calibrate run --data other.csv");
    assert!(place.ok("predict run other.csv").stderr.is_empty());
    let mean = place.ok("predict other.csv --ensemble run");
    assert!(mean.stderr.starts_with("the mean of 2 networks: "), "{}", mean.stderr);
    // `own` is the keyword of earlier versions.
    let twice = place.ok("eval own run --data other.csv --json").json();
    assert_eq!(twice["models"][0], "embedded network");
}

#[test]
fn a_temperature_holds_for_its_weights_only() {
    let place = place();
    place.ok("calibrate run --data other.csv");
    let temperature = |name: &str| {
        let trained = LoadedModel::read(&place.path(name)).unwrap();
        trained.calibration.map(|c| c.plain.temperature)
    };
    let kept = temperature("run");
    assert!(kept.is_some());
    place.ok("export run --weights whole.safetensors");
    place.ok("export run --weights half.safetensors --half");
    assert_eq!([temperature("whole.safetensors"), temperature("half.safetensors")], [kept, kept]);
    place.ok("train --pretrained run --data faces.csv --batch-size 32 --epochs 1 --out tuned");
    std::fs::copy(place.path("run/calibration.json"), place.path("tuned/calibration.json"))
        .unwrap();
    assert_eq!(temperature("tuned"), None);
    place.write("run/calibration.json", b"{}");
    place.fails("eval run --data other.csv", 4, &["calibration.json", "is not a calibration"]);
}

#[test]
fn half_precision_is_half_the_size_and_gives_the_same_answers() {
    let place = place();
    place.ok("export run --weights whole.safetensors");
    place.ok("export run --weights half.safetensors --half");
    let size = |name: &str| place.read(name).len() as f64;
    let parameters: usize = {
        let trained = LoadedModel::read(&place.path("run")).unwrap();
        trained.network.state().iter().map(|(_, t)| t.to_vec().len()).sum()
    };
    let saved = size("whole.safetensors") - size("half.safetensors");
    assert!((saved - 2.0 * parameters as f64).abs() < 64.0, "{saved} of {parameters}");
    let eval = |name: &str| place.ok(&format!("eval {name} --data other.csv --json")).json();
    let (a, b) = (eval("run"), eval("half.safetensors"));
    assert!((a["loss"].as_f64().unwrap() - b["loss"].as_f64().unwrap()).abs() < 2e-3);
    place.fails("export run", 2, &["--onnx or --weights"]);
    place.fails("export run --half", 2, &["--weights"]);
}

#[test]
fn copies_and_trained_faces_are_left_out() {
    let train = faces(50, 0);
    let mut judged = faces(60, 40); // ten of them are training faces
    judged.append(faces(5, 60)); // five copies
    assert_eq!(held_out_faces(&judged, Some(&train)).len(), 50);
    assert_eq!(held_out_faces(&judged, None).len(), 60);
}

/// An exported network does not say what it was trained on; `--train-data` does.
#[test]
fn copies_of_named_training_faces_are_left_out() {
    let place = place();
    place.ok("export run --weights own.safetensors");
    let rows: Vec<String> = place.text("other.csv").lines().take(31).map(str::to_owned).collect();
    place.write("seen.csv", rows.join("\n").as_bytes());
    let done = place.ok("calibrate own.safetensors --data other.csv --json");
    assert!(done.stderr.contains("--train-data"), "{}", done.stderr);
    assert_eq!(done.json()["judged_on"], 210);
    let line = "calibrate own.safetensors --data other.csv --train-data seen.csv";
    let text = place.ok(line).stdout;
    assert!(text.contains("fitted on 180 faces") && text.contains("30 left out"), "{text}");
    assert_eq!(
        LoadedModel::read(&place.path("own.safetensors")).unwrap().calibration.unwrap().judged_on,
        180
    );
}

/// A file of an earlier version, judged on one half: what it says is still read, and is followed where
/// it says that the temperature helps.
#[test]
fn calibrations_of_earlier_versions_are_read() {
    let place = place();
    let mut found = place.ok("calibrate run --data other.csv --json").json();
    found["fitted_on"] = 105.into();
    found["judged_on"] = 105.into();
    let way = |before: f64, after: f64| {
        serde_json::json!({
            "temperature": 1.5, "ece_before": before, "ece_after": after, "accuracy": 0.5
        })
    };
    (found["plain"], found["tta"]) = (way(0.05, 0.06), way(0.07, 0.03));
    place.write("run/calibration.json", found.to_string().as_bytes());
    let trained = LoadedModel::read(&place.path("run")).unwrap();
    assert_eq!([trained.temperature(false), trained.temperature(true)], [None, Some(1.5)]);
    assert!(place.ok("eval run --data other.csv --json").json()["temperature_used"].is_null());
}

#[test]
fn too_few_faces_are_refused() {
    let place = place();
    place.ok("data synth --count 30 --first 90000 --out few.csv");
    place.fails("calibrate run --data few.csv", 3, &["30 clean faces", "at least 40"]);
}

#[test]
fn tempering_is_the_softmax_of_scaled_logits() {
    let logits = [2.0_f64, -1.0, 0.5];
    let softmax = |t: f64| {
        let e = logits.map(|v| (v / t).exp());
        e.map(|v| (v / e.iter().sum::<f64>()) as f32)
    };
    let plain = Predictions { classes: 3, probabilities: softmax(1.0).to_vec() };
    for (found, expected) in plain.tempered(2.5).probabilities.iter().zip(softmax(2.5)) {
        assert!((found - expected).abs() < 1e-6);
    }
}

/// What the tests of a network need to hold of the one that ships.
#[test]
fn the_network_in_the_box_is_small_sound_and_calibrated() {
    let own = LoadedModel::read_or_embedded(None).unwrap();
    assert_eq!(own.network.spec.classes, fer::CLASS_NAMES);
    assert_eq!(own.network.spec.input, [1, fer::SIDE, fer::SIDE]);
    assert!(own.calibration.as_ref().is_some_and(|c: &Calibration| c.judged_on >= 1_000));
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fer.safetensors");
    let size = std::fs::metadata(file).unwrap().len();
    assert!(size <= 4_500_000, "{size} bytes");
}
