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
    assert_eq!(objects.len(), 2 * 4 * 2);
    let field = |i: usize, name: &str| objects[i][name].clone();
    assert_eq!([field(0, "layer"), field(0, "method")], ["activation_1", "naive"]);
    assert_eq!([field(7, "filter"), field(15, "filter")], [5, 5]);
    assert_eq!([field(15, "layer"), field(15, "method")], ["logits", "maco"]);
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
    assert!(html.contains(">happy<") && html.contains("MACO, mean face"), "{html:.300}");
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
    assert_eq!(significance["methods"].as_array().unwrap().len(), 3);
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
