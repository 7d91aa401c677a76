//! Files of other formats, as data and as a network: the message says what they are and what to do.

use std::path::Path;

use fer::dataset::{ReadOptions, read};
use fer::model::weights::network_file::read_model;

/// The first local header of a zip archive.
fn zip(first: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(26, 0);
    bytes.extend((first.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(first.as_bytes());
    bytes
}

fn tar() -> Vec<u8> {
    let mut bytes = b"fer2013/fer2013.csv".to_vec();
    bytes.resize(257, 0);
    bytes.extend(b"ustar\x0000");
    bytes.resize(1_024, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn safetensors() -> Vec<u8> {
    let json = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    [&(json.len() as u64).to_le_bytes()[..], json, &[0; 4]].concat()
}

/// Bytes, words where faces were expected, words where a network was expected.
#[test]
fn every_foreign_file_is_named() {
    let onnx = b"\x08\x07\x12\x03fer\x1a\x050.1.0:\x80\x01";
    let torch = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let cases: &[(&[u8], &[&str], &[&str])] = &[
        (b"\x89HDF\r\n\x1a\n\0\0", &["HDF5", "save it as CSV"], &["HDF5", "of other programs"]),
        (b"PAR1\x15\x04\x15", &["Parquet", "save it as CSV"], &["Parquet", "fer train"]),
        (b"ARROW1\0\0", &["Arrow"], &["Arrow"]),
        (b"\x93NUMPY\x01\0v\0{'descr'", &["NumPy", ".npy"], &["NumPy"]),
        (&zip("x_train.npy"), &["NumPy", ".npz"], &["NumPy"]),
        (&zip("model/data.pkl"), &["PyTorch", "not faces"], &["PyTorch", "of other programs"]),
        (torch, &["PyTorch"], &["PyTorch"]),
        (&zip("metadata.json"), &["Keras"], &["Keras"]),
        (&zip("[Content_Types].xml"), &["Excel", "save it as CSV"], &["Excel"]),
        (&zip("fer2013/"), &["zip archive", "unpack it"], &["zip archive", "unpack"]),
        (&tar(), &["tar archive", "unpack it"], &["tar archive"]),
        (&gzip(&tar()), &["gzip", "tar archive", "unpack it"], &["gzip data", "unpack"]),
        (&gzip(b"\x93NUMPY\x01\0v\0"), &["gzip", "NumPy"], &["gzip data"]),
        (&gzip(&gzip(b"label,feature\n")), &["gzip inside gzip", "unpack it once"], &["gzip data"]),
        (b"\0\0\x01\0\x01\0\x10\x10\0\0", &["icon", "magick"], &["icon"]),
        (b"\0\0\0\x0cjP  \r\n\x87\n", &["JPEG 2000", "magick"], &["JPEG 2000"]),
        (b"P6\n48 48\n255\n\x01\x02", &["PPM", "magick"], &["PPM"]),
        (b"\0\0\x02\0\0\0\0\0\0\0\0\0\x30\0\x30\0\x18\0", &["TGA", "magick"], &["TGA"]),
        (
            b"\x80\x01\0\0\0\0\0\0\x11\x22\x33\x44\x0a\x7d",
            &["TFRecord", "save it as CSV"],
            &["TFRecord"],
        ),
        (b"7z\xbc\xaf\x27\x1c\0\x04", &["7z archive"], &["7z"]),
        (b"Rar!\x1a\x07\x01\0", &["RAR archive"], &["RAR"]),
        (b"\xfd7zXZ\0\0\x04", &["xz data", "gzip instead"], &["xz data"]),
        (b"\x80\x04\x95\x10\0\0", &["pickle", "save it as CSV"], &["pickle"]),
        (onnx, &["ONNX", "not faces"], &["ONNX", "fer export", "not read"]),
        (b"\x1c\0\0\0TFL3\x14\0", &["TensorFlow Lite"], &["TensorFlow Lite"]),
        (lfs, &["Git LFS pointer", "git lfs pull"], &["Git LFS pointer", "git lfs pull"]),
        (b"<!DOCTYPE html>\n<html>", &["web page", "download"], &["web page", "download"]),
        (b"\n  <HTML><head>", &["web page"], &["web page"]),
        (b"<?xml version=\"1.0\"?><Error>", &["XML"], &["XML"]),
        (b"{\"code\":403,\"message\":\"no\"}", &["JSON", "download"], &["JSON"]),
        (b"[\n  {\"label\": 3}\n]", &["JSON"], &["JSON"]),
        (b"Access denied\n", &["names its columns"], &["text, perhaps a table"]),
        (b"\x02\xfe\x07\x99\n", &["this is no text"], &["not a weights file"]),
        (b"SQLite format 3\0\x10", &["SQLite", "save it as CSV"], &["SQLite"]),
        (b"%PDF-1.7", &["PDF"], &["PDF"]),
        (b"II*\0", &["TIFF", "convert"], &["TIFF"]),
        (
            &safetensors(),
            &["safetensors", "give it as MODEL"],
            &["not written by fer", "fer train"],
        ),
        (b"\x89PNG\r\n\x1a\n", &["damaged PNG"], &["picture", "weights file"]),
        (b"label,feature\n", &["no rows"], &["text, perhaps a table", "weights file"]),
    ];
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("file");
    for (bytes, as_data, as_model) in cases {
        std::fs::write(&path, bytes).expect("writable");
        let error = read(&path, &ReadOptions::default()).expect_err("no faces");
        names(&error, 3, as_data);
        names(&read_model(&path).expect_err("no network"), 4, as_model);
    }
}

#[track_caller]
fn names(error: &fer::Error, code: u8, words: &[&str]) {
    assert_eq!(error.exit_code(), code, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "`{word}` is missing in: {error}");
    }
    assert!(!error.to_string().contains("rename the column"), "{error}");
}

#[test]
fn a_device_is_no_network() {
    for device in ["/dev/zero", "/dev/null"] {
        assert_eq!(read_model(Path::new(device)).expect_err("a device").exit_code(), 4);
    }
}
