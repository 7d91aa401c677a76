//! A fresh folder to run `fer` in.

use assert_cmd::Command;
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

/// One small convolution: trains on a hundred faces in a moment.
const SMALL: &str = r#"
name = "small"
layers = [
    { type = "conv2d", filters = 8 },
    { type = "batch_normalization" },
    { type = "activation" },
    { type = "max_pooling2d", size = 4 },
    { type = "flatten" },
    { type = "linear", units = 7 },
]
"#;

/// What a run of the program left behind.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// The standard output as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in: {}", self.stdout))
    }
}

/// A folder that goes away with the test.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("small.toml", SMALL.as_bytes());
        place
    }

    /// A folder with 140 faces in `faces.csv`.
    pub fn with_faces() -> Self {
        let place = Place::new();
        place.ok("data synth --count 140 --out faces.csv");
        place
    }

    /// A folder with faces and a finished training of `epochs` in `run`.
    pub fn with_run(epochs: usize) -> Self {
        let place = Place::with_faces();
        place.ok(&format!("{TRAIN} --epochs {epochs} --out run"));
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The program with arguments separated by spaces, here, without a terminal.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer"));
        command.current_dir(self.0.path()).args(line.split_whitespace());
        command.timeout(std::time::Duration::from_secs(120));
        command
    }

    pub fn run(&self, line: &str) -> Done {
        finished(&mut self.command(line))
    }

    /// Runs and expects exit code 0.
    pub fn ok(&self, line: &str) -> Done {
        let done = self.run(line);
        assert_eq!(done.code, 0, "fer {line}: {}", done.stderr);
        done
    }

    /// Runs and expects an exit code and, on standard error, all of these words.
    pub fn fails(&self, line: &str, code: i32, words: &[&str]) {
        let done = self.run(line);
        assert_eq!(done.code, code, "fer {line}: {}{}", done.stdout, done.stderr);
        for word in words {
            assert!(done.stderr.contains(word), "fer {line}: `{word}` not in {}", done.stderr);
        }
    }

    /// True if a picture was written that opens: PNG signature and end chunk, or a whole SVG.
    pub fn has_picture(&self, name: &str) -> bool {
        let bytes = self.read(name);
        match name.ends_with(".svg") {
            true => bytes.starts_with(b"<") && bytes.trim_ascii_end().ends_with(b"</svg>"),
            false => fer::render::RgbImage::from_png(&bytes).is_ok(),
        }
    }
}

/// The training of these tests, all but epochs and folder.
pub const TRAIN: &str = "train --data faces.csv --arch small.toml --batch-size 32 --lr 0.01";

pub fn finished(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
