//! 8-bit RGB images and their PNG form.

use crate::{Error, Result};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// A colour: red, green, blue, 0…255.
pub type Rgb = [u8; 3];

/// Most pixels of an image; a forged header cannot allocate more.
pub const MAX_PIXELS: usize = 100_000_000;

/// An RGB image, rows from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbImage {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl RgbImage {
    /// Creates an image of one colour.
    pub fn new(width: usize, height: usize, color: Rgb) -> Self {
        RgbImage { width, height, pixels: vec![color; width * height] }
    }

    /// Creates an image from `color(x, y)`.
    pub fn from_fn(
        width: usize,
        height: usize,
        mut color: impl FnMut(usize, usize) -> Rgb,
    ) -> Self {
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            pixels.extend((0..width).map(|x| color(x, y)));
        }
        RgbImage { width, height, pixels }
    }

    /// Creates a gray image from bytes, `gray[y * width + x]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the length is not `width * height`.
    pub fn from_gray(gray: &[u8], width: usize, height: usize) -> Result<Self> {
        check_len("RgbImage::from_gray", gray.len(), width, height)?;
        Ok(RgbImage { width, height, pixels: gray.iter().map(|&g| [g; 3]).collect() })
    }

    /// Creates a gray image from numbers: 0 is black, 1 is white, values outside are clipped, NaN is
    /// black.
    ///
    /// # Errors
    /// [`Error::Shape`] if the length is not `width * height`.
    pub fn from_unit(values: &[f32], width: usize, height: usize) -> Result<Self> {
        check_len("RgbImage::from_unit", values.len(), width, height)?;
        let gray: Vec<u8> =
            values.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        Self::from_gray(&gray, width, height)
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns all pixels, row by row.
    pub fn pixels(&self) -> &[Rgb] {
        &self.pixels
    }

    /// Returns all pixels, row by row, for changes.
    pub fn pixels_mut(&mut self) -> &mut [Rgb] {
        &mut self.pixels
    }

    /// Returns the pixel at column `x`, row `y`, or the nearest pixel if that is outside; black if the
    /// image has no pixels.
    pub fn at(&self, x: usize, y: usize) -> Rgb {
        if self.pixels.is_empty() {
            return [0; 3];
        }
        self.pixels[y.min(self.height - 1) * self.width + x.min(self.width - 1)]
    }

    /// Returns the luma of all pixels, 0…255 (weights of Rec. 601).
    pub fn luma(&self) -> Vec<u8> {
        let weigh = |p: &Rgb| 0.299 * p[0] as f32 + 0.587 * p[1] as f32 + 0.114 * p[2] as f32;
        self.pixels.iter().map(|p| weigh(p).round() as u8).collect()
    }

    /// Returns whether all pixels are gray.
    pub fn is_gray(&self) -> bool {
        self.pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2])
    }

    /// Resizes by nearest neighbour.
    pub fn resized_nearest(&self, width: usize, height: usize) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            self.at(
                (2 * x + 1) * self.width / (2 * width),
                (2 * y + 1) * self.height / (2 * height),
            )
        })
    }

    /// Resizes by bilinear interpolation, pixel centres at half-integers.
    pub fn resized_smooth(&self, width: usize, height: usize) -> RgbImage {
        let weights = |out: usize, size: usize, new_size: usize| {
            let at = ((out as f32 + 0.5) * size as f32 / new_size as f32 - 0.5).max(0.0);
            (at as usize, at.fract())
        };
        RgbImage::from_fn(width, height, |x, y| {
            let (x0, fx) = weights(x, self.width, width);
            let (y0, fy) = weights(y, self.height, height);
            let top = mix(self.at(x0, y0), self.at(x0 + 1, y0), fx);
            mix(top, mix(self.at(x0, y0 + 1), self.at(x0 + 1, y0 + 1), fx), fy)
        })
    }

    /// Copies `other` into this image with its top left corner at (`left`, `top`); parts outside are
    /// cut off.
    pub fn blit(&mut self, other: &RgbImage, left: usize, top: usize) {
        let columns = other.width.min(self.width.saturating_sub(left));
        for y in 0..other.height.min(self.height.saturating_sub(top)) {
            let to = (top + y) * self.width + left;
            let from = y * other.width;
            self.pixels[to..to + columns].copy_from_slice(&other.pixels[from..from + columns]);
        }
    }

    /// Returns the image as a PNG file; gray images are stored as gray. Equal images give equal bytes.
    ///
    /// # Errors
    /// [`Error::Render`] for an image without pixels.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let refuse = |e: png::EncodingError| Error::Render(format!("PNG: {e}"));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        let gray = self.is_gray();
        encoder.set_color(if gray { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        let mut writer = encoder.write_header().map_err(refuse)?;
        if gray {
            let samples: Vec<u8> = self.pixels.iter().map(|p| p[0]).collect();
            writer.write_image_data(&samples).map_err(refuse)?;
        } else {
            writer.write_image_data(self.pixels.as_flattened()).map_err(refuse)?;
        }
        writer.finish().map_err(refuse)?;
        Ok(bytes)
    }

    /// Reads a PNG file of any kind as RGB; 16-bit samples are reduced to 8 bits, transparent pixels are
    /// drawn over white.
    ///
    /// # Errors
    /// [`Error::Render`] if the bytes are not a PNG, are damaged, or hold more than [`MAX_PIXELS`]
    /// pixels.
    pub fn from_png(bytes: &[u8]) -> Result<RgbImage> {
        let refuse = |e: png::DecodingError| Error::Render(format!("not a readable PNG: {e}"));
        let limits = png::Limits { bytes: 4 * MAX_PIXELS };
        let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(refuse)?;
        let (width, height) = (reader.info().width as usize, reader.info().height as usize);
        check_pixels(width, height)?;
        let too_large = || Error::Render("not a readable PNG: its size overflows".into());
        let mut samples = vec![0; reader.output_buffer_size().ok_or_else(too_large)?];
        let frame = reader.next_frame(&mut samples).map_err(refuse)?;
        let channels = frame.color_type.samples();
        let pixels =
            samples[..frame.buffer_size()].chunks_exact(channels).map(over_white).collect();
        Ok(RgbImage { width, height, pixels })
    }

    /// Returns the image as a `data:` URI for SVG and HTML.
    pub fn to_data_uri(&self) -> Result<String> {
        Ok(png_data_uri(&self.to_png()?))
    }
}

/// Returns a PNG file as a `data:` URI.
pub fn png_data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png))
}

/// Returns the linear interpolation of two colours, a + t·(b − a), 0 ≤ t ≤ 1.
pub fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| (a[i] as f32 + (b[i] as f32 - a[i] as f32) * t).round() as u8)
}

/// Returns a decoded pixel (gray, gray + alpha, RGB or RGBA) as RGB over white.
fn over_white(samples: &[u8]) -> Rgb {
    match *samples {
        [gray] => [gray; 3],
        [gray, alpha] => mix([255; 3], [gray; 3], alpha as f32 / 255.0),
        [r, g, b] => [r, g, b],
        [r, g, b, alpha] => mix([255; 3], [r, g, b], alpha as f32 / 255.0),
        _ => [0; 3],
    }
}

/// Checks that the size does not exceed [`MAX_PIXELS`].
pub(crate) fn check_pixels(width: usize, height: usize) -> Result<()> {
    if width.checked_mul(height).is_none_or(|n| n > MAX_PIXELS) {
        return Err(Error::Render(format!(
            "an image of {width}×{height} pixels; at most {MAX_PIXELS} are allowed, \
             split it or make it smaller"
        )));
    }
    Ok(())
}

/// Checks that `len` values fill a `width` × `height` image.
pub(crate) fn check_len(op: &'static str, len: usize, width: usize, height: usize) -> Result<()> {
    if len != width * height {
        return Err(Error::shape(op, format!("{len} values for {width}×{height} pixels")));
    }
    Ok(())
}
