//! Every command that a report prints makes the figure or the numbers of the report again.

use crate::render::report::{reported, texts};
use serde_json::Value;
use std::collections::BTreeSet;

/// The pictures inside a page or drawing.
fn pictures(text: &str) -> BTreeSet<&str> {
    let start = "data:image/png;base64,";
    text.split(start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Whether two JSON values are equal, numbers within rounding.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn every_command_of_a_report_reproduces_its_figure() {
    let reported = reported();
    let (place, json) = (&reported.place, &reported.json);
    let all = texts(&reported.english, "code").concat();
    let commands: Vec<&str> = all.lines().map(|l| l.trim_start_matches("fer ")).collect();
    assert!(commands.len() >= 10, "{all}");
    let shown = pictures(&reported.english);
    let drawn_again = |command: &str, least: usize| {
        let (start, _) = command.split_once(" --out ").expect("an output");
        place.ok(&format!("{start} --out again.svg"));
        let svg = place.text("again.svg");
        let found = pictures(&svg).intersection(&shown).count();
        assert!(found >= least, "{command}: {found} pictures of the report, expected {least}");
    };
    let numbers = |command: &str| {
        let (start, _) = command.split_once(" --out ").expect("an output");
        let text = place.ok(&format!("{start} --json")).stdout;
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<Vec<Value>, _>>().unwrap_or_else(|_| {
            vec![serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))]
        })
    };
    let mut kinds = BTreeSet::new();
    for command in &commands {
        let word = command.split(' ').next().unwrap();
        kinds.insert(word);
        match word {
            "report" => {
                place.ok(&command.replace("en.html", "again.html"));
                let page = place.text("again.html");
                assert_eq!(pictures(&page), shown);
            }
            "saliency" if command.contains("--regions") => {
                assert!(same(&numbers(command)[0]["lifts"], &json["lifts"]), "{command}");
            }
            "saliency" if command.contains("--class-maps") => drawn_again(command, 7),
            "saliency" => drawn_again(command, 14), // faces and maps
            "filters" => {
                let own = numbers(command);
                let layer = &own[0]["layer"];
                let told = json["filters"].as_array().unwrap();
                let told: Vec<&Value> = told.iter().filter(|f| f["layer"] == *layer).collect();
                assert_eq!(own.len(), told.len(), "{command}");
                assert!(own.iter().zip(told).all(|(a, b)| same(a, b)), "{command}");
            }
            "activations" => drawn_again(command, 1), // the face itself
            "eval" => {
                place.ok(command);
                let again: Value =
                    serde_json::from_str(&place.text("judged/evaluation.json")).unwrap();
                let told = &json["evaluation"];
                for key in ["n", "accuracy", "confusion", "per_class", "calibration"] {
                    assert!(same(&again[key], &told[key]), "{command}: {key}");
                }
            }
            "lime" => drawn_again(command, 7),
            "curves" => {
                place.ok(&command.replace("curves.svg", "again.svg"));
                let epochs = json["training"]["epochs"].as_u64().unwrap();
                assert_eq!(epochs, 3);
                assert!(place.text("again.svg").contains("Accuracy"));
            }
            other => panic!("{other}: a command of the report that this test does not know"),
        }
    }
    let expected = ["activations", "curves", "eval", "filters", "lime", "report", "saliency"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}
