//! Replays the corpus of the fuzzer: inputs that reached new code, and those that once failed.

#[path = "targets.rs"]
mod targets;

use std::io::Read;
use std::path::Path;
use targets::{TARGETS, Target};

fn replay(name: &str, target: Target, input: &str, bytes: &[u8]) {
    let result = std::panic::catch_unwind(|| target(bytes));
    assert!(result.is_ok(), "{input} makes target {name} panic");
}

/// `corpus/NAME` holds inputs made by hand, and those that once failed.
#[test]
fn the_corpus_is_read_without_a_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, target) in TARGETS {
        let inputs: Vec<_> = std::fs::read_dir(corpus.join(name)).unwrap().collect();
        assert!(!inputs.is_empty(), "target {name} has no input");
        for input in inputs {
            let path = input.unwrap().path();
            replay(name, target, &path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

/// `found/NAME.tar.gz` holds the fewest inputs that reach all code the fuzzer has reached.
#[test]
fn what_the_fuzzer_has_found_is_read_without_a_panic() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    for (name, target) in TARGETS {
        let archive = std::fs::read(found.join(format!("{name}.tar.gz"))).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&archive[..]));
        let mut count = 0;
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.header().entry_type().is_file() {
                let input = entry.path().unwrap().display().to_string();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                replay(name, target, &input, &bytes);
                count += 1;
            }
        }
        assert!(count > 0, "target {name} has no input");
    }
}
