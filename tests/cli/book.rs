//! The book: its code is the source, its transcripts are true, its links lead somewhere.
//!
//! A block of code stands behind a comment that names file and anchor (see `fer::learn::excerpt`). With
//! `FER_WRITE_BOOK=1` in the environment the blocks are written anew instead of compared.

use crate::support::place::Place;
use fer::learn::excerpt::{dedent, item};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages_in(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_in(&path, pages);
        } else if path.extension().is_some_and(|e| e == "md") {
            pages.push(path);
        }
    }
}

/// Every page, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = Vec::new();
    pages_in(&root().join("book/src"), &mut pages);
    pages.sort();
    pages.into_iter().map(|p| (p.clone(), std::fs::read_to_string(&p).unwrap())).collect()
}

/// The comment `<!-- FILE: ANCHOR -->` of a line, if it is one.
fn anchor(line: &str) -> Option<(&str, &str)> {
    let inside = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    inside.split_once(": ").filter(|(file, _)| file.ends_with(".rs"))
}

/// The block that belongs behind an anchor.
fn block(page: &Path, file: &str, anchor: &str) -> String {
    let source = std::fs::read_to_string(root().join(file))
        .unwrap_or_else(|e| panic!("{}: {file}: {e}", page.display()));
    let found = item(&source, anchor).unwrap_or_else(|e| panic!("{}: {file}: {e}", page.display()));
    format!("```rust,ignore\n{}```\n", dedent(&source[found]))
}

/// The page with every block as the source has it.
fn with_blocks(page: &Path, text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        let Some((file, anchor)) = anchor(line.trim_end()) else { continue };
        if lines.peek().is_some_and(|l| l.starts_with("```rust")) {
            lines.find(|l| l.trim_end() == "```");
        }
        out.push_str(&block(page, file, anchor));
    }
    out
}

#[test]
fn every_block_is_the_source() {
    let write = std::env::var_os("FER_WRITE_BOOK").is_some();
    let mut blocks = 0;
    for (path, text) in pages() {
        let right = with_blocks(&path, &text);
        blocks += right.matches("```rust").count();
        if write {
            std::fs::write(&path, right).unwrap();
        } else {
            let line = right.lines().zip(text.lines()).position(|(a, b)| a != b);
            let hint = "FER_WRITE_BOOK=1 cargo test --test suite -- book writes the blocks anew";
            assert!(right == text, "{}: line {:?} is not the source; {hint}", path.display(), line);
        }
    }
    assert!(blocks >= 25, "{blocks} blocks");
}

#[test]
fn links_lead_somewhere_and_chapters_are_short() {
    let summary = std::fs::read_to_string(root().join("book/src/SUMMARY.md")).unwrap();
    let mut links = 0;
    for (path, text) in pages() {
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(!link.contains("://"), "{}: {link} needs the network", path.display());
            assert!(path.parent().unwrap().join(link).exists(), "{}: {link}", path.display());
            links += 1;
        }
        for quoted in text.split('`').skip(1).step_by(2) {
            let is_path = ["src/", "kernels/", "tests/", "docs/", "examples/", "benches/"];
            if is_path.iter().any(|f| quoted.starts_with(f)) && !quoted.contains(' ') {
                assert!(root().join(quoted).exists(), "{} names {quoted}", path.display());
                links += 1;
            }
        }
        let name = path.strip_prefix(root().join("book/src")).unwrap().display().to_string();
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name} is not listed"
        );
        let prose: String = text.split("```").step_by(2).collect();
        let words = prose.split_whitespace().count();
        assert!(words <= 1_500, "{name} has {words} words");
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            assert!(text.contains("\n## A number\n"), "{name} does not end with a number");
        }
    }
    assert!(links > 40, "{links} links and paths");
}

/// Each of the twelve whys is answered where the teacher's page says.
#[test]
fn the_whys_are_where_the_table_says() {
    let table = std::fs::read_to_string(root().join("book/src/teacher/teacher.md")).unwrap();
    let rows = table.lines().filter(|l| l.starts_with("| W"));
    let rows: Vec<Vec<&str>> = rows.map(|l| l.split('|').map(str::trim).collect()).collect();
    assert!(rows.len() >= 12, "{} questions", rows.len());
    for row in rows {
        let source = std::fs::read_to_string(root().join(row[2].trim_matches('`'))).unwrap();
        assert!(
            source.contains(&format!("//! # {}\n", row[3])),
            "{} has no `# {}`",
            row[2],
            row[3]
        );
    }
}

/// Runs every transcript of the program `fer` in order, one folder per page, and looks for each line of the
/// expected output, in order; `…` stands for anything.
#[test]
fn transcripts_are_true() {
    let mut commands = 0;
    for (path, text) in pages() {
        let place = Place::new();
        for block in text.split("```console\n").skip(1).map(|b| b.split("```").next().unwrap()) {
            for run in block.split("$ ").skip(1) {
                let (line, expected) = run.split_once('\n').unwrap();
                let output = match line.split_once("--example ") {
                    Some((_, example)) => run_example(example),
                    None => Some(place.ok(line.strip_prefix("fer ").unwrap_or(line)).stdout),
                };
                commands += 1;
                if let Some(output) = output {
                    compare(&path, line, expected, &output);
                }
            }
        }
    }
    assert!(commands >= 4, "{commands} commands");
}

/// The output of an example, if `cargo test` has built it.
fn run_example(example: &str) -> Option<String> {
    let folder = std::env::current_exe().unwrap().parent()?.parent()?.join("examples");
    let program = folder.join(example);
    if !program.exists() {
        println!("skipped: {} is not built; plain `cargo test` builds it", program.display());
        return None;
    }
    let done = std::process::Command::new(program).output().unwrap();
    Some(String::from_utf8(done.stdout).unwrap())
}

fn compare(page: &Path, command: &str, expected: &str, output: &str) {
    let fits = |want: &str, got: &str| {
        let mut rest = got;
        let parts = want.split('…').map(str::trim).filter(|p| !p.is_empty());
        parts.into_iter().all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    };
    let mut lines = output.lines();
    for want in expected.lines().filter(|l| !l.trim().is_empty() && l.trim() != "…") {
        assert!(
            lines.any(|got| fits(want, got)),
            "{}: `{command}` does not print `{want}`, but:\n{output}",
            page.display()
        );
    }
}
