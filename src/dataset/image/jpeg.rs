//! Decodes JPEG files.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::dataset::image::exif::Orientation;
use crate::dataset::image::samples::{Samples, check_size, damaged, to_luma};
use crate::limits::{MAX_DECODING, MAX_SIDE};

/// Decodes a JPEG file into 1 or 3 samples per pixel; a gray file always into 1. Stray bytes between its
/// headers are passed over, as libjpeg does, with a warning; a missing end marker has one as well.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn decode_jpeg(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let mut samples = decode_strictly(bytes, channels).or_else(|error| {
        let tidy = without_stray_bytes(bytes).ok_or(error.clone())?;
        let samples = decode_strictly(&tidy, channels).map_err(|_| error)?;
        let stray = bytes.len() - tidy.len();
        let warning = format!("damaged JPEG: {stray} stray bytes between its headers, passed over");
        Ok::<_, String>(Samples { warning: Some(warning), ..samples })
    })?;
    if !has_end(bytes) {
        let warning = "damaged JPEG: its end marker is missing; read all the same";
        samples.warning.get_or_insert_with(|| warning.into());
    }
    Ok(samples)
}

/// Whether an end marker follows the beginning of the first scan, between whose bytes none can stand; true where the
/// headers do not lead to a scan. Behind the end anything may follow.
fn has_end(bytes: &[u8]) -> bool {
    let scans = first_scan(bytes).and_then(|at| bytes.get(at..));
    scans.is_none_or(|scans| scans.windows(2).rev().any(|pair| pair == [0xff, 0xd9]))
}

fn decode_strictly(bytes: &[u8], channels: usize) -> Result<Samples, String> {
    let fail = |e: zune_jpeg::errors::DecodeErrors| damaged("JPEG", &format!("{e:?}"));
    if let Some(frame) = Frame::of(bytes) {
        frame.check()?; // before the decoder, which has its own limits and words
    }
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .set_strict_mode(true);
    let mut header = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    header.decode_headers().map_err(fail)?;
    let info = header.info().ok_or("JPEG without a size")?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width, height)?;
    let wanted = match header.input_colorspace() {
        Some(ColorSpace::Luma) => ColorSpace::Luma,
        Some(ColorSpace::YCbCr) if channels == 1 => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    let components = usize::from(info.components);
    let whole =
        info.sof.is_progressive() || components == 4 || components_of_scan(bytes) != components;
    let work = width * height * bytes_per_pixel(wanted, components, whole);
    if work > MAX_DECODING {
        return Err(format!(
            "found a JPEG of {width} x {height} that needs {work} bytes; expected at most \
             {MAX_DECODING}: shrink it, or save it as a baseline JPEG"
        ));
    }
    let orientation =
        header.exif().map_or(Orientation::UPRIGHT, |block| Orientation::from_exif(block));
    let options = options.jpeg_set_out_colorspace(wanted);
    let mut samples =
        JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(fail)?;
    if wanted == ColorSpace::RGB && channels == 1 {
        to_luma(&mut samples);
        samples.shrink_to_fit();
    }
    let channels = if wanted == ColorSpace::Luma { 1 } else { channels };
    if samples.len() != width * height * channels {
        return Err(damaged("JPEG", &format!("{} samples for {width} x {height}", samples.len())));
    }
    Ok(Samples { width, height, channels, samples, orientation, warning: None })
}

/// The header of the frame: its kind, and the size of the picture.
struct Frame {
    marker: u8,
    bits: u8,
    height: u16,
    width: u16,
}

impl Frame {
    /// Finds the first frame; `None` if the headers do not lead to one.
    fn of(bytes: &[u8]) -> Option<Frame> {
        let mut at = 2;
        loop {
            let &[0xff, marker, high, low] = bytes.get(at..)?.first_chunk()? else { return None };
            match marker {
                0xff => at += 1, // a fill byte
                0xc4 | 0xc8 | 0xcc => at += 2 + usize::from(u16::from_be_bytes([high, low])),
                0xc0..=0xcf => {
                    let &[bits, h1, h0, w1, w0] = bytes.get(at + 4..)?.first_chunk()?;
                    let [height, width] = [[h1, h0], [w1, w0]].map(u16::from_be_bytes);
                    return Some(Frame { marker, bits, height, width });
                }
                0xda => return None,
                _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
            }
        }
    }

    /// Refuses kinds that the decoder does not know, and sizes beyond the limits.
    fn check(&self) -> Result<(), String> {
        let kind = match self.marker {
            0xc3 => Some("a lossless JPEG".to_owned()),
            0xc5..=0xc7 | 0xcd..=0xcf => Some("a hierarchical JPEG".into()),
            0xc9..=0xcb => Some("an arithmetic-coded JPEG".into()),
            _ if self.bits != 8 => Some(format!("a JPEG of {} bits per sample", self.bits)),
            _ => None,
        };
        match kind {
            Some(kind) => Err(format!(
                "found {kind}; expected a baseline or progressive one of 8 bits: convert it, such as by \
                 magick photo.jpg photo.png"
            )),
            // A height of 0 stands behind the first scan.
            None => check_size(usize::from(self.width), usize::from(self.height.max(1))),
        }
    }
}

/// Returns a JPEG file without the bytes between its headers that belong to none; `None` if there are no
/// such bytes, or the headers do not lead to a scan.
fn without_stray_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut tidy = bytes.get(..2)?.to_vec();
    let mut at = 2;
    loop {
        let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff);
        at += bytes.get(at..)?.windows(2).position(is_marker)?;
        let marker = bytes[at + 1];
        let length = match marker {
            0x01 | 0xd0..=0xd8 => 2, // markers without content
            _ => 2 + usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?])),
        };
        let end = if marker == 0xda { bytes.len() } else { at + length };
        tidy.extend_from_slice(bytes.get(at..end)?);
        if marker == 0xda {
            return (tidy.len() < bytes.len()).then_some(tidy);
        }
        at = end;
    }
}

/// Returns the decoder's memory per pixel in bytes: the samples, and two bytes per coefficient if the
/// coefficients are kept. One more component of coefficients is counted where gray is extracted from
/// colour, because the library may then double the rows.
fn bytes_per_pixel(wanted: ColorSpace, components: usize, whole: bool) -> usize {
    let doubled = wanted == ColorSpace::Luma && components > 1;
    let coefficients = 2 * components + if doubled { 2 } else { 0 };
    wanted.num_components() + if whole { coefficients } else { 0 }
}

/// Returns the number of components in the first scan of a JPEG file; 0 if its headers are malformed.
///
/// If the first scan lacks components, the library keeps the coefficients of the whole image.
fn components_of_scan(bytes: &[u8]) -> usize {
    let count = first_scan(bytes).and_then(|at| bytes.get(at + 4));
    count.copied().map_or(0, usize::from)
}

/// Returns the position of the marker of the first scan; `None` if the headers do not lead to one.
fn first_scan(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            0xff => at += 1, // a fill byte
            0xda => return Some(at),
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    None
}
