//! A student's folder: a copy of the engine in which one hole is open at a time.

use crate::error::Shown as _;
use crate::learn::excerpt::item;
use crate::learn::exercise::{Exercise, exercises};
use crate::learn::grade::{Grade, grade};
use crate::learn::progress::Progress;
use crate::{Error, Result, files};
use std::path::{Path, PathBuf};

/// What is copied from the checkout: the engine, its exercises, and what it reads at compile time.
const COPIED: [&str; 8] = [
    "src", "kernels", "examples", "tests/learn", "data/fer.safetensors",
    "data/landmarks.safetensors", "data/recipes", "Cargo.lock",
];

/// Folder of the course's own files.
const OWN: &str = ".learn";

/// Largest source file or file of progress that is read.
const MOST: u64 = 1 << 20;

/// A student's folder.
pub struct Course {
    folder: PathBuf,
    /// How far the student is.
    pub progress: Progress,
}

impl Course {
    /// Makes a student's folder from a checkout of the source.
    ///
    /// # Errors
    /// [`Error::Usage`] if `folder` exists or `checkout` is not the source of this program;
    /// [`Error::Io`] if a file cannot be copied.
    pub fn create(folder: &Path, checkout: &Path, fast: bool) -> Result<Self> {
        if folder.exists() {
            let message = format!("{} exists; name a new folder", folder.shown());
            return Err(Error::Usage(message));
        }
        if !checkout.join("src/autograd/tape.rs").exists() {
            let message = "is not the source of fer; run the command in the folder with its Cargo.toml, or \
                           name it with --from";
            return Err(Error::Usage(format!("{} {message}", checkout.shown())));
        }
        for part in COPIED {
            copy(&checkout.join(part), &folder.join(part))?;
        }
        for exercise in exercises()? {
            let reference = folder.join(OWN).join("reference").join(&exercise.file);
            copy(&checkout.join(&exercise.file), &reference)?;
        }
        write(&folder.join("Cargo.toml"), &manifest(&read(&checkout.join("Cargo.toml"))?)?)?;
        write(&folder.join(".gitignore"), "target\n")?;
        let mut course =
            Self { folder: folder.to_owned(), progress: Progress { fast, ..Default::default() } };
        match course.next()? {
            Some(first) => course.start(first)?,
            None => course.save()?,
        }
        Ok(course)
    }

    /// Opens the student's folder that holds `place`.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is none; [`Error::Data`] if its progress cannot be read.
    pub fn find(place: &Path) -> Result<Self> {
        let place = place.canonicalize().map_err(Error::io(place))?;
        let has_progress = |f: &&Path| f.join(OWN).join("progress.json").exists();
        let Some(folder) = place.ancestors().find(has_progress) else {
            let message = "here is no course; make one with `fer learn new my-engine` in the source of fer, \
                           then `cd my-engine`";
            return Err(Error::Usage(message.into()));
        };
        let path = folder.join(OWN).join("progress.json");
        let progress = serde_json::from_str(&read(&path)?).map_err(|e| {
            Error::Usage(format!("{}: {e}; delete it to begin again", path.shown()))
        })?;
        Ok(Self { folder: folder.to_owned(), progress })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the exercise whose hole is open; `None` if all are solved.
    pub fn current(&self) -> Result<Option<&'static Exercise>> {
        self.progress.current.as_deref().map(named).transpose()
    }

    /// Returns the first exercise that is not solved, on the fast track if that was chosen.
    pub fn next(&self) -> Result<Option<&'static Exercise>> {
        let open = |e: &&Exercise| !self.progress.solved.contains(&e.name);
        Ok(exercises()?.iter().filter(|e| e.fast || !self.progress.fast).find(open))
    }

    /// Opens the hole of an exercise, with what was written into it before another one was begun. The hole of
    /// the current one, if it is not solved, is closed with the reference; what was written is kept.
    pub fn start(&mut self, exercise: &Exercise) -> Result<()> {
        if let Some(open) = self.current()?.filter(|e| !self.progress.solved.contains(&e.name)) {
            if open.name != exercise.name {
                self.keep_attempt(open)?;
            }
            self.put(open, |source| Ok(source.to_owned()))?;
        }
        let attempt = self.attempt(exercise);
        if attempt.exists() {
            let own = read(&attempt)?;
            let back = |source: &str| {
                let place = item(source, &exercise.item)?;
                Ok([&source[..place.start], &own, &source[place.end..]].concat())
            };
            self.put(exercise, back)?;
            std::fs::remove_file(&attempt).map_err(Error::io(&attempt))?;
        } else {
            self.put(exercise, |source| exercise.open(source))?;
        }
        self.progress.current = Some(exercise.name.clone());
        self.save()
    }

    /// Returns the file of what was written for an exercise that was left unfinished.
    fn attempt(&self, exercise: &Exercise) -> PathBuf {
        self.folder.join(OWN).join("attempts").join(&exercise.name)
    }

    fn keep_attempt(&self, exercise: &Exercise) -> Result<()> {
        let own = read(&self.folder.join(&exercise.file))?;
        match item(&own, &exercise.item) {
            Ok(place) => write(&self.attempt(exercise), &own[place]),
            Err(_) => Ok(()), // nothing of it is left
        }
    }

    /// Grades the current state of an exercise. After success it counts as solved.
    pub fn check(&mut self, exercise: &Exercise) -> Result<Grade> {
        let found = grade(&self.folder, &exercise.name)?;
        if found.passed {
            self.progress.solved.insert(exercise.name.clone());
            self.save()?;
        }
        Ok(found)
    }

    /// Returns the next hint, and its number from 1; the last one again after that.
    pub fn hint<'a>(&mut self, exercise: &'a Exercise) -> Result<(usize, &'a str)> {
        let shown = self.progress.hints.entry(exercise.name.clone()).or_insert(0);
        *shown = (*shown + 1).min(exercise.hints.len());
        let number = *shown;
        self.save()?;
        Ok((number, &exercise.hints[number - 1]))
    }

    /// Returns the lines that were cut out.
    pub fn solution(&self, exercise: &Exercise) -> Result<String> {
        let reference = self.reference(exercise)?;
        let place = exercise.place(&reference).map_err(|e| damaged(exercise, &e))?;
        Ok(reference[place].to_owned())
    }

    /// Returns path and line of an exercise in the student's folder.
    pub fn place(&self, exercise: &Exercise) -> Result<(PathBuf, usize)> {
        let path = self.folder.join(&exercise.file);
        let line = exercise.line(&read(&path)?);
        Ok((path, line))
    }

    /// Puts the reference in place of the item, and applies `make` to the file. A file in which the item
    /// is not to be found any more is taken from the reference as a whole.
    fn put(
        &self,
        exercise: &Exercise,
        make: impl Fn(&str) -> Result<String, String>,
    ) -> Result<()> {
        let (path, reference) = (self.folder.join(&exercise.file), self.reference(exercise)?);
        let own = read(&path)?;
        let whole = match (item(&own, &exercise.item), item(&reference, &exercise.item)) {
            (Ok(old), Ok(new)) => [&own[..old.start], &reference[new], &own[old.end..]].concat(),
            _ => reference,
        };
        write(&path, &make(&whole).map_err(|e| damaged(exercise, &e))?)
    }

    fn reference(&self, exercise: &Exercise) -> Result<String> {
        read(&self.folder.join(OWN).join("reference").join(&exercise.file))
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.progress);
        let text = text.map_err(|e| Error::Usage(e.to_string()))?;
        write(&self.folder.join(OWN).join("progress.json"), &(text + "\n"))
    }
}

/// Returns the exercise of this name.
///
/// # Errors
/// [`Error::Usage`] if there is none.
pub fn named(name: &str) -> Result<&'static Exercise> {
    let found = exercises()?.iter().find(|e| e.name == name);
    found.ok_or_else(|| Error::Usage(format!("no exercise {name:?}; `fer learn list` shows all")))
}

fn damaged(exercise: &Exercise, what: &str) -> Error {
    Error::Usage(format!("exercise {}: {}: {what}", exercise.name, exercise.file))
}

fn read(path: &Path) -> Result<String> {
    files::read_text(path, MOST).map_err(Error::io(path))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        files::make_folder(folder)?;
    }
    files::write_atomic(path, text.as_bytes())
}

/// Copies a file, or a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        for entry in std::fs::read_dir(from).map_err(Error::io(from))? {
            let entry = entry.map_err(Error::io(from))?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        files::make_folder(folder)?;
    }
    std::fs::copy(from, to).map(|_| ()).map_err(Error::io(from))
}

/// Returns the manifest of a student's folder: the engine without the program, its benchmarks and their
/// crates, so that it compiles in seconds.
fn manifest(checkout: &str) -> Result<String> {
    let bad = |e: String| Error::Usage(format!("Cargo.toml: {e}"));
    let mut table: toml::Table =
        checkout.parse().map_err(|e: toml::de::Error| bad(e.to_string()))?;
    for part in ["dev-dependencies", "bench", "bin", "features", "profile", "test"] {
        table.remove(part);
    }
    if let Some(toml::Value::Table(crates)) = table.get_mut("dependencies") {
        crates.retain(|_, wanted| wanted.get("optional").is_none());
    }
    if let Some(toml::Value::Table(package)) = table.get_mut("package") {
        package.remove("default-run");
        package.remove("include");
        package.insert("autobins".into(), false.into());
    }
    let fixed: toml::Table = MANIFEST.parse().map_err(|e: toml::de::Error| bad(e.to_string()))?;
    if let Some(toml::Value::Table(workspace)) = table.get_mut("workspace") {
        workspace.remove("lints");
        workspace
            .extend(fixed.get("workspace").and_then(|w| w.as_table()).cloned().unwrap_or_default());
    }
    table.extend(fixed.into_iter().filter(|(name, _)| name != "workspace"));
    toml::to_string(&table).map_err(|e| bad(e.to_string()))
}

/// What a student's manifest has of its own. A hole leaves variables unused: no warnings.
const MANIFEST: &str = r#"
[workspace]
members = ["kernels"]

[workspace.lints.rust]
warnings = "allow"

[features]
default = []
cli = []
images = []
mpi = []

[[test]]
name = "learn"
path = "tests/learn/main.rs"

[profile.dev]
debug = false

[profile.dev.package.fer-kernels]
opt-level = 1
"#;
