//! Splits a stream into lines within bounded memory.
//!
//! Every record of a FER2013 file is one line, so a damaged record, such as an unclosed quote, affects only
//! its own line. Lines end with LF, CRLF or CR.

use std::io::{self, Read};

use crate::limits::{MAX_BLANK, MAX_LINE, MAX_SKIPPED};

/// Size of a chunk of lines, in bytes.
const CHUNK: usize = 1 << 20;

/// One line inside a [`Chunk`].
#[derive(Clone, Copy, Debug)]
pub struct Line {
    start: usize,
    end: usize,
    /// Its number in the file, from 1.
    pub number: u64,
    /// True if it was longer than [`MAX_LINE`] and is truncated there.
    pub cut: bool,
}

/// Consecutive lines without the blank ones.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// The lines.
    pub lines: Vec<Line>,
}

impl Chunk {
    /// Returns the bytes of `line` without the line break.
    pub fn text(&self, line: Line) -> &[u8] {
        &self.bytes[line.start..line.end]
    }
}

/// Error of the stream.
#[derive(Debug)]
pub struct LinesError {
    /// Line in which it occurred, counted from 1.
    pub line: u64,
    /// Cause.
    pub source: io::Error,
}

/// Splits a stream into lines.
pub struct Lines<R> {
    inner: R,
    buffer: Vec<u8>, // bytes read and not yet returned
    number: u64,     // of the line that starts the buffer
    blank: usize,    // blank lines just before it
    after_cr: bool,  // an LF that comes first belongs to the CR before it
    skipped: usize,  // bytes of a truncated line passed over; 0 outside one
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// Returns the lines of `inner`, counted from 1.
    pub fn new(inner: R) -> Self {
        Lines {
            inner,
            buffer: Vec::new(),
            number: 1,
            blank: 0,
            after_cr: false,
            skipped: 0,
            ended: false,
        }
    }

    /// Returns the next lines, about 1 MB; `None` at the end.
    ///
    /// # Errors
    /// Those of the stream, with their line; too many blank lines.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, LinesError> {
        loop {
            if self.ended && self.buffer.is_empty() {
                return Ok(None);
            }
            self.fill()?;
            let chunk = self.cut_lines()?;
            if !chunk.lines.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }

    fn fill(&mut self) -> Result<(), LinesError> {
        while !self.ended && self.buffer.len() < CHUNK {
            let old = self.buffer.len();
            self.buffer.resize(CHUNK, 0);
            let result = self.inner.read(&mut self.buffer[old..]);
            self.buffer.truncate(old + *result.as_ref().unwrap_or(&0));
            match result {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let breaks = self.buffer.iter().filter(|&&b| b == b'\n').count() as u64;
                    return Err(LinesError { line: self.number + breaks, source });
                }
            }
        }
        Ok(())
    }

    /// Removes the complete lines from the buffer; what remains is the start of a line.
    fn cut_lines(&mut self) -> Result<Chunk, LinesError> {
        let mut lines = Vec::new();
        let mut start = 0;
        if self.after_cr && !self.buffer.is_empty() {
            start = usize::from(self.buffer[0] == b'\n');
            self.after_cr = false;
        }
        while start < self.buffer.len() {
            let rest = &self.buffer[start..];
            let (length, next) = match find_line_end(rest) {
                Some(end) if rest[end] == b'\r' && end + 1 == rest.len() => {
                    self.after_cr = true;
                    (end, end + 1)
                }
                Some(end) => (end, end + 1 + usize::from(rest[end..].starts_with(b"\r\n"))),
                None if self.ended => (rest.len(), rest.len()),
                None if self.skipped > 0 || rest.len() > MAX_LINE => {
                    if self.skipped == 0 {
                        lines.push(self.cut_line(start));
                    }
                    self.skip(rest.len())?;
                    start = self.buffer.len();
                    break;
                }
                None => break,
            };
            if self.skipped > 0 {
                self.skipped = 0;
            } else if length > MAX_LINE {
                lines.push(self.cut_line(start));
            } else if rest[..length].iter().all(u8::is_ascii_whitespace) {
                self.blank += 1;
                if self.blank > MAX_BLANK {
                    return Err(self.endless(format!("more than {MAX_BLANK} blank lines in a row")));
                }
            } else {
                self.blank = 0;
                let end = start + length;
                lines.push(Line { start, end, number: self.number, cut: false });
            }
            self.number += 1;
            start += next;
        }
        let tail = self.buffer.split_off(start);
        Ok(Chunk { bytes: std::mem::replace(&mut self.buffer, tail), lines })
    }

    /// Passes over `bytes` of a truncated line.
    fn skip(&mut self, bytes: usize) -> Result<(), LinesError> {
        self.skipped += bytes;
        match self.skipped > MAX_SKIPPED {
            true => Err(self.endless(format!("a line of more than {MAX_SKIPPED} bytes"))),
            false => Ok(()),
        }
    }

    fn endless(&self, what: String) -> LinesError {
        let source = io::Error::new(io::ErrorKind::InvalidData, what);
        LinesError { line: self.number, source }
    }

    fn cut_line(&self, start: usize) -> Line {
        Line { start, end: start + MAX_LINE, number: self.number, cut: true }
    }
}

/// Returns the position of the first CR or LF. Each block is tested as a whole first, which compiles to
/// SIMD.
fn find_line_end(bytes: &[u8]) -> Option<usize> {
    let ends = |b: u8| b == b'\n' || b == b'\r';
    let blocks = bytes.chunks(64);
    for (i, block) in blocks.enumerate() {
        if block.iter().fold(false, |any, &b| any | ends(b)) {
            return block.iter().position(|&b| ends(b)).map(|p| i * 64 + p);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns its bytes `step` at a time.
    struct Drip<'a>(&'a [u8], usize);
    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn lines_of(text: &[u8], step: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(Drip(text, step));
        let mut all = Vec::new();
        while let Some(chunk) = lines.next_chunk().expect("no I/O error") {
            for &line in &chunk.lines {
                let text = String::from_utf8_lossy(chunk.text(line)).into_owned();
                all.push((line.number, text, line.cut));
            }
        }
        all
    }

    #[test]
    fn every_line_break_counts_once() {
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc\r\n", "a\rb\r\rc\r"] {
            for step in [1, 2, 3, 100] {
                let got: Vec<_> =
                    lines_of(text.as_bytes(), step).into_iter().map(|(n, t, _)| (n, t)).collect();
                let expected = [(1, "a"), (2, "b"), (4, "c")].map(|(n, t)| (n, t.to_string()));
                assert_eq!(got, expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_survives() {
        for length in [MAX_LINE, MAX_LINE + 1, 3 * CHUNK + 5] {
            let text = [vec![b'x'; length], b"\nnext".to_vec()].concat();
            let got = lines_of(&text, 1 << 20);
            assert_eq!(got.len(), 2);
            assert_eq!(got[0].1.len(), MAX_LINE);
            assert_eq!(got[0].2, length > MAX_LINE);
            assert_eq!((got[1].0, got[1].1.as_str(), got[1].2), (2, "next", false));
        }
    }

    #[test]
    fn a_crlf_split_between_two_chunks_is_one_line_end() {
        let mut text = Vec::new();
        for _ in 0..1023 {
            text.extend_from_slice(&[b'y'; 1022]);
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(&[b'y'; 1023]);
        assert_eq!(text.len(), CHUNK - 1, "the CR is the last byte of the first chunk");
        text.extend_from_slice(b"\r\nlast");
        let got = lines_of(&text, CHUNK);
        let (number, last, _) = got.last().expect("lines");
        assert_eq!((*number, last.as_str(), got.len()), (1025, "last", 1025));
    }
}
