//! Laws of the event files: exact bytes, what is read back, what survives a crash.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use fer::monitor::tensorboard::format::decode::{Data, Event, EventContent, Value};
use fer::monitor::tensorboard::format::record::{Next, RecordReader, put_record};
use fer::monitor::tensorboard::format::tags;
use fer::monitor::tensorboard::summary::graph;
use fer::monitor::tensorboard::summary::layout::{Chart, layout};
use fer::monitor::tensorboard::{EventWriter, HParam, Metric, Status};

fn clock() -> f64 {
    2.0
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// The records of a file up to its end, and what stands there.
fn records(bytes: &[u8]) -> (Vec<Vec<u8>>, Next) {
    let mut reader = RecordReader::new(Cursor::new(bytes));
    let mut records = Vec::new();
    loop {
        match reader.read().unwrap() {
            Next::Record(record) => records.push(record),
            other => return (records, other),
        }
    }
}

/// The bytes of the one file in `dir` that is not empty.
fn only_event_file(dir: &Path) -> Vec<u8> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_str().unwrap().contains("tfevents"));
    assert!(files.len() <= 2, "at most one empty file beside it: {files:?}");
    let mut full: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    full.retain(|bytes| !bytes.is_empty());
    assert_eq!(full.len(), 1, "{files:?}");
    full.remove(0)
}

pub fn values(dir: &Path) -> Vec<(u64, Value)> {
    let (records, end) = records(&only_event_file(dir));
    assert_eq!(end, Next::End);
    let mut all = Vec::new();
    for record in records {
        let event = Event::decode(&record).unwrap();
        if let EventContent::Summary(values) = event.content {
            all.extend(values.into_iter().map(|value| (event.step, value)));
        }
    }
    all
}

/// (step, value) of a scalar.
fn curve(dir: &Path, tag: &str) -> Vec<(u64, f32)> {
    let all = values(dir);
    all.iter().filter(|(_, v)| v.tag == tag).map(|(s, v)| (*s, v.scalar().unwrap())).collect()
}

/// A whole file. The bytes come from Google's own encoder (protobuf 7.36, TensorBoard 2.21):
/// `SerializeToString` of the same events, framed by TensorBoard's `masked_crc32c`.
#[test]
fn file_is_exact_to_the_byte() {
    let expected = "
        18 00 00 00 00 00 00 00 a3 7f 4b 22
          09 00 00 00 00 00 00 00 40 1a 0d 62 72 61 69 6e 2e 45 76 65 6e 74 3a 32
          ff 2e e0 e7
        0d 00 00 00 00 00 00 00 3c 37 b8 34
          09 00 00 00 00 00 00 00 40 3a 02 08 01
          87 ca a5 0d
        2e 00 00 00 00 00 00 00 c5 cb 57 fa
          09 00 00 00 00 00 00 00 40 10 03 2a 21 0a 1f 0a 04 6c 6f 73 73
          42 0a 08 01 12 00 22 04 00 00 80 3f 4a 0b 0a 09 0a 07 73 63 61 6c 61 72 73
          e6 b2 0c fa
        35 00 00 00 00 00 00 00 d6 c5 5d e6
          09 00 00 00 00 00 00 00 40 10 ac 02 2a 27 0a 25 0a 04 6e 6f 74 65
          42 13 08 07 12 08 12 02 08 02 12 02 08 01 42 02 68 69 42 01 21
          4a 08 0a 06 0a 04 74 65 78 74
          50 1d 8a 64
        47 00 00 00 00 00 00 00 ba c3 fb 9b
          09 00 00 00 00 00 00 00 40 22 3c 0a 36 0a 01 78 12 04 52 65 6c 75 1a 02 69 6e
          2a 27 0a 0e 5f 6f 75 74 70 75 74 5f 73 68 61 70 65 73
          12 15 0a 13 3a 11 12 0b 08 ff ff ff ff ff ff ff ff ff 01 12 02 08 04 22 02 08 16
          ae e2 73 bd";
    let expected = bytes(expected);
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    writer.scalar("loss", 3, 1.0).unwrap();
    writer.table("note", 300, &[vec!["hi"], vec!["!"]]).unwrap();
    let relu = graph::Node {
        name: "x".into(),
        op: "Relu".into(),
        inputs: vec!["in".into()],
        output_shape: vec![None, Some(4)],
    };
    writer.run_graph(&[relu]).unwrap();
    writer.flush().unwrap();
    assert!(writer.path().ends_with("events.out.tfevents.0000000002.fer"));
    assert_eq!(only_event_file(dir.path()), expected);
}

#[test]
fn every_kind_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x30\0\0\x01\x02rest";
    writer.scalar("s", 1, f32::NAN).unwrap();
    writer.histogram("h", 1, &[1.0, f32::NAN, 4.0, f32::INFINITY]).unwrap();
    writer.images("i", 1, &[png, png]).unwrap();
    writer.text("t", 1, "**bold**").unwrap();
    writer.pr_curve("p", 1, &[1.0, 0.5, 0.0, f32::NAN], &[true, true, false, true]).unwrap();
    drop(writer); // flushes
    let found = values(dir.path());
    let of = |tag: &str| &found.iter().find(|(_, value)| value.tag == tag).unwrap().1;
    assert!(of("s").scalar().unwrap().is_nan());
    assert_eq!(of("nonfinite/h").scalar(), Some(2.0));
    assert_eq!(of("nonfinite/p").scalar(), Some(1.0));
    let Data::Doubles(rows) = &of("h").tensor.data else { panic!() };
    assert_eq!(
        (of("h").tensor.shape.as_slice(), of("h").plugin.as_str()),
        (&[30, 3][..], "histograms")
    );
    assert_eq!((rows[0], rows[2], rows[88], rows[89]), (1.0, 1.0, 4.0, 1.0));
    let strings = Data::Strings(vec![b"48".into(), b"258".into(), png.into(), png.into()]);
    assert_eq!(of("i").tensor.data, strings);
    assert_eq!(of("t").tensor.data, Data::Strings(vec![b"**bold**".into()]));
    let Data::Floats(rows) = &of("p").tensor.data else { panic!() };
    assert_eq!(
        (of("p").tensor.shape.as_slice(), of("p").content.as_slice()),
        (&[6, 201][..], &[0x10, 0xc9, 1][..])
    );
    let column = |i: usize| [0, 1, 2, 3, 4, 5].map(|row| rows[row * 201 + i]);
    assert_eq!(column(0), [2.0, 1.0, 0.0, 0.0, 2.0 / 3.0, 1.0]);
    assert_eq!(column(100), [2.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(column(101), [1.0, 0.0, 1.0, 1.0, 1.0, 0.5]);
    assert_eq!(column(200), [1.0, 0.0, 1.0, 1.0, 1.0, 0.5]);
}

/// The bytes come from `SerializeToString` of TensorBoard's own messages (protobuf 7.36,
/// TensorBoard 2.21): `HParamsPluginData` and `Layout`.
#[test]
fn hyper_parameters_and_layout_are_exact_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    let hparams =
        [("a", HParam::Number(0.5)), ("b", HParam::Text("x".into())), ("c", HParam::Flag(true))];
    let metric = Metric { group: "g", tag: "t", display_name: "d" };
    writer.hparams(&hparams, &[metric]).unwrap();
    writer.session_end(9, Status::Failure).unwrap();
    writer.summary(0, &layout(&[("c", vec![Chart::new("t", &["a.b/c_d"])])])).unwrap();
    drop(writer);
    let found = values(dir.path());
    let tags = found.iter().map(|(step, value)| (*step, &*value.tag));
    let expected = ["experiment", "session_start_info", "session_end_info"];
    let expected = expected.map(|name| format!("_hparams_/{name}"));
    assert!(tags.eq([
        (0, &*expected[0]),
        (0, &expected[1]),
        (9, &expected[2]),
        (0, "custom_scalars__config__")
    ]));
    let experiment = "12 22 22 05 0a 01 61 20 03 22 05 0a 01 62 20 01 22 05 0a 01 63 20 02
        2a 0b 0a 06 0a 01 67 12 01 74 1a 01 64";
    let start =
        "1a 2c 0a 0e 0a 01 61 12 09 11 00 00 00 00 00 00 e0 3f 0a 08 0a 01 62 12 03 1a 01 78
        0a 07 0a 01 63 12 02 20 01 29 00 00 00 00 00 00 00 40";
    let end = "22 0b 08 02 11 00 00 00 00 00 00 00 40";
    assert_eq!([0, 1, 2].map(|i| found[i].1.content.clone()), [experiment, start, end].map(bytes));
    let layout = "12 16 0a 01 63 12 11 0a 01 74 12 0c 0a 0a 5e 61 5c 2e 62 2f 63 5f 64 24";
    assert_eq!(found[3].1.tensor.data, Data::Strings(vec![bytes(layout)]));
}

#[test]
fn damaged_events_do_not_panic() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    writer.histogram("h", 1, &[1.0, 2.0]).unwrap();
    writer.table("t", 1, &[vec!["a", "b"]]).unwrap();
    writer.hparams(&[("a", HParam::Number(0.5))], &tags::METRICS).unwrap();
    drop(writer);
    for record in records(&only_event_file(dir.path())).0 {
        for cut in 0..record.len() {
            let _ = Event::decode(&record[..cut]);
        }
        for bit in 0..record.len() * 8 {
            let mut bad = record.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let _ = Event::decode(&bad);
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_and_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    let png =
        |width| [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0", &[width][..], &[0, 0, 0, 9]].concat();
    assert!(writer.image("i", 0, b"GIF89a").is_err());
    assert!(writer.image("i", 0, &png(1)[..20]).is_err());
    assert!(writer.images("i", 0, &[png(1), png(2)]).is_err());
    assert!(writer.images::<Vec<u8>>("i", 0, &[]).is_err());
    assert!(writer.table("t", 0, &[vec!["a", "b"], vec!["c"]]).is_err());
    assert!(writer.table::<&str>("t", 0, &[]).is_err());
    assert!(writer.pr_curve("p", 0, &[0.5], &[]).is_err());
    writer.flush().unwrap();
    assert!(values(dir.path()).is_empty());
}

#[test]
fn a_file_cut_at_any_byte_is_read_up_to_the_cut() {
    let datas: [&[u8]; 4] = [b"", b"a", &[7; 300], b"end"];
    let (mut file, mut ends) = (Vec::new(), vec![0]);
    for data in datas {
        put_record(&mut file, data);
        ends.push(file.len());
    }
    for cut in 0..=file.len() {
        let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
        let (read, end) = records(&file[..cut]);
        assert_eq!(read, datas[..whole], "cut at {cut}");
        let expected = if ends.contains(&cut) { Next::End } else { Next::Truncated };
        assert_eq!(end, expected, "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let mut file = Vec::new();
    put_record(&mut file, b"first");
    put_record(&mut file, b"second");
    for bit in 0..21 * 8 {
        let mut bad = file.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let mut reader = RecordReader::new(&bad[..]);
        let found = reader.read().unwrap();
        if bit < 12 * 8 {
            assert_eq!(found, Next::DamagedLength, "bit {bit}");
        } else {
            assert_eq!(found, Next::Damaged, "bit {bit}");
            assert_eq!(reader.read().unwrap(), Next::Record(b"second".into()));
            assert_eq!(reader.offset(), file.len() as u64);
        }
    }
}

/// Writes epochs `steps` of a run whose loss is `10 · step + offset`.
fn train(writer: &mut EventWriter, steps: std::ops::Range<u64>, offset: f32) {
    for step in steps {
        writer.scalar(tags::EPOCH_LOSS, step, 10.0 * step as f32 + offset).unwrap();
        writer.histogram("conv/kernel/histogram", step, &[0.0, step as f32]).unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn a_resumed_run_has_no_doubled_steps() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    writer.text("note", 0, "kept").unwrap();
    train(&mut writer, 0..5, 0.0);
    let first = writer.path().to_path_buf();
    drop(writer);
    let foreign = dir.path().join("events.out.tfevents.9999999999.other");
    fs::write(&foreign, "not ours").unwrap();

    let mut writer = EventWriter::resume(dir.path(), 3, clock).unwrap();
    let resumed = writer.resumed();
    assert_eq!((resumed.kept, resumed.dropped, resumed.damaged), (7, 4, 0));
    assert!(writer.path() > first.as_path(), "the new name must sort behind the old one");
    train(&mut writer, 3..6, 0.5);
    drop(writer);

    assert_eq!(fs::read_to_string(&foreign).unwrap(), "not ours");
    fs::remove_file(&foreign).unwrap();
    let expected = [(0, 0.0), (1, 10.0), (2, 20.0), (3, 30.5), (4, 40.5), (5, 50.5)];
    assert_eq!(curve(dir.path(), tags::EPOCH_LOSS), expected);
    assert_eq!(values(dir.path())[0].1.tag, "note");
}

#[test]
fn resuming_survives_a_tail_torn_at_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    writer.scalar(tags::EPOCH_LOSS, 0, 0.0).unwrap();
    writer.scalar(tags::EPOCH_LOSS, 1, 10.0).unwrap();
    writer.flush().unwrap();
    let name = writer.path().file_name().unwrap().to_owned();
    drop(writer);
    let whole = only_event_file(dir.path());
    for cut in 0..whole.len() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(&name), &whole[..cut]).unwrap();
        let mut writer = EventWriter::resume(dir.path(), 9, clock).unwrap();
        writer.scalar("more", 9, 1.0).unwrap();
        drop(writer);
        assert_eq!(curve(dir.path(), "more"), [(9, 1.0)], "cut at {cut}");
        let kept = curve(dir.path(), tags::EPOCH_LOSS);
        assert_eq!(kept, [(0, 0.0), (1, 10.0)][..kept.len()], "cut at {cut}");
    }
}

#[test]
fn resuming_leaves_out_damaged_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    for step in 0..4 {
        writer.scalar("loss", step, step as f32).unwrap();
    }
    let path = writer.path().to_path_buf();
    drop(writer);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 + 30;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let writer = EventWriter::resume(dir.path(), 9, clock).unwrap();
    assert_eq!((writer.resumed().kept, writer.resumed().damaged), (3, 1));
}

/// Between the rename and the removal a crash leaves the old file beside the new one.
#[test]
fn resuming_after_a_crash_while_resuming() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    train(&mut writer, 0..5, 0.0);
    let old = writer.path().to_path_buf();
    drop(writer);
    let old_bytes = fs::read(&old).unwrap();
    let mut writer = EventWriter::resume(dir.path(), 2, clock).unwrap();
    train(&mut writer, 2..4, 0.5);
    drop(writer);
    fs::write(&old, old_bytes).unwrap();
    fs::write(dir.path().join("resume.fer.tmp"), "stale").unwrap();
    drop(EventWriter::resume(dir.path(), 4, clock).unwrap());
    let expected = [(0, 0.0), (1, 10.0), (2, 20.5), (3, 30.5)];
    assert_eq!(curve(dir.path(), tags::EPOCH_LOSS), expected);
}

#[test]
fn a_new_run_does_not_mix_with_an_old_one() {
    let dir = tempfile::tempdir().unwrap();
    drop(EventWriter::create(dir.path(), clock).unwrap());
    let error = EventWriter::create(dir.path(), clock).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("resume"), "{error}");
    let fresh = dir.path().join("deep/er");
    assert_eq!(EventWriter::resume(&fresh, 7, clock).unwrap().resumed().kept, 0);
}

#[test]
fn the_buffer_is_written_before_it_grows_large() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(dir.path(), clock).unwrap();
    let text = "x".repeat(100_000);
    for step in 0..25 {
        writer.text("t", step, &text).unwrap();
    }
    let before_flush = fs::read(writer.path()).unwrap();
    assert!(before_flush.len() > 2_000_000);
    assert_eq!(records(&before_flush).1, Next::End, "a whole number of records");
}
