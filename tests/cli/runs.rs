//! Run folders: what they hold, that nothing overwrites them, that a stopped run goes on.

use super::place::{Place, TRAIN};

#[test]
fn a_run_folder_holds_everything() {
    let place = Place::with_run(2);
    for name in
        ["config.toml", "network.toml", "summary.txt", "best.safetensors", "last.safetensors"]
    {
        assert!(!place.read(&format!("run/{name}")).is_empty(), "{name}");
    }
    for stem in ["class_counts", "class_counts_split", "curves"] {
        assert!(place.has_picture(&format!("run/{stem}.png")), "{stem}");
        assert!(place.has_picture(&format!("run/{stem}.svg")), "{stem}");
    }
    assert!(place.text("run/class_counts_split.svg").contains("126 training, 14 validation"));
    assert_eq!(place.text("run/metrics.csv").lines().count(), 3);
    let left: Vec<_> = std::fs::read_dir(place.path("run"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_run_is_never_overwritten() {
    let place = Place::with_run(1);
    let before = place.read("run/last.safetensors");
    place.fails(
        &format!("{TRAIN} --epochs 1 --out run"),
        2,
        &["run is not an empty folder", "--resume run"],
    );
    assert_eq!(place.read("run/last.safetensors"), before);
    place.ok(&format!("{TRAIN} --epochs 1"));
    place.ok(&format!("{TRAIN} --epochs 1"));
    assert!(place.path("runs/small-1").is_dir() && place.path("runs/small-2").is_dir());
}

#[test]
fn one_plain_line_an_epoch_without_a_terminal() {
    let place = Place::with_faces();
    let done = place.ok(&format!("{TRAIN} --epochs 3 --out run"));
    assert_eq!(done.stdout, "");
    assert!(!done.stderr.contains('\x1b') && !done.stderr.contains('\r'), "{}", done.stderr);
    let epochs = done.stderr.lines().filter(|l| l.starts_with("epoch ")).count();
    assert_eq!(epochs, 3, "{}", done.stderr);
}

/// Ctrl-C in the second epoch, then resumed: the same weights as a run that was never stopped.
#[cfg(unix)]
#[test]
fn interrupted_and_resumed_is_as_never_stopped() {
    use std::process::{Command, Stdio};
    let place = Place::with_faces();
    place.ok("data synth --count 1400 --out faces.csv");
    let train = format!("{TRAIN} --epochs 5 --threads 1");
    let mut child = Command::new(env!("CARGO_BIN_EXE_fer"))
        .current_dir(place.path("."))
        .args(train.split_whitespace())
        .args(["--out", "stopped"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !place.path("stopped/metrics.csv").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let code = child.wait().unwrap().code();
    if code != Some(130) {
        assert_eq!(code, Some(0));
        eprintln!("skipped: the training ended before the signal came");
        return;
    }
    let done = place.ok("train --resume stopped --threads 1");
    assert!(done.stderr.contains("done in"), "{}", done.stderr);
    place.ok(&format!("{train} --out straight"));
    let weights = |name: &str| {
        let path = place.path(name);
        fer::checkpoint::Archive::read(&path).unwrap().tensors
    };
    assert_eq!(weights("stopped/last.safetensors"), weights("straight/last.safetensors"));
}

#[test]
fn resume_continues_what_is_done_and_refuses_other_data() {
    let place = Place::with_run(1);
    let done = place.ok("train --resume run");
    assert!(done.stderr.contains("done in"), "{}", done.stderr);
    assert_eq!(place.text("run/metrics.csv").lines().count(), 2);
    place.ok("data synth --count 140 --seed 5 --out faces.csv");
    place.fails("train --resume run", 4, &["other data"]);
}

#[test]
fn checkpoints_read_back_whatever_their_times_were() {
    // Seconds and losses are floats in the checkpoint's JSON; read back, they must give the same
    // checksum.
    let place = Place::with_run(6);
    place.ok("eval run --json");
    place.ok("eval run/best.safetensors --json");
}
