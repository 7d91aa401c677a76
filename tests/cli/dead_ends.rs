//! A training says what it does not do, and every message names a command that works.

use crate::support::place::{Done, Place, TRAIN, finished};
use fer::model::weights::Archive;
use fer::render::RgbImage;
use std::collections::BTreeMap;

fn weights(place: &Place, run: &str) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    Archive::read(&place.path(&format!("{run}/last.safetensors"))).unwrap().tensors
}

/// The command after the last `: fer ` of a message, with `fer` left out.
fn command_of(done: &Done) -> String {
    let (_, command) = done.stderr.rsplit_once("fer train").expect(&done.stderr);
    format!("train{}", command.lines().next().unwrap())
}

/// What is there at each moment before the first checkpoint, and both ways to go on.
#[test]
fn a_training_killed_before_its_first_checkpoint_goes_on() {
    let place = Place::with_faces();
    let train = format!("{TRAIN} --epochs 2 --no-tensorboard");
    place.ok(&format!("{train} --out whole"));
    let start = |run: &str, names: &[&str]| {
        std::fs::create_dir(place.path(run)).unwrap();
        for name in names {
            let from = place.path(&format!("whole/{name}"));
            std::fs::copy(from, place.path(&format!("{run}/{name}"))).unwrap();
        }
        place.write(&format!("{run}/.fer-4294967294-0.tmp"), b"being written");
    };
    start("settings", &["config.toml"]);
    start("all", &["config.toml", "network.toml", "summary.txt", "live.json", "class_counts.png"]);
    start("again", &["config.toml", "network.toml"]);
    for run in ["settings", "all"] {
        let done = place.ok(&format!("train --resume {run} --no-tensorboard"));
        assert!(done.stderr.contains("starts again"), "{}", done.stderr);
    }
    place.ok(&format!("{train} --out again"));
    // Taken, but nothing written: the message names the way that works.
    start("taken", &[]);
    place.write("taken/config.toml", b"");
    place.fails("train --resume taken", 4, &["start it again", "--out taken"]);
    place.ok(&format!("{train} --out taken"));
    for run in ["settings", "all", "again", "taken"] {
        assert!(weights(&place, run) == weights(&place, "whole"), "{run}");
        assert!(!place.path(&format!("{run}/.fer-4294967294-0.tmp")).exists(), "{run}");
    }
    // Something else in the folder is never overwritten, and --resume is not offered.
    std::fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/notes.txt", b"x");
    let done = place.run(&format!("{train} --out mine"));
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("another --out") && !done.stderr.contains("--resume"));
    assert_eq!(place.text("mine/notes.txt"), "x");
}

#[test]
fn the_previous_checkpoint_alone_is_enough() {
    let place = Place::with_run(2);
    let last = place.path("run/last.safetensors");
    std::fs::remove_file(&last).unwrap();
    let done = place.ok("eval run");
    assert!(done.stderr.contains("missing; using"), "{}", done.stderr);
    place.ok("train --resume run");
    assert!(last.exists());
    // Without any checkpoint, the best weights are left to train on from.
    std::fs::remove_file(&last).unwrap();
    std::fs::remove_file(place.path("run/last.safetensors.previous")).unwrap();
    let done = place.run("train --resume run");
    assert_eq!(done.code, 4, "{}", done.stderr);
    place.ok(&format!("{} --epochs 1 --data faces.csv --out more", command_of(&done)));
}

/// A checkpoint without content and without the one before it: the best weights are left, and the message says how.
#[test]
fn an_empty_checkpoint_names_the_best_weights() {
    let place = Place::with_run(2);
    place.write("run/last.safetensors", b"");
    std::fs::remove_file(place.path("run/last.safetensors.previous")).unwrap();
    place.fails(
        "train --resume run",
        4,
        &["0 bytes are not", "best weights", "--pretrained run/best.safetensors"],
    );
    place.ok("train --pretrained run/best.safetensors --data faces.csv --epochs 1 --out more");
}

#[test]
fn a_broken_configuration_is_announced() {
    let place = Place::with_run(1);
    for (broken, found) in
        [(Some("x=["), "TOML"), (Some(""), "it is empty"), (None, "it is missing")]
    {
        match broken {
            Some(text) => place.write("run/config.toml", text.as_bytes()),
            None => std::fs::remove_file(place.path("run/config.toml")).unwrap(),
        }
        let done = place.ok("train --resume run");
        let words = "run/config.toml cannot be used";
        assert!(
            [words, found, "checkpoint count"].iter().all(|word| done.stderr.contains(word)),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn settings_beyond_any_sense_are_told() {
    let place = Place::with_faces();
    for minutes in ["1e18", "inf"] {
        let line = format!("{TRAIN} --minutes {minutes} --print-config");
        place.fails(&line, 2, &["budget is", "minutes", "525600"]);
    }
    let done = place.ok(&format!("{TRAIN} --overfit 9999 --epochs 1 --out run"));
    assert!(done.stderr.contains("fewer than the 9999 asked for"), "{}", done.stderr);
    place.write("page.toml", b"<!DOCTYPE html><html></html>");
    place.fails("train --config page.toml", 2, &["page.toml", "web page", "TOML"]);
    place.write("net.toml", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n");
    let line = "train --data faces.csv --arch net.toml";
    place.fails(line, 2, &["net.toml", "Git LFS pointer", "git lfs pull"]);
}

#[test]
fn an_edited_configuration_is_told_apart() {
    let place = Place::with_run(1);
    let edited = place
        .text("run/config.toml")
        .replace("epochs = 1", "epochs = 4")
        .replace("batch = 32", "batch = 4");
    place.write("run/config.toml", edited.as_bytes());
    let done = place.ok("train --resume run");
    assert!(done.stderr.contains("was edited (batch, budget)"), "{}", done.stderr);
    assert_eq!(place.text("run/metrics.csv").lines().count(), 2);
    assert_eq!(place.text("run/config.toml"), edited, "the edits are kept");
    place.ok("train --config run/config.toml --pretrained run --out more");
    assert_eq!(place.text("more/metrics.csv").lines().count(), 5);
}

#[test]
fn moved_data_is_found_again() {
    let place = Place::with_run(1);
    std::fs::create_dir(place.path("new")).unwrap();
    std::fs::rename(place.path("faces.csv"), place.path("new/faces.csv")).unwrap();
    place.fails("train --resume run", 3, &["does not exist", "--resume run --data NEW"]);
    // By the option, which is remembered, or in the configuration.
    place.ok("train --resume run --data new/faces.csv");
    place.ok("train --resume run");
    std::fs::rename(place.path("new"), place.path("newer")).unwrap();
    let moved = place.text("run/config.toml").replace("/new/", "/newer/");
    place.write("run/config.toml", moved.as_bytes());
    let done = place.ok("train --resume run");
    assert!(!done.stderr.contains("edited"), "{}", done.stderr);
    place.ok("data synth --count 140 --seed 5 --out other.csv");
    place.fails("train --resume run --data other.csv", 4, &["other data", "--data"]);
}

#[test]
fn more_epochs_are_another_training() {
    let place = Place::with_run(1);
    let done = place.ok("train --resume run");
    assert!(done.stderr.contains("nothing left to train"), "{}", done.stderr);
    place.fails("train --resume run --epochs 2", 2, &["--epochs", "fer train --pretrained RUN"]);
    place.fails("train --resume run --out x", 2, &["fer train --pretrained RUN"]);
    place
        .ok(&format!("{TRAIN} --pretrained run --epochs 1 --out more")
            .replace("--arch small.toml", ""));
}

/// What cannot work is refused before the folder is made, by the option that helps.
#[test]
fn settings_that_cannot_work_leave_no_folder() {
    let place = Place::with_faces();
    let pooled = "{ type = \"global_average_pooling2d\" },\n { type = \"batch_normalization\" },";
    let text = place.text("small.toml").replace("{ type = \"flatten\" },", pooled);
    place.write("pooled.toml", text.as_bytes());
    let pooled = TRAIN.replace("small.toml", "pooled.toml");
    let words = ["--batch-size 1", "batch_normalization_2", "--batch-size 2 or more"];
    place.fails(
        &format!("{pooled} --batch-size 1 --out run").replace("--batch-size 32 ", ""),
        2,
        &words,
    );
    place.fails(
        &format!("{TRAIN} --set sizes=[{{until=0.5,side=32}},{{until=1,side=48}}] --out run"),
        2,
        &["side 32", "sizes"],
    );
    for data in ["--data -", "--data /dev/null", "--data faces.csv --val -"] {
        let line = format!("train {data} --arch tiny --out run");
        place.fails(&line, 2, &["when it is resumed", "write the faces into a file"]);
    }
    assert!(!place.path("run").exists());
    place.ok(&format!("{pooled} --epochs 1 --out run"));
}

#[test]
fn a_broken_training_is_not_done() {
    let place = Place::with_faces();
    let line = TRAIN.replace("--lr 0.01", "--lr 100000");
    let line = format!("{line} --set schedule.warmup=0 --set optimizer.clip_norm=0 --ema-decay 0");
    let done = place.run(&format!("{line} --epochs 2 --out run"));
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(
        done.stderr.contains("diverged") && !done.stderr.contains("done in"),
        "{}",
        done.stderr
    );
    // Nothing learned is no error, but is said.
    let line = TRAIN.replace("--lr 0.01", "--lr 0.0000001");
    let done = place.ok(&format!("{line} --epochs 1 --out idle"));
    assert!(done.stderr.contains("nothing was learned"), "{}", done.stderr);
}

#[test]
fn what_a_network_file_does_not_get_is_said() {
    let place = Place::with_faces();
    let small = place.text("small.toml");
    let said = |text: String, words: &str| {
        place.write("odd.toml", text.as_bytes());
        let line = TRAIN.replace("small.toml", "odd.toml");
        let folder = format!("run{}", words.len());
        let done = place.ok(&format!("{line} --epochs 1 --out {folder}"));
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    };
    let last = "{ type = \"linear\", units = 7 },";
    let with = |function: &str| {
        let more = format!("{last}\n {{ type = \"activation\", function = \"{function}\" }},");
        small.replace(last, &more)
    };
    said(with("softmax"), "ends in a softmax: the loss applies a softmax itself");
    said(with("relu"), "ends in a relu: the loss expects logits");
    let pooled = small.replace("{ type = \"flatten\" }", "{ type = \"global_average_pooling2d\" }");
    said(format!("input = [1, 96, 64]\n{pooled}"), "its input = [1, 96, 64] is not used");
}

#[test]
fn validation_faces_among_the_training_faces_are_counted() {
    let place = Place::with_faces();
    let done = place.ok(&format!("{TRAIN} --val faces.csv --epochs 1 --out run"));
    assert!(done.stderr.contains("140 of 140 validation faces are also training faces"));
    let done = place.ok(&format!("{TRAIN} --epochs 1 --out split"));
    assert!(!done.stderr.contains("are also training faces"), "{}", done.stderr);
}

#[test]
fn runs_are_named_apart() {
    let place = Place::with_run(1);
    std::fs::create_dir(place.path("a")).unwrap();
    std::fs::create_dir(place.path("b")).unwrap();
    std::fs::create_dir(place.path("b/run")).unwrap();
    std::fs::copy(place.path("run/metrics.csv"), place.path("b/run/metrics.csv")).unwrap();
    std::fs::rename(place.path("run"), place.path("a/run")).unwrap();
    place.ok("curves a/run b/run --out both.svg");
    let chart = place.text("both.svg");
    assert!(chart.contains("a/run") && chart.contains("b/run"));
    let here = place.path("a/run");
    let done = finished(place.command("curves . --out c.svg").current_dir(&here));
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(place.text("a/run/c.svg").contains("Training of run<"));
    let done = finished(place.command("eval .").current_dir(&here));
    assert!(done.stdout.starts_with("run on "), "{}", done.stdout);
}

/// Command lines with a mistake, and words of the message that name the way out.
#[test]
fn a_first_attempt_gets_the_command_that_was_meant() {
    let place = Place::new();
    let face = RgbImage::from_fn(48, 48, |x, y| [(x * 5) as u8, (y * 5) as u8, 99]);
    place.write("photo.png", &face.to_png().unwrap());
    place.write("small.png", &RgbImage::from_fn(10, 10, |_, _| [9; 3]).to_png().unwrap());
    place.write("noise.jpg", b"neither this nor that");
    let pixels = ["100"; 2304].join(" ");
    place.write("target.csv", format!("target,image_data\n3,{pixels}\n").as_bytes());
    place.write("hapy.csv", format!("emotion,pixels\nhapy,{pixels}\n").as_bytes());
    for (line, code, words) in [
        ("photo.png", 2, ["fer explain photo.png", "fer predict photo.png"]),
        ("heatmap", 2, ["fer saliency", "Usage: fer [OPTIONS] <COMMAND>"]),
        ("gradcam", 2, ["fer saliency --method gradcam", ""]),
        ("classify", 2, ["this is: fer predict", ""]),
        ("saliency photo.png --magic", 2, ["[MODEL] [PICTURE]...", "--magic"]),
        ("serve --port 80a", 2, ["80a", "expected a whole number"]),
        ("summary runs/none", 4, ["runs/none", "does not exist"]),
        ("watch runs/none", 4, ["runs/none", "does not exist"]),
        ("predict https://example.org/a.jpg", 3, ["address on the web", "download"]),
        ("predict small.png", 3, ["10 x 10", "larger picture"]),
        ("predict noise.jpg", 3, ["no picture data", "download it anew"]),
        ("predict target.csv", 3, ["call `image_data` `pixels`", "`target` `label`"]),
        ("eval --data hapy.csv", 3, ["hapy", "did you mean `happy`?"]),
        ("predict photo.png --ensemble embedded", 2, ["the same network", "embedded"]),
        ("eval embedded embedded --data hapy.csv", 2, ["the same network", "embedded"]),
    ] {
        place.fails(line, code, &words);
    }
    let done = place.ok("predict photo.png --detect off --out answers.txt");
    assert!(done.stderr.contains("written: answers.txt, as CSV"), "{}", done.stderr);
}
