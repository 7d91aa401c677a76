//! Files that the program wrote on 2026-11-30 (`tests/old_files`) are read as before.

use crate::support::place::Place;
use fer::model::{LoadedModel, predict};
use fer::train::Trainer;
use std::path::Path;

/// A fresh folder with copies of the old files.
fn old_files() -> Place {
    let place = Place::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old_files");
    std::fs::create_dir(place.path("run")).unwrap();
    for folder in ["", "run"] {
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                let name = file.file_name().unwrap();
                std::fs::copy(&file, place.path(folder).join(name)).unwrap();
            }
        }
    }
    place
}

#[test]
fn an_old_run_evaluates_to_the_same_numbers() {
    let place = old_files();
    let expected: serde_json::Value = serde_json::from_str(&place.text("evaluation.json")).unwrap();
    let found = place.ok("eval run --json").json();
    for key in ["n", "confusion", "class_counts", "calibrated"] {
        assert_eq!(found[key], expected[key], "{key}");
    }
    for key in ["loss", "ece", "temperature_used"] {
        let [found, expected] = [&found, &expected].map(|json| json[key].as_f64().unwrap());
        assert!((found - expected).abs() < 1e-5, "{key}: {found}, before {expected}");
    }
    let rows = place.ok("curves run").stdout;
    assert!(rows.starts_with("run\n"), "{rows}");
}

#[test]
fn old_weights_predict_as_the_run_does() {
    let place = old_files();
    let run = LoadedModel::read(&place.path("run")).unwrap();
    let faces = run.validation_faces().unwrap();
    let predictions = |model: &LoadedModel| {
        let views = fer::dataset::augment::View::for_prediction(false);
        predict(&model.network, &faces, &views, model.equalize, |_| {}).unwrap().probabilities
    };
    let expected = predictions(&run);
    for (file, tolerance) in [("single.safetensors", 0.0), ("half.safetensors", 1e-3)] {
        let model = LoadedModel::read(&place.path(file)).unwrap();
        for (found, expected) in predictions(&model).iter().zip(&expected) {
            assert!((found - expected).abs() <= tolerance, "{file}: {found}, {expected}");
        }
        assert_eq!(model.temperature(false), run.temperature(false), "{file}");
        assert_eq!(model.mean_face(), run.mean_face(), "{file}");
        assert_eq!(model.record.class_counts, run.record.class_counts, "{file}");
    }
    assert_eq!(run.mean_face().unwrap().len(), fer::PIXELS);
    assert!(run.temperature(false).is_some_and(|t| (t - 3.520_347).abs() < 1e-6));
}

/// The checkpoint after the first of two epochs: the second gives the same numbers as before.
#[test]
fn an_old_training_is_resumed() {
    let place = old_files();
    let before = fer::train::history::read_metrics(&place.path("run")).unwrap();
    place.write("run/last.safetensors", b"damaged");
    let mut trainer = Trainer::resume(&place.path("run"), |c| c.load_faces()).unwrap();
    assert_eq!(trainer.progress.epoch, 1);
    trainer.run(&mut ()).unwrap();
    let [expected, found] = [before[1], trainer.progress.history[1]];
    assert_eq!((found.epoch, found.step), (expected.epoch, expected.step));
    for (found, expected) in
        [(found.loss, expected.loss), (found.val_loss, expected.val_loss), (found.lr, expected.lr)]
    {
        assert!((found - expected).abs() < 1e-5, "{found}, before {expected}");
    }
}
