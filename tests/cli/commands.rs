//! Every command does its work and leaves whole files.

use crate::support::place::{Place, finished};
use serde_json::Value;

#[test]
fn version_help_and_completions() {
    let place = Place::new();
    let version = format!("fer {} ({}-", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    assert!(place.ok("--version").stdout.starts_with(&version));
    let help = place.ok("--help").stdout;
    for command in ["train", "eval", "predict", "curves", "data", "bench", "summary", "info"] {
        assert!(help.contains(&format!("\n  {command}")), "{command} is missing from the help");
    }
    assert!(place.ok("completions bash").stdout.contains("fer"));
    place.ok("man manual");
    assert!(place.text("manual/fer-train.1").contains("fer\\-train"));
    assert!(place.ok("info --json").json()["threads"].as_u64() >= Some(1));
    assert!(place.ok("summary small.toml").stdout.contains("conv2d"));
}

#[test]
fn stats_counts_the_classes_and_draws_them() {
    let place = Place::with_faces();
    let stats = place.ok("data stats faces.csv --json --out counts.png").json();
    assert_eq!(stats["faces"], 140);
    assert_eq!(stats["classes"][1]["class"], "disgust");
    assert_eq!(stats["classes"][1]["faces"], 20);
    assert!(place.has_picture("counts.png"));
    let text = place.ok("data stats faces.csv --out counts.svg").stdout;
    assert!(text.contains("disgust          20   14.3 %"), "{text}");
    assert!(place.has_picture("counts.svg") && place.text("counts.svg").contains("disgust"));
}

#[test]
fn check_finds_what_was_put_in() {
    let place = Place::with_faces();
    assert!(place.ok("data check faces.csv --strict").stdout.contains("no problems found"));
    let faces = place.text("faces.csv");
    let rows: Vec<&str> = faces.lines().collect();
    let copy = rows[1];
    let conflict = format!("6{}", &rows[3][1..]);
    assert!(!rows[3].starts_with('6'));
    let blank = format!("0,{}", vec!["7"; 2304].join(" "));
    place.write("dirty.csv", format!("{faces}{copy}\n{conflict}\n{blank}\n9,1 2 3\n").as_bytes());
    let found = place.ok("data check dirty.csv --json").json();
    let numbers = ["faces", "repeated", "blank", "conflicting_groups", "conflicting_faces"];
    assert_eq!(numbers.map(|k| found[k].as_u64().unwrap()), [143, 2, 1, 1, 2]);
    assert_eq!(
        (&found["read"]["bad_count"], &found["read"]["bad"][0]["line"]),
        (&1.into(), &145.into())
    );
    place.fails("data check dirty.csv --strict", 3, &["dirty.csv", "not clean"]);
    let text = place.ok("data check faces.csv --against dirty.csv").stdout;
    assert!(text.contains("142  copies of faces in the other set, which has 143 faces"), "{text}");
    assert!(text.contains("1  of them with a different label"), "{text}");
}

#[test]
fn split_is_stratified_repeatable_and_complete() {
    let place = Place::with_faces();
    place.ok("data split faces.csv --train a.csv --val b.csv --val-split 0.2");
    place.ok("data split faces.csv --train c.csv.gz --val d.csv --val-split 0.2");
    assert_eq!(place.read("b.csv"), place.read("d.csv"));
    let counts = |name: &str| -> Vec<u64> {
        let stats = place.ok(&format!("data stats {name} --json")).json();
        let classes = stats["classes"].as_array().unwrap();
        classes.iter().map(|c| c["faces"].as_u64().unwrap()).collect()
    };
    assert_eq!((counts("c.csv.gz"), counts("b.csv")), (vec![16; 7], vec![4; 7]));
    assert_eq!(place.ok("data check a.csv --against b.csv --json").json()["across"]["copies"], 0);
    place.fails("data split faces.csv --train a.csv --val a.csv", 2, &["same file"]);
    place.fails("data split faces.csv --train a.csv --val b.csv --val-split 1.5", 2, &["1.5"]);
}

#[test]
fn faces_survive_every_conversion() {
    let place = Place::with_faces();
    place.ok("data convert faces.csv pictures");
    place.ok("data convert pictures back.csv.gz");
    place.ok("data convert back.csv.gz sorted.csv");
    // The folder is ordered by class; the rows are the same.
    let sorted = |name: &str| {
        let mut rows: Vec<String> = place.text(name).lines().map(String::from).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted("faces.csv"), sorted("sorted.csv"));
    assert_eq!(std::fs::read_dir(place.path("pictures/happy")).unwrap().count(), 20);
    place.fails("data convert faces.csv pictures", 2, &["pictures is not empty"]);
}

#[test]
fn synthetic_faces_depend_on_the_seed_alone() {
    let place = Place::new();
    place.ok("data synth --count 21 --out a.csv --sheet sheet.png --threads 1");
    place.ok("data synth --count 21 --out b.csv --threads 3");
    place.ok("data synth --count 21 --out c.csv --seed 1");
    place.ok("data synth --count 7 --first 14 --out d.csv");
    assert_eq!(place.read("a.csv"), place.read("b.csv"));
    assert_ne!(place.read("a.csv"), place.read("c.csv"));
    assert!(
        place.text("a.csv").ends_with(place.text("d.csv").strip_prefix("label,feature\n").unwrap())
    );
    assert!(place.has_picture("sheet.png"));
    place.fails("data synth", 2, &["--out"]);
    place.fails("data synth --count 0 --out x.csv", 2, &["--count 0"]);
}

#[test]
fn eval_prints_the_agreed_keys_and_writes_a_report() {
    let place = Place::with_run(2);
    let e = place.ok("eval run --data faces.csv --json --out report").json();
    for key in ["n", "loss", "accuracy", "top2", "macro_f1", "per_class", "confusion"] {
        assert!(!e[key].is_null(), "{key} is missing");
    }
    let class = &e["per_class"][3];
    assert_eq!(class["label"], "happy");
    for key in ["precision", "recall", "f1", "support"] {
        assert!(class[key].is_number(), "{key} is missing");
    }
    let row: u64 = e["confusion"][3].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert_eq!((e["n"].as_u64(), row, class["support"].as_u64()), (Some(140), 20, Some(20)));
    // Nine in ten of the faces were trained on.
    assert_eq!(class["trained_on"], 18);
    let page = place.text("report/index.html");
    for stem in [
        "confusion_counts", "confusion_recall", "confusion_precision", "reliability", "recall",
        "recall_by_training_faces", "class_counts", "class_counts_split", "confident_errors",
        "confident_errors_maps", "confusions_maps",
    ] {
        assert!(place.has_picture(&format!("report/{stem}.png")), "{stem}");
        assert!(place.has_picture(&format!("report/{stem}.svg")), "{stem}");
    }
    assert!(page.contains("confident_errors.png") && page.contains("evaluation.json"));
    let stored: Value = serde_json::from_str(&place.text("report/evaluation.json")).unwrap();
    assert_eq!(stored["confusion"], e["confusion"]);
}

#[test]
fn eval_agrees_with_training_and_refuses_a_network_twice() {
    let place = Place::with_run(2);
    let e = place.ok("eval run --json").json();
    let last = place.text("run/metrics.csv").lines().last().unwrap().to_owned();
    let logged: Vec<f64> = last.split(',').map(|v| v.parse().unwrap()).collect();
    let near =
        |a: &Value, b: f64| assert!((a.as_f64().unwrap() - b).abs() < 2e-6, "{a} is not {b}");
    near(&e["loss"], logged[5]);
    near(&e["accuracy"], logged[6]);
    place.fails("eval run ./run", 2, &["are the same network"]);
    assert_eq!(place.ok("eval run --data faces.csv --max-faces 30 --json").json()["n"], 30);
    let mirrored = place.ok("eval run --tta --json").json();
    assert_eq!(mirrored["views"], 10);
    assert_ne!(mirrored["loss"], e["loss"]);
    // Without the copies of the first thirty faces: the others, of which some are copies, too.
    let rows: Vec<String> = place.text("faces.csv").lines().take(31).map(str::to_owned).collect();
    place.write("seen.csv", rows.join("\n").as_bytes());
    let e = place.ok("eval run --data faces.csv --train-data seen.csv --json").json();
    assert_eq!(e["unseen"]["n"], 110);
    let e = place.ok("eval run --data faces.csv --train-data faces.csv --json").json();
    assert_eq!(e["unseen"], Value::Null);
    // Tiny: three times the forward pass of 160 faces an epoch.
    assert!(logged[11] > 0.0, "no operations counted");
    let text = place.ok("eval run").stdout;
    for words in ["accuracy", "precision", "true \\ predicted", "The network predicts"] {
        assert!(text.contains(words), "{words} is missing from {text}");
    }
}

#[test]
fn predict_reads_every_kind_of_input() {
    let place = Place::with_run(1);
    place.ok("data convert faces.csv pictures");
    std::fs::create_dir(place.path("pictures/deep")).unwrap();
    std::fs::rename(place.path("pictures/angry"), place.path("pictures/deep/angry")).unwrap();
    place.write("pictures/notes.txt", b"no picture");
    let lines = place.ok("predict run pictures --json --top-k 2").stdout;
    let faces: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(faces.len(), 140);
    let face = &faces[0];
    assert_eq!(face["top"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&face["top"][0]["class"], &face["top"][0]["probability"]),
        (&face["class"], &face["probability"])
    );
    // One face by four ways: picture, picture on standard input, row, row on standard input.
    let picture = place.path("pictures/deep/angry/000000.png");
    let answer = |line: &str, stdin: Option<Vec<u8>>| {
        let mut command = place.command(line);
        let done = finished(stdin.into_iter().fold(&mut command, |c, bytes| c.write_stdin(bytes)));
        assert_eq!(done.code, 0, "{}", done.stderr);
        let first: Value = serde_json::from_str(done.stdout.lines().next().unwrap()).unwrap();
        first["top"].clone()
    };
    let by_row = answer("predict run faces.csv --json", None);
    assert_eq!(answer(&format!("predict run {} --json", picture.display()), None), by_row);
    assert_eq!(answer("predict run - --json", Some(std::fs::read(picture).unwrap())), by_row);
    assert_eq!(answer("predict run - --json", Some(place.read("faces.csv"))), by_row);
    assert!(place.ok("predict run faces.csv").stdout.starts_with("faces.csv:2  "));
}

#[test]
fn earlier_names_go_on_working_with_a_note() {
    let place = Place::new();
    place.ok("data synth --count 2 --out drawn");
    let old = place.ok("predict drawn --face off --top 2");
    assert_eq!(old.stderr, "--face is now --detect\n--top is now --top-k\n");
    let new = place.ok("predict drawn --detect off --top-k 2");
    assert_eq!((&new.stdout, &*new.stderr), (&old.stdout, ""));
}

#[test]
fn predict_writes_a_table_with_probabilities() {
    let place = Place::with_run(1);
    let faces = place.text("faces.csv").replace("label,feature", "id,feature");
    place.write("test.csv", faces.as_bytes());
    place.ok("predict run test.csv --out answer.csv");
    let answer = place.text("answer.csv");
    let mut rows = answer.lines();
    let header = "id,label,class,angry,disgust,fear,happy,sad,surprise,neutral";
    assert_eq!(rows.next(), Some(header));
    let ids: Vec<&str> = faces.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(',').collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ids);
    for row in rows {
        let (label, p): (usize, Vec<f64>) =
            (row[1].parse().unwrap(), row[3..].iter().map(|p| p.parse().unwrap()).collect());
        assert_eq!(row[2], header.split(',').nth(3 + label).unwrap());
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-5 && p[label] >= p[0], "{row:?}");
    }
}

#[test]
fn curves_draw_one_run_or_several() {
    let place = Place::with_run(2);
    place.ok("curves run --out one.png");
    place.ok("curves run run/metrics.csv --dark --out two.svg");
    assert!(place.has_picture("one.png") && place.has_picture("two.svg"));
    assert!(place.text("two.svg").contains("Training of 2 runs"));
    let terminal = place.ok("curves run").stdout;
    assert!(terminal.contains("epoch 1…2") && !terminal.contains('\x1b'), "{terminal}");
    place.fails("curves run --out one.gif", 2, &["one.gif", ".png, .svg or .html"]);
    place.fails("curves nowhere --out a.png", 4, &["nowhere", "does not exist"]);
    place.write("metrics.csv", b"epoch,step\n1,x\n");
    place.fails("curves metrics.csv", 3, &["metrics.csv:2"]);
}
