//! The exercises: a table of holes in the source.

use crate::learn::excerpt::{body, indent_of, indented, item};
use crate::{Error, Result};
use serde::Deserialize;
use std::ops::Range;
use std::sync::LazyLock;

/// One exercise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// Its name, which is also that of its module in `tests/learn`.
    pub name: String,
    /// Chapter of the book.
    pub chapter: usize,
    /// Source file.
    pub file: String,
    /// Anchor of the item: see [`excerpt`](crate::learn::excerpt).
    pub item: String,
    /// What to do, in a sentence or two.
    pub task: String,
    /// The lines of the item that are cut out; by default its whole body.
    #[serde(default)]
    pub cut: Option<String>,
    /// Text that replaces these lines for the student; by default `todo!()`.
    #[serde(default)]
    pub hole: Option<String>,
    /// Three hints, each saying more than the one before.
    pub hints: [String; 3],
    /// Whether it belongs to the fast track.
    #[serde(default)]
    pub fast: bool,
}

#[derive(Deserialize)]
struct Table {
    exercise: Vec<Exercise>,
}

/// Returns all exercises in the order of the book.
///
/// # Errors
/// [`Error::Usage`] if the table in the program is damaged, which a test excludes.
pub fn exercises() -> Result<&'static [Exercise]> {
    static TABLE: LazyLock<Result<Table, String>> =
        LazyLock::new(|| toml::from_str(include_str!("exercises.toml")).map_err(|e| e.to_string()));
    match &*TABLE {
        Ok(table) => Ok(&table.exercise),
        Err(e) => Err(Error::Usage(format!("exercises.toml: {e}"))),
    }
}

impl Exercise {
    /// Returns the bytes of the source that the hole replaces.
    ///
    /// # Errors
    /// What is wrong, if the source has no such item or lines.
    pub fn place(&self, source: &str) -> Result<Range<usize>, String> {
        let Some(cut) = &self.cut else { return body(source, &self.item) };
        let whole = item(source, &self.item)?;
        let first = cut.lines().next().unwrap_or_default().trim();
        let inside = &source[whole.clone()];
        let at =
            inside.find(first).ok_or_else(|| format!("`{first}` is not in `{}`", self.item))?;
        let start = inside[..at].rfind('\n').map_or(0, |n| n + 1);
        let text = indented(cut, indent_of(&inside[start..]));
        if !inside[start..].starts_with(&text) {
            return Err(format!(
                "the lines from `{first}` in `{}` are not those to cut",
                self.item
            ));
        }
        Ok(whole.start + start..whole.start + start + text.len())
    }

    /// Returns the source with the hole.
    ///
    /// # Errors
    /// As [`Exercise::place`].
    pub fn open(&self, source: &str) -> Result<String, String> {
        let place = self.place(source)?;
        let hole = self.hole.as_deref().unwrap_or("todo!()");
        let mark = format!("// Exercise {}: {}\n{hole}", self.name, self.task);
        let hole = indented(&mark, indent_of(&source[place.clone()]));
        Ok([&source[..place.start], &hole, &source[place.end..]].concat())
    }

    /// Returns the line of the item, from 1.
    pub fn line(&self, source: &str) -> usize {
        let start = item(source, &self.item).map_or(0, |range| range.start);
        crate::learn::excerpt::line_number(source, start)
    }
}
