//! What a file or an option asks for beyond the limits is refused at once, by name, without memory.

use crate::support::place::{Place, TRAIN};
use fer::limits;
use fer::model::weights::Archive;
use serde_json::json;
use std::io::Write as _;

#[test]
fn settings_beyond_the_limits() {
    let place = Place::with_faces();
    let huge = "18446744073709551615";
    for (option, words) in [
        (format!("--patience {huge}"), ["patience", "1 to 1500"]),
        (format!("--batch-size {huge}"), ["batch", "1 to 400000"]),
        (format!("--overfit {huge}"), ["overfit", "1 to 400000"]),
        (format!("--epochs {huge}"), ["budget", "1 to 1500"]),
        ("--set synthetic=1000000000000".into(), ["synthetic", "70 to 400000"]),
        ("--set sizes=[{until=1,side=4000}]".into(), ["sizes", "16 to 192"]),
        ("--set augment.contrast=[0.8,1.2,1.3]".into(), ["augment.contrast", "2 numbers, found 3"]),
    ] {
        let train = TRAIN.replace("--batch-size 32", "");
        place.fails(&format!("{train} {option} --out run"), 2, &words);
    }
    assert!(!place.path("run").exists());
    place.write("long.toml", b"augment = { erase_area = [1, 2, 3, 4] }");
    let words = ["long.toml", "augment.erase_area", "2 numbers, found 4"];
    place.fails("train --config long.toml --print-config", 2, &words);
    // Largest side and a batch that no memory holds.
    let pooled = place.text("small.toml").replace("flatten", "global_average_pooling2d");
    place.write("pooled.toml", pooled.as_bytes());
    let line = TRAIN.replace("small.toml", "pooled.toml").replace("--batch-size 32", "");
    place.ok("data synth --count 700 --out many.csv");
    let line = line.replace("faces.csv", "many.csv");
    let line = format!("{line} --batch-size 600 --set sizes=[{{until=1,side=192}}] --out run");
    place.fails(&line, 2, &["too large", "--batch-size "]);
}

#[test]
fn files_of_settings_are_bounded_and_files() {
    let place = Place::with_faces();
    place.write("long.toml", &vec![b'#'; limits::MAX_TEXT as usize + 1]);
    let words = ["long.toml", "at most 1048576"];
    place.fails("train --config long.toml --print-config", 2, &words);
    place.fails(&TRAIN.replace("small.toml", "long.toml"), 2, &words);
    let layers = "{ type = \"activation\" },\n".repeat(limits::MAX_LAYERS);
    let deep = place.text("small.toml").replace("layers = [", &format!("layers = [\n{layers}"));
    place.write("deep.toml", deep.as_bytes());
    place.fails(&TRAIN.replace("small.toml", "deep.toml"), 2, &["deep.toml", "at most 1000"]);
    if cfg!(unix) {
        let words = ["/dev/zero", "a pipe, socket or device"];
        place.fails("train --config /dev/zero --print-config", 2, &words);
        std::os::unix::fs::symlink("/dev/zero", place.path("zero.toml")).unwrap();
        place.fails(&TRAIN.replace("small.toml", "zero.toml"), 2, &["zero.toml", "device"]);
    }
}

#[test]
fn a_long_file_with_a_short_header_is_no_weights_file() {
    let place = Place::with_run(1);
    let refused = |words: &[&str]| place.fails("summary big.safetensors", 4, words);
    let mut file = std::fs::File::create(place.path("big.safetensors")).unwrap();
    file.set_len(3 << 30).unwrap(); // no blocks on the disk
    refused(&["big.safetensors", "damaged"]);
    // A header that tells of all of it.
    let count = (3_u64 << 30) / 4;
    let header = json!({"a": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}});
    let header = serde_json::to_vec(&header).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(8 + header.len() as u64 + 4 * count).unwrap();
    refused(&["big.safetensors", &format!("at most {}", limits::MAX_WEIGHTS_FILE)]);
    file.set_len(1 << 20).unwrap();
    refused(&["it is 1048576 bytes long, its header says"]);
}

/// Settings in a weights file are those of a stranger.
#[test]
fn weights_files_that_ask_for_too_much() {
    let place = Place::with_run(1);
    let whole = Archive::read(&place.path("run/last.safetensors")).unwrap();
    for faces in [1_000_000_000_000_u64, i64::MAX as u64] {
        let mut archive = whole.clone();
        archive.meta.get_mut("config").unwrap()["synthetic"] = faces.into();
        archive.meta.get_mut("config").unwrap()["data"] = serde_json::Value::Null;
        place.write("m.safetensors", &archive.to_bytes().unwrap());
        std::fs::create_dir_all(place.path("bad")).unwrap();
        place.write("bad/last.safetensors", &archive.to_bytes().unwrap());
        for command in ["eval m.safetensors", "calibrate m.safetensors", "train --resume bad"] {
            place.fails(command, 4, &["safetensors", "400000"]);
        }
    }
    let mut archive = whole;
    let spec = archive.meta.get_mut("network").unwrap();
    spec["input"] = json!([1, 2048, 2048]);
    place.write("m.safetensors", &archive.to_bytes().unwrap());
    let words = ["m.safetensors", "[1, 2048, 2048]", "16..=192"];
    place.fails("eval m.safetensors --data faces.csv", 4, &words);
}

#[test]
fn steps_are_bounded() {
    let place = Place::with_run(1);
    let line = "filters run --layer conv2d_1 --filter 0 --out f.png --steps";
    place.fails(&format!("{line} 18446744073709551615"), 2, &["--steps", "1 to 100000"]);
    place.fails(&format!("{line} 0"), 2, &["--steps"]);
}

/// Beyond `ulimit -f` a write is an error that names the file, not the end of the program by a signal.
#[cfg(target_os = "linux")]
#[test]
fn a_file_beyond_the_limit_of_the_shell() {
    let place = Place::new();
    let mut command = assert_cmd::Command::new("sh");
    let script = "ulimit -f 64; exec \"$0\" data synth --count 200 --out x.csv";
    command.args(["-c", script, env!("CARGO_BIN_EXE_fer")]).current_dir(place.path("."));
    let done = crate::support::place::finished(&mut command);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("x.csv: File too large"), "{}", done.stderr);
    let names: Vec<_> = std::fs::read_dir(place.path(".")).unwrap().collect();
    assert_eq!(names.len(), 1, "small.toml only");
}
