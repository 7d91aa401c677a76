//! Windows, and systems without files or signals of their own.

use std::io;
use std::path::Path;

/// Does nothing: such a system cannot open a folder as a file.
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Calls `receive` with 2, the number of an interrupt, on Ctrl-C and when the console closes.
///
/// **Errors**: those of the system.
#[cfg(all(windows, feature = "cli"))]
pub fn on_signal(receive: fn(i32)) -> io::Result<()> {
    ctrlc::set_handler(move || receive(2)).map_err(io::Error::other)
}

/// Does nothing: the program ends with its own exit code.
#[cfg(all(windows, feature = "cli"))]
pub fn end_by(_: i32) {}

#[cfg(test)]
mod tests {
    #[test]
    fn a_folder_counts_as_synced() {
        super::sync_folder(std::path::Path::new("no such folder")).unwrap();
    }
}
