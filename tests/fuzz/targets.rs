//! What is fuzzed: every reader of bytes that the program did not write itself. Each must return, with a
//! result or an error; a panic, an endless loop or memory beyond the limits is a fault.

use fer::dataset::image::exif::Orientation;
use fer::dataset::read::{ReadOptions, foreign::recognise, read_stream};
use fer::model::weights::{Archive, network_file};
use std::path::Path;

/// Reads the bytes of one input.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 13] = [
    ("csv", csv),
    ("png", picture),
    ("jpeg", picture),
    ("webp", picture),
    ("gif", picture),
    ("bmp", picture),
    ("exif", exif),
    ("safetensors", safetensors),
    ("checkpoint", checkpoint),
    ("config", config),
    ("network", network),
    ("message", message),
    ("video", video),
];

fn csv(bytes: &[u8]) {
    for skip_bad in [false, true] {
        let options = ReadOptions { skip_bad, ..ReadOptions::default() };
        let _ = read_stream(bytes, Path::new("fuzz.csv"), &options);
    }
    let _ = recognise(bytes);
}

fn picture(bytes: &[u8]) {
    let _ = fer::dataset::image::decode(bytes, Path::new("fuzz"));
    let _ = fer::dataset::image::decode_colors(bytes, Path::new("fuzz"), 256);
}

fn exif(bytes: &[u8]) {
    let _ = Orientation::from_exif(bytes);
}

fn safetensors(bytes: &[u8]) {
    let path = Path::new("fuzz.safetensors");
    if let Ok(archive) = Archive::from_bytes(path, bytes) {
        let _ = network_file::from_archive(path, &archive);
    }
}

/// The JSON of a checkpoint, inside a file that is otherwise right.
fn checkpoint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut archive = Archive::default();
    for key in ["network", "config", "history", "state", "calibration"] {
        archive.meta.insert(key.into(), text.into());
    }
    let path = Path::new("fuzz.safetensors");
    let _ = network_file::from_archive(path, &archive);
    let _ = archive.find::<fer::train::TrainConfig>(path, "config");
    let _ = archive.find::<fer::model::Calibration>(path, "calibration");
}

/// Runs `read` on a file that holds the bytes.
fn on_a_file(bytes: &[u8], read: impl Fn(&Path)) {
    let path = std::env::temp_dir().join(format!("fer-fuzz-{}.toml", std::process::id()));
    if std::fs::write(&path, bytes).is_ok() {
        read(&path);
    }
}

fn config(bytes: &[u8]) {
    on_a_file(bytes, |path| {
        let mut settings =
            fer::train::recipes::Settings::new().expect("the program's own settings");
        if settings.file(path).is_ok() {
            let _ = settings.resolve(None).map(|config| config.validate());
        }
    });
}

fn network(bytes: &[u8]) {
    on_a_file(bytes, |path| {
        let _ = fer::model::architecture(&path.display().to_string())
            .and_then(|spec| fer::model::Network::<f32>::new(spec, 0))
            .and_then(|network| fer::model::summary(&network));
    });
}

fn message(bytes: &[u8]) {
    let _ = fer::page::message::Message::parse(bytes);
}

fn video(bytes: &[u8]) {
    let reader = fer::photo::video::VideoReader::new(bytes, Path::new("fuzz"), 25.0);
    let Ok(mut reader) = reader else { return };
    while matches!(reader.read(), Ok(Some(_))) {}
}
