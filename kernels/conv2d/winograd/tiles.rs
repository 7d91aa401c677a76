//! Which pixels the tiles of a Winograd convolution read and write.

use crate::Conv2dGeometry;
use std::ops::Range;

/// The M × M tiles that cover the outputs of a batch, counted through image by image, row by row.
#[derive(Clone, Copy)]
pub struct Tiles<'a> {
    pub g: &'a Conv2dGeometry,
    /// Outputs on a side.
    m: usize,
    /// Outputs on a side of which one is kept: 2 where they are pooled, else 1.
    pool: usize,
    /// Tiles down and across an image.
    pub rows: usize,
    pub columns: usize,
}

/// One tile: image, and the first output row and column.
#[derive(Clone, Copy)]
pub struct Tile {
    n: usize,
    i: usize,
    j: usize,
}

impl<'a> Tiles<'a> {
    pub fn new(g: &'a Conv2dGeometry, m: usize) -> Self {
        Self { g, m, pool: 1, rows: g.h_out.div_ceil(m), columns: g.w_out.div_ceil(m) }
    }
    /// The same tiles where of each 2×2 outputs one is kept: pixels written are the kept ones.
    pub fn pooled(self, pool: bool) -> Self {
        Self { pool: if pool { 2 } else { 1 }, ..self }
    }
    /// Tiles of an image.
    pub fn per_image(&self) -> usize {
        self.rows * self.columns
    }
    /// First output pixel of tile row `r` of the batch.
    pub fn row_start(&self, r: usize) -> usize {
        let [h, w] = self.kept();
        (r / self.rows * h + r % self.rows * self.m / self.pool) * w
    }
    /// Rows and columns of an image that are written.
    fn kept(&self) -> [usize; 2] {
        [self.g.h_out / self.pool, self.g.w_out / self.pool]
    }
    /// Tile number `t` of the batch.
    pub fn tile(&self, t: usize) -> Tile {
        let (rest, j) = (t / self.columns, t % self.columns);
        Tile { n: rest / self.rows, i: rest % self.rows * self.m, j: j * self.m }
    }
    /// Pixel (a, b) of the patch that `tile` reads, by its number in the batch, if it is inside.
    #[inline(always)]
    pub fn input_pixel(&self, tile: Tile, a: usize, b: usize) -> Option<usize> {
        let row = (tile.i + a).wrapping_sub(self.g.padding[0]);
        let column = (tile.j + b).wrapping_sub(self.g.padding[1]);
        (row < self.g.h_in && column < self.g.w_in)
            .then(|| (tile.n * self.g.h_in + row) * self.g.w_in + column)
    }
    /// Pixel (a, b) of the outputs of `tile`, by the number in the batch of the pixel that is
    /// written, if it is inside.
    #[inline(always)]
    pub fn output_pixel(&self, tile: Tile, a: usize, b: usize) -> Option<usize> {
        let ([h, w], row, column) = (self.kept(), tile.i + a, tile.j + b);
        let (row, column) = (row / self.pool, column / self.pool);
        (row < h && column < w).then(|| (tile.n * h + row) * w + column)
    }
    /// Input pixels that `tile` reads in row `a` of its patch and its left neighbour does not, by their
    /// numbers in the batch; none where the row is outside.
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
    /// Output pixels of `tile` in its row `a`, by their numbers in the batch.
    #[inline(always)]
    pub fn output_pixels(&self, tile: Tile, a: usize) -> Range<usize> {
        let [h, w] = self.kept();
        let (row, column) = ((tile.i + a) / self.pool, tile.j / self.pool);
        if row >= h || tile.n >= self.g.n {
            return 0..0;
        }
        let row = (tile.n * h + row) * w;
        row + column..row + (column + self.m / self.pool).min(w)
    }
}
