//! Every broken CSV, gzip stream and picture gets an error that says where, what and what instead.

use std::io::Write;
use std::path::{Path, PathBuf};

use fer::dataset::{Dataset, ReadOptions, Report, Usage, read};
use fer::{Error, PIXELS};
use proptest::prelude::*;

fn face(value: u8) -> String {
    vec![value.to_string(); PIXELS].join(" ")
}

/// A face whose first pixel is spelled `word`.
fn face_with(word: &str) -> String {
    format!("{word} {}", vec!["5"; PIXELS - 1].join(" "))
}

fn file(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("the test's folder is writable");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn read_bytes(bytes: impl AsRef<[u8]>) -> fer::Result<(Dataset, Report)> {
    let folder = tempfile::tempdir().expect("temporary folder");
    read(file(folder.path(), "d.csv", bytes), &ReadOptions::default())
}

/// The error must be a data error (exit code 3) at `line` whose message holds `words`.
#[track_caller]
fn refuses(bytes: impl AsRef<[u8]>, line: impl Into<Option<u64>>, words: &[&str]) {
    let error = read_bytes(bytes).expect_err("must be refused");
    let Error::Data { path, line: found, message } = &error else {
        panic!("not a data error: {error}")
    };
    assert!(path.ends_with("d.csv"), "{}", path.display());
    assert_eq!(*found, line.into(), "{error}");
    for word in words {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
    assert_eq!(error.exit_code(), 3);
}

#[track_caller]
fn accepts(bytes: impl AsRef<[u8]>, faces: usize) -> Dataset {
    let (dataset, report) = read_bytes(bytes).expect("must be accepted");
    assert_eq!((dataset.len(), report.bad_count), (faces, 0));
    dataset
}

#[test]
fn headers() {
    refuses("", None, &["empty", "label,feature"]);
    refuses("\n\n", None, &["empty"]);
    refuses("label,feature\n", None, &["no rows"]);
    refuses(format!("3,{}\n", face(1)), 1, &["3,1 1 1", "put a header line"]);
    refuses("name,photo\n", 1, &["name,photo", "emotion,pixels", "give the folder"]);
    refuses("label,label,feature\n", 1, &["label", "twice"]);
    refuses("label,id\n", 1, &["label,id", "expected"]);
    for header in ["label,feature", "Label, Feature", "emotion,pixels", "\"emotion\",\"pixels\""] {
        assert_eq!(accepts(format!("{header}\n3,{}\n", face(1)), 1).label(0), Some(3));
    }
    let dataset = accepts(format!("id,feature\nx7,{}\n", face(1)), 1);
    assert_eq!((dataset.label(0), dataset.id(0)), (None, "x7".to_string()));
    let dataset = accepts(format!("emotion, Usage, pixels\n2,PublicTest,{}\n", face(1)), 1);
    assert_eq!(dataset.usage(0), Some(Usage::PublicTest));
}

#[test]
fn encodings_and_line_ends() {
    let rows = format!("label,feature\n1,{}\n2,{}", face(1), face(2));
    accepts(&rows, 2);
    accepts(rows.replace('\n', "\r\n"), 2);
    accepts(rows.replace('\n', "\r"), 2);
    accepts(format!("\u{feff}{rows}\n"), 2);
    accepts(format!("\u{feff}\"label\",\"feature\"\n1,\"{}\"\n", face(1)), 1);
    let utf16 = |mark: &[u8], order: fn(u16) -> [u8; 2]| {
        [mark.to_vec(), rows.encode_utf16().flat_map(order).collect()].concat()
    };
    refuses(utf16(b"\xff\xfe", u16::to_le_bytes), 1, &["UTF-16", "UTF-8"]);
    refuses(utf16(b"\xfe\xff", u16::to_be_bytes), 1, &["UTF-16"]);
    refuses(utf16(b"", u16::to_le_bytes), 1, &["UTF-16"]);
    refuses(b"label,f\xe9ature\n", 1, &["label", "expected"]);
    let with = |word: &[u8]| {
        let mut bytes = format!("label,feature\n1,{}\n1,", face(1)).into_bytes();
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(face_with("").as_bytes());
        bytes
    };
    refuses(with(b"\xe9"), 3, &["pixel 1 ", "0 to 255"]);
    refuses(with(b"\0"), 3, &["pixel 1 ", "0 to 255"]);
}

#[test]
fn pixels() {
    let row = |pixels: &str| format!("label,feature\n0,{}\n6,{pixels}\n", face(9));
    refuses(row(&vec!["1"; 2303].join(" ")), 3, &["2303 pixels", "2304"]);
    refuses(row(&vec!["1"; 2305].join(" ")), 3, &["2305 pixels", "2304"]);
    refuses(row(""), 3, &["0 pixels", "2304"]);
    refuses(row(&face_with("")), 3, &["2303 pixels"]);
    for word in ["256", "-1", "12.5", "1e3", "NaN", "+5", "0x10", "99999999999999999999", "1;2"] {
        refuses(row(&face_with(word)), 3, &["pixel 1 ", word, "0 to 255"]);
    }
    for gaps in ["  ", "\t", " \t "] {
        assert_eq!(accepts(row(&face(7).replace(' ', gaps)), 2).image(1), [7; PIXELS]);
    }
    accepts(row(&format!(" {} ", face_with("007"))), 2);
}

#[test]
fn labels_and_columns() {
    for label in ["7", "-1", "contempt", "3.5", "33", "+3", "\u{663}"] {
        refuses(format!("label,feature\n{label},{}\n", face(1)), 2, &[label, "3 happy"]);
    }
    refuses(format!("label,feature\n{}\n", face(1)), 2, &["1 columns", "expected 2"]);
    refuses(format!("label,feature\n1,{},x\n", face(1)), 2, &["3 columns", "expected 2"]);
    refuses(
        format!("emotion,pixels,Usage\n1,{},Test\n", face(1)),
        2,
        &["Test", "Training, PublicTest or PrivateTest"],
    );
    refuses(format!("id,feature\na\u{7}b,{}\n", face(1)), 2, &["id"]);
}

#[test]
fn quotes_and_long_lines_spoil_only_their_own_line() {
    let good = face(4);
    let text = format!(
        "label,feature\n1,{good}\n2,\"{good}\n3,\"{good}\"\n{}\n4,{}\n5,{good}\n",
        "9".repeat(200_000),
        "1 ".repeat(40_000),
    );
    refuses(&text, 3, &["quote", "not closed"]);
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = file(folder.path(), "d.csv", text);
    let options = ReadOptions { skip_bad: true, list_bad: 2, ..ReadOptions::default() };
    let (dataset, report) = read(&path, &options).expect("three rows are good");
    assert_eq!(dataset.labels(), [Some(1), Some(3), Some(5)]);
    let origins: Vec<_> = (0..3).map(|i| dataset.origin(i).line).collect();
    assert_eq!(origins, [Some(2), Some(4), Some(7)]);
    assert_eq!((report.rows, report.bad_count), (6, 3));
    let listed: Vec<_> = report.bad.iter().map(|b| b.line).collect();
    assert_eq!(listed, [Some(3), Some(5)], "two are listed, three counted");
    assert!(report.bad[1].message.contains("131072 bytes"), "{}", report.bad[1].message);
    refuses(format!("label,feature\n4,{}\n", "1 ".repeat(40_000)), 2, &["65536", "field"]);
}

/// A line of 1 GB: a sparse file of NUL bytes. The memory of this process must not grow with it.
#[test]
fn a_line_of_a_gigabyte_is_refused_within_bounded_memory() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = file(folder.path(), "long.csv", "label,feature\n1,2 3");
    let out = std::fs::OpenOptions::new().write(true).open(&path).expect("just made");
    out.set_len(1 << 30).expect("a sparse file");
    let error = read(&path, &ReadOptions::default()).expect_err("must be refused");
    assert!(error.to_string().contains("long.csv:2: found a line of more than 131072"), "{error}");
}

#[test]
fn blank_lines_do_not_go_on_for_ever() {
    refuses(format!("label,feature\n{}", "\n".repeat(5_000)), 1_002, &["blank lines"]);
    accepts(format!("\n\nlabel,feature\n\n1,{}\n\n\n", face(1)), 1);
}

#[test]
fn gzip_is_known_by_its_content_and_damage_is_an_error() {
    let text = format!("label,feature\n1,{}\n2,{}\n", face(1), face(2));
    let whole = gzip(text.as_bytes());
    assert_eq!(accepts(&whole, 2).label(1), Some(2));
    accepts([gzip(&text.as_bytes()[..100]), gzip(&text.as_bytes()[100..])].concat(), 2);
    for end in 2..whole.len() {
        let error = read_bytes(&whole[..end]).expect_err("cut");
        assert_eq!(error.exit_code(), 3, "cut at {end}: {error}");
    }
    let mut garbage = whole.clone();
    garbage.extend_from_slice(b"this is no gzip member");
    let said = |bytes: &[u8]| read_bytes(bytes).expect_err("damaged").to_string();
    assert_eq!(read_bytes(&garbage).expect_err("garbage").exit_code(), 3);
    assert!(said(&garbage).contains("something else follows"), "{}", said(&garbage));
    let cut = said(&whole[..whole.len() - 20]);
    assert!(cut.contains("too early") && cut.contains("download it again"), "{cut}");
    let mut checksum = whole.clone();
    checksum[whole.len() - 8] ^= 1;
    assert!(said(&checksum).contains("checksum"), "{}", said(&checksum));
    for i in 10..whole.len() {
        let mut flipped = whole.clone();
        flipped[i] ^= 0x10;
        // A bit that nothing reads may flip; wrong faces may not come out.
        if let Ok((dataset, _)) = read_bytes(&flipped) {
            let expected = [vec![1; PIXELS], vec![2; PIXELS]].concat();
            assert_eq!(dataset.pixels(), expected, "byte {i} flipped");
        }
    }
}

/// Zero bytes fill the last block of a tape; gzip(1) passes over them, behind each member and at the end.
#[test]
fn zero_bytes_behind_gzip_data_are_passed_over() {
    let text = format!("label,feature\n1,{}\n2,{}\n", face(1), face(2));
    let [first, rest] = [&text.as_bytes()[..100], &text.as_bytes()[100..]].map(gzip);
    for zeros in [1, 512, 20_000] {
        let zeros = vec![0_u8; zeros];
        let padded = [&first[..], &zeros, &rest, &zeros].concat();
        assert_eq!(accepts(&padded, 2).label(1), Some(2));
        let error = read_bytes([&padded[..], b"more"].concat()).expect_err("no gzip");
        assert!(error.to_string().contains("something else follows"), "{error}");
    }
}

/// 512 MB of good rows in 2 MB: it grows without measure.
#[test]
fn a_gzip_bomb_is_refused() {
    let row = format!("1,{}\n", face(0));
    let part = gzip(row.repeat(200).as_bytes());
    let mut bomb = gzip(b"label,feature\n");
    for _ in 0..600 {
        bomb.extend_from_slice(&part);
    }
    let error = read_bytes(&bomb).expect_err("a bomb");
    assert!(error.to_string().contains("bomb"), "{error}");
    assert_eq!(error.exit_code(), 3);
}

#[test]
fn other_files_and_folders() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let options = ReadOptions::default();
    let fails = |path: &Path, word: &str, code: u8| {
        let error = read(path, &options).expect_err("must be refused");
        assert!(error.to_string().contains(word), "`{word}` is missing in: {error}");
        assert_eq!(error.exit_code(), code);
    };
    fails(folder.path(), "no picture", 3);
    fails(&folder.path().join("absent.csv"), "absent.csv", 1);
    fails(&file(folder.path(), "d.zip", b"PK\x03\x04rest"), "zip", 3);
    fails(Path::new("/dev/null"), "device", 3);
    fails(Path::new("/dev/zero"), "device", 3);
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    if made.is_ok_and(|s| s.success()) {
        fails(&fifo, "pipe", 3);
        std::fs::remove_file(&fifo).expect("just made");
    }
    std::fs::remove_file(folder.path().join("d.zip")).expect("just made");
    std::fs::create_dir(folder.path().join("grumpy")).expect("writable");
    fails(folder.path(), "no picture", 3);
    file(folder.path(), "grumpy/a.png", "x");
    fails(folder.path(), "grumpy", 3);
}

#[test]
fn usage_filters_and_says_when_nothing_is_left() {
    let text = format!("emotion,pixels,Usage\n1,{},Training\n2,{},PrivateTest\n", face(1), face(2));
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = file(folder.path(), "d.csv", text);
    let only = |usage| read(&path, &ReadOptions { usage: Some(usage), ..ReadOptions::default() });
    let (dataset, report) = only(Usage::PrivateTest).expect("one row");
    assert_eq!((dataset.labels(), report.filtered), (&[Some(2)][..], 1));
    let error = only(Usage::PublicTest).expect_err("no such row");
    assert!(error.to_string().contains("none of the 2 rows has the Usage PublicTest"), "{error}");
}

#[test]
fn one_class_cannot_train_and_missing_classes_are_named() {
    let one = accepts(format!("label,feature\n3,{}\n3,{}\n", face(1), face(2)), 2);
    let error = one.require_trainable(Path::new("d.csv")).expect_err("one class");
    assert!(error.to_string().contains("happy"), "{error}");
    let two = accepts(format!("label,feature\n3,{}\n4,{}\n", face(1), face(2)), 2);
    let missing = two.require_trainable(Path::new("d.csv")).expect("two classes");
    assert_eq!(missing, ["angry", "disgust", "fear", "surprise", "neutral"]);
    let (_, report) = read_bytes(format!("label,feature\n3,{}\n", face(1))).expect("good");
    assert_eq!(report.notes.len(), 6);
    let none = accepts(format!("id,feature\n3,{}\n", face(1)), 1);
    assert!(none.require_trainable(Path::new("d.csv")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the bytes, reading returns.
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read_bytes(&bytes);
        let _ = read_bytes([b"label,feature\n".to_vec(), bytes.clone()].concat());
        let _ = read_bytes([b"\x1f\x8b\x08\0\0\0\0\0\0\0".to_vec(), bytes].concat());
    }

    /// The hand-written number reader agrees with the standard library's, but for a point and zeros
    /// behind a number.
    #[test]
    fn pixel_words_are_read_as_the_standard_library_reads_them(word in "[0-9+.e -]{0,5}") {
        let mut out = [0_u8; 2];
        let whole = |w: &str| match w.split_once('.') {
            Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole.parse().ok(),
            _ => w.parse().ok(),
        };
        let expected: Option<Vec<u8>> = word
            .split(' ')
            .filter(|w| !w.is_empty())
            .map(|w| if w.starts_with('+') { None } else { whole(w) })
            .collect();
        let got = fer::dataset::read::csv_rows::parse_pixels(word.as_bytes(), &mut out);
        match expected {
            Some(values) if values.len() == 2 => {
                prop_assert!(got.is_ok());
                prop_assert_eq!(values, out.to_vec());
            }
            _ => prop_assert!(got.is_err()),
        }
    }

    /// Any face survives being written and read, whatever stands between its numbers.
    #[test]
    fn rows_survive_any_gaps(seed in any::<u64>(), gap in "[ \t]{1,3}", quoted in any::<bool>()) {
        let mut rng = fer::random::Rng::new(seed, fer::random::Purpose::Test, 0, 0);
        let pixels: Vec<u8> = (0..PIXELS).map(|_| rng.bits() as u8).collect();
        let words: Vec<String> = pixels.iter().map(u8::to_string).collect();
        let quote = if quoted { "\"" } else { "" };
        let text = format!("feature,label\n{quote}{}{quote},5", words.join(&gap));
        let (dataset, _) = read_bytes(text).expect("a good row");
        prop_assert_eq!(dataset.image(0), &pixels[..]);
        prop_assert_eq!(dataset.label(0), Some(5));
    }
}
