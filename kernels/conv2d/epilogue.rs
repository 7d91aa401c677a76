//! What happens to an output while it is still in cache.

use crate::Conv2dGeometry;
use crate::arch::{Vector, Vectorized, starts, vectorized};
use crate::norm::statistics::{ROWS, add_block, add_blocks};
use crate::parallel::parallel_parts;
use std::ops::Range;

/// y = max(0, conv + bias), and of that the maximum of each 2×2 pixels; each part if wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Added to each output channel, `[c_out]`.
    pub bias: Option<&'a [f32]>,
    /// Whether negative results become 0.
    pub relu: bool,
    /// Whether only the largest of each 2×2 pixels is kept, y then being `[n, ⌊h_out/2⌋, ⌊w_out/2⌋,
    /// c_out]`. NaN wins over every number.
    pub pool: bool,
}

impl Epilogue<'_> {
    /// Length of y.
    pub(crate) fn output_len(&self, g: &Conv2dGeometry) -> usize {
        match self.pool {
            true => g.n * (g.h_out / 2) * (g.w_out / 2) * g.c_out,
            false => g.output_len(),
        }
    }

    /// The convolution of nothing.
    pub(crate) fn alone(&self, g: &Conv2dGeometry, mut target: Target) {
        let y = &mut *target.y;
        match self.bias {
            Some(bias) => y.chunks_mut(g.c_out.max(1)).for_each(|y| y.copy_from_slice(bias)),
            None => y.fill(0.0),
        }
        if self.relu {
            rectify(y);
        }
        target.add_up(g.c_out);
    }
}

/// Where a convolution writes its output, and the sums over it that are wanted.
pub(crate) struct Target<'a> {
    /// y, `[pixels, c_out]`.
    pub y: &'a mut [f32],
    /// Receives the sums of each block of pixels, from which mean and variance are
    /// [joined](crate::norm::statistics::join).
    pub sums: Option<&'a mut [f32]>,
}

impl<'a> From<&'a mut [f32]> for Target<'a> {
    fn from(y: &'a mut [f32]) -> Self {
        Self { y, sums: None }
    }
}

impl Target<'_> {
    /// Adds up an output that was written whole.
    pub(crate) fn add_up(&mut self, channels: usize) {
        if let Some(sums) = &mut self.sums {
            add_blocks(self.y, channels, sums, |_| true);
        }
    }

    /// Cuts y into `parts` that begin at the pixels `start(0) = 0 ≤ start(1) ≤ …` and has `write(i,
    /// part)` fill each over the threads. It says which channels are [written](Part::written), and
    /// those blocks that lie within a part are added up then. Blocks with a cut inside follow when
    /// all is written.
    pub(crate) fn write_parts(
        self,
        channels: usize,
        parts: usize,
        start: &(impl Fn(usize) -> usize + Sync),
        write: &(impl Fn(usize, Part) + Sync),
    ) {
        let Self { y, sums } = self;
        let (c, pixels) = (channels, y.len() / channels);
        let Some(sums) = sums else {
            return parallel_parts([y], parts, &|i| [start(i) * c], &|i, [y]| {
                write(i, Part { y, sums: &mut [], channels, first: start(i), pixels });
            });
        };
        // The part in which a block begins has its sums.
        let starts = |i| [start(i) * c, start(i).div_ceil(ROWS) * 2 * c];
        parallel_parts([&mut *y, &mut *sums], parts, &starts, &|i, [y, sums]| {
            write(i, Part { y, sums, channels, first: start(i), pixels });
        });
        if (0..parts).any(|part| !start(part).is_multiple_of(ROWS)) {
            add_blocks(y, c, sums, |block| is_cut(block_pixels(block, pixels), parts, start));
        }
    }
}

/// A part of an output, which one thread writes.
pub(crate) struct Part<'a> {
    /// Its pixels.
    pub y: &'a mut [f32],
    /// The sums of those blocks that begin in it; empty where nobody asks for them.
    sums: &'a mut [f32],
    channels: usize,
    /// Its first pixel.
    first: usize,
    /// Pixels of the whole output.
    pixels: usize,
}

impl Part<'_> {
    /// These channels have just been written: adds them up in all blocks that lie within the part.
    pub(crate) fn written(&mut self, channels: Range<usize>) {
        let (first, c) = (self.first, self.channels);
        for (block, sums) in (first.div_ceil(ROWS)..).zip(self.sums.chunks_mut(2 * c)) {
            let block = block_pixels(block, self.pixels);
            if let Some(rows) = self.y.get((block.start - first) * c..(block.end - first) * c) {
                add_block(rows, channels.clone(), sums);
            }
        }
    }
}

/// The pixels of a block.
fn block_pixels(block: usize, pixels: usize) -> Range<usize> {
    block * ROWS..pixels.min((block + 1) * ROWS)
}

/// Whether a part begins inside of the block, found by halving the parts.
fn is_cut(block: Range<usize>, parts: usize, start: &impl Fn(usize) -> usize) -> bool {
    let (mut before, mut after) = (0, parts);
    while after - before > 1 {
        let middle = before.midpoint(after);
        let side = if start(middle) <= block.start { &mut before } else { &mut after };
        *side = middle;
    }
    after < parts && start(after) < block.end
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::statistics::sums_len;

    /// Parts on blocks, across blocks, several in a block, and none at all.
    #[test]
    fn parts_are_added_up_like_the_whole() {
        let (pixels, c) = (1100, 3);
        let value = |i: usize| (i * 7919 % 1000) as f32 / 1000.0;
        let mut want = vec![7.0; sums_len(pixels, c)];
        add_blocks(&(0..pixels * c).map(value).collect::<Vec<_>>(), c, &mut want, |_| true);
        for starts in [
            vec![0],
            vec![0, 256, 768],
            vec![0, 1, 255, 256, 300, 300, 310, 511, 512, 1023, 1025],
            vec![0, 400, 400, 800],
            (0..1100).collect(),
        ] {
            let (mut y, mut sums) = (vec![9.0; pixels * c], vec![9.0; want.len()]);
            let start = |part: usize| starts[part];
            let target = Target { y: &mut y, sums: Some(&mut sums) };
            target.write_parts(c, starts.len(), &start, &|i, mut part| {
                for (k, y) in part.y.iter_mut().enumerate() {
                    *y = value(starts[i] * c + k);
                }
                part.written(0..1);
                part.written(1..c);
            });
            assert_eq!(sums, want, "{starts:?}");
            y.iter().enumerate().for_each(|(i, &y)| assert_eq!(y, value(i)));
        }
    }

    #[test]
    fn a_block_is_cut_where_a_part_begins_inside() {
        let starts = [0, 100, 256, 512, 512, 700];
        let cut = |block| is_cut(block, starts.len(), &|part| starts[part]);
        assert_eq!([0..256, 256..512, 512..768, 768..1024].map(cut), [true, false, true, false]);
        assert!(!is_cut(0..256, 1, &|_| 0));
    }
}
