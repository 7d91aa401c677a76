//! Folders as they are found: strange entries beside the pictures, and classes by number.

use std::path::Path;

use fer::dataset::{Dataset, ReadOptions, SynthOptions, read, synthesize, write_folder};

/// Fourteen drawn faces, two for each class.
fn faces(place: &Path) {
    let options = SynthOptions { count: 14, ..SynthOptions::default() };
    write_folder(&synthesize(&options).expect("drawn"), place).expect("writable");
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("inside")).expect("writable");
    std::fs::write(path, bytes).expect("writable");
}

#[test]
fn what_is_no_picture_is_left_out_with_a_note() {
    let place = tempfile::tempdir().expect("temporary folder");
    let folder = place.path().join("d");
    faces(&folder);
    for name in [
        "desktop.ini",
        "README.md",
        "labels.csv",
        "angry/desktop.ini",
        "angry/list.txt",
        "Thumbs.db",
        "__MACOSX/._a.png",
        "docs/index.html",
        "angry/notes/a.txt",
        ".DS_Store",
        "sad/.hidden.png",
        ".ipynb_checkpoints/a-checkpoint.png",
    ] {
        put(&folder, name, b"no picture");
    }
    let (found, report) = read(&folder, &ReadOptions::default()).expect("fourteen faces");
    assert_eq!((found.len(), report.bad_count), (14, 0));
    assert_eq!(found.class_counts(), [2; 7]);
    let note = &report.notes[0];
    assert!(note.contains("9 entries without pictures") && note.contains("README.md"), "{note}");
}

#[test]
fn misplaced_pictures_are_bad_rows() {
    let place = tempfile::tempdir().expect("temporary folder");
    let folder = place.path().join("d");
    faces(&folder);
    let picture = std::fs::read(folder.join("happy/000003.png")).expect("a drawn face");
    for (name, words) in [
        ("contempt/x.png", &["contempt", "--skip-bad", "numbers 0 to 6"][..]),
        ("beside.png", &["beside class folders", "move"]),
        ("sad/deeper/x.png", &["inside a class folder"]),
        ("neutral/animated.gif", &["damaged GIF"]),
        ("angry/broken.jpg", &["broken.jpg", "damaged GIF"]),
    ] {
        put(&folder, name, if name.ends_with("x.png") { &picture } else { b"GIF89a" });
        let error = read(&folder, &ReadOptions::default()).expect_err("one misplaced picture");
        assert_eq!(error.exit_code(), 3, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "`{word}` is missing in: {error}");
        }
        let options = ReadOptions { skip_bad: true, ..ReadOptions::default() };
        let (found, report) = read(&folder, &options).expect("fourteen good faces");
        assert_eq!((found.len(), report.bad_count, report.rows), (14, 1, 15), "{name}");
        let path = folder.join(name);
        std::fs::remove_file(&path).expect("just made");
        let _ = std::fs::remove_dir(path.parent().expect("inside")); // only if it is empty now
    }
}

#[test]
fn classes_by_number_and_in_other_spellings() {
    let place = tempfile::tempdir().expect("temporary folder");
    let folder = place.path().join("d");
    faces(&folder);
    let by_name = read(&folder, &ReadOptions::default()).expect("faces").0;
    for (class, name) in fer::CLASS_NAMES.iter().enumerate() {
        std::fs::rename(folder.join(name), folder.join(class.to_string())).expect("just made");
    }
    let (by_number, report) = read(&folder, &ReadOptions::default()).expect("faces");
    let sorted = |set: &Dataset| {
        let mut all: Vec<_> =
            (0..set.len()).map(|i| (set.label(i), set.image(i).to_vec())).collect();
        all.sort();
        all
    };
    assert!(sorted(&by_number) == sorted(&by_name));
    assert!(report.notes[0].contains("0 angry, 1 disgust"), "{:?}", report.notes);
    std::fs::rename(folder.join("3"), folder.join("7")).expect("just made");
    assert!(read(&folder, &ReadOptions::default()).is_err(), "there are seven classes, 0 to 6");
    std::fs::rename(folder.join("7"), folder.join("HAPPINESS")).expect("just made");
    assert_eq!(read(&folder, &ReadOptions::default()).expect("faces").0.class_counts(), [2; 7]);
    // The folder above: its parts are named.
    let error = read(place.path(), &ReadOptions::default()).expect_err("no class");
    assert!(error.to_string().contains("give this folder instead"), "{error}");
}

/// Names the real format of a file that has the name of a picture.
#[cfg(unix)]
#[test]
fn a_picture_that_is_none_is_named() {
    let place = tempfile::tempdir().expect("temporary folder");
    let folder = place.path().join("d");
    faces(&folder);
    let bad = folder.join("angry/0.png");
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let refused = |words: &[&str]| {
        let error = read(&folder, &ReadOptions::default()).expect_err("refused");
        let text = error.to_string();
        assert_eq!(error.exit_code(), 3, "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
        std::fs::remove_file(&bad).expect("there");
    };
    put(&folder, "angry/0.png", lfs);
    refused(&["0.png", "Git LFS pointer", "git lfs pull"]);
    put(&folder, "angry/0.png", b"<!DOCTYPE html><html>");
    refused(&["web page", "download"]);
    std::os::unix::fs::symlink("/nonexistent", &bad).expect("writable");
    refused(&["a link to a file that does not exist", "--skip-bad"]);
}
