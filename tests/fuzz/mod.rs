//! Replays the corpus of the fuzzer: inputs that reached new code, and those that once failed.

#[path = "targets.rs"]
mod targets;

use targets::TARGETS;

#[test]
fn the_corpus_is_read_without_a_panic() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, target) in TARGETS {
        let inputs = std::fs::read_dir(corpus.join(name)).unwrap();
        let mut count = 0;
        for input in inputs {
            let path = input.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let result = std::panic::catch_unwind(|| target(&bytes));
            assert!(result.is_ok(), "{} makes target {name} panic", path.display());
            count += 1;
        }
        assert!(count > 0, "target {name} has no input");
    }
}
