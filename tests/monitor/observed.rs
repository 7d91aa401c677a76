//! A training that is watched: the same bits as one that is not, and records without gaps or
//! doubled steps, however often it is stopped.

use crate::monitor::tensorboard::values;
use crate::train::checkpoints::{bits, config, resume, start};
use fer::CLASS_NAMES;
use fer::explain::{Classifier as _, NetworkClassifier};
use fer::monitor::filters::FilterPictures;
use fer::monitor::live::views::{LIVE, RunView, read_run_view};
use fer::monitor::tensorboard::format::decode::{Data, Value};
use fer::monitor::tensorboard::format::tags;
use fer::monitor::{Recorder, RecorderOptions};
use fer::train::{EpochMetrics, Observer, Outcome, StepResult, TrainConfig, Trainer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Records, and stops after a number of steps.
struct Watched(Recorder, u64);

impl Observer for Watched {
    fn step(&mut self, trainer: &Trainer, result: &StepResult) -> bool {
        self.0.step(trainer, result) && trainer.progress.step < self.1
    }
    fn epoch(&mut self, trainer: &Trainer, metrics: &EpochMetrics) -> fer::Result<()> {
        self.0.epoch(trainer, metrics)
    }
}

/// Trains up to a step, recorded.
fn run(trainer: &mut Trainer, until: u64) -> Outcome {
    let recorder = Recorder::new(trainer, RecorderOptions::default()).unwrap();
    let mut watched = Watched(recorder, until);
    let outcome = trainer.run(&mut watched);
    watched.0.end(trainer, &outcome);
    outcome.unwrap()
}

/// The values of a folder by tag, in the order of the file.
fn by_tag(dir: &Path) -> BTreeMap<String, Vec<(u64, Value)>> {
    let mut tags = BTreeMap::<String, Vec<(u64, Value)>>::new();
    for (step, value) in values(dir) {
        tags.entry(value.tag.clone()).or_default().push((step, value));
    }
    tags
}

const FOLDERS: [&str; 3] = ["", tags::TRAIN, tags::VALIDATION];

/// Tags that tell of the clock, or of a step that a stop may hide.
fn varies(tag: &str) -> bool {
    tag == tags::IMAGES_PER_SECOND || tag.starts_with("_hparams_") || tag.ends_with("update_ratio")
}

#[test]
fn watching_changes_no_bit_and_stopping_changes_no_record() {
    let [plain, whole, parts] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    start(plain.path(), 4).run(&mut ()).unwrap();
    assert_eq!(run(&mut start(whole.path(), 4), u64::MAX), Outcome::Finished);
    let stopped = parts.path().join("run");
    let mut trainer = start(parts.path(), 4);
    for step in [2, 5, 6, 13] {
        assert_eq!(run(&mut trainer, step), Outcome::Stopped);
        drop(trainer); // it has the folder
        trainer = resume(&stopped);
    }
    assert_eq!(run(&mut trainer, u64::MAX), Outcome::Finished);

    let whole = whole.path().join("run");
    let expected = bits(&plain.path().join("run"));
    assert_eq!(bits(&whole), expected, "watched");
    assert_eq!(bits(&stopped), expected, "watched and stopped");

    for folder in FOLDERS {
        let (one, other) = (by_tag(&whole.join(folder)), by_tag(&stopped.join(folder)));
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{folder}");
        for (tag, values) in one.iter().filter(|(tag, _)| !varies(tag)) {
            assert_eq!(other[tag], *values, "{folder}/{tag}");
        }
        for (tag, values) in &other {
            let steps: Vec<u64> = values.iter().map(|(step, _)| *step).collect();
            assert!(steps.windows(2).all(|w| w[0] < w[1]), "{folder}/{tag}: steps {steps:?}");
        }
    }
    let read = |run: &Path| -> RunView { read_run_view(run).unwrap() };
    let (one, other) = (read(&whole), read(&stopped));
    assert_eq!(one.recall, other.recall);
    assert_eq!(one.epochs.len(), 4);
    assert_eq!(other.epochs.len(), 4);
    assert_eq!(one.confusion, other.confusion);
    let maps = |view: &RunView| -> Vec<_> {
        view.frames.iter().map(|f| (f.epoch, f.saliency.clone())).collect()
    };
    assert_eq!(maps(&one), maps(&other));
}

/// What `fer train` writes by default, tag by tag.
#[test]
fn every_kind_is_recorded_for_every_epoch() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut start(folder.path(), 3), u64::MAX);
    let dir = folder.path().join("run");
    let [parent, train, validation] = FOLDERS.map(|name| by_tag(&dir.join(name)));
    let keys = |tags: &BTreeMap<String, _>| tags.keys().cloned().collect::<BTreeSet<String>>();
    let set = |tags: &[&str]| tags.iter().map(|t| t.to_string()).collect::<BTreeSet<String>>();

    assert_eq!(
        keys(&parent),
        set(&[
            "_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info",
            "about", "validation/best_accuracy", "validation/best_loss",
            "custom_scalars__config__", "keras",
        ])
    );
    let mut expected = set(&[
        "epoch_loss",
        "epoch_accuracy",
        "epoch_learning_rate",
        "epoch_grad_norm",
        "epoch_weight_norm",
        "images_per_second",
        "layers/activation_1/dead_share",
    ]);
    for (layer, weights) in [
        ("conv2d_1", ["kernel", ""]),
        ("batch_normalization_1", ["gamma", "beta"]),
        ("linear_1", ["kernel", "bias"]),
    ] {
        for weight in weights.into_iter().filter(|w| !w.is_empty()) {
            expected.insert(tags::weight(layer, weight));
            expected.insert(tags::gradient(layer, weight));
        }
        expected.extend([
            tags::grad_norm(layer),
            tags::weight_norm(layer),
            tags::update_ratio(layer),
        ]);
        expected.insert(tags::activation(layer));
    }
    for layer in ["activation_1", "max_pooling2d_1", "flatten_1", "dropout_1"] {
        expected.insert(tags::activation(layer));
    }
    assert_eq!(keys(&train), expected);
    let mut expected = set(&["epoch_loss", "epoch_accuracy", "confusion", "confusion_table"]);
    for name in CLASS_NAMES {
        expected.extend([tags::recall(name), tags::precision(name), tags::f1(name)]);
        expected.extend([tags::pr(name), tags::saliency(name)]);
    }
    assert_eq!(keys(&validation), expected);
    for (tag, values) in train.iter().chain(&validation) {
        let steps: Vec<u64> = values.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [0, 1, 2], "{tag}");
    }
    for file in ["projector_config.pbtxt", "validation.tsv", "validation_metadata.tsv"] {
        assert!(dir.join(file).is_file(), "{file}");
    }
}

#[test]
fn what_is_recorded_is_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = start(folder.path(), 3);
    run(&mut trainer, u64::MAX);
    let dir = folder.path().join("run");
    let [parent, train, validation] = FOLDERS.map(|name| by_tag(&dir.join(name)));
    let scalars = |tags: &BTreeMap<String, Vec<(u64, Value)>>, tag: &str| -> Vec<f32> {
        tags[tag].iter().map(|(_, v)| v.scalar().unwrap()).collect()
    };
    let history = &trainer.progress.history;
    let of = |pick: fn(&EpochMetrics) -> f64| -> Vec<f32> {
        history.iter().map(|m| pick(m) as f32).collect()
    };
    assert_eq!(scalars(&train, "epoch_loss"), of(|m| m.loss));
    assert_eq!(scalars(&train, "epoch_accuracy"), of(|m| m.accuracy));
    assert_eq!(scalars(&train, "epoch_learning_rate"), of(|m| m.lr));
    assert_eq!(scalars(&validation, "epoch_loss"), of(|m| m.val_loss));
    assert_eq!(scalars(&validation, "epoch_accuracy"), of(|m| m.val_accuracy));
    let best = of(|m| m.val_accuracy).into_iter().fold(0.0, f32::max);
    assert_eq!(scalars(&parent, "validation/best_accuracy")[2], best);

    // Recall, weighted by how often a class occurs, is the accuracy.
    let counts = trainer.validation.class_counts();
    let right: f32 = CLASS_NAMES
        .iter()
        .zip(counts)
        .map(|(name, n)| n as f32 * scalars(&validation, &tags::recall(name))[2])
        .sum();
    let accuracy = scalars(&validation, "epoch_accuracy")[2];
    assert!((right / trainer.validation.len() as f32 - accuracy).abs() < 1e-6);

    // The norm in the file is that of the final weights, and the histogram counts every one.
    let network = &trainer.network;
    let parameters = network.parameters();
    let kernel = parameters.iter().find(|p| p.name == "conv2d_1.weight").unwrap();
    let norm = kernel.value.as_slice().iter().map(|v| v * v).sum::<f32>().sqrt();
    let found = scalars(&train, &tags::weight_norm("conv2d_1"))[2];
    assert!((found - norm).abs() < 1e-5 * norm, "{found}, expected {norm}");
    let Data::Doubles(rows) = &train[&tags::weight("conv2d_1", "kernel")][2].1.tensor.data else {
        panic!("a histogram of other than doubles")
    };
    let counted: f64 = rows.chunks(3).map(|row| row[2]).sum();
    assert_eq!(counted, kernel.value.elements() as f64);
    // Weights move by a small part of their size in a step, but they move.
    for ratio in scalars(&train, &tags::update_ratio("conv2d_1")) {
        assert!(ratio > 1e-5 && ratio < 0.5, "{ratio}");
    }
}

/// Kill -9 at moments that nobody chose, through the program; the files stay readable.
#[test]
fn a_killed_training_leaves_records_that_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let settings = path.join("config.toml");
    std::fs::write(&settings, config(path, 6).to_toml().unwrap()).unwrap();
    let run = path.join("killed");
    let spawn = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fer"));
        if run.join("last.safetensors").exists() {
            command.args(["train", "--resume"]).arg(&run);
        } else {
            let _ = std::fs::remove_dir_all(&run); // killed before its first checkpoint
            command.args(["train", "--config"]).arg(&settings).arg("--out").arg(&run);
        }
        command.stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    for wait in [300, 150, 400, 90] {
        let mut child = spawn();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(spawn().wait().unwrap().success());
    for folder in FOLDERS {
        for (tag, values) in by_tag(&run.join(folder)) {
            let steps: Vec<u64> = values.iter().map(|(step, _)| *step).collect();
            assert!(steps.windows(2).all(|w| w[0] < w[1]), "{folder}/{tag}: {steps:?}");
            if [tags::EPOCH_LOSS, tags::CONFUSION].contains(&tag.as_str()) {
                assert_eq!(steps, [0, 1, 2, 3, 4, 5], "{folder}/{tag}");
            }
        }
    }
    assert_eq!(read_run_view(&run).unwrap().epochs.len(), 6);
    assert!(run.join(LIVE).is_file());
}

#[test]
fn records_that_cannot_be_written_do_not_end_a_training() {
    let [plain, broken] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    start(plain.path(), 2).run(&mut ()).unwrap();
    let mut trainer = start(broken.path(), 2);
    let mut recorder = Recorder::new(&trainer, RecorderOptions::default()).unwrap();
    let live = broken.path().join("run").join(LIVE);
    std::fs::remove_file(&live).unwrap();
    std::fs::create_dir(&live).unwrap();
    assert_eq!(trainer.run(&mut recorder).unwrap(), Outcome::Finished);
    recorder.end(&trainer, &Ok(Outcome::Finished));
    assert_eq!(bits(&broken.path().join("run")), bits(&plain.path().join("run")));
}

#[test]
fn a_story_that_cannot_be_read_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut start(folder.path(), 3), 7);
    let dir = folder.path().join("run");
    std::fs::write(dir.join(LIVE), "{").unwrap();
    run(&mut resume(&dir), u64::MAX);
    let view = read_run_view(&dir).unwrap();
    assert_eq!(view.epochs.len(), 3, "what is in the checkpoint is told");
    assert_eq!(view.recall.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [2, 3]);
}

/// The picture of a class moves the class's logit up, and is the same for the same seed.
#[test]
fn pictures_grow_towards_what_they_are_of() {
    let folder = tempfile::tempdir().unwrap();
    // A rate at which no rectifier dies: a dead one has no gradient to grow by.
    let gentle = TrainConfig { lr: 0.01, mixup: 0.0, ..config(folder.path(), 6) };
    let (train, validation) = gentle.load_faces().unwrap();
    let mut trainer = Trainer::new(gentle, train, validation).unwrap();
    trainer.run(&mut ()).unwrap();
    let network = trainer.evaluated();
    let model = NetworkClassifier::new(&network).unwrap();
    let mut filters = FilterPictures::new(&trainer).unwrap().unwrap();
    let happy = filters.names.iter().position(|name| name == "happy").unwrap();
    let logit = |filters: &FilterPictures| {
        let gray = filters.pictures().unwrap()[happy].luma();
        let pixels: Vec<f32> = gray.into_iter().map(|v| f32::from(v) / 255.0).collect();
        model.logits(&pixels).unwrap()[3]
    };
    let before = logit(&filters);
    for _ in 0..3 {
        filters.step(&network).unwrap();
    }
    assert!(logit(&filters) > before + 0.05, "{} after {before}", logit(&filters));
    let mut again = FilterPictures::new(&trainer).unwrap().unwrap();
    (0..3).for_each(|_| again.step(&network).unwrap());
    assert_eq!(again.pictures().unwrap(), filters.pictures().unwrap());
}
