//! Nothing is lost and nothing broken is believed: resume, divergence, damaged files.

use assert_cmd::Command;
use fer::Error;
use fer::dataset::{Augment, Preset, SynthOptions, synthesize};
use fer::model::weights::{Archive, network_file};
use fer::train::config::MAX_EPOCHS;
use fer::train::{
    Budget, EpochMetrics, Observer, Outcome, Progress, StepResult, TrainConfig, Trainer, run_dir,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

/// A network small enough to train in a second.
const NETWORK: &str = r#"
name = "toy"
layers = [
    { type = "conv2d", filters = 8, stride = 2 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "max_pooling2d", size = 4 },
    { type = "flatten" },
    { type = "dropout", rate = 0.2 },
    { type = "linear", units = 7 },
]
"#;

pub fn config(folder: &Path, epochs: usize) -> TrainConfig {
    let arch = folder.join("toy.toml");
    std::fs::write(&arch, NETWORK).unwrap();
    TrainConfig {
        arch: arch.to_str().unwrap().into(),
        synthetic: 210,
        budget: Budget::Epochs(epochs),
        batch: 32,
        mixup: 0.2,
        augment: Augment::preset(Preset::Strong),
        ..TrainConfig::default()
    }
}

pub fn start(folder: &Path, epochs: usize) -> Trainer {
    let config = config(folder, epochs);
    let (train, validation) = config.load_faces().unwrap();
    let mut trainer = Trainer::new(config, train, validation).unwrap();
    let run = run_dir::create(Some(&folder.join("run")), "toy").unwrap();
    trainer.write_into(run).unwrap();
    trainer
}

/// Every tensor of a checkpoint, as bits.
pub fn bits(run: &Path) -> BTreeMap<String, Vec<u32>> {
    let archive = Archive::read(&run.join("last.safetensors")).unwrap();
    let bits = |v: Vec<f32>| v.into_iter().map(f32::to_bits).collect();
    archive.tensors.into_iter().map(|(name, (_, v))| (name, bits(v))).collect()
}

/// Stops after a number of steps.
pub struct StopAt(pub u64);

impl Observer for StopAt {
    fn step(&mut self, trainer: &Trainer, _: &StepResult) -> bool {
        trainer.progress.step < self.0
    }
}

pub fn resume(run: &Path) -> Trainer {
    Trainer::resume(run, |c| c.load_faces()).unwrap()
}

#[test]
fn a_stopped_training_ends_with_the_same_bits() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(start(whole.path(), 4).run(&mut ()).unwrap(), Outcome::Finished);
    let run = parts.path().join("run");
    let mut trainer = start(parts.path(), 4);
    // In the first epoch, at the end of an epoch, twice in one epoch.
    for step in [2, 5, 6, 8, 13] {
        assert_eq!(trainer.run(&mut StopAt(step)).unwrap(), Outcome::Stopped);
        drop(trainer); // it has the folder
        trainer = resume(&run);
        assert_eq!(trainer.progress.step, step);
    }
    assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Finished);
    assert_eq!(bits(&whole.path().join("run")), bits(&run));
    let rows = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert_eq!(rows.lines().count(), 5, "a header and one row an epoch:\n{rows}");
}

/// Kill -9 at moments that nobody chose, through the program itself.
#[test]
fn a_killed_training_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let settings = path.join("config.toml");
    std::fs::write(&settings, config(path, 6).to_toml().unwrap()).unwrap();
    let fer = || std::process::Command::new(env!("CARGO_BIN_EXE_fer"));
    let train = |out: &str| {
        let mut command = fer();
        command.args(["train", "--config"]).arg(&settings).arg("--out").arg(path.join(out));
        command.stderr(std::process::Stdio::null());
        command
    };
    assert!(train("whole").status().unwrap().success());
    let mut child = train("killed").spawn().unwrap();
    for wait in [150, 90, 200, 40, 120] {
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let run = path.join("killed");
        // Killed before its settings were written, it starts again in the same folder.
        let began = std::fs::metadata(run.join("config.toml")).is_ok_and(|m| m.len() > 0);
        let mut command = if began {
            let mut command = fer();
            command.args(["train", "--resume"]).arg(&run);
            command
        } else {
            train("killed")
        };
        child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(bits(&path.join("whole")), bits(&path.join("killed")));
}

#[test]
fn a_diverging_training_keeps_its_last_finite_state_and_exits_5() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config(folder.path(), 3);
    settings.lr = 1e30;
    settings.schedule.warmup = 0.0;
    let file = folder.path().join("config.toml");
    std::fs::write(&file, settings.to_toml().unwrap()).unwrap();
    let run = folder.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fer"));
    let command = command.args(["train", "--config"]).arg(&file).arg("--out").arg(&run);
    let output = command.assert().code(5).get_output().clone();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("diverged at step") && words.contains("lower --lr"), "{words}");
    let (network, _) = network_file::read_model(&run).unwrap();
    for (name, tensor) in network.state() {
        assert!(tensor.to_vec().iter().all(|v| v.is_finite()), "{name}");
    }
}

#[test]
fn resume_refuses_other_data() {
    let folder = tempfile::tempdir().unwrap();
    start(folder.path(), 1).run(&mut ()).unwrap();
    let other = synthesize(&SynthOptions { count: 210, seed: 9, ..Default::default() }).unwrap();
    let run = folder.path().join("run");
    let e = Trainer::resume(&run, |_| Ok((other.clone(), other))).unwrap_err();
    assert!(e.exit_code() == 4 && e.to_string().contains("other data"), "{e}");
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    start(folder.path(), 2).run(&mut ()).unwrap();
    let run = folder.path().join("run");
    let last = run.join("last.safetensors");
    let whole = std::fs::read(&last).unwrap();
    std::fs::write(&last, &whole[..whole.len() / 2]).unwrap();
    std::fs::write(run.join(".fer-stale.tmp"), b"left by a crash").unwrap();
    assert_eq!(resume(&run).progress.epoch, 1);
    assert!(!run.join(".fer-stale.tmp").exists());
}

fn small_archive() -> Archive {
    let mut archive = Archive::default();
    archive.put("answer", &json!({"n": 42, "words": "μ"})).unwrap();
    archive.tensors.insert("a".into(), (vec![2, 2], vec![1.0, -2.5, f32::MIN_POSITIVE, 0.0]));
    archive.tensors.insert("b/empty".into(), (vec![0], vec![]));
    archive
}

#[test]
fn an_archive_is_read_back_and_written_the_same() {
    let archive = small_archive();
    let bytes = archive.to_bytes().unwrap();
    let back = Archive::from_bytes(Path::new("x"), &bytes).unwrap();
    assert_eq!(back, archive);
    assert_eq!(back.to_bytes().unwrap(), bytes);
}

/// Cut at every byte, every bit flipped: an error or the same archive, never a panic, never another.
#[test]
fn a_damaged_archive_is_never_believed() {
    let archive = small_archive();
    let bytes = archive.to_bytes().unwrap();
    let path = Path::new("x.safetensors");
    for end in 0..bytes.len() {
        let e = Archive::from_bytes(path, &bytes[..end]).unwrap_err();
        assert!(e.exit_code() == 4 && e.to_string().starts_with("x.safetensors: "), "{e}");
    }
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = Archive::from_bytes(path, &flipped) {
            assert_eq!(read, archive, "bit {bit}");
        }
    }
}

#[test]
fn weights_that_cannot_be_meant_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let trainer = start(folder.path(), 1);
    let whole = network_file::archive(&trainer.network).unwrap();
    let path = Path::new("m.safetensors");
    let refused = |change: &dyn Fn(&mut Archive), expected: &str| {
        let mut archive = whole.clone();
        change(&mut archive);
        let e = network_file::from_archive(path, &archive).unwrap_err();
        assert!(matches!(e, Error::Model { .. }) && e.to_string().contains(expected), "{e}");
    };
    assert!(network_file::from_archive(path, &whole).is_ok());
    let weight = "network/conv2d_1.weight";
    refused(&|a| drop(a.tensors.remove(weight)), "conv2d_1.weight is missing");
    refused(&|a| a.tensors.get_mut(weight).unwrap().1[3] = f32::NAN, "holds NaN at 3");
    refused(&|a| a.tensors.get_mut(weight).unwrap().0 = vec![8, 9], "expected [8, 1, 3, 3]");
    refused(&|a| drop(a.tensors.insert("network/x".into(), (vec![0], vec![]))), "tensors");
    refused(&|a| drop(a.meta.remove("network")), "no entry \"network\"");
    refused(&|a| drop(a.meta.insert("network".into(), json!({"layers": 3}))), "\"network\"");
}

#[test]
fn a_file_of_another_version_or_kind_is_named_so() {
    let path = Path::new("m.safetensors");
    let bytes = small_archive().to_bytes().unwrap();
    let mut later = bytes.clone();
    let at = bytes.windows(13).position(|w| w == b"\\\"version\\\":1").unwrap();
    later[at + 12] = b'9';
    let e = Archive::from_bytes(path, &later).unwrap_err().to_string();
    assert!(e.contains("format version 9, this program reads 1"), "{e}");
    let huge = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
    let e = Archive::from_bytes(path, &huge).unwrap_err().to_string();
    assert!(e.contains("at most 16777216"), "{e}");
}

#[test]
fn a_disk_that_fills_up_is_an_error_and_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.bin");
    fer::files::write_atomic(&path, b"old").unwrap();
    let e = fer::files::write_atomic_with(&path, |file| {
        file.write_all(b"half of the n")?;
        Err(std::io::ErrorKind::StorageFull.into())
    });
    let e = e.unwrap_err();
    assert!(e.exit_code() == 1 && e.to_string().contains("kept.bin"), "{e}");
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary is left");
    // A device is written to and stays a device.
    let full = Path::new("/dev/full");
    if full.exists() {
        assert!(fer::files::write_atomic(full, b"new").is_err());
        assert!(!std::fs::metadata(full).unwrap().is_file());
    }
}

/// As many epochs as there may be, each number as long as can be, beside a mean face.
#[test]
fn the_longest_history_fits_a_checkpoint() {
    let long = -f64::MAX / 3.0;
    let epoch = |epoch| EpochMetrics {
        epoch,
        step: u64::MAX,
        lr: long,
        loss: long,
        accuracy: long,
        val_loss: long,
        val_accuracy: long,
        grad_norm: long,
        images_per_second: long,
        seconds: long,
        skipped_steps: u32::MAX,
        pflop: long,
        asked_seconds: long,
    };
    let history = (1..=MAX_EPOCHS).map(epoch).collect();
    let mut archive = small_archive();
    archive.put("progress", &Progress { history, ..Progress::default() }).unwrap();
    archive.put("mean_face", &vec![0.1234_f32; fer::PIXELS]).unwrap();
    let bytes = archive.to_bytes().unwrap();
    assert_eq!(Archive::from_bytes(Path::new("x"), &bytes).unwrap(), archive);
}

#[test]
fn a_budget_in_minutes_ends_before_the_history_is_too_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = start(folder.path(), 1);
    trainer.config.budget = Budget::Minutes(60.0);
    trainer.progress.epoch = MAX_EPOCHS - 1;
    assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Finished);
    assert!(trainer.is_full() && trainer.fraction() < 1.0);
    assert_eq!(trainer.progress.history.len(), 1);
    drop(trainer);
    assert_eq!(resume(&folder.path().join("run")).run(&mut ()).unwrap(), Outcome::Finished);
}

/// Two trainings in one folder would sweep away and replace each other's files.
#[test]
fn a_run_folder_has_one_training_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut first = start(folder.path(), 2);
    assert_eq!(first.run(&mut StopAt(2)).unwrap(), Outcome::Stopped);
    std::fs::write(run.join(".fer-open.tmp"), b"being written").unwrap();
    let e = Trainer::resume(&run, |c| c.load_faces()).unwrap_err();
    assert!(e.exit_code() == 2 && e.to_string().contains("being trained by another"), "{e}");
    assert!(run.join(".fer-open.tmp").exists());
    drop(first);
    let second = resume(&run);
    assert_eq!(Trainer::resume(&run, |c| c.load_faces()).unwrap_err().exit_code(), 2);
    drop(second);
    resume(&run);
}

/// A child that another thread starts holds the lock of a training that has ended, until it runs its own
/// program.
#[test]
fn a_lock_that_is_about_to_end_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut first = start(folder.path(), 2);
    assert_eq!(first.run(&mut StopAt(2)).unwrap(), Outcome::Stopped);
    drop(first);
    let copy = std::fs::File::open(&run).unwrap();
    copy.lock().unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(copy);
    });
    resume(&run);
}

/// A rate so high that the update itself overflows: no loss shows it before the damage is done.
#[test]
fn a_state_that_overflows_is_never_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config(folder.path(), 6);
    settings.lr = 1e6;
    settings.mixup = 0.0;
    let (train, validation) = settings.load_faces().unwrap();
    let mut trainer = Trainer::new(settings, train, validation).unwrap();
    let run = folder.path().join("run");
    trainer.write_into(run_dir::create(Some(&run), "toy").unwrap()).unwrap();
    if let Err(e) = trainer.run(&mut ()) {
        assert_eq!(e.exit_code(), 5, "{e}");
    }
    network_file::read_model(&run).unwrap(); // refuses anything that is not finite
}

/// Another program's temporary files are none of our business.
#[test]
fn resume_of_a_folder_that_is_no_run_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("theirs.tmp"), b"x").unwrap();
    let e = Trainer::resume(folder.path(), |c| c.load_faces()).unwrap_err();
    assert!(e.exit_code() == 4 && e.to_string().contains("not a run folder"), "{e}");
    assert!(folder.path().join("theirs.tmp").exists());
}

/// Killed after the last step but before its validation: the epoch is finished on resume.
#[test]
fn an_epoch_that_only_lacks_its_validation_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = start(folder.path(), 1);
    let steps = trainer.steps_per_epoch() as u64;
    assert_eq!(trainer.run(&mut StopAt(steps)).unwrap(), Outcome::Stopped);
    drop(trainer);
    let mut trainer = resume(&folder.path().join("run"));
    assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Finished);
    assert_eq!(trainer.progress.history.len(), 1);
}
