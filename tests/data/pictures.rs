//! Pictures of every kind, whole and broken, and folders of them.

use std::path::Path;

use fer::dataset::image::{GrayImage, decode, decode_colors};
use fer::dataset::{ReadOptions, read};
use fer::{Error, PIXELS, SIDE};
use png::{BitDepth, ColorType};

// 16 x 24 pixels: left half 40, right half 200, a block of 255 in the upper left 8 x 8. Made with
// Pillow 12: `Image.save(…, "JPEG", quality=90)` from mode L, RGB (4:4:4), RGB progressive (4:2:0)
// and CMYK.
const GRAY: &[u8] = include_bytes!("pictures/gray.jpg");
const COLOR: &[u8] = include_bytes!("pictures/color.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("pictures/progressive.jpg");
const CMYK: &[u8] = include_bytes!("pictures/cmyk.jpg");

/// A PNG of any colour type and depth.
fn png_of(
    (width, height): (u32, u32),
    color: ColorType,
    depth: BitDepth,
    data: &[u8],
    more: impl FnOnce(&mut png::Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    more(&mut encoder);
    let mut writer = encoder.write_header().expect("a valid header");
    writer.write_image_data(data).expect("as many bytes as the header says");
    writer.finish().expect("memory");
    bytes
}

#[track_caller]
fn gray_of(bytes: &[u8]) -> GrayImage {
    let decoded = decode(bytes, Path::new("p")).expect("must be decoded");
    assert_eq!(decoded.warning, None);
    decoded.image
}

#[track_caller]
fn refused(bytes: &[u8], word: &str) {
    let error = decode(bytes, Path::new("p")).expect_err("must be refused");
    assert!(matches!(error, Error::Data { .. }), "{error}");
    assert!(error.to_string().contains(word), "`{word}` is missing in: {error}");
}

#[test]
fn png_of_every_depth_and_colour_becomes_the_gray_it_shows() {
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let gray =
        |w, color, depth, data: &[u8]| gray_of(&png_of((w, 1), color, depth, data, plain)).gray;
    assert_eq!(gray(3, ColorType::Grayscale, BitDepth::One, &[0b1010_0000]), [255, 0, 255]);
    assert_eq!(gray(3, ColorType::Grayscale, BitDepth::Two, &[0b0001_1100]), [0, 85, 255]);
    assert_eq!(gray(2, ColorType::Grayscale, BitDepth::Four, &[0x3f]), [51, 255]);
    assert_eq!(gray(2, ColorType::Grayscale, BitDepth::Eight, &[7, 250]), [7, 250]);
    assert_eq!(gray(1, ColorType::Grayscale, BitDepth::Sixteen, &[0x80, 0xff]), [0x80]);
    // luma of pure colours: .299, .587 and .114 of 255
    let colours = [255, 0, 0, 0, 255, 0, 0, 0, 255];
    assert_eq!(gray(3, ColorType::Rgb, BitDepth::Eight, &colours), [76, 150, 29]);
    // transparent black on white is white, half of it the middle
    assert_eq!(gray(2, ColorType::GrayscaleAlpha, BitDepth::Eight, &[0, 0, 0, 128]), [255, 127]);
    assert_eq!(gray(1, ColorType::Rgba, BitDepth::Eight, &[9, 9, 9, 255]), [9]);
    let palette = |e: &mut png::Encoder<&mut Vec<u8>>| {
        e.set_palette(vec![10, 10, 10, 0, 255, 0, 90, 90, 90]);
        e.set_trns(vec![255, 255, 0]);
    };
    let indexed = png_of((3, 1), ColorType::Indexed, BitDepth::Two, &[0b0001_1000], palette);
    assert_eq!(gray_of(&indexed).gray, [10, 150, 255]);
}

/// Adam7 by hand: the encoder writes no interlaced pictures. A 3 x 3 picture has passes of
/// 1x1 (0,0), none, none, 1x1 (2,0)…; rows of each pass with filter byte 0.
#[test]
fn interlaced_png_is_put_together() {
    use std::io::Write;
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let passes: [&[u8]; 6] =
        [&[0, 11], &[0, 13], &[0, 31, 33], &[0, 12], &[0, 32], &[0, 21, 22, 23]];
    for rows in passes {
        zlib.write_all(rows).expect("memory");
    }
    let data = zlib.finish().expect("memory");
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [0, 0, 0, 3, 0, 0, 0, 3, 8, 0, 0, 0, 1];
    for (kind, body) in [(b"IHDR", &header[..]), (b"IDAT", &data[..]), (b"IEND", &[][..])] {
        bytes.extend_from_slice(&chunk(kind, body));
    }
    assert_eq!(gray_of(&bytes).gray, [11, 12, 13, 21, 22, 23, 31, 32, 33]);
}

/// A PNG chunk: length, kind, body, CRC.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(body);
    let mut bytes = (body.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&crc.sum().to_be_bytes());
    bytes
}

#[test]
fn broken_and_huge_png_are_refused() {
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let data: Vec<u8> = (0..=255).collect();
    let whole = png_of((16, 16), ColorType::Grayscale, BitDepth::Eight, &data, plain);
    assert_eq!(gray_of(&whole).gray, data);
    refused(&[], "empty");
    refused(b"GIF89a", "damaged GIF");
    refused(b"\0\0\0\x18ftypheic", "heif-convert photo.heic photo.jpg");
    refused(b"\0\0\0\x18ftypisom", "a video; expected PNG, JPEG, WebP, GIF or BMP: ffmpeg");
    // What is read in spite of damage has the right pixels and a warning.
    let read = |bytes: &[u8], what: &str| {
        decode(bytes, Path::new("p")).is_ok_and(|found| {
            assert!(found.image.gray == data, "{what}");
            let is_whole = bytes == whole;
            assert_eq!(found.warning.is_none(), is_whole, "{what}");
            !is_whole
        })
    };
    let cut = (1..whole.len()).filter(|&end| read(&whole[..end], &format!("cut at {end}"))).count();
    assert!((12..=24).contains(&cut), "{cut} cut files are read: those that lack the end chunk");
    let flipped = (0..whole.len()).filter(|&i| {
        let mut flipped = whole.clone();
        flipped[i] ^= 4;
        read(&flipped, &format!("byte {i} flipped"))
    });
    let checksums = 3 * 4; // of the header, the pixels and the end
    assert!((checksums..=checksums + 12).contains(&flipped.count()));
    let huge = |width: u32, height: u32| {
        let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
        header.extend_from_slice(&[8, 0, 0, 0, 0]);
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &[])].concat()
    };
    refused(&huge(100_000, 100_000), "100000 x 100000");
    refused(&huge(16_384, 8_192), "67108864 pixels");
    refused(&huge(16_385, 1), "sides up to 16384");
    refused(&huge(0, 5), "PNG");
}

/// A compressed text chunk that would grow to 64 MB is left alone.
#[test]
fn a_text_bomb_is_ignored() {
    use std::io::Write;
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let whole = png_of((1, 1), ColorType::Grayscale, BitDepth::Eight, &[77], plain);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&vec![b'a'; 64 << 20]).expect("memory");
    let text = [b"k\0\0".to_vec(), zlib.finish().expect("memory")].concat();
    let bomb = [&whole[..33], &chunk(b"zTXt", &text), &whole[33..]].concat();
    assert_eq!(gray_of(&bomb).gray, [77]);
}

/// The values of the three areas, within JPEG's loss.
#[track_caller]
fn shows_the_three_areas(picture: &GrayImage) {
    assert_eq!((picture.width, picture.height), (16, 24));
    for ((x, y), expected) in [((3, 3), 255), ((3, 15), 40), ((12, 12), 200)] {
        let found = i32::from(picture.gray[y * 16 + x]);
        assert!((found - expected).abs() <= 3, "({x}, {y}): {found} instead of {expected}");
    }
}

#[test]
fn jpeg_baseline_progressive_and_cmyk() {
    for picture in [GRAY, COLOR, PROGRESSIVE, CMYK] {
        shows_the_three_areas(&gray_of(picture));
    }
}

#[test]
fn jpeg_is_turned_as_exif_says() {
    let plain = GRAY;
    let mut segment = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
    segment.extend_from_slice(&[0; 4]);
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
    bytes.extend_from_slice(&(segment.len() as u16 + 2).to_be_bytes());
    bytes.extend_from_slice(&segment);
    bytes.extend_from_slice(&plain[2..]);
    let turned = gray_of(&bytes);
    assert_eq!((turned.width, turned.height), (24, 16));
    // Clockwise by a quarter: the white corner goes from the upper left to the upper right.
    assert!(turned.gray[3 * 24 + 20] > 250);
    assert!(turned.gray[3 * 24 + 5] < 50);
}

#[test]
fn broken_jpeg_never_panics_and_a_cut_one_is_refused() {
    for whole in [GRAY, COLOR, PROGRESSIVE, CMYK] {
        for end in 0..whole.len() {
            let _ = decode(&whole[..end], Path::new("p"));
        }
        refused(&whole[..whole.len() / 2], "JPEG");
        for i in 3..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.to_vec();
                flipped[i] ^= 1 << bit;
                let _ = decode(&flipped, Path::new("p"));
            }
        }
    }
    let mut huge = GRAY.to_vec();
    let frame = huge.windows(2).position(|w| w == [0xff, 0xc0]).expect("a frame header");
    huge[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    refused(&huge, "65535 x 65535");
}

/// Headers that say more than the file holds: what a phone takes is decoded until the bytes end, more is
/// refused at once.
#[test]
fn jpeg_of_a_phone_is_tried_and_what_needs_too_much_memory_is_not() {
    let sized = |picture: &[u8], kind: u8, width: u16, height: u16| {
        let mut bytes = picture.to_vec();
        let frame = bytes.windows(2).position(|w| w == [0xff, kind]).expect("a frame header");
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    };
    refused(&sized(COLOR, 0xc0, 8_064, 6_048), "damaged");
    refused(&sized(PROGRESSIVE, 0xc2, 6_000, 4_000), "damaged");
    refused(&sized(PROGRESSIVE, 0xc2, 8_064, 6_048), "save it as a baseline JPEG");
    refused(&sized(COLOR, 0xc0, 16_384, 8_192), "67108864 pixels");
}

#[test]
fn a_wide_picture_is_read_in_gray_and_in_colour() {
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let data: Vec<u8> = (0..9_000 * 500).flat_map(|i| [10, 90, (i % 9_000 / 40) as u8]).collect();
    let bytes = png_of((9_000, 500), ColorType::Rgb, BitDepth::Eight, &data, plain);
    let gray = gray_of(&bytes);
    assert_eq!((gray.width, gray.height, gray.gray[0]), (9_000, 500, 56));
    let small = decode_colors(&bytes, Path::new("p"), 900).expect("must be decoded");
    assert_eq!((small.planes[0].width, small.planes[0].height, small.scale), (900, 50, 0.1));
    let pixel = |at: usize| small.planes.each_ref().map(|plane| plane.gray[at]);
    assert_eq!((pixel(0), pixel(899)), ([10, 90, 0], [10, 90, 224]));
    let same = decode_colors(GRAY, Path::new("p"), 900).expect("must be decoded");
    assert_eq!(same.planes, [0; 3].map(|_| gray_of(GRAY)));
}

#[test]
fn png_is_turned_as_exif_says_before_or_behind_the_pixels() {
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let whole = png_of((2, 1), ColorType::Grayscale, BitDepth::Eight, &[7, 250], plain);
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let end = whole.len() - 12;
    for at in [33, end] {
        let bytes = [&whole[..at], &chunk(b"eXIf", exif), &whole[at..]].concat();
        let turned = gray_of(&bytes);
        assert_eq!((turned.width, turned.height, turned.gray), (1, 2, vec![7, 250]), "at {at}");
        let colors = decode_colors(&bytes, Path::new("p"), 10).expect("must be decoded");
        assert_eq!((colors.planes[2].width, &colors.planes[2].gray[..]), (1, &[7, 250][..]));
    }
}

#[test]
fn pictures_become_faces_by_their_middle_square() {
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let wide: Vec<u8> =
        (0..SIDE * 96).map(|i| if (24..72).contains(&(i % 96)) { 9 } else { 200 }).collect();
    let bytes = png_of((96, 48), ColorType::Grayscale, BitDepth::Eight, &wide, plain);
    assert_eq!(gray_of(&bytes).to_face(), vec![9; PIXELS]);
    let one = png_of((1, 1), ColorType::Grayscale, BitDepth::Eight, &[33], plain);
    assert_eq!(gray_of(&one).to_face(), vec![33; PIXELS]);
}

#[test]
fn folders_of_classes_whatever_the_extension_says() {
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let root = tempfile::tempdir().expect("temporary folder");
    let face: Vec<u8> = (0..PIXELS).map(|i| (i % 256) as u8).collect();
    let png = png_of((48, 48), ColorType::Grayscale, BitDepth::Eight, &face, plain);
    let put = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().expect("inside root")).expect("writable");
        std::fs::write(path, bytes).expect("writable");
    };
    put("Happiness/b.png", GRAY);
    put("Happiness/a.jpg", &png);
    put("Happiness/.hidden", b"x");
    put("anger/x.jpeg", COLOR);
    let (dataset, report) = read(root.path(), &ReadOptions::default()).expect("three pictures");
    assert_eq!(dataset.labels(), [Some(3), Some(3), Some(0)]);
    assert_eq!(dataset.image(0), &face[..]);
    assert_eq!(dataset.id(0), "Happiness/a.jpg");
    assert_eq!((report.rows, report.notes.len()), (3, 5));

    put("sad/broken.png", b"");
    put("sad/text.png", b"not a picture");
    let error = read(root.path(), &ReadOptions::default()).expect_err("an empty picture");
    assert!(error.to_string().contains("broken.png: the file is empty"), "{error}");
    let options = ReadOptions { skip_bad: true, ..ReadOptions::default() };
    let (dataset, report) = read(root.path(), &options).expect("three good ones");
    assert_eq!((dataset.len(), report.bad_count), (3, 2));

    let (single, _) = read(root.path().join("Happiness/a.jpg"), &options).expect("one picture");
    assert_eq!((single.len(), single.label(0)), (1, None));
    let (flat, _) = read(root.path().join("Happiness"), &options).expect("a plain folder");
    assert_eq!((flat.len(), flat.label(1)), (2, None));
}

/// A BMP file of red, green and blue: a header of 54 bytes, then rows from the bottom, each padded to four
/// bytes.
fn bmp_of((width, height): (usize, usize), rgb: &[u8]) -> Vec<u8> {
    let stride = (3 * width).next_multiple_of(4);
    let mut bytes = b"BM".to_vec();
    let size = (54 + stride * height) as u32;
    for number in [size, 0, 54, 40, width as u32, height as u32, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for row in rgb.chunks_exact(3 * width).rev() {
        let mut line: Vec<u8> = row.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
        line.resize(stride, 0);
        bytes.extend_from_slice(&line);
    }
    bytes
}

/// The same 5×3 pixels as WebP, GIF and BMP: gray and colour as in PNG, an opacity over white, and every
/// shortened file refused without a panic.
#[test]
fn webp_gif_and_bmp_hold_the_same_pixels_as_png() {
    let (width, height) = (5, 3);
    let indices: Vec<u8> = (0..15).collect();
    let rgb: Vec<u8> = (0..45).map(|i| (i * 37 % 251) as u8).collect();
    let plain = |_: &mut png::Encoder<&mut Vec<u8>>| {};
    let expected = png_of((width, height), ColorType::Rgb, BitDepth::Eight, &rgb, plain);
    let mut webp = Vec::new();
    image_webp::WebPEncoder::new(&mut webp)
        .encode(&rgb, width, height, image_webp::ColorType::Rgb8)
        .unwrap();
    let mut gif = Vec::new();
    let frame = gif::Frame::from_palette_pixels(5, 3, indices, rgb.as_slice(), None);
    gif::Encoder::new(&mut gif, 5, 3, &[]).unwrap().write_frame(&frame).unwrap();
    for (name, file) in [("webp", webp), ("gif", gif), ("bmp", bmp_of((5, 3), &rgb))] {
        assert_eq!(gray_of(&file).gray, gray_of(&expected).gray, "{name}");
        let colors = |bytes: &[u8]| fer::dataset::image::decode_colors(bytes, Path::new("p"), 48);
        assert_eq!(colors(&file).unwrap(), colors(&expected).unwrap(), "{name}");
        let options = fer::dataset::ReadOptions::default();
        let as_data = fer::dataset::read::read_stream(&file[..], Path::new("p"), &options);
        assert_eq!(as_data.unwrap_or_else(|e| panic!("{name}: {e}")).0.len(), 1);
        for end in 0..file.len() {
            let _ = decode(&file[..end], Path::new("p")); // an error or a picture, never a panic
        }
    }
    let mut clear = Vec::new();
    let half_black = [0, 0, 0, 128, 0, 0, 0, 0];
    image_webp::WebPEncoder::new(&mut clear)
        .encode(&half_black, 2, 1, image_webp::ColorType::Rgba8)
        .unwrap();
    assert_eq!(gray_of(&clear).gray, [127, 255]);
}

/// A frame smaller than its GIF lies on white, and a second frame is mentioned.
#[test]
fn the_first_frame_of_an_animation_is_read() {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 3, 2, &[]).unwrap();
    let mut frame = gif::Frame::from_palette_pixels(1, 1, [0], [10, 10, 10], None);
    (frame.left, frame.top) = (2, 1);
    encoder.write_frame(&frame).unwrap();
    encoder.write_frame(&gif::Frame::from_palette_pixels(3, 2, [0; 6], [0; 3], None)).unwrap();
    drop(encoder);
    let found = decode(&bytes, Path::new("p")).unwrap();
    assert_eq!(found.image.gray, [255, 255, 255, 255, 255, 10]);
    assert!(found.warning.unwrap().contains("first frame"));
}
