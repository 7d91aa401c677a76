//! Grading: the tests of one exercise, compiled and run in the student's folder.

use crate::{Error, Result};
use std::path::Path;
use std::process::Command;

/// What the tests said.
pub struct Grade {
    /// Whether all tests passed, and there was at least one.
    pub passed: bool,
    /// What a student needs to see: errors of the compiler, or messages of failed tests.
    pub said: String,
}

/// Runs the tests of the exercise called `name` in `folder`, without the network.
///
/// # Errors
/// [`Error::Failed`] if cargo cannot be started.
pub fn grade(folder: &Path, name: &str) -> Result<Grade> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(&cargo)
        .args(["test", "--offline", "--quiet", "--test", "learn", "--"])
        .args([&format!("::{name}::"), "--test-threads=1"])
        .current_dir(folder)
        .env("RUST_BACKTRACE", "0")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .map_err(|e| Error::Failed(format!("{}: {e}; is Rust installed?", cargo.display())))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    let ran =
        out.lines().any(|l| l.starts_with("test result:") && !l.contains(" 0 passed; 0 failed"));
    let passed = done.status.success() && ran;
    let said = if ran { failures(&out) } else { err };
    Ok(Grade { passed, said })
}

/// Returns the part of the output between the list of tests and the list of names.
fn failures(out: &str) -> String {
    let from = out.find("\nfailures:").map_or(0, |at| at + "\nfailures:".len());
    let until = out[from..].find("\nfailures:").map_or(out.len(), |at| from + at);
    let is_noise = |line: &&str| line.starts_with("note: run with");
    out[from..until].lines().filter(|l| !is_noise(l)).map(|l| l.to_owned() + "\n").collect()
}
