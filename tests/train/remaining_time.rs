//! The estimate of the time that a training still takes.

use crate::train::checkpoints::start;
use fer::train::{Observer, StepResult, Trainer};

/// Estimates of the remaining time, one after each step.
#[derive(Default)]
struct Estimates(Vec<Option<f64>>);

impl Observer for Estimates {
    fn step(&mut self, trainer: &Trainer, _: &StepResult) -> bool {
        self.0.push(trainer.remaining());
        true
    }
}

/// The first step fills buffers and creates files, so it says nothing of the others.
#[test]
fn the_first_step_of_a_session_gives_no_estimate_of_what_remains() {
    let folder = tempfile::tempdir().unwrap();
    let mut estimates = Estimates::default();
    start(folder.path(), 2).run(&mut estimates).unwrap();
    let (first, others) = estimates.0.split_first().unwrap();
    assert_eq!(*first, None);
    assert!(others.iter().all(|left| left.is_some_and(f64::is_finite)), "{others:?}");
    assert_eq!(others.last(), Some(&Some(0.0)));
}
