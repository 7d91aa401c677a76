//! Pictures that are damaged beside their pixels are read with a warning; a decoder that panics is an error
//! of its file.

use std::path::Path;

use fer::dataset::ReadOptions;
use fer::dataset::image::{Decoded, decode, decode_colors};
use fer::dataset::read::read_stream;

/// 16 x 24 pixels, gray, by Pillow 12; the same as in `tests/render/pictures.rs`.
const JPEG: &str = "\
    ffd8ffe000104a46494600010100000100010000ffdb004300030202030202030303030403030405080505040405\
    0a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc000\
    0b080018001001011100ffc4001500010100000000000000000000000000000908ffc40014100100000000000000\
    000000000000000000ffda0008010100003f0054d36054356150d5bfffd9";

fn jpeg() -> Vec<u8> {
    let pairs = JPEG.as_bytes().chunks_exact(2);
    let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16);
    pairs.map(|pair| hex(pair).expect("hex")).collect()
}

/// A PNG chunk with any checksum: length, kind, body.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(body);
    let length = (body.len() as u32).to_be_bytes();
    [&length[..], kind, body, &crc.sum().to_be_bytes()].concat()
}

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Compressed rows of a PNG, each with filter 0.
fn rows(rows: &[&[u8]]) -> Vec<u8> {
    use std::io::Write;
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for row in rows {
        zlib.write_all(&[&[0], *row].concat()).expect("memory");
    }
    zlib.finish().expect("memory")
}

/// 3 x 2 gray pixels, as chunks: header, pixels, end.
fn png() -> [Vec<u8>; 3] {
    let header = [0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0];
    let pixels = rows(&[&[1, 2, 3], &[4, 5, 6]]);
    [chunk(b"IHDR", &header), chunk(b"IDAT", &pixels), chunk(b"IEND", &[])]
}

#[test]
fn of_an_animated_png_the_first_frame_is_read_with_a_note() {
    let [header, pixels, end] = png();
    let control = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]); // two frames
    let frame = |number: u8| {
        let size = [[0, 0, 0, number], [0, 0, 0, 3], [0, 0, 0, 2], [0; 4], [0; 4]].concat();
        chunk(b"fcTL", &[&size[..], &[0, 1, 0, 1, 0, 0]].concat())
    };
    let second = chunk(b"fdAT", &[&[0, 0, 0, 2][..], &rows(&[&[9, 9, 9], &[9, 9, 9]])].concat());
    let parts = [SIGNATURE, &header, &control, &frame(0), &pixels, &frame(1), &second, &end];
    let found = read(&parts.concat()).expect("a picture");
    assert_eq!(found.image.gray, [1, 2, 3, 4, 5, 6]);
    assert!(found.warning.expect("a note").contains("first frame"));
}

/// Refuses kinds and sizes that no decoder reads, in one line with a way out.
#[test]
fn kinds_and_sizes_that_are_not_read_are_named() {
    let frame = jpeg().windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    let changed = |at: usize, value: &[u8]| {
        let mut bytes = jpeg();
        bytes[frame + at..frame + at + value.len()].copy_from_slice(value);
        bytes
    };
    let mut bitmap = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bitmap.extend([20_000_i32.to_le_bytes(), (-64_i32).to_le_bytes()].concat());
    bitmap.resize(60, 0);
    let [header, pixels, end] = png();
    let unknown = [SIGNATURE, &header, &chunk(b"ABCD", b"x"), &pixels, &end].concat();
    for (bytes, words) in [
        (changed(1, &[0xc9]), ["arithmetic-coded", "convert it"]),
        (changed(1, &[0xc3]), ["lossless", "convert it"]),
        (changed(1, &[0xc5]), ["hierarchical", "convert it"]),
        (changed(4, &[12]), ["12 bits per sample", "convert it"]),
        (changed(7, &20_000_u16.to_be_bytes()), ["20000 x 24", "shrink it"]),
        (bitmap, ["20000 x 64", "shrink it"]),
        (unknown, ["ABCD", "anew"]),
    ] {
        let text = read(&bytes).expect_err("refused").to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
        assert!(!text.contains('{') && !text.contains('\n') && !text.contains("\\n"), "{text}");
    }
}

fn read(bytes: &[u8]) -> fer::Result<Decoded> {
    decode(bytes, Path::new("p"))
}

#[test]
fn a_png_whose_pixels_are_whole_is_read_with_a_warning() {
    let [header, pixels, end] = png();
    let whole = [SIGNATURE, &header, &pixels, &end].concat();
    assert_eq!(read(&whole).expect("whole").warning, None);
    let spoilt = |chunk: &[u8], at: usize| {
        let mut bytes = chunk.to_vec();
        let at = bytes.len() - at;
        bytes[at] ^= 0x55;
        bytes
    };
    for (what, bytes) in [
        ("no end", [SIGNATURE, &header, &pixels].concat()),
        ("half an end", [SIGNATURE, &header, &pixels, &end[..5]].concat()),
        ("checksum of the pixels", [SIGNATURE, &header, &spoilt(&pixels, 1), &end].concat()),
        ("checksum of the header", [SIGNATURE, &spoilt(&header, 2), &pixels, &end].concat()),
        ("checksum of the end", [SIGNATURE, &header, &pixels, &spoilt(&end, 4)].concat()),
    ] {
        let found = read(&bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(found.image.gray, [1, 2, 3, 4, 5, 6], "{what}");
        let warning = found.warning.unwrap_or_else(|| panic!("{what}: no warning"));
        assert!(warning.starts_with("damaged PNG ("), "{what}: {warning}");
        assert!(decode_colors(&bytes, Path::new("p"), 9).is_ok(), "{what}, in colour");
    }
    // The pixels themselves, even where the chunk has the right checksum.
    let mut body = rows(&[&[1, 2, 3], &[4, 5, 6]]);
    let last = body.len() - 6;
    body[last] ^= 4;
    let bytes = [SIGNATURE, &header, &spoilt(&chunk(b"IDAT", &body), 1), &end].concat();
    assert!(read(&bytes).is_err(), "wrong pixels");
}

#[test]
fn a_jpeg_with_stray_bytes_between_its_headers_is_read_with_a_warning() {
    let whole = jpeg();
    let plain = read(&whole).expect("whole");
    assert_eq!(plain.warning, None);
    let segments = [0xdb, 0xc0, 0xc4, 0xda]
        .map(|kind| whole.windows(2).position(|w| w == [0xff, kind]).expect("a segment"));
    for at in segments {
        for stray in [&[0, 0, 0][..], b"junk", &[0; 3_000], &[0x12, 0xff, 0x00, 0x34, 0x56]] {
            let bytes = [&whole[..at], stray, &whole[at..]].concat();
            let found = read(&bytes).unwrap_or_else(|e| panic!("{stray:?} at {at}: {e}"));
            assert_eq!(found.image, plain.image);
            // Fewer than four are passed over by the decoder itself.
            if stray.len() > 3 {
                assert!(found.warning.expect("a warning").contains("stray bytes"));
            }
        }
    }
    let cut = [&whole[..segments[3]], b"junk", &whole[segments[3]..whole.len() - 8]].concat();
    assert!(read(&cut).is_err(), "stray bytes do not excuse missing pixels");
}

/// The end marker overwritten by zeros, as where the last block of a file was lost.
#[test]
fn a_jpeg_without_its_end_marker_is_read_with_a_warning() {
    let whole = jpeg();
    let lost = [&whole[..whole.len() - 2], &[0; 8]].concat();
    let found = read(&lost).expect("all pixels");
    assert_eq!(found.image, read(&whole).expect("whole").image);
    assert!(found.warning.expect("a warning").contains("end marker is missing"));
    let longer = [&whole[..], b"more"].concat();
    assert_eq!(read(&longer).expect("whole").warning, None);
}

/// Damage to the first bytes does not make a table of a picture; the content of a table counts, not its name.
#[test]
fn a_picture_whose_first_bytes_are_damaged_is_no_table() {
    let [header, pixels, end] = png();
    let whole = [SIGNATURE, &header, &pixels, &end].concat();
    let line_feeds = [&whole[..4], &whole[5..]].concat(); // sent as text: \r\n became \n
    let as_data = |bytes: &[u8]| read_stream(bytes, Path::new("p.png"), &ReadOptions::default());
    for bytes in [line_feeds, [&b"\n"[..], &jpeg()].concat(), vec![0; 600]] {
        let error = as_data(&bytes).expect_err("damaged");
        assert!(error.to_string().contains("found no picture data"), "{error}");
        assert_eq!(error.exit_code(), 3);
    }
    let table = format!("label,feature\n1,{}\n", "7 ".repeat(fer::PIXELS));
    assert_eq!(as_data(table.as_bytes()).expect("a table").0.len(), 1);
}

/// image-png 0.18.1 panics on an indexed picture whose palette is no multiple of 3 bytes long.
#[test]
fn a_decoder_that_panics_is_an_error_of_that_file() {
    let header = [0, 0, 0, 2, 0, 0, 0, 2, 8, 3, 0, 0, 0];
    let end = chunk(b"IEND", &[]);
    for length in [1, 2, 4, 5, 49, 766, 767] {
        let palette = chunk(b"PLTE", &vec![7; length]);
        let pixels = chunk(b"IDAT", &rows(&[&[0, 0], &[0, 0]]));
        let bytes = [SIGNATURE, &chunk(b"IHDR", &header), &palette, &pixels, &end].concat();
        let error = read(&bytes).expect_err("a wrong palette");
        assert!(error.to_string().starts_with("p: damaged PNG ("), "{length}: {error}");
        assert_eq!(error.exit_code(), 3);
    }
}
