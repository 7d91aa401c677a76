//! Tables as other programs write them: separators, extra columns, spellings of labels, lines without end.

use std::io::Read;
use std::path::Path;

use fer::dataset::read::read_stream;
use fer::dataset::{Dataset, ReadOptions, Report, Usage, read, write_csv};
use fer::{Error, PIXELS};

fn face(value: u8) -> String {
    vec![value.to_string(); PIXELS].join(" ")
}

fn read_table(text: impl AsRef<[u8]>, skip_bad: bool) -> fer::Result<(Dataset, Report)> {
    let options = ReadOptions { skip_bad, ..ReadOptions::default() };
    read_stream(text.as_ref(), Path::new("d.csv"), &options)
}

/// Reads a table of which two rows are good: label 3 and 4, pixels 7 and 8. Returns the notes about columns.
#[track_caller]
fn is_read(text: &str) -> String {
    let (faces, report) = read_table(text, false).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(faces.labels(), [Some(3), Some(4)]);
    assert!(faces.image(0) == [7; PIXELS] && faces.image(1) == [8; PIXELS], "other pixels");
    report.notes.into_iter().filter(|note| !note.contains("no face of the class")).collect()
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, line: u64, words: &[&str]) {
    let error = read_table(text, false).expect_err("must be refused");
    assert!(matches!(&error, Error::Data { line: Some(l), .. } if *l == line), "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "`{word}` is missing in: {error}");
    }
}

#[test]
fn decimal_pixels_are_read_if_they_are_whole() {
    let decimal = |value: u8| vec![format!("{value}.0"); PIXELS].join(" ");
    is_read(&format!("emotion,pixels\n3,{}\n4,{}\n", decimal(7), decimal(8)));
    let numpy = |value: u8| format!("[{}]", vec![format!("{value}."); PIXELS].join(" "));
    is_read(&format!("emotion,pixels\n3,{}\n4,{}\n", numpy(7), numpy(8)));
    let half = format!("emotion,pixels\n3,{}\n", decimal(7).replacen("7.0", "7.5", 1));
    refused(half, 2, &["pixel 1 is `7.5`", "whole number", "round"]);
}

#[test]
fn a_missing_column_of_pixels_and_a_wrong_usage_say_what_to_do() {
    let names: Vec<String> = (0..2303).map(|i| format!("px{i}")).collect();
    refused(format!("label,{}\n", names.join(",")), 1, &["2303 columns of pixels", "2304 columns"]);
    let row = format!("emotion,pixels,Usage\n3,{},\n", face(7));
    refused(row, 2, &["Usage ``", "expected Training", "take the column out"]);
}

#[test]
fn columns_of_other_names_are_left_out_with_a_note() {
    let (a, b) = (face(7), face(8));
    let note = is_read(&format!(",emotion,pixels,Usage\n0,3,{a},Training\n1,4,{b},Training\n"));
    assert_eq!(note, "1 column ignored: one without a name");
    let note = is_read(&format!(
        "Unnamed: 0,emotion,pixels,file name\n0,3,{a},a.png\n1,4,\"{b}\",\"b, c.png\"\n"
    ));
    assert_eq!(note, "2 columns ignored: `unnamed: 0`, `file name`");
    // A separator at the end of every line, of the header alone, or of the rows alone.
    is_read(&format!("emotion,pixels,\n3,{a},\n4,{b},\n"));
    is_read(&format!("emotion,pixels,,\n3,{a}\n4,{b},\n"));
    is_read(&format!("emotion,pixels\n3,{a},\n4,{b},,\n"));
    refused(format!("emotion,pixels\n3,{a},x\n"), 2, &["3 columns", "expected 2"]);
    refused(format!("emotion,pixels,Usage\n3,{a}\n"), 2, &["2 columns", "expected 3"]);
    let votes = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";
    let (faces, report) =
        read_table(format!("pixels,{votes}\n{a},0,9,1,0,0,0,0,0,0,0\n"), false).expect("a face");
    assert_eq!(faces.label(0), None);
    assert!(report.notes[0].contains("votes are not read"), "{:?}", report.notes);
    refused(format!("Usage,Image name,{votes}\nTraining,a.png,9\n"), 1, &["votes", "fer2013.csv"]);
}

#[test]
fn separators_are_guessed() {
    let (a, b) = (face(7), face(8));
    for separator in [";", "\t", "|", " ;"] {
        let text = format!("emotion,pixels,Usage\n3,{a},Training\n4,\"{b}\",Training\n");
        assert_eq!(is_read(&text.replace(',', separator)), "");
    }
    is_read(&format!("sep=;\nemotion;pixels\n3;{a}\n4;{b}\n"));
    is_read(&format!("\u{feff}emotion;pixels;\r\n3;{a};\r\n4;{b};\r\n"));
    refused(format!("emotion:pixels\n3:{a}\n"), 1, &["emotion:pixels", "emotion,pixels"]);
}

#[test]
fn pixels_may_have_columns_of_their_own_or_commas_between_them() {
    let line = |label: u8, value: u8| format!("{label}{}\n", format!(",{value}").repeat(PIXELS));
    let numbered = |stem: &str, first: usize| -> String {
        (first..first + PIXELS).map(|k| format!(",{stem}{k}")).collect()
    };
    for (stem, first) in [("pixel", 0), ("pixel_", 1), ("", 0), ("px.", 0)] {
        let header = format!("emotion{}\n", numbered(stem, first));
        is_read(&(header + &line(3, 7) + &line(4, 8)));
    }
    // In the order of their numbers, not of their places.
    let mut order: Vec<usize> = (0..PIXELS).collect();
    order.sort_by_key(|k| k.to_string());
    let names: Vec<String> = order.iter().map(|k| format!("pixel{k}")).collect();
    let values: Vec<String> = order.iter().map(|k| (k % 251).to_string()).collect();
    let text = format!("{},label\n{},2\n", names.join(","), values.join(","));
    let (faces, _) = read_table(text, false).expect("a face");
    let expected: Vec<u8> = (0..PIXELS).map(|k| (k % 251) as u8).collect();
    assert!(faces.image(0) == expected && faces.label(0) == Some(2), "another order of pixels");
    let few: String = (0..784).map(|k| format!(",pixel{k}")).collect();
    refused(format!("label{few}\n"), 1, &["2304 columns", "48 x 48"]);
    let list = |value: u8| format!("\"[{}]\"", vec![value.to_string(); PIXELS].join(", "));
    is_read(&format!("emotion,pixels\n3,{}\n4,{}\n", list(7), list(8)));
    refused(format!("emotion,pixels\n{}", line(3, 7)), 2, &["2305 columns", "quotes"]);
}

#[test]
fn labels_by_name_or_number_and_usage_in_any_case() {
    let (a, b) = (face(7), face(8));
    for (three, four) in
        [("happy", "sad"), ("Happiness", "SADNESS"), ("3.0", "4."), (" 03 ", "4.00")]
    {
        is_read(&format!("label,feature\n{three},{a}\n\"{four}\",{b}\n"));
    }
    let text = format!("emotion,pixels,Usage\n3,{a},training\n4,{b},PUBLICTEST \n");
    let (faces, _) = read_table(text, false).expect("two faces");
    assert_eq!([faces.usage(0), faces.usage(1)], [Some(Usage::Training), Some(Usage::PublicTest)]);
    assert_eq!(faces.parts().as_deref(), Some("1 Training, 1 PublicTest"));
    // An empty label is none; where one is needed, its line is named.
    let (faces, _) = read_table(format!("label,feature\n3,{a}\n,{b}\n"), false).expect("two faces");
    assert_eq!(faces.labels(), [Some(3), None]);
    let error = faces.require_trainable(Path::new("d.csv")).expect_err("a face without label");
    assert!(error.to_string().contains("d.csv:3: has no label"), "{error}");
    // It stays none when it is written.
    let place = tempfile::tempdir().expect("temporary folder");
    let path = place.path().join("written.csv");
    write_csv(&faces, &path).expect("writable");
    let (again, _) = read(&path, &ReadOptions::default()).expect("two faces");
    assert!(again.labels() == faces.labels() && again.pixels() == faces.pixels());
    let text = format!("label,feature\ncontempt,{a}\n7,{a}\nhappy,{b}\n");
    refused(&text, 2, &["contempt", "3 happy"]);
    let (faces, report) = read_table(text, true).expect("one face");
    assert_eq!((faces.labels(), report.bad_count), (&[Some(3)][..], 2));
}

/// A stream that never ends, of which at most `most` bytes may be read.
struct Endless {
    start: &'static [u8],
    most: usize,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.start.read(out)?;
        let n = if n > 0 {
            n
        } else {
            out.fill(b'0');
            out.len()
        };
        self.most = self.most.checked_sub(n).expect("the reader goes on and on");
        Ok(n)
    }
}

#[test]
fn a_line_without_end_is_refused_at_once() {
    for (start, line) in [(&b"label,feature\n"[..], 2), (b"", 1), (b"label,feature\n1,2 3\n", 2)] {
        let stream = Endless { start, most: 4 << 20 };
        let error = read_stream(stream, Path::new("-"), &ReadOptions::default()).expect_err("bad");
        assert!(error.to_string().contains(&format!("-:{line}: ")), "{error}");
    }
    // Where bad rows are skipped, it is skipped, but not for ever.
    let options = ReadOptions { skip_bad: true, ..ReadOptions::default() };
    let stream = Endless { start: b"label,feature\n", most: 20 << 20 };
    let error = read_stream(stream, Path::new("-"), &options).expect_err("endless");
    assert!(
        error.to_string().contains("-:2: ") && error.to_string().contains("16777216"),
        "{error}"
    );
}
