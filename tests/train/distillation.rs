//! A student's targets are the stated mixture, the teachers are asked as they were trained, and a
//! resumed student goes on with the same answers.

use crate::support::place::{Place, TRAIN};
use crate::train::checkpoints::StopAt;
use fer::dataset::augment::View;
use fer::dataset::{Dataset, SynthOptions, synthesize};
use fer::model::weights::Archive;
use fer::model::{Ensemble, LoadedModel, predict};
use fer::ops::Targets;
use fer::train::batch::{SoftLabels, assemble};
use fer::train::distillation::{SOFT_LABELS, answers, asking_flop};
use fer::train::{Budget, Outcome, TrainConfig, Trainer, run_dir};

fn faces(count: usize) -> Dataset {
    synthesize(&SynthOptions { count, ..SynthOptions::default() }).unwrap()
}

/// Soft targets, and labels for the accuracy, of all faces from the last to the first.
fn targets(
    config: &TrainConfig,
    data: &Dataset,
    soft: Option<&SoftLabels>,
) -> (Vec<f32>, Vec<usize>) {
    let order: Vec<usize> = (0..data.len()).rev().collect();
    let batch = assemble(config, data, soft, &order, 16, (0, 0)).unwrap();
    match batch.targets {
        Targets::Soft(t) => (t.to_vec(), batch.labels),
        Targets::Labels(_) => panic!("labels where soft targets are wanted"),
    }
}

/// Labels from the last face to the first.
fn labels_backwards(data: &Dataset) -> Vec<usize> {
    (0..data.len()).rev().map(|i| usize::from(data.label(i).unwrap())).collect()
}

#[test]
fn targets_are_the_stated_mixture() {
    let data = faces(5);
    let probabilities: Vec<f32> = (0..5 * 7).map(|i| (i % 7 + i / 7) as f32 / 100.0).collect();
    let soft = SoftLabels { probabilities: probabilities.clone(), weight: 0.7 };
    let config = TrainConfig { label_smoothing: 0.1, ..TrainConfig::default() };
    let (mixed, labels) = targets(&config, &data, Some(&soft));
    assert_eq!(
        labels,
        labels_backwards(&data),
        "the accuracy counts labels, whatever teachers say"
    );
    for (row, face) in mixed.chunks(7).zip((0..5).rev()) {
        for (c, &found) in row.iter().enumerate() {
            let label = f32::from(data.label(face) == Some(c as u8));
            let own = 0.9 * label + 0.1 / 7.0;
            let expected = 0.3 * own + 0.7 * probabilities[face * 7 + c];
            assert!((found - expected).abs() < 1e-6, "face {face}, class {c}: {found}, {expected}");
        }
    }
}

#[test]
fn mixup_blends_what_the_teachers_say_as_it_blends_the_faces() {
    let data = faces(4);
    let soft = SoftLabels { probabilities: vec![1.0 / 7.0; 28], weight: 0.5 };
    let plain = TrainConfig { label_smoothing: 0.0, ..TrainConfig::default() };
    let (a, own_labels) = targets(&plain, &data, Some(&soft));
    let mut larger = [false; 2];
    for seed in 0..8 {
        let mixed = TrainConfig { mixup: 0.4, seed, ..plain.clone() };
        let (b, labels) = targets(&mixed, &data, Some(&soft));
        let share = share_of(&a, &b, own_labels[0]);
        let partners = || own_labels.iter().rev().copied().collect();
        let expected = if share < 0.5 { partners() } else { own_labels.clone() };
        assert_eq!(labels, expected, "share {share}: labels are those of the larger share");
        larger[usize::from(share < 0.5)] = true;
    }
    assert_eq!(larger, [true; 2], "eight seeds should show both cases");
}

/// The share of its own that the first of four rows keeps, by its own label's probability; every
/// row must have kept as much.
fn share_of(a: &[f32], b: &[f32], label: usize) -> f32 {
    // One share for the whole batch: row i holds it of row i and the rest of row 3 − i.
    let (own, other) = (a[label], a[3 * 7 + label]);
    let share = (b[label] - other) / (own - other);
    assert!((-1e-4..=1.0001).contains(&share), "{share}");
    for (i, &found) in b.iter().enumerate() {
        let (row, c) = (i / 7, i % 7);
        let expected = share * a[i] + (1.0 - share) * a[(3 - row) * 7 + c];
        assert!((found - expected).abs() < 1e-6, "{i}: {found}, {expected}");
    }
    share
}

/// Drawn class by class, a rare face comes several times in a batch: each time varied anew.
#[test]
fn a_face_that_comes_twice_is_varied_twice() {
    let data = faces(3);
    let batch = |class_balanced| {
        let config = TrainConfig { class_balanced, ..TrainConfig::default() };
        let batch = assemble(&config, &data, None, &[1, 1, 2], 24, (5, 6)).unwrap();
        batch.pixels.to_vec().chunks(24 * 24).map(<[f32]>::to_vec).collect::<Vec<_>>()
    };
    let (once, anew) = (batch(false), batch(true));
    assert_eq!(once[0], once[1]);
    assert_ne!(anew[0], anew[1]);
}

/// Two small runs, the second on equalised faces.
fn teachers() -> Place {
    let place = Place::with_run(2);
    let mut config = TrainConfig::read(&place.path("run/config.toml")).unwrap();
    config.augment.equalize = true;
    config.seed = 3;
    place.write("equalised.toml", config.to_toml().unwrap().as_bytes());
    place.ok("train --config equalised.toml --out equalised");
    place
}

#[test]
fn every_teacher_sees_the_faces_as_it_was_trained() {
    let place = teachers();
    let paths = [place.path("run"), place.path("equalised")];
    let data = faces(30);
    let found = answers(&Ensemble::read(&paths).unwrap(), &data, 2.0, |_| {}).unwrap();
    let mut sum = vec![0.0_f64; 30 * 7];
    for (path, equalize) in paths.iter().zip([false, true]) {
        let teacher = LoadedModel::read(path).unwrap();
        for view in View::tta() {
            let p = predict(&teacher.network, &data, &[view], equalize, |_| {}).unwrap();
            sum.iter_mut().zip(&p.probabilities).for_each(|(s, &p)| *s += f64::from(p) / 20.0);
        }
    }
    for (found, mean) in found.chunks(7).zip(sum.chunks(7)) {
        let total: f64 = mean.iter().map(|p| p.sqrt()).sum();
        for (found, mean) in found.iter().zip(mean) {
            assert!((f64::from(*found) - mean.sqrt() / total).abs() < 1e-5);
        }
    }
}

#[test]
fn a_resumed_student_goes_on_with_the_same_answers() {
    let place = teachers();
    let mut config = TrainConfig::read(&place.path("run/config.toml")).unwrap();
    config.teacher = vec![place.path("run"), place.path("equalised")];
    config.data = Some(place.path("faces.csv"));
    config.arch = place.path("small.toml").display().to_string();
    let start = |name: &str| {
        let (train, validation) = config.load_faces().unwrap();
        let mut trainer = Trainer::new(config.clone(), train, validation).unwrap();
        trainer.ask_teachers(|done, all| assert!(done <= all)).unwrap();
        trainer.write_into(run_dir::create(Some(&place.path(name)), "small").unwrap()).unwrap();
        trainer
    };
    let weights = |name: &str| {
        let path = place.path(name).join("last.safetensors");
        fer::model::weights::Archive::read(&path).unwrap().tensors
    };
    let mut whole = start("whole");
    assert_eq!(whole.run(&mut ()).unwrap(), Outcome::Finished);
    assert_ne!(weights("whole"), weights("run"), "the teachers changed nothing");
    let resume = |name: &str| Trainer::resume(&place.path(name), |c| c.load_faces()).unwrap();
    // Asking is part of what the run cost, but not of its minutes of training.
    let asking = asking_flop(&Ensemble::read(&config.teacher).unwrap(), whole.train.len()) / 1e15;
    let steps = whole.progress.history[1].pflop - whole.progress.history[0].pflop;
    let cost = |trainer: &Trainer| trainer.progress.history.last().unwrap().pflop;
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b;
    assert!(asking > 0.0 && near(whole.progress.history[0].pflop, steps + asking));
    let last = *whole.progress.history.last().unwrap();
    assert!(last.asked_seconds > 0.0 && last.seconds > last.asked_seconds);
    whole.config.budget = Budget::Minutes(60.0);
    whole.progress.asked_seconds = 7200.0;
    assert!(whole.fraction() < 1.0 && whole.seconds() > 7200.0);
    for (name, keep) in [("kept", true), ("asked-again", false)] {
        assert_eq!(start(name).run(&mut StopAt(2)).unwrap(), Outcome::Stopped);
        let answers = place.path(name).join(SOFT_LABELS);
        if !keep {
            std::fs::write(&answers, b"damaged").unwrap();
        }
        let mut resumed = resume(name);
        let asked = resumed.progress.asked_seconds;
        assert!(asked > 0.0, "{name}: forgotten");
        assert_eq!(resumed.run(&mut ()).unwrap(), Outcome::Finished);
        assert_eq!(weights("whole"), weights(name), "{name}");
        // Kept answers cost nothing; what was asked again was paid for again.
        assert_eq!(resumed.progress.asked_seconds > asked, !keep, "{name}");
        let again = if keep { 0.0 } else { asking };
        assert!(near(cost(&resumed), cost(&whole) + again), "{name}: {}", cost(&resumed));
    }
    // A teacher that was trained on in between says something else.
    assert_eq!(start("other").run(&mut StopAt(2)).unwrap(), Outcome::Stopped);
    std::fs::remove_file(place.path("other").join(SOFT_LABELS)).unwrap();
    std::fs::copy(place.path("run/last.safetensors"), place.path("equalised/last.safetensors"))
        .unwrap();
    let e = resume("other").run(&mut ()).unwrap_err();
    assert!(e.exit_code() == 4 && e.to_string().contains("other answers"), "{e}");
}

#[test]
fn teachers_that_cannot_teach() {
    let place = Place::with_run(1);
    let train = format!("{TRAIN} --epochs 1 --out student");
    place.fails(&format!("{train} --teacher nowhere"), 4, &["nowhere", "does not exist"]);
    let seven = place.text("small.toml");
    place.write("named.toml", format!("classes = [{}]\n{seven}", "\"a\",".repeat(7)).as_bytes());
    place.ok(
        "train --data faces.csv --arch named.toml --batch-size 32 --lr 0.01 --epochs 1 --out a",
    );
    place.fails(&format!("{train} --teacher a"), 4, &["a, a, a", "angry"]);
    place.fails(&format!("{train} --teacher run,a"), 4, &["a, a, a", "angry"]);
    assert!(!place.path("student").exists(), "a run folder without a teacher");
    let done = place.ok(&format!("{train} --teacher run --seed 4"));
    assert!(done.stderr.contains("run: was validated on other faces"), "{}", done.stderr);
    assert!(place.text("student/config.toml").contains("teacher = ["));
}

/// A training that lacks its network.
const UNSHAPED: &str = "train --data faces.csv --batch-size 32 --lr 0.01 --epochs 1";

/// Who may know the validation faces is named: teachers, exported ones, and what training starts from.
#[test]
fn networks_that_may_know_the_validation_faces_are_named() {
    let place = Place::with_run(1);
    place.ok("export run --weights exported.safetensors");
    let warned = |options: &str, out: &str| {
        let network = if options.contains("--pretrained") { "" } else { "--arch small.toml" };
        let done = place.ok(&format!("{UNSHAPED} {network} --out {out} {options}"));
        done.stderr.contains("may have been trained on")
    };
    for (k, learnt_from) in
        ["--teacher run", "--teacher exported.safetensors", "--pretrained run"].iter().enumerate()
    {
        assert!(!warned(learnt_from, &format!("same-{k}")), "{learnt_from}: the same split");
        let other = format!("{learnt_from} --seed 4");
        assert!(warned(&other, &format!("other-{k}")), "{other}: another split");
    }
    // Some weights do not say what they know; drawn faces are no real ones.
    let mut archive = Archive::read(&place.path("run/best.safetensors")).unwrap();
    archive.meta.remove("data_val").unwrap();
    place.write("silent.safetensors", &archive.to_bytes().unwrap());
    let done = place.ok(&format!("{UNSHAPED} --out of-weights --pretrained silent.safetensors"));
    assert!(done.stderr.contains("does not say which faces"), "{}", done.stderr);
    place.ok("train --arch small.toml --set synthetic=70 --batch-size 32 --epochs 1 --out drawn");
    assert!(!warned("--pretrained drawn", "of-drawn"), "drawn faces");
}
