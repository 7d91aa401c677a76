//! Text: Markdown under a tag, or a table of it.

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;
use crate::{Error, Result};

/// Returns the summary of a text in Markdown.
pub fn text(tag: &str, markdown: &str) -> Summary {
    Summary::new(tag, "text", tensor::strings(&[], [markdown]))
}

/// Returns the summary of a table, a string tensor with two dimensions. Cells may hold Markdown.
///
/// **Errors**: [`Error::Shape`] if there is no cell or the rows differ in length.
pub fn table<S: AsRef<str>>(tag: &str, rows: &[Vec<S>]) -> Result<Summary> {
    let columns = rows.first().map_or(0, Vec::len);
    if columns == 0 {
        return Err(Error::shape("tensorboard table", format!("{tag}: the table is empty")));
    }
    if let Some((i, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != columns) {
        let found = format!("{tag}: row {i} has {} cells, row 0 has {columns}", row.len());
        return Err(Error::shape("tensorboard table", found));
    }
    let cells = rows.iter().flatten().map(|cell| cell.as_ref().as_bytes());
    Ok(Summary::new(tag, "text", tensor::strings(&[rows.len(), columns], cells)))
}
