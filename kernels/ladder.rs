//! The optimisation ladder: one convolution, from its definition to the fastest kernel, step by
//! step.
//!
//! Each rung is a short function and removes one cause of slowness:
//!
//! | rung | what it changes |
//! |---|---|
//! | [`naive`] | the definition in seven loops |
//! | [`im2col_naive`] | the taps are gathered once; the rest is a matrix product |
//! | [`im2col_blocked`] | the product reads memory in order, in blocks that stay in cache |
//! | [`scalar_tile`] | 4×4 sums stay in registers while p runs: each number loaded serves four products |
//! | [`simd_tile`] | 4×8 sums in four registers of eight lanes, four sums in flight |
//! | [`wide_tile`] | 6×16 sums in twelve registers: enough in flight that no unit waits |
//! | [`simd`] | SIMD registers hold a tile of the result; the image is read in place |
//! | [`simd`], all threads | the threads compute different blocks of the result |
//! | [`winograd`] | fewer multiplications |
//!
//! All rungs read and write NHWC and give the same result up to rounding. (The first copies to NCHW
//! and back, which takes little time compared with its loops.) `fer bench kernels` measures them.
//!
//! # Arithmetic intensity, with one number worked out
//!
//! A kernel needs time for its arithmetic and time for its memory. Which of the two decides? Their ratio, FLOP per
//! byte moved. One layer, batch 64, 48×48 pixels, 64 → 64 channels, 3×3:
//!
//! ```text
//! products   64·48·48 pixels · 64 outputs · 64·9 inputs = 5.4e9 MAC = 10.9 GFLOP
//! bytes      read x and write y: 2 · 64·48·48·64 · 4 = 75.5 MB;  weights: 64·64·9·4 = 0.15 MB
//! intensity  10.9e9 / 75.6e6 = 144 FLOP per byte
//! ```
//!
//! Take a core of 100 GFLOP/s and 20 GB/s (round numbers, not a measurement): it needs 109 ms for the arithmetic
//! and 3.8 ms for the bytes. The convolution is bound by arithmetic, and a better kernel pays. The ReLU behind it does
//! one operation per 8 bytes, intensity 0.125: 0.09 ms of arithmetic and 3.8 ms of memory. No SIMD instruction
//! helps there; not moving the bytes does, which is why ReLU is fused into its neighbours. The two meet at 100/20
//! = 5 FLOP per byte, the ridge of the roofline. The naive loops miss even the first bound, because they load and store
//! a number of y for every product, one lane at a time.

use crate::conv2d::im2col::im2col;
use crate::conv2d::winograd as winograd_kernel;
use crate::conv2d::{self, Algorithm};
use crate::naive as specification;
use crate::{Context, Conv2dGeometry, GemmGeometry, Transpose};
use std::array::from_fn;
use wide::f32x8;

/// One step of the ladder.
pub struct Rung {
    /// Short name.
    pub name: &'static str,
    /// Whether it uses all threads; otherwise run it in a pool of one thread.
    pub threads: bool,
    /// Kind of work that this rung does differently from the definition.
    pub kind: Kind,
    /// Computes y = conv(x, w): images NHWC, weights `[c_out, c_in, k_h, k_w]`, one group.
    pub run: fn(&Conv2dGeometry, &[f32], &[f32], &mut [f32]),
}

/// The arithmetic and memory traffic of a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The products of the definition; operands and result are moved once.
    InPlace,
    /// The same products; the im2col matrix is also written and read.
    Columns,
    /// Fewer products; operands and result are moved once.
    Winograd,
}

impl Rung {
    /// Returns the multiply-accumulates that the rung executes, without Winograd's transforms.
    pub fn macs(&self, g: &Conv2dGeometry) -> usize {
        match self.kind {
            Kind::Winograd => winograd_kernel::macs(winograd_kernel::tile_size(g), g),
            Kind::InPlace | Kind::Columns => g.macs(),
        }
    }
    /// Returns the bytes that the rung must move between memory and caches.
    pub fn bytes(&self, g: &Conv2dGeometry) -> usize {
        let columns = 2 * g.n * g.h_out * g.w_out * g.k_h * g.k_w * g.c_in;
        let columns = if self.kind == Kind::Columns { columns } else { 0 };
        size_of::<f32>() * (g.input_len() + g.weight_len() + g.output_len() + columns)
    }
}

/// All rungs, slowest first.
pub const LADDER: [Rung; 10] = [
    Rung { name: "naive loops", threads: false, kind: Kind::InPlace, run: naive },
    Rung { name: "im2col, naive product", threads: false, kind: Kind::Columns, run: im2col_naive },
    Rung {
        name: "im2col, blocked product",
        threads: false,
        kind: Kind::Columns,
        run: im2col_blocked,
    },
    Rung { name: "im2col, 4×4 tile", threads: false, kind: Kind::Columns, run: scalar_tile },
    Rung { name: "im2col, 4×8 SIMD", threads: false, kind: Kind::Columns, run: simd_tile },
    Rung { name: "im2col, 6×16 SIMD", threads: false, kind: Kind::Columns, run: wide_tile },
    Rung { name: "SIMD, one thread", threads: false, kind: Kind::InPlace, run: simd },
    Rung { name: "SIMD, all threads", threads: true, kind: Kind::InPlace, run: simd },
    Rung { name: "Winograd, one thread", threads: false, kind: Kind::Winograd, run: winograd },
    Rung { name: "Winograd, all threads", threads: true, kind: Kind::Winograd, run: winograd },
];

/// Computes the convolution by its definition, on NCHW copies.
pub fn naive(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    let (size_in, size_out) = (g.h_in * g.w_in, g.h_out * g.w_out);
    let mut x_nchw = vec![0.0; x.len()];
    for (i, &v) in x.iter().enumerate() {
        let (pixel, c) = (i / g.c_in, i % g.c_in);
        x_nchw[(pixel / size_in * g.c_in + c) * size_in + pixel % size_in] = v;
    }
    let mut y_nchw = vec![0.0; y.len()];
    specification::conv2d::forward(g, &x_nchw, w, None, &mut y_nchw);
    for (i, y) in y.iter_mut().enumerate() {
        let (pixel, o) = (i / g.c_out, i % g.c_out);
        *y = y_nchw[(pixel / size_out * g.c_out + o) * size_out + pixel % size_out];
    }
}

/// Writes out the im2col matrix of each image, then multiplies in three loops.
pub fn im2col_naive(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    by_columns(g, x, w, y, |[m, n, k], cols, filters, y| {
        let shape = GemmGeometry { m, n, k, trans_a: Transpose::No, trans_b: Transpose::No };
        specification::gemm::gemm(&shape, cols, filters, y, false);
    });
}

/// Writes out the im2col matrix of each image, then multiplies in an order that reuses loaded data:
/// the innermost loop runs along rows of both B and C, and a block of B stays in cache.
pub fn im2col_blocked(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    const BLOCK: usize = 128;
    by_columns(g, x, w, y, |[m, n, k], cols, filters, y| {
        y.fill(0.0);
        for p0 in (0..k).step_by(BLOCK) {
            for i in 0..m {
                let y = &mut y[i * n..][..n];
                for p in p0..(p0 + BLOCK).min(k) {
                    let a = cols[i * k + p];
                    for (y, &b) in y.iter_mut().zip(&filters[p * n..]) {
                        *y += a * b;
                    }
                }
            }
        }
    });
}

/// Holds a tile of 4 × 4 sums in variables while p runs. Rows and columns beyond the last whole tile are
/// computed one by one, here and in the other rungs of tiles.
pub fn scalar_tile(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    by_columns(g, x, w, y, |sizes, a, b, c| {
        let [_, n, k] = sizes;
        for [i, j] in tiles(sizes, [4, 4], a, b, c) {
            let mut sums = [[0.0; 4]; 4];
            for p in 0..k {
                for r in 0..4 {
                    for s in 0..4 {
                        sums[r][s] += a[(i + r) * k + p] * b[p * n + j + s];
                    }
                }
            }
            for r in 0..4 {
                c[(i + r) * n + j..][..4].copy_from_slice(&sums[r]);
            }
        }
    });
}

/// Holds a tile of 4 × 8 sums in four vectors.
pub fn simd_tile(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    by_columns(g, x, w, y, vector_tiles::<4, 1>);
}

/// Holds a tile of 6 × 16 sums in twelve vectors.
pub fn wide_tile(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    by_columns(g, x, w, y, vector_tiles::<6, 2>);
}

/// Computes C = A·B in tiles of R rows and V vectors of eight columns, in safe code: compiled for
/// the oldest CPU that the program supports, so the vectors may be half as wide as they could be.
fn vector_tiles<const R: usize, const V: usize>(
    sizes: [usize; 3],
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
) {
    let [_, n, k] = sizes;
    for [i, j] in tiles(sizes, [R, 8 * V], a, b, c) {
        let mut sums = [[f32x8::ZERO; V]; R];
        for p in 0..k {
            let row: [f32x8; V] = from_fn(|v| f32x8::new(from_fn(|l| b[p * n + j + 8 * v + l])));
            for r in 0..R {
                let a = f32x8::splat(a[(i + r) * k + p]);
                for v in 0..V {
                    sums[r][v] = a.mul_add(row[v], sums[r][v]);
                }
            }
        }
        for r in 0..R {
            for v in 0..V {
                c[(i + r) * n + j + 8 * v..][..8].copy_from_slice(&sums[r][v].to_array());
            }
        }
    }
}

/// Returns the corner of every whole tile of C, and computes what no whole tile covers.
fn tiles(
    [m, n, k]: [usize; 3],
    [height, width]: [usize; 2],
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
) -> Vec<[usize; 2]> {
    let (rows, cols) = (m / height * height, n / width * width);
    for i in 0..m {
        for j in if i < rows { cols..n } else { 0..n } {
            c[i * n + j] = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
        }
    }
    let corners = (0..rows).step_by(height);
    corners.flat_map(|i| (0..cols).step_by(width).map(move |j| [i, j])).collect()
}

/// Calls `product([pixels, c_out, k], cols, filters, y)` for each image, with the filters as the
/// matrix `[k, c_out]`, k = k_h·k_w·c_in.
fn by_columns(
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    y: &mut [f32],
    product: impl Fn([usize; 3], &[f32], &[f32], &mut [f32]),
) {
    let (pixels, taps) = (g.h_out * g.w_out, g.k_h * g.k_w);
    let k = taps * g.c_in;
    let mut filters = vec![0.0; k * g.c_out];
    for (i, f) in filters.iter_mut().enumerate() {
        let (tap, c, o) = (i / g.c_out / g.c_in, i / g.c_out % g.c_in, i % g.c_out);
        *f = w[(o * g.c_in + c) * taps + tap];
    }
    let mut cols = vec![0.0; pixels * k];
    let image = g.h_in * g.w_in * g.c_in;
    for (n, y) in y.chunks_mut((pixels * g.c_out).max(1)).enumerate() {
        im2col(g, &x[n * image..][..image], 0..g.h_out, [0, g.c_in], &mut cols);
        product([pixels, g.c_out, k], &cols, &filters, y);
    }
}

/// Runs the direct kernel.
pub fn simd(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    let ctx = Context { conv: Algorithm::Direct, ..Context::global() };
    conv2d::forward(ctx, g, x, w, None, y);
}

/// Runs the Winograd kernel, where it applies.
pub fn winograd(g: &Conv2dGeometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    let ctx = Context { conv: Algorithm::Winograd, ..Context::global() };
    conv2d::forward(ctx, g, x, w, None, y);
}
