//! Reads the orientation from EXIF data.

use crate::dataset::image::GrayImage;

/// The rotation or reflection that turns an image upright (EXIF tag 0x0112, values 1…8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// No change.
    pub const UPRIGHT: Orientation = Orientation(1);

    /// Returns the orientation with this EXIF value; upright for values outside 1…8, which some cameras
    /// write.
    pub fn new(value: u16) -> Self {
        if (1..=8).contains(&value) { Orientation(value as u8) } else { Self::UPRIGHT }
    }

    /// Reads the TIFF block of a JPEG's APP1 segment, with or without its prefix `Exif\0\0`, or of a PNG's
    /// eXIf chunk. Returns upright if the block is damaged or lacks the tag.
    pub fn from_exif(block: &[u8]) -> Self {
        let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        find_tag(tiff).map_or(Self::UPRIGHT, Self::new)
    }

    /// Turns an image upright.
    pub fn apply(self, image: GrayImage) -> GrayImage {
        if self == Self::UPRIGHT {
            return image;
        }
        let GrayImage { width, height, gray } = image;
        let turned = self.0 >= 5; // rows of the file are columns of the scene
        let (w_out, h_out) = if turned { (height, width) } else { (width, height) };
        let (right, bottom) = (width - 1, height - 1);
        let mut out = Vec::with_capacity(gray.len());
        for y in 0..h_out {
            for x in 0..w_out {
                let (sx, sy) = match self.0 {
                    2 => (right - x, y),
                    3 => (right - x, bottom - y),
                    4 => (x, bottom - y),
                    5 => (y, x),
                    6 => (y, bottom - x),
                    7 => (right - y, bottom - x),
                    _ => (right - y, x),
                };
                out.push(gray[sy * width + sx]);
            }
        }
        GrayImage { width: w_out, height: h_out, gray: out }
    }
}

/// Returns the value of tag 0x0112, of any type of integer, in the first directory of a TIFF block.
fn find_tag(tiff: &[u8]) -> Option<u16> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let word = |at: usize| -> Option<u16> {
        let bytes = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| -> Option<usize> {
        let (a, b) = (usize::from(word(at)?), usize::from(word(at + 2)?));
        Some(if little { a | b << 16 } else { a << 16 | b })
    };
    let directory = long(4)?;
    let entries = usize::from(word(directory)?);
    (0..entries)
        .map(|i| directory + 2 + 12 * i)
        .find(|&entry| word(entry) == Some(0x0112))
        .and_then(|entry| match word(entry + 2)? {
            1 | 6 => tiff.get(entry + 8).map(|&byte| byte.into()), // BYTE, SBYTE
            4 | 9 => long(entry + 8)?.try_into().ok(),             // LONG, SLONG
            _ => word(entry + 8),                                  // SHORT, as the standard wants
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a TIFF block with only this tag, of a type of 1, 2 or 4 bytes.
    fn block(value: u16, kind: u16, little: bool) -> Vec<u8> {
        let word = |v: u16| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let mut b = if little { b"II*\0\x08\0\0\0".to_vec() } else { b"MM\0*\0\0\0\x08".to_vec() };
        for v in [1, 0x0112, kind] {
            b.extend(word(v));
        }
        b.extend(if little { [1, 0, 0, 0] } else { [0, 0, 0, 1] });
        match kind {
            1 | 6 => b.extend([value as u8, 0xaa, 0xaa, 0xaa]), // what follows a value is arbitrary
            4 | 9 if little => b.extend([word(value), [0; 2]].concat()),
            4 | 9 => b.extend([[0; 2], word(value)].concat()),
            _ => b.extend([word(value), [0xaa; 2]].concat()),
        }
        b.extend([0; 4]);
        b
    }

    #[test]
    fn the_tag_is_found_in_both_byte_orders_and_no_damage_matters() {
        for little in [true, false] {
            for (value, kind) in (1..=8).flat_map(|v| [1, 3, 4, 6, 8, 9].map(|kind| (v, kind))) {
                let found = Orientation::from_exif(&block(value, kind, little));
                assert_eq!(found, Orientation::new(value), "type {kind}");
            }
            let whole = block(6, 3, little);
            for end in 0..whole.len() {
                let _ = Orientation::from_exif(&whole[..end]);
            }
        }
        assert_eq!(Orientation::from_exif(&block(9, 3, true)), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_exif(b"MM\0*\xff\xff\xff\xff"), Orientation::UPRIGHT);
    }

    /// The scene is `a b c / d e f`; each row holds how a camera stores it under that value.
    #[test]
    fn all_eight_orientations_show_the_same_scene() {
        let stored: [(&[u8], usize, usize); 8] = [
            (b"abcdef", 3, 2),
            (b"cbafed", 3, 2),
            (b"fedcba", 3, 2),
            (b"defabc", 3, 2),
            (b"adbecf", 2, 3),
            (b"cfbead", 2, 3),
            (b"fcebda", 2, 3),
            (b"daebfc", 2, 3),
        ];
        for (value, (pixels, w, h)) in (1..).zip(stored) {
            let stored = GrayImage { width: w, height: h, gray: pixels.to_vec() };
            let upright = GrayImage { width: 3, height: 2, gray: b"abcdef".to_vec() };
            assert_eq!(Orientation::new(value).apply(stored), upright, "value {value}");
        }
    }
}
