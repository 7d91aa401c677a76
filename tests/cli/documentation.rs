//! The documents name files that exist.

use std::path::{Path, PathBuf};

/// README and every page of the documentation.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|e| e.unwrap().path());
    let others = ["README.md", "data/README.md", "data/MODEL_CARD.md", "data/photos/README.md"];
    docs.chain(others.map(|o| root.join(o))).collect()
}

#[test]
fn links_and_paths_lead_to_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|l| !l.contains("://")) {
            assert!(page.parent().unwrap().join(link).exists(), "{}: {link}", page.display());
            count += 1;
        }
        let quoted = text.split('`').skip(1).step_by(2);
        let folders = ["src/", "kernels/", "tests/", "data/", "benches/", "docs/"];
        let is_path = |q: &&str| {
            folders.iter().any(|f| q.starts_with(f))
                && !q.contains("NAME")
                && !q.contains("ROOM")
                && !q.contains(' ')
        };
        for path in quoted.filter(is_path) {
            assert!(root.join(path).exists(), "{} names {path}", page.display());
            count += 1;
        }
    }
    assert!(count > 60, "{count} links and paths found");
}

#[test]
fn the_readme_is_one_page() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let lines = std::fs::read_to_string(readme).unwrap().lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
}
