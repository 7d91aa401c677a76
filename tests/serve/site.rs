//! The microscope as a static site.

use crate::serve::source;
use crate::support::place::Place;
use fer::serve::export::export;
use serde_json::{Value, json};

/// The answer in a script `fer_data("NAME", ANSWER);`.
fn data(place: &Place, name: &str) -> Value {
    let text = place.text(&format!("site/data/{name}.js"));
    let start = format!("fer_data({}, ", json!(name));
    let answer = text.strip_prefix(&start).and_then(|t| t.strip_suffix(");\n"));
    serde_json::from_str(answer.unwrap_or_else(|| panic!("{name}: {text}"))).unwrap()
}

#[test]
fn a_site_holds_every_answer_and_opens_from_disk() {
    let place = Place::with_run(1);
    let mut source = source(&place);
    source.model.network.spec.classes[0] = "</script><b>".into();
    let mut shares = Vec::new();
    export(&source, &place.path("site"), 1, &mut |_, share| shares.push(share)).unwrap();
    assert!(shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}");

    let page = place.text("site/index.html");
    assert!(page.contains("<script src=\"app.js\" defer>") && !page.contains("module"), "{page}");
    assert!(!page.contains("token"), "{page}");
    let script = place.text("site/app.js");
    let module = |line: &&str| line.starts_with("import ") || line.starts_with("export ");
    assert_eq!(script.lines().find(module), None);
    assert!(script.contains("const module_main = ") && !script.contains("fetch("));

    let hello = data(&place, "hello")["json"].clone();
    assert_eq!((&hello["faces"], &hello["classes"][0]), (&json!(3), &json!("</script><b>")));
    assert!(!place.text("site/data/hello.js").contains("</script"));
    assert_eq!(data(&place, "faces")["json"]["labels"].as_array().unwrap().len(), 70);
    for layout in ["pca", "tsne"] {
        let points = &data(&place, &format!("map-{layout}"))["json"]["points"];
        assert_eq!(points.as_array().unwrap().len(), 70);
    }
    for layer in hello["layers"].as_array().unwrap() {
        let (name, output) = (layer["name"].as_str().unwrap(), &layer["output"]);
        for face in 0..3 {
            assert_eq!(data(&place, &format!("maps-{face}-{name}"))["json"]["shape"], *output);
        }
        let kernels = data(&place, &format!("kernel-{name}"));
        assert_eq!(json!(kernels.as_array().unwrap().len()), output[0], "{name}");
    }
    assert_eq!(data(&place, "maps-0-input")["json"]["shape"], json!([1, 48, 48]));
    assert_eq!(data(&place, "filter-conv2d_1").as_array().unwrap().len(), 8);
    assert_eq!(data(&place, "ascent-conv2d_1-0-maco")["json"]["done"], true);
    assert!(!place.path("site/data/ascent-conv2d_1-1-maco.js").exists());
}

#[test]
fn serve_refuses_what_is_no_network_and_a_port_that_is_taken() {
    let place = Place::with_run(1);
    place.fails("serve faces.csv", 2, &["faces.csv is no network", "--data faces.csv"]);
    place.fails("serve nowhere", 4, &["nowhere"]);
    place.fails("serve run --ascents 2", 2, &["--export"]);
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    place.fails(
        &format!("serve run --port {port}"),
        2,
        &["cannot serve on port", "name another one, such as"],
    );
}
