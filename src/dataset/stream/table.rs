//! The rows of a CSV file.

use crate::dataset::read::{BadRow, each_chunk};
use crate::dataset::stream::{Content, Record, Take};
use crate::{Error, Result};
use std::path::Path;

/// Hands over every row as a face. With `skip_bad` the bad rows of a chunk of lines come after its faces.
pub(super) fn each_row(input: &Path, skip_bad: bool, take: Take<'_>) -> Result<()> {
    let mut before = 0;
    each_chunk(input, skip_bad, &mut |faces, bad| {
        for i in 0..faces.len() {
            let id = match faces.has_ids() {
                true => faces.id(i),
                false => (before + i).to_string(),
            };
            take(Record { id, content: Content::Face(faces.image(i).to_vec()) })?;
        }
        before += faces.len();
        bad.into_iter().try_for_each(|BadRow { path, line, message }| {
            let id = line.unwrap_or_default().to_string();
            take(Record { id, content: Content::Bad(Error::Data { path, line, message }) })
        })
    })
}
