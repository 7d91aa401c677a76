//! `fer new-op`: the file of a new op, and the lines that make it known.

use crate::{Error, Result, files};
use std::path::{Path, PathBuf};

/// Largest source file that is read.
const MOST: u64 = 1 << 20;

/// A line that is added to a file, and the line before which it stands.
struct Insertion {
    file: &'static str,
    line: &'static str,
    before: &'static str,
}

/// All lines but those of the op itself. `NAME` is replaced.
const INSERTIONS: [Insertion; 6] = [
    Insertion {
        file: "src/ops/elementwise/mod.rs",
        line: "mod NAME;",
        before: "\npub use add::add;",
    },
    Insertion {
        file: "src/ops/elementwise/mod.rs",
        line: "pub use NAME::NAME;",
        before: "pub use add::add;",
    },
    Insertion {
        file: "src/ops/mod.rs",
        line: "pub use elementwise::NAME;",
        before: "pub use elementwise::{",
    },
    Insertion {
        file: "src/ops/mod.rs",
        line: "    (\"NAME\", \"f(x)\"),",
        before: "    // matrix",
    },
    Insertion {
        file: "tests/support/samples/elementwise.rs",
        line: "    unary!(all, \"NAME\", &[], distinct, |t, v| ops::NAME(t, &v[0]));",
        before: "    with_options(&mut all);",
    },
    Insertion {
        file: "tests/laws/gradients.rs",
        line: "    NAME",
        before: "    add sub mul div neg exp",
    },
];

/// Writes `src/ops/elementwise/NAME.rs`, an op that returns its input, and makes it known to the
/// library and its tests. Returns the files that were written, the op first.
///
/// # Errors
/// [`Error::Usage`] if the name is none for an op, exists, or `checkout` is not the source of fer.
pub fn new_op(checkout: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_word) {
        return Err(Error::Usage(format!("{name:?}: expected a name such as softplus")));
    }
    let exists = crate::ops::OPS.iter().any(|(op, _)| *op == name);
    let path = checkout.join(format!("src/ops/elementwise/{name}.rs"));
    if exists || path.exists() {
        return Err(Error::Usage(format!("there is an op called {name}; choose another name")));
    }
    let mut changed: Vec<(PathBuf, String)> = Vec::new();
    for Insertion { file, line, before } in &INSERTIONS {
        let path = checkout.join(file);
        let text = match changed.iter().position(|(p, _)| *p == path) {
            Some(k) => changed.remove(k).1,
            None => files::read_text(&path, MOST).map_err(Error::io(&path))?,
        };
        let Some(at) = text.find(before) else {
            let message =
                format!("{}: no line {before:?}; is this the source of fer?", path.display());
            return Err(Error::Usage(message));
        };
        let line = line.replace("NAME", name) + "\n";
        changed.push((path, [&text[..at], &line, &text[at..]].concat()));
    }
    let op = TEMPLATE.replace("CAMEL", &camel(name)).replace("NAME", name);
    files::write_atomic(&path, op.as_bytes())?;
    let mut written = vec![path];
    for (path, text) in changed {
        files::write_atomic(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// `hard_swish` → `HardSwish`.
fn camel(name: &str) -> String {
    let word = |w: &str| w[..w.len().min(1)].to_uppercase() + w.get(1..).unwrap_or_default();
    name.split('_').map(word).collect()
}

const TEMPLATE: &str = include_str!("op_template.rs.txt");

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of those files of the source that are changed.
    fn copy() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for Insertion { file, .. } in &INSERTIONS {
            let to = place.path().join(file);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), to).unwrap();
        }
        place
    }

    #[test]
    fn an_op_is_one_file_and_six_lines() {
        let place = copy();
        let written = new_op(place.path(), "hard_swish").unwrap();
        assert_eq!(written.len(), 5);
        let text = |file: &str| std::fs::read_to_string(place.path().join(file)).unwrap();
        assert!(text("src/ops/elementwise/hard_swish.rs").contains("struct HardSwishBackward<T"));
        for Insertion { file, line, .. } in &INSERTIONS {
            let line = format!("\n{}\n", line.replace("NAME", "hard_swish"));
            assert!(text(file).contains(&line), "{file}: {line}");
        }
    }

    #[test]
    fn bad_names_and_places_are_refused() {
        let place = copy();
        for bad in ["relu", "Relu", "", "x-y", "2x"] {
            assert_eq!(new_op(place.path(), bad).unwrap_err().exit_code(), 2, "{bad}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(new_op(empty.path(), "softplus").is_err());
        assert!(!empty.path().join("src").exists());
    }
}
