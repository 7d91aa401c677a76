//! What cannot work ends with the right exit code and a message that says where and why.

use crate::support::place::{Place, TRAIN};
use fer::model::weights::Archive;
use serde_json::json;
use std::io::Read as _;
use std::process::{Command, Stdio};

#[test]
fn bad_rows_are_named_by_file_and_line() {
    let place = Place::with_faces();
    let faces = place.text("faces.csv");
    let pixels = |n: usize| vec!["7"; n].join(" ");
    for (row, words) in [
        (format!("7,{}", pixels(2304)), "7"),
        (format!("happily,{}", pixels(2304)), "happily"),
        (format!("1,{}", pixels(2303)), "2303"),
        (format!("1,256 {}", pixels(2303)), "256"),
        (format!("1,-1 {}", pixels(2303)), "-1"),
    ] {
        place.write("bad.csv", format!("{faces}{row}\n").as_bytes());
        place.fails("data stats bad.csv", 3, &["bad.csv:142", words]);
        let train = TRAIN.replace("faces.csv", "bad.csv");
        place.fails(&format!("{train} --epochs 1 --out run"), 3, &["bad.csv:142", words]);
        assert!(!place.path("run").exists(), "a run folder for data that cannot be read");
    }
    let done = place.ok("data stats bad.csv --skip-bad --json");
    assert_eq!(done.json()["faces"], 140);
    assert!(done.stderr.contains("bad.csv:142"), "{}", done.stderr);
}

#[test]
fn data_that_is_not_there_or_cannot_be_evaluated() {
    let place = Place::with_run(1);
    place.fails("data stats nothing.csv", 3, &["nothing.csv", "does not exist"]);
    place.fails("eval run --data nothing.csv", 3, &["nothing.csv", "does not exist"]);
    place.fails("predict run nothing.png", 3, &["nothing.png", "does not exist"]);
    let unlabelled = place.text("faces.csv").replace("label,feature", "id,feature");
    place.write("test.csv", unlabelled.as_bytes());
    place.fails("eval run --data test.csv", 3, &["test.csv", "label"]);
    place.fails("eval run --data faces.csv --usage PublicTest", 3, &["faces.csv"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.fails("predict run empty", 3, &["empty", "no picture"]);
    // Of another file the split is another one, with trained faces among those to judge by.
    place.ok("data synth --count 140 --seed 5 --out faces.csv");
    place.fails("eval run", 3, &["faces.csv", "validated on other faces (14 faces, ", "--data"]);
    place.ok("eval run --data faces.csv");
    std::fs::remove_file(place.path("faces.csv")).unwrap();
    place.fails("eval run", 2, &["faces.csv", "does not exist", "--data"]);
}

#[test]
fn models_that_are_not_there_or_damaged() {
    let place = Place::with_run(1);
    place.fails("eval nowhere --data faces.csv", 4, &["nowhere", "does not exist", "run folder"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.fails("eval empty --data faces.csv", 4, &["empty", "not a run folder"]);
    // Before inputs, what is no model is an input: MODEL may be left out.
    place.fails("predict empty faces.csv", 3, &["empty", "no picture"]);
    place.fails("eval faces.csv --data faces.csv", 4, &["faces.csv"]);
    let whole = place.read("run/last.safetensors");
    let mut flipped = whole.clone();
    flipped[whole.len() - 10] ^= 1;
    for bytes in [&whole[..whole.len() / 2], &[], &flipped] {
        place.write("damaged.safetensors", bytes);
        place.fails("eval damaged.safetensors --data faces.csv", 4, &["damaged.safetensors"]);
    }
}

/// Finite weights whose sums are not: the answers are NaN, which is no answer.
#[test]
fn answers_that_are_no_numbers() {
    let place = Place::with_run(1);
    let mut archive = Archive::read(&place.path("run/last.safetensors")).unwrap();
    for (name, (_, values)) in &mut archive.tensors {
        if name.ends_with("/linear_1.weight") {
            values.fill(3e38);
        }
    }
    let bytes = archive.to_bytes().unwrap();
    place.write("huge.safetensors", &bytes);
    place.ok("data synth --count 70 --first 50000 --out other.csv");
    for command in ["eval", "calibrate", "predict --ensemble run"] {
        let data = if command.starts_with("predict") { "" } else { "--data" };
        let line = format!("{command} huge.safetensors {data} other.csv");
        place.fails(&line, 4, &["huge.safetensors", "NaN for face 0", "another checkpoint"]);
    }
    assert_eq!(place.read("huge.safetensors"), bytes);
}

#[test]
fn networks_of_other_classes_are_not_trained() {
    let place = Place::with_faces();
    let three = place.text("small.toml").replace("units = 7", "units = 3");
    place.write("three.toml", format!("classes = ['a', 'b', 'c']\n{three}").as_bytes());
    let train = TRAIN.replace("small.toml", "three.toml");
    let words = ["small has 3 classes (a, b, c)", "have 7: angry"];
    place.fails(&format!("{train} --epochs 1 --out run"), 2, &words);
    assert!(!place.path("run").exists(), "a run folder for a network that cannot be trained");
}

/// A size that no memory holds is refused by name, whoever wrote the file.
#[test]
fn networks_beyond_all_bounds() {
    let place = Place::with_run(1);
    let small = place.text("small.toml");
    let (parameters, values) = ("at most 18000000", "at most 4194304 values");
    for (old, new, words) in [
        ("filters = 8", "filters = 1000000000000", ["conv2d_1", parameters]),
        ("filters = 8", "filters = 9223372036854775807", ["conv2d_1", "uncountable"]),
        ("filters = 8", "filters = 8, kernel = 1000000", ["conv2d_1", parameters]),
        ("filters = 8", "filters = 8, dilation = 9223372036854775807", ["conv2d_1", values]),
        ("filters = 8", "filters = 8, padding = 1000000", ["conv2d_1", values]),
        ("filters = 8", "filters = 10000", ["conv2d_1", values]),
        ("units = 7", "units = 1000000000000", ["linear_1", parameters]),
        ("name =", "input = [1, 4294967296, 4294967296]\nname =", ["input", values]),
        ("name =", "input = [1, 4000, 4000]\nname =", ["input", values]),
        ("name =", "input = [1, 0, 0]\nname =", ["input [1, 0, 0]", "may be 0"]),
        ("name =", "classes = []\nname =", ["0 classes", "may be 0"]),
    ] {
        place.write("vast.toml", small.replace(old, new).as_bytes());
        let words = ["vast.toml", words[0], words[1]];
        place.fails("summary vast.toml", 2, &words);
        let train = TRAIN.replace("small.toml", "vast.toml");
        place.fails(&format!("{train} --epochs 1 --out vast"), 2, &words);
        assert!(!place.path("vast").exists(), "a run folder for a network that is none");
    }
    // The second would be allowed, but the file does not hold it.
    for filters in [1_000_000_000_000u64, 300_000] {
        let mut archive = Archive::read(&place.path("run/last.safetensors")).unwrap();
        archive.meta.get_mut("network").unwrap()["layers"][0]["filters"] = filters.into();
        place.write("vast.safetensors", &archive.to_bytes().unwrap());
        let words = ["vast.safetensors", "conv2d_1", "parameters, at most 1"];
        place.fails("eval vast.safetensors --data faces.csv", 4, &words);
    }
}

/// Nothing to see, nothing to choose from, or no square gray picture: no face fits that.
#[test]
fn weights_that_no_face_fits() {
    let place = Place::with_faces();
    let pooled = json!([
        { "type": "conv2d", "filters": 1, "kernel": 1, "padding": 1 },
        { "type": "global_average_pooling2d" },
        { "type": "linear", "units": 7 },
    ]);
    let weights = [
        ("conv2d_1.weight", vec![1; 4]),
        ("linear_1.weight", vec![7, 1]),
        ("linear_1.bias", vec![7]),
    ];
    let (flat, names) = (json!([{ "type": "flatten" }]), json!(fer::CLASS_NAMES));
    for (input, layers, weights, classes, word) in [
        ([1, 0, 0], &pooled, &weights[..], &names, "the input is [1, 0, 0]"),
        ([1, 48, 48], &flat, &weights[..0], &json!([]), "classes"),
        ([1, 48, 64], &pooled, &weights[..], &names, "[1, 48, 64], expected [1, s, s]"),
    ] {
        let mut archive = Archive::default();
        let spec = json!({ "name": "odd", "input": input, "classes": classes, "layers": layers });
        archive.put("network", &spec).unwrap();
        for (name, shape) in weights {
            let values = vec![0.5; shape.iter().product()];
            archive.tensors.insert(format!("network/{name}"), (shape.clone(), values));
        }
        place.write("odd.safetensors", &archive.to_bytes().unwrap());
        place.fails("eval odd.safetensors --data faces.csv", 4, &["odd.safetensors", word]);
    }
}

#[test]
fn options_that_cannot_be_meant() {
    let place = Place::with_run(1);
    for (line, word) in [
        ("eval run --frobnicate", "--frobnicate"),
        ("eval", "--data"),
        ("eval run --data faces.csv --usage Monday", "PublicTest"),
        ("predict run faces.csv --top-k 0", "--top-k"),
        ("predict run faces.csv --out no/such/folder.csv", "does not exist"),
        ("data stats faces.csv --out counts.bmp", ".png, .svg or .html"),
        ("data split faces.csv --train a.txt --val b.csv", ".csv"),
        ("train --epochs 0", "epochs"),
        ("train --lr -1", "lr"),
        ("train --lr NaN", "lr"),
        ("train --seed 9223372036854775808", "seed is 9223372036854775808"),
        ("train --set sizes=[{until=0.5,side=48},{until=0.4,side=32}]", "rising"),
        ("--simd mmx info", "mmx"),
        ("--threads 0 info", "--threads"),
    ] {
        place.fails(line, 2, &[word]);
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let place = Place::with_run(1);
    let mut child = Command::new(env!("CARGO_BIN_EXE_fer"))
        .current_dir(place.path("."))
        .args(["predict", "run", "faces.csv", "faces.csv", "faces.csv", "--json", "--top-k", "7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(child.wait().unwrap().success(), "{stderr}");
    assert_eq!(stderr, "");
}

/// `fer train 2>&1 | head -3`: nothing that it says is worth the training.
#[test]
fn a_training_does_not_end_because_nobody_reads_its_words() {
    let place = Place::with_faces();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = Command::new(env!("CARGO_BIN_EXE_fer"))
        .current_dir(place.path("."))
        .args(format!("{TRAIN} --epochs 2 --plot --out run").split_whitespace())
        .stderr(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(place.text("run/metrics.csv").lines().count(), 3);
}

#[test]
fn a_failed_output_leaves_the_old_file() {
    let place = Place::with_run(1);
    place.write("answer.csv", b"old");
    place.write("bad.csv", b"id,feature\n1,2\n");
    place.fails("predict run bad.csv --out answer.csv", 3, &["bad.csv:2"]);
    assert_eq!(place.read("answer.csv"), b"old");
    let names = |folder: &str| std::fs::read_dir(place.path(folder)).unwrap().count();
    let before = names(".");
    place.fails("data convert bad.csv pictures", 3, &["bad.csv:2"]);
    assert_eq!(names("."), before);
}
