//! Decompresses gzip streams and refuses gzip bombs.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use crate::limits::{GZIP_RATIO_FROM, MAX_GZIP_RATIO};

/// A reader that counts its bytes.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.count += n as u64;
        Ok(n)
    }
}

/// One of the gzip files that stand one after the other in a stream.
type Member<R> = GzDecoder<BufReader<Counted<R>>>;

/// A reader of the decompressed bytes of a gzip stream. Zero bytes behind a member are passed over, as gzip(1)
/// does: they fill the last block of a tape.
pub struct Gunzip<R> {
    /// The member that is read; `None` at the end.
    member: Option<Member<R>>,
    delivered: u64,
}

impl<R: Read> Gunzip<R> {
    /// Decompresses `inner`.
    pub fn new(inner: R) -> Self {
        let input = BufReader::new(Counted { inner, count: 0 });
        Gunzip { member: Some(GzDecoder::new(input)), delivered: 0 }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let n = member.read(out)?;
            if n > 0 || out.is_empty() {
                self.delivered += n as u64;
                require_growth(self.delivered, member.get_ref().get_ref().count)?;
                return Ok(n);
            }
            let ended = self.member.take().map(GzDecoder::into_inner);
            self.member = ended.map_or(Ok(None), next_member)?;
        }
        Ok(0)
    }
}

/// Refuses `delivered` bytes made of `read` bytes, if no table shrinks so much.
fn require_growth(delivered: u64, read: u64) -> io::Result<()> {
    if delivered > GZIP_RATIO_FROM && delivered / MAX_GZIP_RATIO > read {
        let found = format!("it grows more than {MAX_GZIP_RATIO} times, like a gzip bomb");
        return Err(io::Error::new(ErrorKind::InvalidData, found));
    }
    Ok(())
}

/// Returns the member behind one that has ended; `None` at the end of the stream.
fn next_member<R: Read>(mut input: BufReader<Counted<R>>) -> io::Result<Option<Member<R>>> {
    loop {
        let bytes = match input.fill_buf() {
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let (is_end, next) = (bytes.is_empty(), bytes.get(zeros).copied());
        input.consume(zeros);
        match next {
            Some(0x1f) => return Ok(Some(GzDecoder::new(input))),
            Some(_) => {
                let found = "something else follows the gzip data";
                return Err(io::Error::new(ErrorKind::InvalidData, found));
            }
            None if is_end => return Ok(None),
            None => {} // nothing but zeros so far
        }
    }
}
