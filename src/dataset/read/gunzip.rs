//! Decompresses gzip streams, and refuses those that grow without measure.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// A gzip stream may not grow more than this…
const MAX_RATIO: u64 = 20;

/// …once it has delivered this many bytes. Faces shrink to about a third.
const RATIO_FROM: u64 = 32 << 20;

/// Counts the bytes read through it.
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

/// Plain bytes of a gzip stream; refuses one that grows without measure.
pub struct Gunzip<R> {
    decoder: MultiGzDecoder<Counted<R>>,
    delivered: u64,
}

impl<R: Read> Gunzip<R> {
    /// Decompresses `inner`.
    pub fn new(inner: R) -> Self {
        Gunzip { decoder: MultiGzDecoder::new(Counted { inner, count: 0 }), delivered: 0 }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(out)?;
        self.delivered += n as u64;
        if self.delivered > RATIO_FROM && self.delivered / MAX_RATIO > self.decoder.get_ref().count
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it grows more than {MAX_RATIO} times, like a gzip bomb"),
            ));
        }
        Ok(n)
    }
}
