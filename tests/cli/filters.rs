//! `fer filters` and `fer activations` as a script sees them.

use crate::support::place::Place;
use serde_json::Value;

const FAST: &str = "--steps 6 --restarts 2 --data faces.csv";

#[test]
fn json_gives_one_object_for_each_filter_and_recipe() {
    let place = Place::with_run(1);
    let line = format!("filters run --layer activation_1,logits --filter 0-2,5 {FAST} --json");
    let printed = place.ok(&line).stdout;
    let objects: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2 * 4 * 3);
    let field = |i: usize, name: &str| objects[i][name].clone();
    assert_eq!([field(0, "layer"), field(0, "method")], ["activation_1", "naive"]);
    assert_eq!([field(11, "filter"), field(23, "filter")], [5, 5]);
    assert_eq!([field(23, "layer"), field(23, "method")], ["logits", "face"]);
    for object in &objects {
        for key in ["hf", "lag1", "tv", "robust_z", "similarity"] {
            assert!(object[key].as_f64().is_some_and(f64::is_finite), "{key} of {object}");
        }
        // No ReLU hears a logit.
        assert_eq!(object["dead"].is_null(), object["layer"] == "logits", "{object}");
        assert_eq!(object["agreement"].is_null(), object["method"] == "naive");
    }
    let maco = |o: &&Value| o["method"] == "maco";
    assert!(objects.iter().filter(maco).all(|o| o["natural"] == true), "{printed}");
}

#[test]
fn pages_are_written_whole_and_the_same_for_any_number_of_threads() {
    let place = Place::with_run(1);
    for (threads, out) in [(1, "one.png"), (3, "three.png")] {
        let line = format!("filters run --layer conv2d_1 --filter 0-4 {FAST} --out {out}");
        place.ok(&format!("--threads {threads} {line} --summary sum-{out}"));
        assert!(place.has_picture(out) && place.has_picture(&format!("sum-{out}")));
        let line = "activations run --layer conv2d_1,batch_normalization_1,activation_1";
        place.ok(&format!("--threads {threads} {line} --data faces.csv --out maps-{out}"));
    }
    for name in ["one.png", "sum-one.png", "maps-one.png"] {
        assert!(place.read(name) == place.read(&name.replace("one", "three")), "{name} differs");
    }
    place.ok(&format!("filters run --class happy,sad {FAST} --out ideal.html"));
    let html = place.text("ideal.html");
    assert!(html.contains(">happy<") && html.contains("MACO from faces"), "{html:.300}");
    assert!(!html.contains("src=\"http") && html.trim_end().ends_with("</html>"));
}

#[test]
fn several_layers_make_several_files() {
    let place = Place::with_run(1);
    let line = format!("filters run --layer conv2d_1,batch_normalization_1 --filter 1 {FAST}");
    place.ok(&format!("{line} --out page.svg"));
    for name in ["page-conv2d_1.svg", "page-batch_normalization_1.svg"] {
        assert!(place.has_picture(name), "{name}");
    }
    assert!(place.text("page-batch_normalization_1.svg").contains("γ"));
}

#[test]
fn significance_says_pass_or_fail_for_every_criterion() {
    let place = Place::with_run(1);
    let line = format!("filters run --layer conv2d_1 --filter 0-3 {FAST} --significance");
    let text = place.ok(&line).stdout;
    for word in ["naive", "pixels", "maco", "faces", "robust z", "similarity", "all criteria"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let significance = place.ok(&format!("{line} --json")).json();
    let criteria = significance["criteria"].as_array().unwrap();
    assert_eq!(criteria.len(), 3);
    assert_eq!(significance["pass"], criteria.iter().all(|c| c["pass"] == true));
    assert_eq!(significance["methods"].as_array().unwrap().len(), 4);
}

#[test]
fn activations_of_a_picture_of_classes_and_kernels() {
    let place = Place::with_run(1);
    let line = "activations run --data faces.csv --layer";
    place.ok(&format!("{line} all --index 3 --common-scale --out all.png"));
    place.ok(&format!("{line} activation_1 --filter 2,4 --mean-per-class --out means.svg"));
    place.ok("activations run --kernels --out kernels.png --dark");
    assert!(place.has_picture("all.png") && place.has_picture("kernels.png"));
    let means = place.text("means.svg");
    for word in ["filter 2", "filter 4", "happy (20)", "surprise (20)"] {
        assert!(means.contains(word), "{word}");
    }
    assert!(!means.contains("filter 3"));
}

#[test]
fn poor_choices_are_refused_before_any_work() {
    let place = Place::with_run(1);
    let layers = ["did you mean `conv2d_1`", "batch_normalization_1", "activation_1"];
    place.fails("filters run --layer conv_1 --json", 2, &layers);
    place.fails("activations run --layer conv_1 --out a.png", 2, &layers);
    for (line, words) in [
        ("filters run --layer conv2d_1 --filter 6-8 --json", ["8 filters", "no filter 8"]),
        ("filters run --layer conv2d_1 --filter 3-1 --json", ["3-1", "expected numbers"]),
        ("filters run --layer conv2d_1 --out a.bmp", ["a.bmp", ".png"]),
        ("filters run --layer conv2d_1 --out no/a.png", ["folder no", "create"]),
        ("filters run --layer conv2d_1 --method dream --json", ["dream", "maco"]),
        ("filters run --layer conv2d_1 --restarts 0 --json", ["--restarts", "1 to 64"]),
        ("filters run --class hapy --json", ["did you mean `happy`", "surprise"]),
        ("activations run --layer linear_1 --out a.png", ["has no map", "conv2d_1"]),
        ("activations run --layer conv2d_1 --filter 9 --out a.png", ["0 to 7", "filter 9"]),
        ("activations run --layer conv2d_1 --index 900 --out a.png", ["900", "0 to"]),
    ] {
        place.fails(line, 2, &words);
    }
    assert!(!place.path("a.png").exists());
    place.fails("filters gone --layer conv2d_1 --json", 4, &["gone"]);
    place.fails("activations run --layer conv2d_1 gone.png --out a.png", 3, &["gone.png"]);
}

/// Weights that carry the statistics of the training faces give the numbers that the faces give.
#[test]
fn statistics_in_the_file_stand_in_for_the_faces() {
    let place = Place::with_run(2);
    place.ok("export run --weights bare.safetensors");
    place.ok("export run --weights full.safetensors --statistics faces.csv");
    // Not `face`, which starts from faces where there are some.
    let line = "--layer conv2d_1,activation_1,logits --steps 6 --restarts 1 --method naive,maco";
    let numbers = |model: &str, more: &str| -> Vec<Value> {
        let printed = place.ok(&format!("filters {model} {line} {more} --json")).stdout;
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (stored, measured) =
        (numbers("full.safetensors", ""), numbers("bare.safetensors", "--data faces.csv"));
    assert_eq!(stored.len(), measured.len());
    for (a, b) in stored.iter().zip(&measured) {
        for key in ["layer", "filter", "method", "dead", "natural"] {
            assert_eq!(a[key], b[key], "{key}");
        }
        for key in ["z", "robust_z", "best_face_z"] {
            let (a, b) = (a[key].as_f64(), b[key].as_f64());
            let near = a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 0.02 * b.abs().max(1.0));
            assert!(near || a == b, "{key}: {a:?} and {b:?}");
        }
        assert!(a["similarity"].is_null() && b["similarity"].is_number());
    }
    // The page says where its numbers come from, names the same classes, and shows no face.
    let page = |model: &str, more: &str, out: &str| {
        let done = place.ok(&format!("filters {model} {line} {more} --out {out}.svg"));
        (done.stderr, place.text(&format!("{out}-logits.svg")))
    };
    let (said, svg) = page("full.safetensors", "", "stored");
    assert!(said.contains("statistics of 140 training faces") && !said.contains("draws some"));
    assert!(svg.contains("holds no picture of them") && !svg.contains("top faces<"));
    let (_, with_faces) = page("bare.safetensors", "--data faces.csv", "measured");
    let classes = |svg: &str| {
        let all = svg.split('>').filter(|text| text.contains(" of the 100 ")).map(String::from);
        all.collect::<Vec<_>>()
    };
    assert_eq!(classes(&svg), classes(&with_faces));
    assert!(with_faces.contains("top faces"));
    // Half precision and a second export keep them; without them faces are drawn, and it is said.
    place.ok("export full.safetensors --weights again.safetensors --half");
    let again = numbers("again.safetensors", "");
    assert!(again.iter().all(|n| n["similarity"].is_null()) && again.len() == stored.len());
    let done = place.ok(&format!("filters bare.safetensors {line} --max-faces 30 --json"));
    assert!(done.stderr.contains("the program draws some"), "{}", done.stderr);
    place.fails("filters full.safetensors --layer conv2d_1 --significance", 2, &["--data"]);
}

/// An exported network tells how it was trained; of the files only their names.
#[test]
fn exports_carry_the_history_of_their_training() {
    let place = Place::with_run(2);
    place.ok("export run --weights toy.safetensors --half");
    place.ok("export toy.safetensors --weights again.safetensors");
    for name in ["toy", "again"] {
        place.ok(&format!("curves {name}.safetensors --out {name}.svg"));
        let bytes = place.read(&format!("{name}.safetensors"));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let folder = place.path("").display().to_string();
        assert!(text.contains("faces.csv") && !text.contains(folder.trim_end_matches('/')));
    }
    place.ok("curves run --out run.svg");
    let path = |name: &str| {
        let svg = place.text(name);
        svg.split(" d=\"").nth(1).map(|d| d.split('"').next().unwrap().to_owned())
    };
    assert_eq!(path("toy.svg"), path("run.svg"));
    assert_eq!(path("again.svg"), path("run.svg"));
    // The network in the program has its own.
    place.ok("curves --out embedded.svg");
    assert!(place.has_picture("embedded.svg"));
    place.fails("curves run/best.safetensors", 4, &["no history of its training"]);
}

/// Faces that are drawn for want of others are never silent.
#[test]
fn substitutes_are_named() {
    let place = Place::with_run(1);
    place.ok("export run --weights toy.safetensors");
    let note = "the program draws some";
    for (command, page) in [
        ("lime toy.safetensors --index 0 --samples 50 --fits 2 --out lime.svg", "lime.svg"),
        ("saliency toy.safetensors --index 0 --out saliency.svg", "saliency.svg"),
    ] {
        let done = place.ok(command);
        assert!(done.stderr.contains(note), "{command}: {}", done.stderr);
        assert!(place.text(page).contains("drawn by the program"), "{command}");
    }
    let done = place.ok("lime toy.safetensors --data faces.csv --samples 50 --fits 2 --out l.svg");
    assert!(!done.stderr.contains(note) && !place.text("l.svg").contains("drawn by"));
    assert!(!place.ok("saliency run --index 0 --out s.svg").stderr.contains(note), "its own faces");
}
