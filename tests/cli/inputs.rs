//! What commands say about their faces and their MODEL: parts by Usage, copies, blank faces, other formats.

use crate::support::place::{Place, TRAIN, finished};

/// Faces with the column Usage: 28 Training, 14 PublicTest and 14 PrivateTest, as FER2013 has it.
fn with_usage(place: &Place) {
    place.ok("data synth --count 56 --out f.csv");
    let text = place.text("f.csv");
    let mut rows = text.lines();
    let mut out =
        format!("{},Usage\n", rows.next().unwrap().replace("label,feature", "emotion,pixels"));
    for (i, row) in rows.enumerate() {
        let usage = if i < 28 {
            "Training"
        } else if i < 42 {
            "PublicTest"
        } else {
            "PrivateTest"
        };
        out += &format!("{row},{usage}\n");
    }
    place.write("fer2013.csv", out.as_bytes());
}

fn train(place: &Place, data: &str) -> String {
    let line = TRAIN.replace("--data faces.csv --arch", &format!("{data} --arch"));
    let _ = std::fs::remove_dir_all(place.path("run"));
    place.ok(&format!("{line} --epochs 1 --no-tensorboard --out run")).stderr
}

#[test]
fn a_converted_file_keeps_the_parts_and_a_split_one_has_none() {
    let place = Place::new();
    with_usage(&place);
    place.ok("data convert fer2013.csv again.csv.gz");
    for part in ["Training", "PublicTest", "PrivateTest"] {
        let count = |file| place.ok(&format!("data stats {file} --usage {part} --json")).json();
        assert_eq!(count("again.csv.gz"), count("fer2013.csv"));
    }
    place.ok("data split fer2013.csv --train a.csv --val b.csv");
    assert!(place.text("a.csv").starts_with("label,feature\n"));
}

#[test]
fn a_training_uses_the_part_training_of_fer2013() {
    let place = Place::new();
    with_usage(&place);
    let said = train(&place, "--data fer2013.csv");
    assert!(said.contains("28 faces to train on, 14 to validate"), "{said}");
    let parts = "trains on Training, validates on PublicTest";
    assert!(said.contains(parts), "{said}");
    let report = place.ok("eval run --data fer2013.csv --usage privatetest --json").json();
    assert_eq!(report["n"], 14);
    assert_eq!(report["unseen"]["n"], 14, "{report}");
    // The same faces again, for the validation and for a resumed training.
    assert_eq!(place.ok("eval run --json").json()["n"], 14);
    let all = place.ok("eval run --data fer2013.csv").stderr;
    assert!(all.contains("14 PrivateTest, all read; --usage chooses one part"), "{all}");

    let said = train(&place, "--data fer2013.csv --usage Training");
    assert!(said.contains("21 faces to train on, 7 to validate"), "{said}");
    assert!(place.text("run/config.toml").contains("usage = \"Training\""));
    let said = train(&place, "--data fer2013.csv --val-split 0.25");
    assert!(said.contains("21 faces to train on, 7 to validate"), "{said}");
    let rest = place.text("fer2013.csv").replace(",Training\n", ",PrivateTest\n");
    place.write("rest.csv", rest.as_bytes());
    place.fails("train --data rest.csv --out r", 3, &["rest.csv", "no face Training", "--usage"]);
    let said = train(&place, "--data f.csv --val fer2013.csv");
    assert!(said.contains("56 faces to train on, 14 to validate"), "{said}");
    assert!(said.contains("14 of 14 validation faces are also training faces"), "{said}");
    place.fails(
        "train --data fer2013.csv --usage Monday",
        2,
        &["Training, PublicTest or PrivateTest"],
    );
    place.fails("train --data f.csv --usage Training --out r", 3, &["f.csv:1", "column `Usage`"]);
    place.fails("train --set usage=monday --print-config", 2, &["Training, PublicTest"]);
}

#[test]
fn a_training_mentions_blank_faces_and_names_missing_labels() {
    let place = Place::with_faces();
    let faces = place.text("faces.csv");
    let blank = |label: &str| format!("{label},{}\n", vec!["7"; 2304].join(" "));
    place.write("blank.csv", format!("{faces}{}{}", blank("1"), blank("1")).as_bytes());
    let said = train(&place, "--data blank.csv");
    assert!(said.contains("2 of 15 validation faces are blank"), "{said}");
    place.write("gap.csv", format!("{faces}{}", blank("")).as_bytes());
    let line = TRAIN.replace("faces.csv", "gap.csv");
    place.fails(
        &format!("{line} --epochs 1 --out r"),
        3,
        &["gap.csv:142: has no label", "--skip-bad"],
    );
    let said = train(&place, "--data gap.csv --skip-bad");
    assert!(said.contains("gap.csv: 1 face without a label left out"), "{said}");
    // Nothing needs a label to be predicted.
    assert_eq!(place.ok("predict gap.csv").stdout.lines().count(), 141);
}

#[test]
fn classes_in_every_spelling_and_noise_that_is_none() {
    let place = Place::with_run(1);
    place.ok("data synth --count 1 --out one");
    let picture = "one/angry/000000.png";
    let map = |target: &str| {
        place.ok(&format!("saliency run {picture} --target {target} --out a.png"));
        place.read("a.png")
    };
    let happy = map("happy");
    for name in ["Happiness", "HAPPY", "3", "3.0"] {
        assert!(map(name) == happy, "{name}");
    }
    map("LOSS=".trim_end_matches('=').to_lowercase().replace("loss", "Pred").as_str());
    let line = format!("saliency run {picture} --target contempt --out a.png");
    place.fails(&line, 2, &["no class `contempt`", "surprise"]);
    place.fails("filters run --class contempt --out a.html", 2, &["no class `contempt`"]);
    place.fails(
        "filters run --class happy --steps 18446744073709551615",
        2,
        &["--steps", "100000"],
    );
    let gray = fer::render::RgbImage::from_gray(&[99; 2304], 48, 48).unwrap();
    place.write("gray.png", &gray.to_png().unwrap());
    for (method, words) in [("smoothgrad", "noise is 0"), ("vargrad", "0 everywhere")] {
        let json = place.ok(&format!("saliency run gray.png --method {method} --json")).json();
        let facts = json["faces"][0]["explanations"][0]["notes"].to_string();
        assert!(facts.contains(words), "{facts}");
    }
}

#[test]
fn networks_of_other_programs_are_named() {
    let place = Place::with_run(1);
    place.ok("data synth --count 1 --out one");
    let picture = "one/angry/000000.png";
    place.ok("export run --onnx m.onnx");
    place.write(
        "m.pt",
        b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0m/data.pkl",
    );
    place.write("odd.pth", b"PK\x03\x04\0\0\0\0");
    place.fails(&format!("predict odd.pth {picture}"), 4, &["odd.pth", "of other programs"]);
    place.fails("predict odd.pth", 4, &["odd.pth", "of other programs"]);
    place.write("m.h5", b"\x89HDF\r\n\x1a\n\0\0\0\0");
    for command in ["predict", "saliency --out a.png", "activations --layer conv2d_1 --out a.png"] {
        let (command, options) = command.split_once(' ').unwrap_or((command, ""));
        for (file, word) in [("m.onnx", "ONNX"), ("m.pt", "PyTorch"), ("m.h5", "HDF5")] {
            place.fails(&format!("{command} {file} {picture} {options}"), 4, &[file, word]);
        }
    }
    place.fails("predict m.onnx", 4, &["m.onnx", "fer export"]);
    place.fails("predict m.h5", 3, &["m.h5", "HDF5"]);
    place.fails("eval m.onnx --data faces.csv", 4, &["ONNX", "fer export"]);
    place.fails("eval faces.csv --data faces.csv", 4, &["faces.csv", "text, perhaps a table"]);
    place.fails("data stats run/last.safetensors", 3, &["weights file", "MODEL"]);
    let many: Vec<String> = (0..20_000).map(|i| format!("\"c{i}\"")).collect();
    let small = place.text("small.toml").replace("units = 7", "units = 20000");
    place.write("many.toml", format!("classes = [{}]\n{small}", many.join(",")).as_bytes());
    place.fails("summary many.toml", 2, &["many.toml", "20000 classes", "at most 100"]);
}

#[test]
fn a_line_without_end_is_refused_from_standard_input() {
    let place = Place::new();
    let mut text = b"label,feature\n".to_vec();
    text.resize(3 << 20, b'0');
    let done = finished(place.command("data stats -").write_stdin(text));
    assert_eq!(done.code, 3);
    assert!(done.stderr.contains("<stdin>:2: found a line of more than 131072"), "{}", done.stderr);
}
