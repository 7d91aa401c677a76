//! The projector: points in many dimensions, shown in three. It reads plain files beside the event
//! files:
//!
//! ```text
//! NAME.tsv             one point per line, coordinates between tabs
//! NAME_metadata.tsv    labels and colours of the points; a header line if there is more than one
//!                      column
//! NAME_sprite.png      its pictures in a square grid, row by row
//! projector_config.pbtxt    names the three
//! ```

use std::fmt::Write as _;
use std::path::Path;

use crate::files::FileSet;
use crate::{Error, Result};

/// The longest side of a sprite that all browsers draw.
const MAX_SIDE: usize = 8192;

/// Points with metadata and pictures.
#[derive(Clone, Copy, Debug)]
pub struct Embedding<'a> {
    /// Stem of the files: letters, digits, `_` and `-`.
    pub name: &'a str,
    /// `[n, dim]`, row-major.
    pub points: &'a [f32],
    /// Number of coordinates per point.
    pub dim: usize,
    /// Headers of the columns of `metadata`.
    pub columns: &'a [&'a str],
    /// `[n][columns]`; empty for none.
    pub metadata: &'a [Vec<String>],
    /// Gray pictures `[n, side, side]`, with their side.
    pub pictures: Option<(&'a [u8], usize)>,
}

impl Embedding<'_> {
    /// Writes the files into `dir`, which must exist: all of them become new, or none. The configuration
    /// comes last, so that TensorBoard never reads an incomplete set.
    ///
    /// **Errors**: [`Error::Shape`] if the sizes do not fit each other or a coordinate is not
    /// finite, [`Error::Usage`] for a name that is no file stem, [`Error::Render`] if the sprite
    /// would exceed 8192 pixels a side, [`Error::Io`].
    pub fn write(&self, dir: &Path) -> Result<()> {
        let count = self.validate()?;
        let name = self.name;
        let mut files = FileSet::default();
        let mut config = format!(
            "embeddings {{\n  tensor_name: \"{name}\"\n  tensor_shape: {count}\n  \
             tensor_shape: {}\n  tensor_path: \"{name}.tsv\"\n",
            self.dim
        );
        let points = self.points.chunks(self.dim).map(|point| tab_separated(point.iter()));
        files.add(dir.join(format!("{name}.tsv")), points.collect::<String>().as_bytes())?;
        if !self.metadata.is_empty() {
            let file = format!("{name}_metadata.tsv");
            // A single column has no header: TensorBoard would take it for a point.
            let mut table = String::new();
            if self.columns.len() > 1 {
                table += &tab_separated(self.columns.iter().map(|head| cell(head)));
            }
            for row in self.metadata {
                table += &tab_separated(row.iter().map(|text| cell(text)));
            }
            files.add(dir.join(&file), table.as_bytes())?;
            config += &format!("  metadata_path: \"{file}\"\n");
        }
        if let Some((pixels, side)) = self.pictures {
            let file = format!("{name}_sprite.png");
            files.add(dir.join(&file), &sprite(pixels, side)?)?;
            config += &format!(
                "  sprite {{\n    image_path: \"{file}\"\n    single_image_dim: {side}\n    \
                 single_image_dim: {side}\n  }}\n"
            );
        }
        config += "}\n";
        files.add(dir.join("projector_config.pbtxt"), config.as_bytes())?;
        files.commit()
    }

    /// Checks the sizes. Returns the number of points.
    fn validate(&self) -> Result<usize> {
        let shape = |found: String| Err(Error::shape("embedding", found));
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(fits) {
            let message = "an embedding's name is made of letters, digits, _ and -, not";
            return Err(Error::Usage(format!("{message} {:?}", self.name)));
        }
        if self.dim == 0 || self.points.is_empty() || !self.points.len().is_multiple_of(self.dim) {
            let found = format!("{} numbers, {} for each point", self.points.len(), self.dim);
            return shape(found);
        }
        let count = self.points.len() / self.dim;
        if let Some(i) = self.points.iter().position(|x| !x.is_finite()) {
            return shape(format!("point {} has the coordinate {}", i / self.dim, self.points[i]));
        }
        if !self.metadata.is_empty() && self.metadata.len() != count {
            return shape(format!("{count} points, {} rows of metadata", self.metadata.len()));
        }
        if let Some(row) = self.metadata.iter().position(|row| row.len() != self.columns.len()) {
            return shape(format!("metadata row {row} does not have a cell for each column"));
        }
        if let Some((pixels, side)) = self.pictures
            && (side == 0 || pixels.len() != count * side * side)
        {
            return shape(format!("{} pixels, {count} pictures of side {side}", pixels.len()));
        }
        Ok(count)
    }
}

/// Joins cells by tabs into a line.
fn tab_separated<T: std::fmt::Display>(cells: impl Iterator<Item = T>) -> String {
    let mut line = String::new();
    for (i, cell) in cells.enumerate() {
        let tab = if i == 0 { "" } else { "\t" };
        let _ = write!(line, "{tab}{cell}"); // a String takes everything
    }
    line + "\n"
}

/// Replaces the characters that separate cells and rows by spaces.
fn cell(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// Draws all pictures into a square grid, row by row, with white cells at its end. Returns a gray PNG.
fn sprite(pixels: &[u8], side: usize) -> Result<Vec<u8>> {
    let count = pixels.len() / (side * side);
    let columns = (1..).find(|n| n * n >= count).unwrap_or(1);
    let width = columns * side;
    if width > MAX_SIDE {
        let found = format!("{count} pictures of side {side} need {width} pixels a side");
        let way_out = format!("browsers draw at most {MAX_SIDE}; use fewer pictures");
        return Err(Error::Render(format!("sprite for the projector: {found}, {way_out}")));
    }
    let mut sheet = vec![255; width * width];
    for (i, picture) in pixels.chunks(side * side).enumerate() {
        let corner = i / columns * side * width + i % columns * side;
        for (y, row) in picture.chunks(side).enumerate() {
            sheet[corner + y * width..][..side].copy_from_slice(row);
        }
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width as u32, width as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&sheet))
        .map_err(|error| Error::Render(format!("sprite for the projector: {error}")))?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sprite_puts_pictures_row_by_row() {
        // Five 2×2 pictures: a grid of 3×3.
        let pixels: Vec<u8> =
            (0..5).flat_map(|i| [10 * i, 10 * i + 1, 10 * i + 2, 10 * i + 3]).collect();
        let png = sprite(&pixels, 2).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut sheet = vec![0; 36];
        reader.next_frame(&mut sheet).unwrap();
        assert_eq!(sheet[..6], [0, 1, 10, 11, 20, 21]);
        assert_eq!(sheet[6..12], [2, 3, 12, 13, 22, 23]);
        assert_eq!(sheet[12..18], [30, 31, 40, 41, 255, 255]);
        assert_eq!(sheet[30..], [255; 6]);
    }

    #[test]
    fn a_sprite_too_large_is_refused() {
        assert!(sprite(&vec![0; 48 * 48], 48).is_ok());
        assert!(sprite(&vec![0; 100 * 100 * 6724], 100).is_err());
    }

    #[test]
    fn files_are_exact() {
        let dir = tempfile::tempdir().unwrap();
        let metadata = [vec!["a\tb".into(), "1".into()], vec!["c".into(), "2\n".into()]];
        let embedding = Embedding {
            name: "faces",
            points: &[0.5, -1.0, 1e-7, 3.0],
            dim: 2,
            columns: &["label", "index"],
            metadata: &metadata,
            pictures: None,
        };
        embedding.write(dir.path()).unwrap();
        let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("faces.tsv"), "0.5\t-1\n0.0000001\t3\n");
        assert_eq!(read("faces_metadata.tsv"), "label\tindex\na b\t1\nc\t2 \n");
        assert_eq!(
            read("projector_config.pbtxt"),
            "embeddings {\n  tensor_name: \"faces\"\n  tensor_shape: 2\n  tensor_shape: 2\n  \
             tensor_path: \"faces.tsv\"\n  metadata_path: \"faces_metadata.tsv\"\n}\n"
        );
        let one_column = Embedding {
            columns: &["label"],
            metadata: &[vec!["x".into()], vec!["y".into()]],
            ..embedding
        };
        one_column.write(dir.path()).unwrap();
        assert_eq!(read("faces_metadata.tsv"), "x\ny\n");
        for bad in [
            Embedding { points: &[f32::NAN, 0.0], metadata: &[], ..embedding },
            Embedding { points: &[0.0; 3], metadata: &[], ..embedding },
            Embedding { points: &[0.0; 6], ..embedding },
            Embedding { name: "../faces", ..embedding },
            Embedding { columns: &["label"], ..embedding },
            Embedding { pictures: Some((&[0; 7], 2)), ..embedding },
        ] {
            assert!(bad.write(dir.path()).is_err(), "{bad:?}");
        }
    }
}
