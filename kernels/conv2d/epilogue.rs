//! What happens to an output while it is still in cache.

use crate::Conv2dGeometry;
use crate::arch::{Vector, Vectorized, starts, vectorized};

/// y = max(0, conv + bias), each part if wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Added to each output channel, `[c_out]`.
    pub bias: Option<&'a [f32]>,
    /// Whether negative results become 0.
    pub relu: bool,
}

impl Epilogue<'_> {
    /// The convolution of nothing.
    pub(crate) fn alone(&self, g: &Conv2dGeometry, y: &mut [f32]) {
        match self.bias {
            Some(bias) => y.chunks_mut(g.c_out.max(1)).for_each(|y| y.copy_from_slice(bias)),
            None => y.fill(0.0),
        }
        if self.relu {
            rectify(y);
        }
    }
}

/// y = max(0, y). NaN stays.
pub(crate) fn rectify(y: &mut [f32]) {
    vectorized(y.len(), Rectify(y));
}

struct Rectify<'a>(&'a mut [f32]);

impl Vectorized for Rectify<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        for at in starts::<V>(self.0.len()) {
            V::splat(0.0).max(V::load(&self.0[at..])).store(&mut self.0[at..]);
        }
    }
}
