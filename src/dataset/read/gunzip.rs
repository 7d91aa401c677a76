//! Decompresses gzip streams and refuses gzip bombs.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

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

/// A reader of the decompressed bytes of a gzip stream.
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
        if self.delivered > GZIP_RATIO_FROM
            && self.delivered / MAX_GZIP_RATIO > self.decoder.get_ref().count
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it grows more than {MAX_GZIP_RATIO} times, like a gzip bomb"),
            ));
        }
        Ok(n)
    }
}
