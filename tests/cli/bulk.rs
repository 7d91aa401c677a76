//! `fer predict` for many pictures: shards, archives, resumption.

use crate::support::place::Place;
use std::path::Path;

/// The rows of a table in the order of their ids, without the header.
fn sorted(table: &str) -> Vec<&str> {
    let mut rows: Vec<&str> = table.lines().skip(1).collect();
    rows.sort_unstable();
    rows
}

/// Puts a folder into a tar file, under names relative to it.
fn pack(folder: &Path, tar: &Path) {
    let mut archive = tar::Builder::new(std::fs::File::create(tar).unwrap());
    archive.append_dir_all("", folder).unwrap();
    archive.finish().unwrap();
}

#[test]
fn shards_together_are_the_whole() {
    let place = Place::with_run(1);
    place.ok("data synth --count 300 --out many.csv");
    place.ok("predict run many.csv --out plain.csv");
    place.ok("predict run many.csv --shard 1/1 --out whole.csv");
    assert_eq!(place.text("whole.csv"), place.text("plain.csv"));
    let parts: Vec<String> = (1..=3)
        .map(|i| {
            let done = place.ok(&format!("predict run many.csv --shard {i}/3 --out {i}.csv"));
            assert!(done.stderr.contains("100 records in"), "{}", done.stderr);
            place.text(&format!("{i}.csv"))
        })
        .collect();
    let mut together: Vec<&str> = parts.iter().flat_map(|part| sorted(part)).collect();
    together.sort_unstable();
    assert_eq!(together, sorted(&place.text("whole.csv")));
    place.ok("predict run many.csv --shard 301/301 --out empty.csv");
    assert_eq!(place.text("empty.csv").lines().count(), 1);
    place.fails("predict run many.csv --shard 5/4 --out a.csv", 2, &["expected I/N such as 1/4"]);
    place.fails("predict run many.csv --shard 1/4", 2, &["--out"]);
}

#[test]
fn a_tar_file_gives_the_answers_of_its_folder() {
    let place = Place::with_run(1);
    place.ok("data synth --count 21 --out drawn");
    place.write("drawn/label.cls", b"3");
    pack(&place.path("drawn"), &place.path("drawn.tar"));
    place.ok("predict run drawn --shard 1/1 --out folder.csv");
    place.ok("predict run drawn.tar --out tar.csv");
    assert_eq!(sorted(&place.text("tar.csv")).len(), 21);
    assert_eq!(sorted(&place.text("tar.csv")), sorted(&place.text("folder.csv")));
    place.fails("predict run drawn.tar", 2, &["--out answers.csv"]);
}

#[test]
fn a_truncated_archive_leaves_no_table() {
    let place = Place::with_run(1);
    place.ok("data synth --count 300 --out drawn");
    pack(&place.path("drawn"), &place.path("drawn.tar"));
    let whole = place.read("drawn.tar");
    let words = ["drawn.tar", "expected a whole tar file"];
    place.write("drawn.tar", &whole[..whole.len() / 10 + 100]);
    place.fails("predict run drawn.tar --out answers.csv", 3, &words);
    for name in ["answers.csv", "answers.csv.part", "answers.csv.progress"] {
        assert!(!place.path(name).exists(), "{name}, though nothing was done");
    }
    place.write("drawn.tar", &whole[..whole.len() / 10 * 9 + 100]);
    place.fails("predict run drawn.tar --out answers.csv", 3, &words);
    assert!(!place.path("answers.csv").exists());
    place.write("drawn.tar", &whole);
    let changed = ["--resume", "began with inputs", "start anew without"];
    place.fails("predict run drawn.tar --resume --out answers.csv", 2, &changed);
    place.ok("predict run drawn.tar --out answers.csv");
    assert!(
        !place.path("answers.csv.part").exists() && !place.path("answers.csv.progress").exists()
    );
    place.write("notes.txt", b"no picture");
    std::fs::create_dir(place.path("texts")).unwrap();
    place.write("texts/notes.txt", b"no picture");
    pack(&place.path("texts"), &place.path("texts.tar"));
    place.fails("predict run texts.tar --out a.csv", 3, &["none of them a picture by its name"]);
}

#[test]
fn a_run_that_ended_early_is_continued() {
    let place = Place::with_run(1);
    place.ok("data synth --count 300 --out many.csv");
    place.ok("predict run many.csv faces.csv --shard 1/1 --out whole.csv");
    let good = place.text("faces.csv");
    place.write("faces.csv", good.replacen(' ', "x", 1).as_bytes());
    let line = "predict run many.csv faces.csv --out a.csv --resume";
    place.fails(line, 3, &["faces.csv:2"]);
    assert!(!place.path("a.csv").exists());
    place.write("faces.csv", good.as_bytes());
    let done = place.ok(line);
    assert!(done.stderr.contains("continues after 256 records"), "{}", done.stderr);
    assert_eq!(place.text("a.csv"), place.text("whole.csv"));
}

/// Rows of other sizes are skipped where that is wanted; each is counted by one shard.
#[test]
fn a_table_with_faces_of_other_sizes() {
    let place = Place::with_run(1);
    place.ok("data synth --count 20 --out many.csv");
    let mut rows: Vec<String> = place.text("many.csv").lines().map(str::to_owned).collect();
    let small = rows[4].rsplit_once(' ').unwrap().0.to_owned();
    rows.insert(4, small);
    place.write("mixed.csv", (rows.join("\n") + "\n").as_bytes());
    let words = ["mixed.csv:5: found 2303 pixels; expected 2304 (48 x 48)"];
    place.fails("predict run mixed.csv --shard 1/1 --out a.csv", 3, &words);
    assert!(!place.path("a.csv").exists());
    place.ok("predict run many.csv --shard 1/1 --out whole.csv");
    let done = place.ok("predict run mixed.csv --shard 1/1 --skip-bad --out a.csv");
    assert!(done.stderr.contains(words[0]), "{}", done.stderr);
    assert_eq!(place.text("a.csv"), place.text("whole.csv"));
    place.write("other.csv", b"name,age\nanna,7\n");
    let words = ["other.csv:1: found the header `name,age`", "expected `label,feature`"];
    place.fails("predict run other.csv --shard 1/1 --out b.csv", 3, &words);
    assert!(!place.path("b.csv.part").exists());
}

/// A picture that cannot be read stops nothing; photos of any size are taken.
#[test]
fn bad_pictures_are_counted_and_the_others_answered() {
    let place = Place::with_run(1);
    place.ok("data synth --count 7 --out drawn");
    let photo = fer::render::RgbImage::new(300, 200, [90; 3]).to_png().unwrap();
    let tiny = fer::render::RgbImage::new(5, 5, [90; 3]).to_png().unwrap();
    place.write("drawn/photo.png", &photo);
    place.write("drawn/tiny.png", &tiny);
    place.write("drawn/cut.png", &photo[..60]);
    pack(&place.path("drawn"), &place.path("drawn.tar"));
    let words = ["tiny.png", "cut.png", "2 records cannot be read; the others are in a.csv"];
    place.fails("predict run drawn.tar --out a.csv", 3, &words);
    assert_eq!(sorted(&place.text("a.csv")).len(), 7); // the photo shows no face
    place.ok("predict run drawn.tar --skip-bad --out b.csv");
    assert_eq!(place.text("b.csv"), place.text("a.csv"));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_so() {
    let place = Place::with_run(1);
    place.write("faces.parquet", b"PAR1 and more");
    place.fails("predict run faces.parquet --out a.csv", 3, &["--features parquet"]);
    place.fails("predict run faces.csv --out a.parquet", 2, &["--features parquet"]);
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use super::*;
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::fs::File;
    use std::sync::Arc;

    /// Writes a column after the other; a nested optional column has definition level 2.
    fn write(path: &Path, schema: &str, columns: &[(&[ByteArray], Option<i16>)], labels: usize) {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::builder().build());
        let file = File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for (values, level) in columns {
            let mut column = group.next_column().unwrap().unwrap();
            let levels = level.map(|level| vec![level; values.len()]);
            column.typed::<ByteArrayType>().write_batch(values, levels.as_deref(), None).unwrap();
            column.close().unwrap();
        }
        if labels > 0 {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&vec![0; labels], None, None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    fn images(place: &Place) -> (Vec<ByteArray>, Vec<ByteArray>) {
        let mut files: Vec<_> = walk(&place.path("drawn"));
        files.sort();
        let bytes = files.iter().map(|f| ByteArray::from(std::fs::read(f).unwrap())).collect();
        let name = |f: &std::path::PathBuf| f.strip_prefix(place.path("drawn")).unwrap().to_owned();
        let paths = files.iter().map(|f| ByteArray::from(name(f).to_str().unwrap())).collect();
        (bytes, paths)
    }

    fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
        entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
    }

    const HUGGING_FACE: &str = "message schema { optional group image { optional binary bytes; \
         optional binary path (string); } required int64 label; }";

    #[test]
    fn hugging_face_layout_pixels_and_parquet_output() {
        let place = Place::with_run(1);
        place.ok("data synth --count 14 --out drawn");
        place.ok("data synth --count 14 --out drawn.csv");
        let (bytes, paths) = images(&place);
        let file = place.path("images.parquet");
        write(&file, HUGGING_FACE, &[(&bytes, Some(2)), (&paths, Some(2))], bytes.len());
        place.ok("predict run images.parquet --out a.csv");
        place.ok("predict run drawn --shard 1/1 --out b.csv");
        assert_eq!(sorted(&place.text("a.csv")), sorted(&place.text("b.csv")));

        let csv = place.text("drawn.csv");
        let pixels = csv.lines().skip(1).map(|row| row.rsplit(',').next().unwrap());
        let pixels: Vec<ByteArray> = pixels.map(ByteArray::from).collect();
        let file = place.path("pixels.parquet");
        write(&file, "message schema { required binary pixels (string); }", &[(&pixels, None)], 0);
        place.ok("predict run pixels.parquet --out c.csv");
        place.ok("predict run drawn.csv --shard 1/1 --out d.csv");
        assert_eq!(place.text("c.csv"), place.text("d.csv"));

        place.ok("predict run pixels.parquet --out c.parquet");
        let reader =
            SerializedFileReader::new(File::open(place.path("c.parquet")).unwrap()).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows.len(), 14);
        assert!(rows[0].starts_with("{id: \"0\", label: "), "{}", rows[0]);
    }

    #[test]
    fn damaged_and_foreign_tables_are_refused() {
        let place = Place::with_run(1);
        place.ok("data synth --count 14 --out drawn");
        let (bytes, paths) = images(&place);
        let file = place.path("images.parquet");
        write(&file, HUGGING_FACE, &[(&bytes, Some(2)), (&paths, Some(2))], bytes.len());
        let whole = place.read("images.parquet");
        place.write("cut.parquet", &whole[..whole.len() - 200]);
        let words = ["cut.parquet", "expected a whole file"];
        place.fails("predict run cut.parquet --out a.csv", 3, &words);
        assert!(!place.path("a.csv").exists());
        let other = place.path("other.parquet");
        write(&other, "message schema { required binary text (string); }", &[(&paths, None)], 0);
        let words = ["found the columns text", "expected `image`"];
        place.fails("predict run other.parquet --out a.csv", 3, &words);
    }
}
