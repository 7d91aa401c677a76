//! The commands that explain: what they write, what they say, what they refuse.

use crate::support::place::Place;
use fer::files::write_atomic;
use fer::model::weights::network_file;
use fer::model::{Network, NetworkSpec};
use fer::render::RgbImage;
use std::path::{Path, PathBuf};

/// Small, but with every kind of layer that explanations ask for.
const NETWORK: &str = r#"
name = "toy"
layers = [
    { type = "conv2d", filters = 6 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "max_pooling2d", size = 4 },
    { type = "conv2d", filters = 8 },
    { type = "activation" },
    { type = "global_average_pooling2d" },
    { type = "linear", units = 7 },
]
"#;

/// A folder with a network that was not trained: exactness does not depend on that.
struct Bench(Place);

impl Bench {
    fn new(network: &str) -> Bench {
        let place = Place::new();
        let spec: NetworkSpec = toml::from_str(network).expect("a network");
        let network = Network::<f32>::new(spec, 3).expect("layers that fit");
        let bytes = network_file::archive(&network).and_then(|a| a.to_bytes()).expect("an archive");
        write_atomic(place.path("toy.safetensors"), &bytes).expect("a file");
        Bench(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn works(&self, command: &str, arguments: &str) -> String {
        self.0.ok(&format!("{command} toy.safetensors {arguments}")).stdout
    }

    fn refuses(&self, command: &str, arguments: &str, words: &[&str]) {
        self.0.fails(&format!("{command} toy.safetensors {arguments}"), 2, words);
    }
}

fn picture(path: &Path) -> RgbImage {
    RgbImage::from_png(&std::fs::read(path).expect("a file")).expect("a picture")
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn saliency_page_has_a_row_for_each_expression_and_repeats_byte_for_byte() {
    let bench = Bench::new(NETWORK);
    bench.works("saliency", "--out a.png");
    bench.works("saliency", "--out b.png --threads 1");
    let bytes = |name| std::fs::read(bench.path(name)).expect("a file");
    assert_eq!(bytes("a.png"), bytes("b.png"));
    let page = picture(&bench.path("a.png"));
    // Seven rows of pictures of 144 pixels, twice enlarged.
    assert!(page.height() > 7 * 288, "{} pixels high", page.height());
    bench.works("saliency", "--out a.svg --per-class 1");
    let svg = String::from_utf8(bytes("a.svg")).expect("text");
    for name in fer::CLASS_NAMES {
        assert!(svg.contains(name), "{name}");
    }
    assert!(svg.contains("logit"), "the caption names the target");
}

#[test]
fn raw_map_and_json_tell_the_same_numbers() {
    let bench = Bench::new(NETWORK);
    let text = bench.works("saliency", "--index 4,9 --method ig --json --raw m.npy");
    let record = json(&text);
    let npy = std::fs::read(bench.path("m.npy")).expect("a file");
    let header = String::from_utf8_lossy(&npy[..128]).into_owned();
    assert!(header.contains("(2, 48, 48,)"), "{header}");
    let values: Vec<f32> = npy[npy.len() - 2 * 2304 * 4..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")))
        .collect();
    for (face, map) in record["faces"].as_array().expect("faces").iter().zip(values.chunks(2304)) {
        let told = &face["explanations"][0];
        let max = map.iter().fold(0.0f32, |top, v| top.max(v.abs()));
        assert!((told["raw_max"].as_f64().expect("a number") - f64::from(max)).abs() < 1e-6);
        let sum: f64 = map.iter().map(|&v| f64::from(v)).sum();
        assert!((told["sum"].as_f64().expect("a number") - sum).abs() < 1e-9);
        let notes = told["notes"].to_string();
        assert!(notes.contains("residual") && notes.contains("mean face"), "{notes}");
    }
    bench.works("saliency", "--index 4 --raw m.csv");
    let csv = std::fs::read_to_string(bench.path("m.csv")).expect("a file");
    assert_eq!(csv.lines().count(), 1 + 48);
}

#[test]
fn targets_explain_what_they_say() {
    let bench = Bench::new(NETWORK);
    let told = |target: &str| {
        let text = bench.works("saliency", &format!("--index 2 --json --target {target}"));
        json(&text)["faces"][0]["explanations"][0].clone()
    };
    assert_eq!(told("happy")["class"], "happy");
    assert_eq!(told("3")["target"], "logit of happy");
    assert!(told("loss")["target"].as_str().expect("words").starts_with("loss against"));
    let (pred, contrast) = (told("pred"), told("contrast"));
    assert_eq!(pred["class"], contrast["class"]);
    let number = |v: &serde_json::Value| v.as_f64().expect("a number");
    // S_c − logsumexp of the others = ln(p/(1 − p)).
    let p = number(&contrast["probability"]);
    assert!((number(&contrast["score"]) - (p / (1.0 - p)).ln()).abs() < 1e-4);
}

#[test]
fn all_methods_share_a_page_and_pictures_of_any_size_are_read() {
    let bench = Bench::new(NETWORK);
    let gray: Vec<u8> = (0..96 * 80).map(|i| (i % 251) as u8).collect();
    let png = RgbImage::from_gray(&gray, 96, 80).and_then(|p| p.to_png()).expect("a picture");
    std::fs::write(bench.path("me.png"), png).expect("a file");
    let text = bench.works("saliency", "me.png --method all --samples 20 --out all.svg --json");
    let explained = json(&text)["faces"][0]["explanations"].as_array().expect("a list").len();
    assert_eq!(explained, 15);
    let svg = std::fs::read_to_string(bench.path("all.svg")).expect("a file");
    for title in ["SmoothGrad²", "LayerCAM", "Occlusion", "LIME"] {
        assert!(svg.contains(title), "{title}");
    }
    // A picture has no label.
    bench.refuses("saliency", "me.png --target loss --json", &["no label", "--target pred"]);
}

#[test]
fn poor_choices_are_refused_in_plain_words() {
    let bench = Bench::new(NETWORK);
    let refuses = |arguments: &str, words: &[&str]| bench.refuses("saliency", arguments, words);
    refuses(
        "--method gradcam --layer activaton_1 --json",
        &["did you mean `activation_1`", "conv2d_2"],
    );
    refuses("--method gradcam --layer linear_1 --json", &["no map", "7 × 1 × 1"]);
    refuses("--target hapy --json", &["did you mean `happy`"]);
    refuses("--method magic --json", &["smoothgrad", "layercam"]);
    refuses("--method magic --json", &["or all"]);
    refuses("--target hapyyyyy --json", &["`hapyyyyy`", "Targets"]);
    refuses("--method all --common-scale --out p.png", &["--common-scale"]);
    for (set, unused) in [
        ("--sanity-check --json", "--common-scale"),
        ("--regions --json", "--common-scale"),
        ("--class-maps --json", "--common-scale"),
        ("--draw-regions --out p.png", "--method ig"),
        ("--draw-regions --out p.png", "--target true"),
        ("--draw-regions --out p.png", "--json"),
    ] {
        let name = unused.split(' ').next().unwrap_or_default();
        refuses(&format!("{set} {unused}"), &[name, "cannot be used"]);
    }
    refuses("--index 99999 --json", &["--index 99999", "0 to"]);
    refuses("--out a.bmp", &[".png"]);
    refuses("--out no/a.png", &["create it first"]);
    refuses("--layer conv2d_1 --json", &["--layer is for gradcam", "not for smooth-ig"]);
    refuses("--samples 9 --method ig --json", &["--samples is for smoothgrad", "not for ig"]);
    refuses("--baseline black --method gradcam --json", &["--baseline is for ig"]);
    refuses("--regions --method saliency --baseline black --json", &["--baseline is for ig"]);
    refuses("face.png --data faces.csv --json", &["--data", "leave out"]);
    refuses("--method guided-backprop --double --sanity-check --json", &["cannot be used with"]);
    bench.refuses("lime", "--target loss", &["probability"]);
    bench.refuses("filters", "--layer conv2d_1 --filter 6 --json", &["6 filters, 0 to 5"]);
    bench.refuses("filters", "--layer conv2d_9 --json", &["did you mean `conv2d_1`", "linear_1"]);
    let leaky = NETWORK.replacen("\"activation\"", "\"activation\", function = \"leaky_relu\"", 1);
    let leaky = Bench::new(&leaky);
    leaky.refuses("saliency", "--method guided-backprop --json", &["ReLU", "activation_1"]);
}

/// A command that draws one picture has a name for it, says it, and never replaces what it reads.
#[test]
fn a_picture_has_a_name_of_its_own_and_replaces_no_input() {
    let bench = Bench::new(NETWORK);
    let draws = |command: &str, file: &str| {
        for _ in 0..2 {
            let done = bench.0.ok(command);
            assert!(done.stderr.contains(&format!("written: {file}")), "{}", done.stderr);
            assert!(bench.0.has_picture(file), "{file}");
        }
    };
    draws("saliency toy.safetensors --index 0", "saliency.png");
    draws("saliency toy.safetensors --draw-regions --max-faces 7", "template.png");
    draws("lime toy.safetensors --index 0 --samples 50", "lime.png");
    draws("activations toy.safetensors --layer conv2d_1", "activations.png");
    draws(
        "filters toy.safetensors --layer conv2d_1 --filter 0 --steps 4 --restarts 1",
        "filters.png",
    );
    bench.works("lime", "--index 0 --samples 50 --out l.svg --json");
    std::fs::create_dir(bench.path("in")).expect("a folder");
    std::fs::rename(bench.path("filters.png"), bench.path("in/me.png")).expect("a file");
    let before = std::fs::read(bench.path("in/me.png")).expect("a file");
    let refuses = |command: &str, words: &[&str]| bench.refuses(command, words[0], &words[1..]);
    refuses("saliency", &["in/me.png --detect off --out in/../in/me.png", "an input (in/me.png)"]);
    refuses("saliency", &["in --detect off --out in/me.png", "an input (in)"]);
    refuses("saliency", &["saliency.png --detect off", "saliency.png would be replaced"]);
    refuses("lime", &["in/me.png --detect off --out in/me.png", "would be replaced"]);
    refuses("activations", &["in/me.png --layer conv2d_1 --out in/me.png", "would be replaced"]);
    assert_eq!(std::fs::read(bench.path("in/me.png")).expect("a file"), before);
}

/// The word a person tries first tells what can be chosen.
#[test]
fn without_a_layer_the_layers_are_listed() {
    let bench = Bench::new(NETWORK);
    for (command, has_vectors) in [("activations", false), ("filters", true)] {
        let text = bench.0.ok(&format!("{command} toy.safetensors")).stdout;
        assert!(text.contains("conv2d_1") && text.contains("pixels"), "{text}");
        assert_eq!(text.contains("linear_1"), has_vectors, "{text}");
    }
}

#[test]
fn weights_and_faces_are_not_replaced_by_what_is_made_of_them() {
    let bench = Bench::new(NETWORK);
    bench.0.ok("data synth --count 21 --out faces.csv");
    let kept = ["toy.safetensors", "faces.csv"].map(|name| bench.path(name));
    let bytes = || kept.clone().map(|path| std::fs::read(path).expect("a file"));
    let before = bytes();
    bench.refuses("export", "--half --weights ./toy.safetensors", &["would be replaced"]);
    bench.refuses("export", "--onnx a --weights ./a", &["--onnx and --weights", "same file"]);
    let refuses = |arguments: &str, words: &[&str]| bench.0.fails(arguments, 2, words);
    refuses("data split faces.csv --train faces.csv --val v.csv", &["would be replaced"]);
    refuses("data split faces.csv --train t.csv --val ./t.csv", &["--train and --val"]);
    refuses("data convert faces.csv ./faces.csv", &["would be replaced"]);
    assert!(bytes() == before && !bench.path("v.csv").exists());
}

/// A network whose file names no faces is shown on drawn ones, and the page says so.
#[test]
fn pages_of_filters_say_that_their_faces_are_drawn() {
    let bench = Bench::new(NETWORK);
    let fast = "--layer conv2d_1 --filter 0 --steps 4 --restarts 1 --out f.svg";
    bench.works("filters", &format!("{fast} --max-faces 40"));
    assert!(bench.0.text("f.svg").contains("drawn"));
    bench.0.ok("data synth --count 40 --out faces.csv");
    bench.works("filters", &format!("{fast} --data faces.csv"));
    assert!(!bench.0.text("f.svg").contains("drawn"));
}

#[test]
fn verify_passes_an_honest_network() {
    let bench = Bench::new(NETWORK);
    let text = bench.works("verify", "--index 1 --json");
    let result = json(&text);
    assert_eq!(result["passed"], true, "{text}");
    let checks = result["faces"][0]["checks"].as_array().expect("checks");
    assert_eq!(checks.len(), 6);
    for check in checks {
        let measured = check["measured"].as_f64().expect("a number");
        assert!(measured <= check["tolerance"].as_f64().expect("a number"), "{check}");
        let noise = check["noise"].as_f64();
        assert_eq!(noise.is_none(), check["name"] == "completeness", "{check}");
        assert!(noise.is_none_or(|n| n > 0.0 && n < 1e-5), "{check}");
    }
}

/// Single precision gives the map of double precision but for its rounding.
#[test]
fn double_precision_gives_the_same_map() {
    let bench = Bench::new(NETWORK);
    let map = |more: &str| -> Vec<f32> {
        bench.works("saliency", &format!("--index 5 --target happy --raw m.csv {more}"));
        let csv = std::fs::read_to_string(bench.path("m.csv")).expect("a file");
        let values = csv.lines().skip(1).flat_map(|line| line.split(',').skip(4));
        values.map(|v| v.parse().expect("a number")).collect()
    };
    let (single, double) = (map(""), map("--double"));
    assert_ne!(single, double, "both went the same way");
    let peak = double.iter().fold(0.0f32, |top, v| top.max(v.abs()));
    for (a, b) in single.iter().zip(&double) {
        assert!((a - b).abs() < 1e-4 * peak, "{a} {b}");
    }
}

/// The resize of the face to the network's side is part of what is explained.
#[test]
fn networks_of_another_input_side_are_explained_on_the_48_pixel_face() {
    for side in [32, 64] {
        let network = format!("input = [1, {side}, {side}]{NETWORK}");
        let bench = Bench::new(&network);
        let text = bench.works("verify", "--index 1 --json");
        assert_eq!(json(&text)["passed"], true, "{side}: {text}");
        let text = bench.works("saliency", "--index 4 --method all --samples 20 --json");
        let told = json(&text)["faces"][0]["explanations"].clone();
        assert_eq!(told.as_array().expect("a list").len(), 15);
        let ig = told.as_array().expect("a list").iter().find(|e| e["method"] == "ig");
        assert!(ig.expect("ig")["raw_max"].as_f64().expect("a number") > 0.0);
        let few = "--layer conv2d_2 --filter 0 --steps 4 --restarts 1 --max-faces 40 --out f.png";
        bench.works("filters", few);
        bench.works("activations", "--layer conv2d_1 --index 0 --out a.png");
    }
}

#[test]
fn lime_names_the_parts_of_a_face_or_refuses() {
    let bench = Bench::new(NETWORK);
    let text =
        bench.works("lime", "--index 0 --segmentation face --samples 200 --json --out l.png");
    let told = &json(&text)[0];
    assert_eq!(told["superpixels"], 12);
    assert_eq!(told["superpixel_names"][3], "mouth");
    let number = |key: &str| told[key].as_f64().expect("a number");
    let weights = told["coefficients"].as_array().expect("weights");
    let sum: f64 = weights.iter().map(|w| w.as_f64().expect("a number")).sum();
    assert!((number("local_prediction") - number("intercept") - sum).abs() < 1e-9);
    let gap = (number("local_prediction") - number("model_prediction")).abs();
    let believed = number("r2") >= 0.3 && number("top5_agreement") >= 0.5 && gap <= 0.2;
    assert_eq!(told["refused"].is_null(), believed);
    assert!(picture(&bench.path("l.png")).width() > 500);
}

#[test]
fn whole_set_pages_are_written_with_their_words() {
    let bench = Bench::new(NETWORK);
    let text = bench.works("saliency", "--regions --max-faces 21 --out r.png");
    assert!(
        text.contains("of the attribution lies on the face") && text.contains("random weights"),
        "{text}"
    );
    let lifts = json(&bench.works("saliency", "--regions --max-faces 21 --json"));
    let lifts = lifts["lifts"].as_array().expect("lifts").clone();
    // Eight groups (all and seven classes), nine regions, four sources.
    assert_eq!(lifts.len(), 8 * 9 * 4);
    for lift in lifts.iter().filter(|l| l["source"] == "uniform") {
        assert!((lift["lift"].as_f64().expect("a number") - 1.0).abs() < 1e-9);
    }
    let text = bench.works("saliency", "--class-maps --max-faces 14 --out c.png");
    assert!(text.contains("14 faces"), "{text}");
    bench.works("saliency", "--draw-regions --max-faces 7 --out t.png");
}

#[test]
fn gallery_links_every_page_it_wrote() {
    let bench = Bench::new(NETWORK);
    bench.works("gallery", "--index 0,3 --samples 20 --out g");
    let index = std::fs::read_to_string(bench.path("g/index.html")).expect("an index");
    let pages: Vec<String> = std::fs::read_dir(bench.path("g"))
        .expect("a folder")
        .map(|f| f.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".png"))
        .collect();
    assert!(pages.len() >= 18, "{pages:?}");
    for page in pages {
        assert!(index.contains(&format!("src=\"{page}\"")), "{page}");
    }
}

/// The word a person tries first: answer, map, LIME and a sentence in one picture.
#[test]
fn explain_makes_one_picture_and_one_sentence() {
    let bench = Bench::new(NETWORK);
    let gray: Vec<u8> = (0..96 * 80).map(|i| (i % 251) as u8).collect();
    let png = RgbImage::from_gray(&gray, 96, 80).and_then(|p| p.to_png()).expect("a picture");
    std::fs::write(bench.path("me.png"), png).expect("a file");
    let said = bench.0.ok("explain me.png toy.safetensors").stdout;
    assert!(said.starts_with("me.png: ") && said.contains("LIME"), "{said}");
    assert!(fer::CLASS_NAMES.iter().any(|c| said.to_lowercase().contains(c)), "{said}");
    assert!(picture(&bench.path("explanation.png")).width() > 500);
    let before = bench.0.ok("explain toy.safetensors me.png --out again.svg").stdout;
    assert_eq!(before.lines().next(), said.lines().next());
    assert!(bench.0.text("again.svg").contains("where it looks"));
    bench.0.fails("explain toy.safetensors me.png --out me.png", 2, &["an input (me.png)"]);
}
