//! The files that README and documentation name exist.

use std::path::{Path, PathBuf};

#[test]
fn documented_files_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages: Vec<PathBuf> = std::iter::once(root.join("README.md")).chain(docs).collect();
    let mut count = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(page).unwrap();
        let known = ["src/", "kernels/", "tests/", "data/"];
        let is_path = |quoted: &&str| {
            known.iter().any(|folder| quoted.starts_with(folder))
                && !quoted.contains([' ', '*', '{', '…'])
                && !["NAME", "ROOM"].iter().any(|word| quoted.contains(word))
        };
        for path in text.split('`').skip(1).step_by(2).filter(is_path) {
            assert!(root.join(path).exists(), "{} names {path}", page.display());
            count += 1;
        }
    }
    assert!(count > 15, "{count} paths found in the documentation");
}
