//! Several processes: the bits of one, whatever their number; a process that differs is refused.

use crate::support::place::{Place, TRAIN};
use crate::support::ranks::together;
use crate::train::checkpoints::{bits, config};
use fer::Result;
use fer::train::parallel::{Alone, Ranks, Reduce};
use fer::train::{Budget, Observer, Outcome, StepResult, TrainConfig, Trainer, run_dir};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// 6 batches of 32 faces an epoch, in micro-batches of 8.
fn in_micro_batches(folder: &Path) -> TrainConfig {
    TrainConfig { micro_batch: Some(8), ..config(folder, 2) }
}

/// Prepares one of several processes; the first writes into `folder/run`.
fn prepare(config: &TrainConfig, folder: &Path, ranks: Arc<dyn Ranks>) -> Result<Trainer> {
    let (train, validation) = config.load_faces()?;
    let mut trainer = Trainer::new(config.clone(), train, validation)?;
    let is_first = ranks.rank() == 0;
    trainer.join(ranks)?;
    if is_first {
        trainer.write_into(run_dir::create(Some(&folder.join("run")), "toy")?)?;
    }
    Ok(trainer)
}

/// Trains with `size` processes and returns the bits of the last checkpoint.
fn train(config: &TrainConfig, size: usize) -> BTreeMap<String, Vec<u32>> {
    let folder = TempDir::new().unwrap();
    together(size, |ranks| {
        let mut trainer = prepare(config, folder.path(), ranks).unwrap();
        assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Finished);
        assert_eq!(trainer.progress.history.len(), 2);
    });
    bits(&folder.path().join("run"))
}

#[test]
fn any_number_of_processes_gives_the_same_bits() {
    let place = TempDir::new().unwrap();
    let config = in_micro_batches(place.path());
    let alone = train(&config, 1);
    for size in [2, 3, 4] {
        assert!(alone == train(&config, size), "{size} processes");
    }
    let other = TrainConfig { micro_batch: Some(16), ..config };
    assert!(alone != train(&other, 1), "the size of a micro-batch has no effect");
}

/// Weights of more than 4,096 values travel in several pieces; a layer without weights sends nothing.
#[test]
fn a_large_layer_gives_the_same_bits_in_pieces() {
    let place = TempDir::new().unwrap();
    let arch = place.path().join("wide.toml");
    let text = r#"
name = "wide"
layers = [
    { type = "conv2d", filters = 4, stride = 2 },
    { type = "activation" },
    { type = "flatten" },
    { type = "linear", units = 7 },
]
"#;
    std::fs::write(&arch, text).unwrap();
    let arch = arch.to_str().unwrap().into();
    let config = TrainConfig { arch, lr: 1e-4, ..in_micro_batches(place.path()) };
    let alone = train(&config, 1);
    for size in [2, 4] {
        assert!(alone == train(&config, size), "{size} processes");
    }
}

/// Largest difference of two checkpoints' weights.
fn apart(a: &BTreeMap<String, Vec<u32>>, b: &BTreeMap<String, Vec<u32>>) -> f32 {
    let weights = |all: &BTreeMap<String, Vec<u32>>| {
        let own = all.iter().filter(|(name, _)| name.starts_with("network/"));
        own.flat_map(|(_, v)| v.iter().map(|&b| f32::from_bits(b))).collect::<Vec<f32>>()
    };
    let (a, b) = (weights(a), weights(b));
    assert!(a.len() == b.len() && !a.is_empty());
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Batch norm sees the whole batch, so a training in micro-batches is the same training.
#[test]
fn micro_batches_train_as_the_whole_batch_up_to_rounding() {
    let place = TempDir::new().unwrap();
    let arch = place.path().join("plain.toml");
    let text = r#"
name = "plain"
layers = [
    { type = "conv2d", filters = 4, stride = 2 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "max_pooling2d", size = 2 },
    { type = "conv2d", filters = 4 },
    { type = "batch_normalization" },
    { type = "flatten" },
    { type = "linear", units = 7 },
]
"#;
    std::fs::write(&arch, text).unwrap();
    let whole = TrainConfig {
        arch: arch.to_str().unwrap().into(),
        lr: 0.01,
        micro_batch: None,
        ..config(place.path(), 2)
    };
    let micro = TrainConfig { micro_batch: Some(8), ..whole.clone() };
    let fast = TrainConfig { reduce: Reduce::Fast, ..micro.clone() };
    let uneven = TrainConfig { micro_batch: Some(12), ..whole.clone() };
    let start = train(&TrainConfig { lr: 1e-12, ..whole.clone() }, 1);
    let whole = train(&whole, 1);
    let moved = apart(&start, &whole);
    for (name, other) in
        [("micro", train(&micro, 1)), ("fast", train(&fast, 3)), ("uneven", train(&uneven, 2))]
    {
        let apart = apart(&whole, &other);
        assert!(apart < 1e-3 * moved, "{name}: {apart} apart after a way of {moved}");
    }
}

/// Wants to stop after a number of steps.
struct StopAt(u64);
impl Observer for StopAt {
    fn step(&mut self, trainer: &Trainer, _: &StepResult) -> bool {
        trainer.progress.step < self.0
    }
}

#[test]
fn a_resumed_training_may_have_another_number_of_processes() {
    let (place, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let config = in_micro_batches(place.path());
    together(3, |ranks| {
        // One process alone wants to stop: all do.
        let at = if ranks.rank() == 1 { 8 } else { u64::MAX };
        let mut trainer = prepare(&config, folder.path(), ranks).unwrap();
        assert_eq!(trainer.run(&mut StopAt(at)).unwrap(), Outcome::Stopped);
        assert_eq!(trainer.progress.step, 8);
    });
    let run = folder.path().join("run");
    together(2, |ranks| {
        let mut trainer = Trainer::resume_together(&run, |c| c.load_faces(), ranks).unwrap();
        assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Finished);
    });
    assert!(bits(&run) == train(&config, 1));
}

/// What the second of two processes says.
fn refusal(change: impl Fn(&mut TrainConfig, usize) + Sync) -> String {
    let place = TempDir::new().unwrap();
    let config = in_micro_batches(place.path());
    let said = together(2, |ranks| {
        let mut config = config.clone();
        change(&mut config, ranks.rank());
        prepare(&config, place.path(), ranks).map(drop).unwrap_err().to_string()
    });
    assert_eq!(said[0], said[1]);
    assert!(!place.path().join("run").exists());
    said[1].clone()
}

#[test]
fn a_process_that_differs_is_refused_by_name() {
    let other = |rank: usize| if rank == 1 { 1 } else { 0 };
    let said = refusal(|config, rank| config.synthetic += 70 * other(rank));
    assert!(said.contains("rank 1 has other training faces than rank 0: 252 faces"), "{said}");
    let said = refusal(|config, rank| config.label_smoothing += 0.1 * other(rank) as f64);
    assert!(
        said.contains("rank 1 has other settings than rank 0: label_smoothing = 0.2; "),
        "{said}"
    );
    let said = refusal(|config, _| config.budget = Budget::Minutes(1.0));
    assert!(said.contains("train with --epochs"), "{said}");
    let said = refusal(|config, _| config.micro_batch = Some(32));
    assert!(said.contains("2 processes for 1 micro-batches of 32 faces"), "{said}");
    let said = refusal(|config, _| config.micro_batch = None);
    assert!(said.contains("need a --micro-batch"), "{said}");
}

#[test]
fn a_micro_batch_of_one_face_is_refused() {
    let place = TempDir::new().unwrap();
    let config = TrainConfig { micro_batch: Some(1), ..in_micro_batches(place.path()) };
    let error = prepare(&config, place.path(), Arc::new(Alone)).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "micro_batch is 1; expected 2 faces or more");
}

/// Micro-batches wait for each other, also where one thread does all the work of the pool.
#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::with_faces();
    let weights = |threads: usize| {
        let run = format!("run{threads}");
        let line = format!("{TRAIN} --epochs 1 --micro-batch 8 --threads {threads} --out {run}");
        place.ok(&line);
        bits(&place.path(&run))
    };
    assert!(weights(1) == weights(3));
}

/// Without the feature `mpi`, `mpirun` would start trainings that know nothing of each other.
#[cfg(not(feature = "mpi"))]
#[test]
fn a_build_without_mpi_says_so_under_mpirun() {
    for name in ["PMI_SIZE", "OMPI_COMM_WORLD_SIZE"] {
        let mut fer = assert_cmd::Command::cargo_bin("fer").unwrap();
        let output = fer.args(["train", "--epochs", "1"]).env(name, "3").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cargo build --release --features mpi"), "{said}");
    }
}
