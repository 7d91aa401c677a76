//! The rows of a Parquet file.

use crate::dataset::read::csv_rows::parse_pixels;
use crate::dataset::stream::{Content, Record, Take};
use crate::limits::MAX_PICTURE;
use crate::{Error, PIXELS, Result};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::path::Path;

/// Columns that are read, where they are there.
const READ: [&str; 3] = ["image", "pixels", "id"];

/// Hands over every row: its `image` (bytes, or a group of `bytes` and `path`), or its `pixels`.
pub(super) fn each_row(input: &Path, take: Take<'_>) -> Result<()> {
    let damaged = |e: ParquetError| {
        let message = format!(
            "cannot be read as Parquet ({e}); expected a whole file: copy or download it again"
        );
        Error::data(input, message)
    };
    let file = File::open(input).map_err(Error::io(input))?;
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let projection = projection(input, reader.metadata().file_metadata().schema())?;
    let rows = reader.get_row_iter(Some(projection)).map_err(damaged)?;
    for (number, row) in rows.enumerate() {
        take(record(input, number, row.map_err(damaged)?))?;
    }
    Ok(())
}

/// Returns the schema of the columns that are read.
fn projection(input: &Path, schema: &Type) -> Result<Type> {
    let fields = schema.get_fields();
    let wanted = |field: &&TypePtr| READ.contains(&field.name());
    let chosen: Vec<TypePtr> = fields.iter().filter(wanted).cloned().collect();
    if !chosen.iter().any(|field| field.name() != "id") {
        let names: Vec<&str> = fields.iter().map(|field| field.name()).collect();
        return Err(Error::data(
            input,
            format!(
                "found the columns {}; expected `image` (the bytes of a picture, or a group with `bytes` and \
                 `path`) or `pixels`",
                names.join(", ")
            ),
        ));
    }
    Type::group_type_builder(schema.name())
        .with_fields(chosen)
        .build()
        .map_err(|e| Error::data(input, e.to_string()))
}

fn record(input: &Path, number: usize, row: Row) -> Record {
    let (mut id, mut content) = (None, None);
    for (name, field) in row.into_columns() {
        match (name.as_str(), field) {
            ("id", Field::Null) | ("image", Field::Null) => {}
            ("id", Field::Str(text)) => id = Some(text),
            ("id", other) => id = Some(other.to_string()),
            ("image", Field::Group(group)) => {
                for (name, field) in group.into_columns() {
                    match (name.as_str(), field) {
                        ("bytes", Field::Bytes(bytes)) => content = Some(picture(bytes.data())),
                        ("path", Field::Str(path)) if id.is_none() => id = Some(path),
                        _ => {}
                    }
                }
            }
            ("image", Field::Bytes(bytes)) => content = Some(picture(bytes.data())),
            ("pixels", field) if content.is_none() => content = Some(face(&field)),
            _ => {}
        }
    }
    let missing = || Err("has no picture: `image` is empty".to_owned());
    let content = content.unwrap_or_else(missing).unwrap_or_else(|message| {
        Content::Bad(Error::data(input, format!("row {}: {message}", number + 1)))
    });
    Record { id: id.unwrap_or_else(|| number.to_string()), content }
}

fn picture(bytes: &[u8]) -> Result<Content, String> {
    match bytes.len() {
        n if n > MAX_PICTURE => {
            Err(format!("found a picture of {n} bytes; at most {MAX_PICTURE} are read"))
        }
        _ => Ok(Content::Picture(bytes.to_vec())),
    }
}

/// Reads pixels as text, bytes, or a list of numbers.
fn face(field: &Field) -> Result<Content, String> {
    let mut face = vec![0; PIXELS];
    match field {
        Field::Str(text) => parse_pixels(text.as_bytes(), &mut face)?,
        Field::Bytes(bytes) if bytes.len() == PIXELS => face.copy_from_slice(bytes.data()),
        Field::Bytes(bytes) => parse_pixels(bytes.data(), &mut face)?,
        Field::ListInternal(list) => {
            let words: Vec<String> = list.elements().iter().map(ToString::to_string).collect();
            parse_pixels(words.join(" ").as_bytes(), &mut face)?;
        }
        _ => return Err("`pixels` is neither text, bytes nor a list of numbers".into()),
    }
    Ok(Content::Face(face))
}
