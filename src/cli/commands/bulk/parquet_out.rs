//! The finished table as Parquet: id and class as text, label as a whole number, probabilities as numbers.

use crate::files::write_atomic_with;
use crate::{Error, Result};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group.
const GROUP: usize = 100_000;

/// Columns before the probabilities: id, label, class.
const HEAD: usize = 3;

/// Writes the rows of a CSV, a row group at a time.
///
/// # Errors
/// [`Error::Io`] with the output.
pub(super) fn write(csv: &Path, out: &Path) -> Result<()> {
    let mut rows = csv::Reader::from_path(csv).map_err(|e| Error::data(csv, e.to_string()))?;
    write_atomic_with(out, |file| convert(&mut rows, file).map_err(std::io::Error::other))
}

fn convert(rows: &mut csv::Reader<File>, file: &mut File) -> Result<(), ParquetError> {
    let failed = |e: csv::Error| ParquetError::External(Box::new(e));
    let names: Vec<String> = rows.headers().map_err(failed)?.iter().map(column_name).collect();
    let floats = names.iter().skip(HEAD).map(|name| format!("required float {name};"));
    let schema = format!(
        "message answers {{ required binary id (string); required int32 label; required binary class (string); {} }}",
        floats.collect::<String>()
    );
    let properties =
        WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let schema = Arc::new(parse_message_type(&schema)?);
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    let mut group: Vec<csv::StringRecord> = Vec::new();
    let mut rows = rows.records();
    loop {
        let next = rows.next().transpose().map_err(failed)?;
        let ended = next.is_none();
        group.extend(next);
        if group.len() == GROUP || ended && !group.is_empty() {
            let mut columns = writer.next_row_group()?;
            write_group(&mut columns, &group, names.len())?;
            columns.close()?;
            group.clear();
        }
        if ended {
            writer.close()?;
            return Ok(());
        }
    }
}

/// A name as Parquet's text form of schemas allows it.
fn column_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

fn write_group<W: std::io::Write + Send>(
    columns: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[csv::StringRecord],
    width: usize,
) -> Result<(), ParquetError> {
    let text =
        |i: usize| rows.iter().map(|row| row.get(i).unwrap_or_default()).collect::<Vec<&str>>();
    for i in 0..width {
        let Some(mut column) = columns.next_column()? else { break };
        match i {
            0 | 2 => {
                let values: Vec<ByteArray> = text(i).into_iter().map(ByteArray::from).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
            1 => {
                let values: Vec<i32> = text(i).iter().map(|t| t.parse().unwrap_or(-1)).collect();
                column.typed::<Int32Type>().write_batch(&values, None, None)?;
            }
            _ => {
                let values: Vec<f32> =
                    text(i).iter().map(|t| t.parse().unwrap_or(f32::NAN)).collect();
                column.typed::<FloatType>().write_batch(&values, None, None)?;
            }
        }
        column.close()?;
    }
    Ok(())
}
