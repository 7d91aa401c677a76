//! What cannot work ends with the right exit code and a message that says where and why.

use super::place::{Place, TRAIN};
use fer::checkpoint::Archive;
use std::io::Read as _;
use std::process::{Command, Stdio};

#[test]
fn bad_rows_are_named_by_file_and_line() {
    let place = Place::with_faces();
    let faces = place.text("faces.csv");
    let pixels = |n: usize| vec!["7"; n].join(" ");
    for (row, words) in [
        (format!("7,{}", pixels(2304)), "7"),
        (format!("happy,{}", pixels(2304)), "happy"),
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
    std::fs::remove_file(place.path("faces.csv")).unwrap();
    place.fails("eval run", 2, &["faces.csv", "not there", "--data"]);
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

/// A size that no memory holds is refused by name, whoever wrote the file.
#[test]
fn networks_beyond_all_bounds() {
    let place = Place::with_run(1);
    let small = place.text("small.toml");
    let (parameters, values) = ("at most 100000000", "at most 4194304 values");
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

#[test]
fn options_that_cannot_be_meant() {
    let place = Place::with_run(1);
    for (line, word) in [
        ("eval run --frobnicate", "--frobnicate"),
        ("eval", "--data"),
        ("eval run --data faces.csv --usage Monday", "PublicTest"),
        ("eval run --limit 0", "--limit"),
        ("predict run faces.csv --top 0", "--top"),
        ("predict run faces.csv --out no/such/folder.csv", "does not exist"),
        ("data stats faces.csv --out counts.bmp", ".png, .svg or .html"),
        ("data split faces.csv --train a.txt --val b.csv", ".csv"),
        ("train --epochs 0", "epochs"),
        ("train --lr -1", "lr"),
        ("train --lr NaN", "lr"),
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
        .args(["predict", "run", "faces.csv", "faces.csv", "faces.csv", "--json", "--top", "7"])
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
