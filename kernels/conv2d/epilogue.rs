//! Operations on the output of a convolution while it is still in cache.

use crate::Conv2dGeometry;
use crate::arch::{SimdLevel, Vector, Vectorized, vector_offsets, vectorized};
use crate::norm::statistics::{BLOCK_ROWS, block_statistics, statistics_of_blocks};
use crate::parallel::parallel_parts;
use std::ops::Range;

/// y = max(0, conv + bias), then the maximum of each 2×2 pixels; each step is optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// Bias of the output channels, `[c_out]`.
    pub bias: Option<&'a [f32]>,
    /// Whether negative results become 0.
    pub relu: bool,
    /// Whether the output is max-pooled 2×2: y is then `[n, ⌊h_out/2⌋, ⌊w_out/2⌋, c_out]`. NaN is
    /// larger than every number.
    pub pool: bool,
}

impl Epilogue<'_> {
    /// Returns the length of y.
    pub fn output_len(&self, g: &Conv2dGeometry) -> usize {
        match self.pool {
            true => g.n * (g.h_out / 2) * (g.w_out / 2) * g.c_out,
            false => g.output_len(),
        }
    }

    /// Computes the output of a convolution without input channels, which is 0.
    pub fn apply_to_zero(&self, simd: SimdLevel, g: &Conv2dGeometry, mut output: Output) {
        let y = &mut *output.y;
        match self.bias {
            Some(bias) => y.chunks_mut(g.c_out.max(1)).for_each(|y| y.copy_from_slice(bias)),
            None => y.fill(0.0),
        }
        if self.relu {
            relu(simd, y);
        }
        output.compute_statistics(simd, g.c_out);
    }
}

/// The output of a convolution, and the statistics wanted of it.
pub struct Output<'a> {
    /// y, `[pixels, c_out]`.
    pub y: &'a mut [f32],
    /// Receives the partial statistics of each block of pixels, which
    /// [`combine`](crate::norm::statistics::combine) turns into mean and variance.
    pub partial: Option<&'a mut [f32]>,
}

impl<'a> From<&'a mut [f32]> for Output<'a> {
    fn from(y: &'a mut [f32]) -> Self {
        Self { y, partial: None }
    }
}

impl Output<'_> {
    /// Computes the statistics, where they are wanted, after all of y is written.
    pub fn compute_statistics(&mut self, simd: SimdLevel, channels: usize) {
        if let Some(partial) = &mut self.partial {
            statistics_of_blocks(simd, self.y, channels, partial, |_| true);
        }
    }

    /// Splits y into `parts` that begin at the pixels `start(0) = 0 ≤ start(1) ≤ …` and calls
    /// `write(i, part)` for each, in parallel.
    ///
    /// `write` reports the channels that it has [written](Part::written). The statistics of blocks
    /// that lie within a part are computed then; those of blocks that a part boundary splits follow
    /// when all parts are written.
    pub fn write_parts(
        self,
        simd: SimdLevel,
        channels: usize,
        parts: usize,
        start: &(impl Fn(usize) -> usize + Sync),
        write: &(impl Fn(usize, Part) + Sync),
    ) {
        let Self { y, partial } = self;
        let (c, pixels) = (channels, y.len() / channels);
        let Some(partial) = partial else {
            return parallel_parts([y], parts, &|i| [start(i) * c], &|i, [y]| {
                write(i, Part { y, partial: &mut [], channels, first: start(i), pixels });
            });
        };
        // The part in which a block begins holds its statistics.
        let starts = |i| [start(i) * c, start(i).div_ceil(BLOCK_ROWS) * 2 * c];
        parallel_parts([&mut *y, &mut *partial], parts, &starts, &|i, [y, partial]| {
            write(i, Part { y, partial, channels, first: start(i), pixels });
        });
        if (0..parts).any(|part| !start(part).is_multiple_of(BLOCK_ROWS)) {
            let is_split = |block| is_split(block_pixels(block, pixels), parts, start);
            statistics_of_blocks(simd, y, c, partial, is_split);
        }
    }
}

/// A part of an output, which one thread writes.
pub struct Part<'a> {
    /// Pixels of the part.
    pub y: &'a mut [f32],
    /// Partial statistics of the blocks that begin in the part; empty where they are not wanted.
    partial: &'a mut [f32],
    channels: usize,
    /// First pixel of the part.
    first: usize,
    /// Pixels of the whole output.
    pixels: usize,
}

impl Part<'_> {
    /// Reports that `channels` are written: computes their statistics in all blocks within the
    /// part.
    pub fn written(&mut self, simd: SimdLevel, channels: Range<usize>) {
        let (first, c) = (self.first, self.channels);
        for (block, partial) in (first.div_ceil(BLOCK_ROWS)..).zip(self.partial.chunks_mut(2 * c)) {
            let block = block_pixels(block, self.pixels);
            if let Some(rows) = self.y.get((block.start - first) * c..(block.end - first) * c) {
                block_statistics(simd, rows, channels.clone(), partial);
            }
        }
    }
}

/// Returns the pixels of a block.
fn block_pixels(block: usize, pixels: usize) -> Range<usize> {
    block * BLOCK_ROWS..pixels.min((block + 1) * BLOCK_ROWS)
}

/// Returns whether a part begins inside the block, by bisection.
fn is_split(block: Range<usize>, parts: usize, start: &impl Fn(usize) -> usize) -> bool {
    let (mut before, mut after) = (0, parts);
    while after - before > 1 {
        let middle = before.midpoint(after);
        let side = if start(middle) <= block.start { &mut before } else { &mut after };
        *side = middle;
    }
    after < parts && start(after) < block.end
}

/// Computes y = max(0, y). NaN stays.
pub fn relu(simd: SimdLevel, y: &mut [f32]) {
    vectorized(simd, y.len(), Relu(y));
}

struct Relu<'a>(&'a mut [f32]);

impl Vectorized for Relu<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        for at in vector_offsets::<V>(self.0.len()) {
            V::splat(0.0).max(V::load(&self.0[at..])).store(&mut self.0[at..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::statistics::partial_len;

    /// Parts on blocks, across blocks, several in a block, and empty ones.
    #[test]
    fn statistics_of_parts_are_those_of_the_whole() {
        let simd = SimdLevel::widest();
        let (pixels, c) = (1100, 3);
        let value = |i: usize| (i * 7919 % 1000) as f32 / 1000.0;
        let mut want = vec![7.0; partial_len(pixels, c)];
        let whole: Vec<f32> = (0..pixels * c).map(value).collect();
        statistics_of_blocks(simd, &whole, c, &mut want, |_| true);
        for starts in [
            vec![0],
            vec![0, 256, 768],
            vec![0, 1, 255, 256, 300, 300, 310, 511, 512, 1023, 1025],
            vec![0, 400, 400, 800],
            (0..1100).collect(),
        ] {
            let (mut y, mut partial) = (vec![9.0; pixels * c], vec![9.0; want.len()]);
            let start = |part: usize| starts[part];
            let output = Output { y: &mut y, partial: Some(&mut partial) };
            output.write_parts(simd, c, starts.len(), &start, &|i, mut part| {
                part.y.copy_from_slice(&whole[starts[i] * c..][..part.y.len()]);
                part.written(simd, 0..1);
                part.written(simd, 1..c);
            });
            assert_eq!((partial, y), (want.clone(), whole.clone()), "{starts:?}");
        }
    }

    #[test]
    fn a_block_is_split_where_a_part_begins_inside() {
        let starts = [0, 100, 256, 512, 512, 700];
        let split = |block| is_split(block, starts.len(), &|part| starts[part]);
        assert_eq!([0..256, 256..512, 512..768, 768..1024].map(split), [true, false, true, false]);
        assert!(!is_split(0..256, 1, &|_| 0));
    }
}
