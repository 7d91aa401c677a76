//! The rows of a CSV file.

use crate::Result;
use crate::dataset::read::each_chunk;
use crate::dataset::stream::{Content, Record, Take};
use std::path::Path;

/// Hands over every row as a face.
pub(super) fn each_row(input: &Path, take: Take<'_>) -> Result<()> {
    let mut before = 0;
    each_chunk(input, &mut |faces| {
        for i in 0..faces.len() {
            let id = match faces.has_ids() {
                true => faces.id(i),
                false => (before + i).to_string(),
            };
            take(Record { id, content: Content::Face(faces.image(i).to_vec()) })?;
        }
        before += faces.len();
        Ok(())
    })
}
