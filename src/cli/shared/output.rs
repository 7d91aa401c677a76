//! Output files of the commands: what they must not replace, and the message that they were written.

use crate::console::eprintln_safe;
use crate::dataset::image::has_image_extension;
use crate::error::Shown as _;
use crate::render::panel::Page;
use crate::render::{Scene, write};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Refuses an output that would replace one of the inputs, or a picture in an input folder. Other
/// files may be replaced: they can be made again.
///
/// # Errors
/// [`Error::Usage`] that names the output.
pub fn keep_inputs<'a>(
    outputs: impl IntoIterator<Item = &'a PathBuf>,
    inputs: &[&Path],
) -> Result<()> {
    for output in outputs {
        // A file that does not exist is no input.
        let Ok(there) = output.canonicalize() else { continue };
        let is_read = |input: &&Path| {
            let picture_below = |i: &Path| there.starts_with(i) && has_image_extension(&there);
            input.canonicalize().is_ok_and(|i| there == i || picture_below(&i))
        };
        if let Some(input) = inputs.iter().copied().find(is_read) {
            return Err(Error::Usage(format!(
                "{} would be replaced, but is an input ({}); name another output file",
                output.shown(),
                input.shown()
            )));
        }
    }
    Ok(())
}

/// Refuses two outputs that are the same file, even under different names.
///
/// # Errors
/// [`Error::Usage`] with `what`, the names of the options.
pub fn differ(a: &Path, b: &Path, what: &str) -> Result<()> {
    let place = |path: &Path| {
        let name = path.file_name().map(Path::new).unwrap_or(path);
        let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize();
        path.canonicalize().or(folder.map(|f| f.join(name))).unwrap_or(path.into())
    };
    match place(a) == place(b) {
        true => Err(Error::Usage(format!("{what} name the same file, {}", b.shown()))),
        false => Ok(()),
    }
}

/// Writes a page and prints its path.
pub fn write_page(page: &Page, path: &Path) -> Result<()> {
    write_scene(&page.scene(), &page.title, path)
}

/// Writes a drawing and prints its path; the title is that of an HTML page.
pub fn write_scene(scene: &Scene, title: &str, path: &Path) -> Result<()> {
    write::write_scene(scene, title, path)?;
    print_written(path);
    Ok(())
}

/// Prints to standard error that a file was written.
pub fn print_written(path: &Path) {
    eprintln_safe!("written: {}", path.shown());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_not_replaced_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        std::fs::write(here("a.png"), b"x").unwrap();
        std::fs::write(here("labels.csv"), b"x").unwrap();
        let (picture, same) = (here("a.png"), folder.path().join(".").join("a.png"));
        for read in [picture.as_path(), folder.path()] {
            let error = keep_inputs([&same], &[Path::new("-"), read]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
        }
        keep_inputs([&here("b.png"), &here("labels.csv")], &[&picture, folder.path()]).unwrap();
    }

    #[test]
    fn one_file_has_many_names() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        assert_eq!(differ(&here("a"), &here("./a"), "A and B").unwrap_err().exit_code(), 2);
        differ(&here("a"), &here("b"), "A and B").unwrap();
        std::fs::write(here("a"), b"x").unwrap();
        std::os::unix::fs::symlink(here("a"), here("b")).unwrap();
        assert!(differ(&here("b"), &here("a"), "A and B").is_err());
    }
}
