//! The tiles of a Winograd convolution: which pixels each reads and writes.

use crate::Conv2dGeometry;
use std::ops::Range;

/// The M × M tiles that cover the outputs of a batch, numbered image by image, row by row.
#[derive(Clone, Copy)]
pub struct Tiles<'a> {
    pub g: &'a Conv2dGeometry,
    /// Outputs on a side.
    m: usize,
    /// Side of the pooling window: 2 where the outputs are pooled, else 1.
    pool: usize,
    /// Rows and columns of tiles in an image.
    pub rows: usize,
    pub columns: usize,
}

/// One tile: its image, first output row and first output column.
#[derive(Clone, Copy)]
pub struct Tile {
    n: usize,
    i: usize,
    j: usize,
}

impl<'a> Tiles<'a> {
    /// Returns the tiles of m × m outputs, without pooling.
    pub fn new(g: &'a Conv2dGeometry, m: usize) -> Self {
        Self { g, m, pool: 1, rows: g.h_out.div_ceil(m), columns: g.w_out.div_ceil(m) }
    }
    /// Returns the same tiles with max pooling 2×2 of their outputs: output pixels are then the
    /// pooled ones.
    pub fn pooled(self, pool: bool) -> Self {
        Self { pool: if pool { 2 } else { 1 }, ..self }
    }
    /// Returns the number of tiles of an image.
    pub fn per_image(&self) -> usize {
        self.rows * self.columns
    }
    /// Returns the first output pixel of tile row `r` of the batch.
    pub fn row_start(&self, r: usize) -> usize {
        let [h, w] = self.output_size();
        (r / self.rows * h + r % self.rows * self.m / self.pool) * w
    }
    /// Returns the rows and columns of the (pooled) output.
    fn output_size(&self) -> [usize; 2] {
        [self.g.h_out / self.pool, self.g.w_out / self.pool]
    }
    /// Returns tile number `t` of the batch.
    pub fn tile(&self, t: usize) -> Tile {
        let (rest, j) = (t / self.columns, t % self.columns);
        Tile { n: rest / self.rows, i: rest % self.rows * self.m, j: j * self.m }
    }
    /// Returns the number in the batch of pixel (a, b) of the patch that `tile` reads, if it is
    /// inside.
    #[inline(always)]
    pub fn input_pixel(&self, tile: Tile, a: usize, b: usize) -> Option<usize> {
        let row = (tile.i + a).wrapping_sub(self.g.padding[0]);
        let column = (tile.j + b).wrapping_sub(self.g.padding[1]);
        (row < self.g.h_in && column < self.g.w_in)
            .then(|| (tile.n * self.g.h_in + row) * self.g.w_in + column)
    }
    /// Returns the number in the batch of the (pooled) pixel that output (a, b) of `tile` is
    /// written to, if it is inside.
    #[inline(always)]
    pub fn output_pixel(&self, tile: Tile, a: usize, b: usize) -> Option<usize> {
        let ([h, w], row, column) = (self.output_size(), tile.i + a, tile.j + b);
        let (row, column) = (row / self.pool, column / self.pool);
        (row < h && column < w).then(|| (tile.n * h + row) * w + column)
    }
    /// Returns the numbers of the input pixels that `tile` reads in row `a` of its patch and its
    /// left neighbour does not; none where the row is outside.
    #[inline(always)]
    pub fn new_input_pixels(&self, tile: Tile, a: usize) -> Range<usize> {
        let row = (tile.i + a).wrapping_sub(self.g.padding[0]);
        if row >= self.g.h_in || tile.n >= self.g.n {
            return 0..0;
        }
        let row = (tile.n * self.g.h_in + row) * self.g.w_in;
        let first = (tile.j + 2).saturating_sub(self.g.padding[1]).min(self.g.w_in);
        row + first..row + (first + self.m).min(self.g.w_in)
    }
    /// Returns the numbers of the output pixels of `tile` in its row `a`.
    #[inline(always)]
    pub fn output_pixels(&self, tile: Tile, a: usize) -> Range<usize> {
        let [h, w] = self.output_size();
        let (row, column) = ((tile.i + a) / self.pool, tile.j / self.pool);
        if row >= h || tile.n >= self.g.n {
            return 0..0;
        }
        let row = (tile.n * h + row) * w;
        row + column..row + (column + self.m / self.pool).min(w)
    }
}
