//! What `fer train` says at its start and its end.

use crate::cli::shared::progress::duration;
use crate::console::eprintln_safe;
use crate::error::Shown as _;
use crate::monitor::Recorder;
use crate::render::format::short;
use crate::train::config::MAX_EPOCHS;
use crate::train::{EpochMetrics, Trainer};
use fer_kernels::Context;
use std::path::Path;

/// Says which files beside the weights are missing or old, because they could not be written.
pub(super) fn unwritten(trainer: &Trainer, recorder: &Recorder) -> Option<String> {
    let metrics = trainer.unwritten.as_ref().map(|e| format!("metrics.csv ({e})"));
    let parts = recorder.unwritten().map(|(part, error)| format!("the {part} ({error})"));
    let all: Vec<String> = metrics.into_iter().chain(parts).collect();
    (!all.is_empty()).then(|| {
        format!("the weights are saved, but these are missing or incomplete: {}", all.join(", "))
    })
}

/// Prints time, validation accuracy and run folder.
pub(super) fn print_result(trainer: &Trainer, recorder: &Recorder, trained: bool) {
    if !trained {
        eprintln_safe!(
            "nothing left to train: this training has already ended; to train on from its weights: fer train \
             --pretrained {} --epochs 20",
            trainer.folder.as_deref().unwrap_or(Path::new("")).shown()
        );
    }
    if trainer.is_full() && trainer.fraction() < 1.0 {
        eprintln_safe!(
            "ended early: a run holds at most {MAX_EPOCHS} epochs; to continue from its weights in \
             another run: fer train --pretrained {}",
            trainer.folder.as_deref().unwrap_or(Path::new("")).shown()
        );
    }
    if let Some(kept) = kept_epoch(trainer) {
        let pflop = trainer.progress.history.last().map_or(0.0, |last| last.pflop);
        let folder = trainer.folder.as_deref().unwrap_or(Path::new(""));
        eprintln_safe!(
            "done in {}, {} PFLOP{}: validation accuracy {:.2} % (loss {:.3}); run folder {}",
            duration(trainer.seconds()),
            short(pflop),
            teacher_time(trainer.progress.asked_seconds),
            100.0 * kept.val_accuracy,
            kept.val_loss,
            folder.shown()
        );
    }
    say_if_nothing_was_learned(trainer);
    if trained {
        let (spent, share) = (recorder.spent(), recorder.share(trainer));
        eprintln_safe!("monitoring took {spent:.1} s, {:.1} % of the time", 100.0 * share);
    }
}

/// Says so if the network is no better on the validation faces than the same answer for all of them.
fn say_if_nothing_was_learned(trainer: &Trainer) {
    let counts = trainer.validation.class_counts();
    let most = counts.iter().max().copied().unwrap_or(0) as f64;
    let share = most / (counts.iter().sum::<usize>().max(1)) as f64;
    if trainer.progress.history.iter().all(|m| m.val_accuracy <= share + 1e-9) {
        eprintln_safe!(
            "nothing was learned that helps on the validation faces: always answering the most frequent \
             expression gives {:.2} %",
            100.0 * share
        );
    }
}

/// Returns how much of the total time the teachers took; empty without teachers.
fn teacher_time(seconds: f64) -> String {
    match seconds > 0.0 {
        true => format!(" (of which {} for the teachers)", duration(seconds)),
        false => String::new(),
    }
}

/// Returns the epoch whose weights are the result: the last, or the best if patience ran out.
fn kept_epoch(trainer: &Trainer) -> Option<&EpochMetrics> {
    let history = &trainer.progress.history;
    match trainer.progress.best.filter(|_| trainer.out_of_patience()) {
        Some((best, _)) => {
            let since = trainer.progress.epoch - best;
            eprintln_safe!(
                "no better validation accuracy for {since} epochs: back to the weights of epoch {best}"
            );
            history.iter().find(|m| m.epoch == best)
        }
        None => history.last(),
    }
}

/// Prints the network, the faces, and the machine.
pub(super) fn print_start(trainer: &Trainer) {
    let parameters: usize = trainer.network.parameters().iter().map(|p| p.value.elements()).sum();
    let folder = trainer.folder.as_ref().map(|f| f.shown()).unwrap_or_default();
    eprintln_safe!(
        "{}: {parameters} parameters; {} faces to train on, {} to validate; {} threads, {}; {folder}",
        trainer.network.spec.name,
        trainer.train.len(),
        trainer.validation.len(),
        rayon::current_num_threads(),
        Context::global().simd,
    );
}
