//! `fer tape` shows one pass, node by node, in every form.

use crate::support::place::Place;

#[test]
fn every_form_shows_the_same_pass() {
    let place = Place::new();
    let found = place.ok("tape --arch small.toml --index 6 --json").json();
    let nodes = found["nodes"].as_array().unwrap();
    assert_eq!(found["class"], "happy");
    assert_eq!(nodes[0]["name"], "pixels");
    let conv = nodes.iter().find(|n| n["op"] == "conv2d").unwrap();
    // 8 filters of 9 weights on 48·48 pixels, and twice that backward; x and w are kept, 4 bytes each.
    assert_eq!((&conv["macs"][0], &conv["macs"][1]), (&165_888.into(), &331_776.into()));
    assert_eq!(conv["saved_bytes"], 4 * (48 * 48 + 72));
    assert!(nodes.iter().all(|n| n["gradient"].as_f64().unwrap() >= 0.0), "{found}");

    let text = place.ok("tape --arch small.toml --index 6").stdout;
    let row = text.lines().find(|l| l.contains(" conv2d ")).unwrap();
    assert!(row.contains("conv2d_1") && row.contains("[1, 8, 48, 48]"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("total"), "{text}");

    let steps = place.ok("tape --arch small.toml --index 6 --step").stdout;
    assert_eq!(steps.matches('→').count(), nodes.len(), "{steps}");
    let last = steps.lines().last().unwrap();
    assert!(last.starts_with("← ") && last.contains("handed on to = node 0 (pixels)"), "{last}");

    place.ok("tape --arch small.toml --index 6 --dot tape.dot --html tape.html");
    assert_eq!(place.text("tape.dot").matches("[label=").count(), nodes.len());
    let page = place.text("tape.html");
    assert!(page.contains("const TRACE = {\"network\":\"small\""));
    assert!(!page.contains("src=") && !page.contains("://"), "the page loads something");
}

/// The steps of a residual block show where two gradients meet.
#[test]
fn a_value_used_twice_gets_a_second_gradient() {
    let place = Place::new();
    let steps = place.ok("tape --arch fer-s --step").stdout;
    assert!(steps.contains("+= node"), "{steps}");
}

#[test]
fn what_cannot_be_run_is_refused() {
    let place = Place::new();
    place.fails("tape --arch nonsense", 2, &["nonsense"]);
    place.fails("tape --index 99999", 2, &["--index 99999"]);
}
