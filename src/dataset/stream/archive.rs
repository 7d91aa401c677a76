//! The pictures in a tar file, such as a shard of a WebDataset.

use crate::dataset::image::has_image_extension;
use crate::dataset::stream::{Content, Record, Take};
use crate::limits::MAX_PICTURE;
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Hands over every entry whose name ends as that of a picture. Others, such as labels, are left out.
pub(super) fn each_picture(input: &Path, take: Take<'_>) -> Result<()> {
    let file = BufReader::new(File::open(input).map_err(Error::io(input))?);
    let name = input.to_string_lossy().to_lowercase();
    let packed = name.ends_with("gz");
    let stream: Box<dyn Read> = match packed {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let damaged = |number: usize, e: &std::io::Error| {
        Error::data(
            input,
            format!(
                "cannot be read beyond entry {number} ({e}); expected a whole tar file: copy or download it \
                 again"
            ),
        )
    };
    let mut archive = tar::Archive::new(stream);
    let (mut number, mut pictures) = (0, 0);
    for entry in archive.entries().map_err(|e| damaged(0, &e))? {
        let mut entry = entry.map_err(|e| damaged(number, &e))?;
        number += 1;
        let Ok(path) = entry.path().map(|path| path.into_owned()) else { continue };
        if !entry.header().entry_type().is_file() || !has_image_extension(&path) {
            continue;
        }
        pictures += 1;
        let id = path.display().to_string();
        let size = entry.size();
        if size > MAX_PICTURE as u64 {
            let found =
                format!("found a picture file of {size} bytes; at most {MAX_PICTURE} are read");
            take(Record { content: Content::Bad(Error::data(input.join(&path), found)), id })?;
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| damaged(number, &e))?;
        if bytes.len() as u64 != size {
            let e = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Err(damaged(number, &e));
        }
        take(Record { id, content: Content::Picture(bytes) })?;
    }
    match pictures {
        0 => {
            let found = format!("found {number} entries, none of them a picture by its name");
            Err(Error::data(input, format!("{found}; expected PNG, JPEG, WebP, GIF or BMP files")))
        }
        _ => Ok(()),
    }
}
