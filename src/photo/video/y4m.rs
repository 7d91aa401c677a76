//! The header of YUV4MPEG2, and the gray level of its samples.
//!
//! **Source**: <https://wiki.multimedia.cx/index.php/YUV4MPEG2>.

use crate::limits::{MAX_PIXELS, MAX_SIDE};

/// The header of a YUV4MPEG2 stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Y4m {
    pub width: usize,
    pub height: usize,
    /// Bytes of a sample: 1, or 2 with the low one first.
    pub sample: usize,
    /// Bits of a sample.
    pub bits: u32,
    /// Samples of both colour planes.
    pub chroma: usize,
    /// Whether black and white are 0 and 255 (of 8 bits) instead of 16 and 235.
    pub full_range: bool,
}

impl Y4m {
    /// Parses a header line; returns the frames per second too, if it states them.
    pub fn parse(line: &[u8]) -> Result<(Self, Option<f64>), String> {
        let text = std::str::from_utf8(line).map_err(|_| "a header that is no text")?;
        let (mut width, mut height, mut rate, mut color) = (0, 0, None, "420");
        let mut full_range = false;
        for word in text.split(' ').skip(1).filter(|word| !word.is_empty()) {
            let (name, value) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            let number = || value.parse::<usize>().map_err(|_| format!("found `{word}`"));
            match name {
                "W" => width = number()?,
                "H" => height = number()?,
                "F" => rate = Some(frame_rate(value).ok_or_else(|| format!("found `{word}`"))?),
                "C" => color = value,
                "X" => full_range |= value == "COLORRANGE=FULL",
                _ => {}
            }
        }
        if width == 0 || height == 0 || width.max(height) > MAX_SIDE || width * height > MAX_PIXELS
        {
            return Err(format!(
                "found frames of {width} x {height}; expected sides of 1 to {MAX_SIDE} pixels and at \
                 most {MAX_PIXELS} pixels"
            ));
        }
        let half = |n: usize| n.div_ceil(2);
        let (planes, bits) = color.split_once('p').unwrap_or((color, "8"));
        let bits = bits.parse().unwrap_or(8); // `paldv` and `mpeg2` follow the letter too
        let chroma = match planes {
            "mono" | "mono9" | "mono10" | "mono12" | "mono16" => 0,
            "444" => 2 * width * height,
            "444alpha" => 3 * width * height,
            "422" => 2 * half(width) * height,
            "440" => 2 * width * half(height),
            "411" => 2 * width.div_ceil(4) * height,
            "420" | "420j" | "420m" => 2 * half(width) * half(height),
            _ => {
                return Err(format!(
                    "found colours `{color}`; expected 420, 422, 444 or mono: ffmpeg -pix_fmt yuv420p"
                ));
            }
        };
        let bits = planes.strip_prefix("mono").and_then(|b| b.parse().ok()).unwrap_or(bits);
        if !(8..=16).contains(&bits) {
            return Err(format!("found samples of {bits} bits; expected 8 to 16"));
        }
        let sample = if bits > 8 { 2 } else { 1 };
        Ok((Y4m { width, height, sample, bits, chroma, full_range }, rate))
    }

    /// Returns the gray level of a sample in 0 to 255.
    pub fn level(&self, sample: &[u8]) -> u8 {
        let value = match sample {
            [low, high] => u32::from(u16::from_le_bytes([*low, *high])) >> (self.bits - 8),
            _ => u32::from(sample.first().copied().unwrap_or_default()),
        };
        match self.full_range {
            true => value.min(255) as u8,
            false => ((value.saturating_sub(16) * 255 + 109) / 219).min(255) as u8,
        }
    }
}

/// Parses `30000:1001`.
fn frame_rate(text: &str) -> Option<f64> {
    let (a, b) = text.split_once(':')?;
    let (a, b): (f64, f64) = (a.parse().ok()?, b.parse().ok()?);
    (a > 0.0 && b > 0.0 && a / b <= 1e6).then(|| a / b)
}
