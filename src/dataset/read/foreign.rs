//! Recognises files of other formats by their first bytes, so that a message can say what they are.

use std::path::Path;

use crate::dataset::image::{Format, is_image, unsupported_image};

/// Kind of a foreign file; it decides the advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Several files in one.
    Archive,
    /// One compressed file.
    Compressed,
    /// Tables or arrays.
    Table,
    /// A network of another program.
    Network,
    /// Weights that this program reads.
    Weights,
    /// Something that a server or Git sent in place of the file.
    Placeholder,
    /// A picture or video in a format that is not read.
    Picture(&'static str),
    /// Anything else.
    Other,
}

/// A format that is not read as faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Name of the format with its article: "a Parquet file".
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// Number of first bytes that [`recognise`] looks at.
pub const HEAD: usize = 512;

use Kind::{Archive, Compressed, Network, Other, Picture, Placeholder, Table, Weights};

/// Position and first bytes of formats. The first that fits counts.
const FORMATS: &[(usize, &[u8], &str, Kind)] = &[
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras, h5py)", Table),
    (0, b"PAR1", "a Parquet file", Table),
    (0, b"ARROW1", "an Arrow file", Table),
    (0, b"FEA1", "a Feather file", Table),
    (0, b"ORC", "an ORC file", Table),
    (0, b"Obj\x01", "an Avro file", Table),
    (0, b"\x93NUMPY", "a NumPy array (.npy)", Table),
    (0, b"SQLite format 3\0", "an SQLite database", Table),
    (0, b"MATLAB 5.0", "a MATLAB file", Table),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document, perhaps Excel", Table),
    (0, b"\0\0\x08\x01", "labels in the IDX format of MNIST", Table),
    (0, b"\0\0\x08\x03", "pictures in the IDX format of MNIST", Table),
    (257, b"ustar", "a tar archive", Archive),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", Archive),
    (0, b"Rar!\x1a\x07", "a RAR archive", Archive),
    (0, b"\x28\xb5\x2f\xfd", "zstd data", Compressed),
    (0, b"\xfd7zXZ\0", "xz data", Compressed),
    (0, b"BZh", "bzip2 data", Compressed),
    (0, b"\x04\x22\x4d\x18", "lz4 data", Compressed),
    (0, b"\x1f\x9d", "data of the program compress", Compressed),
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9", "a PyTorch file (.pt)", Network),
    (4, b"TFL3", "a TensorFlow Lite network", Network),
    (0, b"GGUF", "a GGUF network", Network),
    (0, b"\x08\x01\x12", "a TensorFlow network", Network),
    (0, b"version https://git-lfs", "a Git LFS pointer, which stands for the file", Placeholder),
    (0, b"/annex/objects/", "a git-annex pointer, which stands for the file", Placeholder),
    (0, b"%PDF", "a PDF document", Other),
    (0, b"{\\rtf", "an RTF document", Other),
    (0, b"\x7fELF", "a program", Other),
    (0, b"MZ\x90", "a program", Other),
    (0, b"RIFF", "a RIFF file", Other),
    (0, b"OggS", "an Ogg file", Other),
    (0, b"ID3", "an MP3 file", Other),
];

/// Returns what a file is by its first bytes; `None` for what is read as faces, and for unknown formats.
pub fn recognise(head: &[u8]) -> Option<Foreign> {
    let has = |at: usize, bytes: &[u8]| head.get(at..).is_some_and(|h| h.starts_with(bytes));
    let of = |name, kind| Some(Foreign { name, kind });
    if is_image(head) {
        return None; // a WebP is a RIFF file
    }
    if let Some((name, convert)) = unsupported_image(head) {
        return of(name, Picture(convert));
    }
    if let Some(&(.., name, kind)) = FORMATS.iter().find(|(at, bytes, ..)| has(*at, bytes)) {
        return of(name, kind);
    }
    match head {
        [b'P', b'K', 3..=7, ..] => Some(zip_archive(head)),
        // Protocol 2 to 5, then the first instruction; text does not start with this byte.
        [0x80, 2..=5, ..] => of("a Python pickle", Table),
        // The fields ir_version, and then producer_name or one of those around it.
        [8, 2..=20, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..] => {
            of("an ONNX network", Network)
        }
        [.., _] if is_safetensors(head) => of("a weights file (safetensors)", Weights),
        // A record: its length, the checksum of the length, and an Example of protobuf.
        [_, _, _, 0, 0, 0, 0, 0, _, _, _, _, 0x0a, ..] => of("a TFRecord file", Table),
        _ => text_format(head),
    }
}

/// Tells archives apart by the name of the first file inside.
fn zip_archive(head: &[u8]) -> Foreign {
    let length = head.get(26..28).map_or(0, |b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let end = head.len().min(30 + length);
    let first = String::from_utf8_lossy(head.get(30..end).unwrap_or_default()).into_owned();
    let in_folder = |names: &[&str]| names.iter().any(|n| first.ends_with(&format!("/{n}")));
    let (name, kind) = if in_folder(&["data.pkl", ".format_version", "byteorder", "version"]) {
        ("a PyTorch file (.pt)", Network)
    } else if first.ends_with(".npy") {
        ("NumPy arrays (.npz)", Table)
    } else if first == "[Content_Types].xml" || first.starts_with("_rels/") {
        ("an Office document, perhaps Excel", Table)
    } else if ["metadata.json", "config.json", "model.weights.h5"].contains(&first.as_str()) {
        ("a Keras network", Network)
    } else {
        ("a zip archive", Archive)
    };
    Foreign { name, kind }
}

fn is_safetensors(head: &[u8]) -> bool {
    let Some((length, json)) = head.split_first_chunk() else { return false };
    u64::from_le_bytes(*length) < 1 << 32 && json.trim_ascii_start().starts_with(b"{\"")
}

/// Recognises web pages, JSON and XML, in front of which spaces may stand.
fn text_format(head: &[u8]) -> Option<Foreign> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = text.to_ascii_lowercase();
    let starts = |words: &[&[u8]]| words.iter().any(|word| lower.starts_with(word));
    let (name, kind) = if starts(&[b"<!doctype html", b"<html", b"<head", b"<body", b"<script"]) {
        ("a web page", Placeholder)
    } else if starts(&[b"<?xml", b"<svg", b"<error", b"<!--"]) {
        ("XML", Placeholder)
    } else if is_json(text) {
        ("JSON", Placeholder)
    } else if starts(&[b"#!"]) {
        ("a script", Other)
    } else {
        return None;
    };
    Some(Foreign { name, kind })
}

/// Returns what a file is that holds a network of another program, by its first bytes or by its name.
pub fn other_network(path: &Path, head: &[u8]) -> Option<Foreign> {
    const ENDINGS: [&str; 7] = ["pt", "pth", "ckpt", "onnx", "keras", "tflite", "pb"];
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_named = !head.is_empty() && ENDINGS.iter().any(|known| ending == *known);
    match recognise(head) {
        Some(found) if found.kind == Network => Some(found),
        Some(found) if matches!(found.kind, Weights | Placeholder) => None,
        Some(found) if is_named => Some(Foreign { kind: Network, ..found }),
        None if is_named => Some(Foreign { name: "a file of another program", kind: Network }),
        _ => None,
    }
}

/// Returns the message for a file with these first bytes where a network was expected; `None` for a weights
/// file, and for bytes that only its reader can judge.
pub fn refuse_as_model(path: &Path, head: &[u8]) -> Option<String> {
    if let Some(found) = other_network(path, head) {
        return Some(found.as_model());
    }
    let is_text = || std::str::from_utf8(head).is_ok_and(|text| !text.contains('\0'));
    let other = |name| Some(Foreign { name, kind: Other });
    let found = match recognise(head) {
        None if is_image(head) => other("a picture"),
        None if head.starts_with(b"\x1f\x8b") => {
            Some(Foreign { name: "gzip data", kind: Compressed })
        }
        None if !head.is_empty() && is_text() => other("text, perhaps a table or settings"),
        found => found,
    };
    found.filter(|found| found.kind != Weights).map(Foreign::as_model)
}

/// Whether text starts as an object, or as a list of objects, lists, numbers or strings.
fn is_json(text: &[u8]) -> bool {
    let inner = |bracket: &[u8]| text.strip_prefix(bracket).map(|rest| rest.trim_ascii_start());
    let is_item = |rest: &[u8]| rest.first().is_none_or(|b| b"{[\"0123456789-".contains(b));
    inner(b"{").is_some_and(|rest| rest.first().is_none_or(|b| b"\"}".contains(b)))
        || inner(b"[").is_some_and(is_item)
}

impl Foreign {
    /// Whether it is a file of Keras or Python, which holds data or a network.
    pub fn may_be_network(self) -> bool {
        self.name.contains("HDF5") || self.name.contains("pickle")
    }

    /// Returns the way to the file in whose place this one stands.
    fn fetched(self) -> &'static str {
        match self.name {
            name if name.contains("LFS") => "fetch the file with `git lfs pull`",
            name if name.contains("annex") => "fetch the file with `git annex get`",
            _ => "open it to see what the server answered, and download the file again",
        }
    }

    /// Returns the message where settings or the description of a network were expected.
    pub fn as_toml(self) -> String {
        let way_out = if self.kind == Placeholder { self.fetched() } else { "give another file" };
        format!("found {}; expected TOML: {way_out}", self.name)
    }

    /// Returns the message where faces were expected.
    pub fn as_data(self) -> String {
        let way_out = match self.kind {
            Archive => "unpack it, and give the table or the folder of pictures inside",
            Compressed => "unpack it, or compress it with gzip instead",
            Table => "save it as CSV, with the columns `emotion` and `pixels`",
            Network => "it holds a network, not faces",
            Weights => "it is a network, not faces: give it as MODEL",
            Placeholder => self.fetched(),
            Picture(way_out) => way_out,
            Other => "give another file",
        };
        format!("found {}; expected CSV, gzip or a picture ({}): {way_out}", self.name, Format::ALL)
    }

    /// Returns the message where a network was expected.
    pub fn as_model(self) -> String {
        let way_out = match self.kind {
            Archive | Compressed => "unpack it first",
            Network | Table if self.name.contains("ONNX") => {
                "ONNX is written by `fer export`, not read; give the run folder or weights file that \
                 it was made of"
            }
            Network | Table => {
                "networks of other programs are not read; train one with `fer train`"
            }
            Placeholder => self.fetched(),
            Weights | Picture(_) | Other => "give a run folder or a weights file",
        };
        format!("found {}; expected a network of fer (safetensors): {way_out}", self.name)
    }
}
