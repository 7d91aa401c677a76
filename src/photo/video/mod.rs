//! Frames of a video as other programs write them into a pipe: YUV4MPEG2 and Motion JPEG.

mod jpeg_end;
mod y4m;

use crate::dataset::image::{GrayImage, decode};
use crate::limits::MAX_PICTURE;
use crate::{Error, Result};
use jpeg_end::{JpegEnd, Step};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use y4m::Y4m;

/// First bytes of YUV4MPEG2.
pub const Y4M_MAGIC: &[u8] = b"YUV4MPEG2 ";

/// First bytes of a JPEG picture.
const SOI: [u8; 2] = [0xff, 0xd8];

/// Longest header of a YUV4MPEG2 stream, and of a frame, in bytes.
const MAX_LINE: usize = 4096;

/// One frame of a video.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoFrame {
    /// Number of the frame, from 0.
    pub number: u64,
    /// Its time: number / frames per second.
    pub seconds: f64,
    /// Its gray levels.
    pub image: GrayImage,
}

/// Reads the frames of a video one by one.
pub struct VideoReader<R> {
    input: BufReader<R>,
    path: PathBuf,
    format: Format,
    frames_per_second: f64,
    next: u64,
    /// Whether the stream ended inside a frame.
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Y4m(Y4m),
    MotionJpeg,
}

impl<R: Read> VideoReader<R> {
    /// Reads the beginning of a stream; `path` is used in messages. `frames_per_second` is that of a
    /// Motion JPEG, which does not say it; YUV4MPEG2 does.
    ///
    /// # Errors
    /// [`Error::Data`] if it is neither, or too large.
    pub fn new(stream: R, path: &Path, frames_per_second: f64) -> Result<Self> {
        let mut input = BufReader::new(stream);
        let head = input.fill_buf().map_err(Error::io(path))?;
        let is_y4m = head.starts_with(Y4M_MAGIC);
        if !is_y4m && !head.starts_with(&SOI) {
            let message = "found neither YUV4MPEG2 nor JPEG pictures one after the other; convert the video: \
                           ffmpeg -i VIDEO -f yuv4mpegpipe - | fer predict -";
            return Err(Error::data(path, message));
        }
        let (mut format, mut rate) = (Format::MotionJpeg, frames_per_second);
        if is_y4m {
            let line = read_line(&mut input, path)?;
            let (header, stated) = Y4m::parse(&line).map_err(|e| Error::data(path, e))?;
            (format, rate) = (Format::Y4m(header), stated.unwrap_or(frames_per_second));
        }
        Ok(VideoReader {
            input,
            path: path.into(),
            format,
            frames_per_second: rate,
            next: 0,
            cut: false,
        })
    }

    /// Reads the next frame; `None` at the end. A last frame that is cut off is left out, as a pipe that
    /// was closed leaves it.
    ///
    /// # Errors
    /// [`Error::Data`] with the number of the frame if it is damaged; [`Error::Io`].
    pub fn read(&mut self) -> Result<Option<VideoFrame>> {
        let (number, path) = (self.next, self.path.clone());
        let at = |e: Error| Error::data(&path, format!("frame {number}: {e}"));
        let image = match self.format {
            Format::Y4m(header) => self.y4m_frame(&header)?,
            Format::MotionJpeg => match self.jpeg()? {
                Some(bytes) => Some(decode(&bytes, &self.path).map_err(at)?.image),
                None => None,
            },
        };
        self.next += 1;
        let seconds = number as f64 / self.frames_per_second;
        Ok(image.map(|image| VideoFrame { number, seconds, image }))
    }

    /// Returns whether the stream has ended inside a frame, which was left out.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Passes over a frame without decoding it; returns whether there was one.
    ///
    /// # Errors
    /// As [`VideoReader::read`].
    pub fn skip(&mut self) -> Result<bool> {
        let found = match self.format {
            Format::Y4m(header) => {
                let bytes = (header.width * header.height + header.chroma) * header.sample;
                let begins = self.y4m_frame_begins()?;
                let found = begins && self.pass_over(bytes)?;
                self.cut = begins && !found;
                found
            }
            Format::MotionJpeg => self.jpeg()?.is_some(),
        };
        self.next += 1;
        Ok(found)
    }

    fn y4m_frame(&mut self, header: &Y4m) -> Result<Option<GrayImage>> {
        if !self.y4m_frame_begins()? {
            return Ok(None);
        }
        let (pixels, sample) = (header.width * header.height, header.sample);
        let luma = self.exactly(pixels * sample)?;
        let whole = self.pass_over(header.chroma * sample)?;
        let Some(luma) = luma.filter(|_| whole) else {
            self.cut = true;
            return Ok(None);
        };
        let gray = luma.chunks_exact(sample).map(|s| header.level(s)).collect();
        Ok(Some(GrayImage { width: header.width, height: header.height, gray }))
    }

    /// Reads the line before a frame; false at the end of the stream.
    fn y4m_frame_begins(&mut self) -> Result<bool> {
        if self.input.fill_buf().map_err(Error::io(&self.path))?.is_empty() {
            return Ok(false);
        }
        let line = read_line(&mut self.input, &self.path)?;
        if line.starts_with(b"FRAME") {
            return Ok(true);
        }
        let found = String::from_utf8_lossy(&line[..line.len().min(20)]).into_owned();
        let message = format!("frame {}: found `{found}`; expected `FRAME`", self.next);
        Err(Error::data(&self.path, message))
    }

    /// Passes over so many bytes; false if the stream ends before.
    fn pass_over(&mut self, count: usize) -> Result<bool> {
        let mut part = (&mut self.input).take(count as u64);
        let passed = std::io::copy(&mut part, &mut std::io::sink());
        Ok(passed.map_err(Error::io(&self.path))? == count as u64)
    }

    /// Reads so many bytes; `None` if the stream ends before.
    fn exactly(&mut self, count: usize) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(count);
        let mut part = (&mut self.input).take(count as u64);
        part.read_to_end(&mut bytes).map_err(Error::io(&self.path))?;
        Ok((bytes.len() == count).then_some(bytes))
    }

    /// Reads the next JPEG picture; bytes between two pictures are passed over.
    fn jpeg(&mut self) -> Result<Option<Vec<u8>>> {
        let mut picture = Vec::new();
        let mut scan = JpegEnd::default();
        loop {
            let part = self.input.fill_buf().map_err(Error::io(&self.path))?;
            if part.is_empty() {
                self.cut = !picture.is_empty();
                return Ok(None);
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in part {
                used += 1;
                match scan.step(byte) {
                    Step::Before => picture.clear(),
                    Step::Inside => picture.push(byte),
                    Step::End => {
                        picture.push(byte);
                        ended = true;
                        break;
                    }
                }
            }
            self.input.consume(used);
            if ended {
                return Ok(Some([&SOI[..1], &picture].concat()));
            }
            if picture.len() > MAX_PICTURE {
                let message =
                    format!("frame {}: a picture of more than {MAX_PICTURE} bytes", self.next);
                return Err(Error::data(&self.path, message));
            }
        }
    }
}

/// Reads up to a line feed, which is left out.
fn read_line(input: &mut impl BufRead, path: &Path) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(MAX_LINE as u64).read_until(b'\n', &mut line).map_err(Error::io(path))?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        _ => {
            let message = format!("a header without an end within {MAX_LINE} bytes");
            Err(Error::data(path, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Result<Vec<VideoFrame>> {
        Ok(frames_and_cut(bytes)?.0)
    }

    fn frames_and_cut(bytes: &[u8]) -> Result<(Vec<VideoFrame>, bool)> {
        let mut reader = VideoReader::new(bytes, Path::new("v"), 10.0)?;
        let mut all = Vec::new();
        while let Some(frame) = reader.read()? {
            all.push(frame);
        }
        Ok((all, reader.is_cut()))
    }

    #[test]
    fn y4m_of_every_kind_is_read() {
        for (color, chroma, sample) in [
            ("", 4, 1),
            (" C420jpeg", 4, 1),
            (" C420mpeg2", 4, 1),
            (" C420paldv", 4, 1),
            (" C422", 8, 1),
            (" C444", 12, 1),
            (" Cmono", 0, 1),
            (" C420p10", 4, 2),
            (" Cmono16", 0, 2),
        ] {
            let mut bytes = format!("YUV4MPEG2 W3 H2 F30000:1001 Ip{color}\n").into_bytes();
            for k in 0..2u8 {
                bytes.extend(b"FRAME\n");
                for level in [16, 235, 0, 255, 126, 100 + k] {
                    let ten = (u16::from(level) << if color.ends_with("16") { 8 } else { 2 })
                        .to_le_bytes();
                    if sample == 2 { bytes.extend(ten) } else { bytes.push(level) }
                }
                bytes.extend(vec![128; chroma * sample]);
            }
            let found = frames(&bytes).unwrap_or_else(|e| panic!("{color}: {e}"));
            assert_eq!(found.len(), 2, "{color}");
            assert_eq!(found[0].image.gray, [0, 255, 0, 255, 128, 98], "{color}");
            assert!((found[1].seconds - 1.001 / 30.0).abs() < 1e-9);
            assert!(!frames_and_cut(&bytes).unwrap().1);
            let (left, cut) = frames_and_cut(&bytes[..bytes.len() - 1]).unwrap();
            assert!(left.len() == 1 && cut, "a cut frame is left out, and said so");
        }
        let full = b"YUV4MPEG2 W1 H1 F1:1 Cmono XCOLORRANGE=FULL\nFRAME\n\x10";
        assert_eq!(frames(full).unwrap()[0].image.gray, [16]);
    }

    #[test]
    fn what_is_no_video_is_refused() {
        for (bytes, word) in [
            (&b"RIFF"[..], "neither YUV4MPEG2 nor JPEG"),
            (b"", "neither"),
            (b"YUV4MPEG2 W0 H2 F1:1\n", "0 x 2"),
            (b"YUV4MPEG2 W99999 H2 F1:1\n", "99999 x 2"),
            (b"YUV4MPEG2 W2 H2 F0:1\n", "`F0:1`"),
            (b"YUV4MPEG2 W2 H2 Cxyz\n", "colours `xyz`"),
            (b"YUV4MPEG2 W2 H2 C420p99\n", "99 bits"),
            (b"YUV4MPEG2 W2 H2", "without an end"),
            (b"YUV4MPEG2 W2 H2\nNONE\n", "expected `FRAME`"),
            (b"\xff\xd8\xff\xd9", "frame 0"),
        ] {
            let error = frames(bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    #[test]
    fn pictures_one_after_the_other_are_frames() {
        let photo = include_bytes!("../../../data/photos/astronaut.jpg");
        let stream = [b"\0\0", &photo[..], b"--boundary\r\n", &photo[..], &photo[..999]].concat();
        let error = frames(&stream).unwrap_err().to_string();
        assert!(error.contains("neither"), "must begin with a picture: {error}");
        let found = frames(&stream[2..]).unwrap();
        let expected = decode(photo, Path::new("p")).unwrap().image;
        assert_eq!(found.iter().map(|f| f.seconds).collect::<Vec<_>>(), [0.0, 0.1]);
        assert!(found.iter().all(|f| f.image == expected));
        let mut reader = VideoReader::new(&stream[2..], Path::new("v"), 10.0).unwrap();
        assert!(reader.skip().unwrap());
        assert_eq!(reader.read().unwrap().map(|f| f.number), Some(1));
        assert!(!reader.skip().unwrap());
    }
}
