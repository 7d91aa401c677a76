//! Products of pairs of bfloat16 by AMX (Intel's Advanced Matrix Extensions).
//!
//! A tile register holds 16 rows of 16 words. `tdpbf16ps` adds the product of two of them to a third: 8,192
//! multiply-accumulates, for which the vector instructions need sixteen times as many steps. The
//! compiler has no stable functions for these instructions, so they are written in assembly.
//!
//! ```text
//! C [32, 32] is four registers, A [32, 16 words] two, B [16 words, 32] two
//! for each segment s, for each step k of 16 words:     C += A[s, k] · B[s, k]
//! ```
//!
//! `tdpbf16ps` sums the lower and the upper halves of the words of a step apart and adds both sums to C,
//! and it takes denormal numbers as 0. Its bits are therefore not those of the other levels; the bounds
//! of the tests hold for them.

mod available;

use super::SimdLevel;
pub use available::are_available;
use std::arch::asm;
use std::marker::PhantomData;

/// Rows of A and C, and columns of B and C, in one product.
pub const TILE_SIDE: usize = 32;
/// Words of a row of A in one step.
pub const STEP: usize = 16;

/// The tile registers of this thread, ready for use. A value is proof that the CPU has them and AVX-512.
pub struct Tiles {
    /// The registers belong to the thread.
    not_send: PhantomData<*const ()>,
}

/// The left operand: element p of row i and segment s is `data[start + i·row + segments[s] + p]`, counted
/// in halves of words.
pub struct TileRows<'a> {
    /// Memory that holds A.
    pub data: &'a [u16],
    /// Offset of the first row.
    pub start: usize,
    /// Distance between rows.
    pub row: usize,
    /// Offset of each segment of the sum.
    pub segments: &'a [usize],
    /// Steps of 32 halves in a segment.
    pub steps: usize,
}

/// Shapes of the eight registers: 16 rows of 64 bytes each, palette 1.
#[repr(C, align(64))]
struct Shapes([u8; 64]);

static SHAPES: Shapes = Shapes({
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut register = 0;
    while register < 8 {
        bytes[16 + 2 * register] = 64;
        bytes[48 + register] = 16;
        register += 1;
    }
    bytes
});

impl Tiles {
    /// Prepares the registers of this thread; `None` where the level has none.
    pub fn of(simd: SimdLevel) -> Option<Self> {
        if !simd.has_tiles() {
            return None;
        }
        // SAFETY: the level is proof that the CPU has the instruction and that the system allows it.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack)) }
        Some(Self { not_send: PhantomData })
    }

    /// Computes C = A·B, or adds the product to C: `rows` (16 or 32) rows of C, B `[segments · steps ·
    /// 16 words, 32]`, C `[rows, 32]`.
    ///
    /// # Panics
    /// When an operand is too short for its sizes.
    pub fn multiply(&self, a: &TileRows, b: &[f32], c: &mut [f32], rows: usize, add: bool) {
        let TileRows { data, start, row, segments, steps } = *a;
        let last = segments.iter().fold(0, |max, &s| s.max(max));
        let end = [start, (rows - 1).saturating_mul(row), last, 2 * STEP * steps];
        assert!(end.into_iter().fold(0, usize::saturating_add) <= data.len(), "A too short");
        assert!(b.len() >= segments.len() * steps * STEP * TILE_SIDE, "B too short");
        assert!(
            c.len() >= rows * TILE_SIDE && (rows == TILE_SIDE || rows == TILE_SIDE / 2),
            "C too short"
        );
        if segments.is_empty() || steps == 0 {
            if !add {
                c[..rows * TILE_SIDE].fill(0.0);
            }
            return;
        }
        // SAFETY: the assertions bound every read of A and B and every access to C. `self` is proof that
        // the registers are ready. No code of the compiler uses them in between.
        unsafe {
            let a = data.as_ptr().add(start);
            let (b, c) = (b.as_ptr(), c.as_mut_ptr());
            match rows {
                TILE_SIDE => {
                    begin32(c, add);
                    product32(a, row, segments, steps, b);
                    end32(c);
                }
                _ => {
                    begin16(c, add);
                    product16(a, row, segments, steps, b);
                    end16(c);
                }
            }
        }
    }

    /// Transposes words: `src` `[16 · rows, 16 · columns]`, rows `stride` apart, to `dst`, rows `to_stride`
    /// apart.
    ///
    /// # Panics
    /// When a matrix is too short for its sizes.
    pub fn transpose(
        &self,
        src: &[f32],
        stride: usize,
        [rows, columns]: [usize; 2],
        dst: &mut [f32],
        to_stride: usize,
    ) {
        if rows == 0 || columns == 0 {
            return;
        }
        assert!(stride >= 16 * columns && to_stride >= 16 * rows);
        assert!(src.len() >= (16 * rows - 1) * stride + 16 * columns);
        assert!(dst.len() >= (16 * columns - 1) * to_stride + 16 * rows);
        for r in 0..rows {
            for c in 0..columns {
                // SAFETY: the assertions bound both blocks, and `self` is proof of AVX-512.
                unsafe {
                    let src = src.as_ptr().add(16 * (r * stride + c));
                    let dst = dst.as_mut_ptr().add(16 * (c * to_stride + r));
                    transpose16(src, stride, dst, to_stride);
                }
            }
        }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: the value was made where the instruction exists.
        unsafe { asm!("tilerelease", options(nostack, nomem)) }
    }
}

/// Bytes between rows of B and C.
const ROW: usize = 4 * TILE_SIDE;

/// # Safety
/// As [`Tiles::multiply`] has checked; so below.
unsafe fn begin32(c: *const f32, add: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        if add {
            asm!(
                "tileloadd tmm0, [{c} + {r}]", "tileloadd tmm1, [{c} + {r} + 64]",
                "tileloadd tmm2, [{d} + {r}]", "tileloadd tmm3, [{d} + {r} + 64]",
                c = in(reg) c, d = in(reg) c.add(16 * TILE_SIDE), r = in(reg) ROW, options(nostack),
            );
        } else {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                options(nostack, nomem),
            );
        }
    }
}

/// # Safety
/// As above.
unsafe fn end32(c: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "tilestored [{c} + {r}], tmm0", "tilestored [{c} + {r} + 64], tmm1",
            "tilestored [{d} + {r}], tmm2", "tilestored [{d} + {r} + 64], tmm3",
            c = in(reg) c, d = in(reg) c.add(16 * TILE_SIDE), r = in(reg) ROW, options(nostack),
        );
    }
}

/// # Safety
/// As above.
unsafe fn product32(a: *const u16, row: usize, segments: &[usize], steps: usize, b: *const f32) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "2:",
            "mov {q}, [{seg}]",
            "lea {p}, [{a} + 2*{q}]",
            "lea {q}, [{d} + 2*{q}]",
            "mov {k}, {steps}",
            "3:",
            "tileloadd tmm4, [{p} + {row}]",
            "tileloadd tmm6, [{b} + {r}]",
            "tileloadd tmm7, [{b} + {r} + 64]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{q} + {row}]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {p}, 64",
            "add {q}, 64",
            "add {b}, 2048",
            "dec {k}",
            "jnz 3b",
            "add {seg}, 8",
            "dec {n}",
            "jnz 2b",
            seg = inout(reg) segments.as_ptr() => _, n = inout(reg) segments.len() => _,
            b = inout(reg) b => _, p = out(reg) _, q = out(reg) _, k = out(reg) _,
            a = in(reg) a, d = in(reg) a.add(16 * row), steps = in(reg) steps,
            row = in(reg) 2 * row, r = in(reg) ROW, options(nostack, readonly),
        );
    }
}

/// # Safety
/// As above.
unsafe fn begin16(c: *const f32, add: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        if add {
            asm!(
                "tileloadd tmm0, [{c} + {r}]", "tileloadd tmm1, [{c} + {r} + 64]",
                c = in(reg) c, r = in(reg) ROW, options(nostack),
            );
        } else {
            asm!("tilezero tmm0", "tilezero tmm1", options(nostack, nomem));
        }
    }
}

/// # Safety
/// As above.
unsafe fn end16(c: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "tilestored [{c} + {r}], tmm0", "tilestored [{c} + {r} + 64], tmm1",
            c = in(reg) c, r = in(reg) ROW, options(nostack),
        );
    }
}

/// # Safety
/// As above.
unsafe fn product16(a: *const u16, row: usize, segments: &[usize], steps: usize, b: *const f32) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "2:",
            "mov {p}, [{seg}]",
            "lea {p}, [{a} + 2*{p}]",
            "mov {k}, {steps}",
            "3:",
            "tileloadd tmm4, [{p} + {row}]",
            "tileloadd tmm6, [{b} + {r}]",
            "tileloadd tmm7, [{b} + {r} + 64]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "add {p}, 64",
            "add {b}, 2048",
            "dec {k}",
            "jnz 3b",
            "add {seg}, 8",
            "dec {n}",
            "jnz 2b",
            seg = inout(reg) segments.as_ptr() => _, n = inout(reg) segments.len() => _,
            b = inout(reg) b => _, p = out(reg) _, k = out(reg) _,
            a = in(reg) a, steps = in(reg) steps, row = in(reg) 2 * row, r = in(reg) ROW,
            options(nostack, readonly),
        );
    }
}

/// Transposes 16 × 16 words.
///
/// # Safety
/// The CPU has AVX-512, and both blocks are valid.
#[target_feature(enable = "avx512f")]
unsafe fn transpose16(src: *const f32, stride: usize, dst: *mut f32, to_stride: usize) {
    use std::arch::x86_64::*;
    // Blocks of 4 × 4 in each of the four lanes: u[g][j] holds column 4·lane + j of rows 4·g to 4·g + 3.
    let mut u = [[_mm512_setzero_ps(); 4]; 4];
    for (g, u) in u.iter_mut().enumerate() {
        let mut x = [_mm512_setzero_ps(); 4];
        for (i, x) in x.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *x = unsafe { _mm512_loadu_ps(src.add((4 * g + i) * stride)) };
        }
        let ab = _mm512_castps_pd(_mm512_unpacklo_ps(x[0], x[1]));
        let cd = _mm512_castps_pd(_mm512_unpacklo_ps(x[2], x[3]));
        u[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
        u[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
        let ab = _mm512_castps_pd(_mm512_unpackhi_ps(x[0], x[1]));
        let cd = _mm512_castps_pd(_mm512_unpackhi_ps(x[2], x[3]));
        u[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd));
        u[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
    }
    for j in 0..4 {
        // Lanes 0 and 2, and lanes 1 and 3, of the upper and of the lower eight rows.
        let [a, b, c, d] = [u[0][j], u[1][j], u[2][j], u[3][j]];
        let (even, odd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
        let (even2, odd2) =
            (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
        let columns = [
            _mm512_shuffle_f32x4::<0x88>(even, even2),
            _mm512_shuffle_f32x4::<0x88>(odd, odd2),
            _mm512_shuffle_f32x4::<0xdd>(even, even2),
            _mm512_shuffle_f32x4::<0xdd>(odd, odd2),
        ];
        for (lane, column) in columns.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { _mm512_storeu_ps(dst.add((4 * lane + j) * to_stride), column) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bf16::{from_bf16, to_bf16};

    fn tiles() -> Option<Tiles> {
        let tiles = SimdLevel::available().find_map(Tiles::of);
        if tiles.is_none() {
            println!("skipped: this CPU or system has no tile registers");
        }
        tiles
    }

    /// Two segments of one or two steps; integers, whose sums are exact.
    #[test]
    fn products_are_those_of_the_definition() {
        let Some(tiles) = tiles() else { return };
        let number = |i: usize| (i * 7 % 11) as f32 - 5.0;
        for (rows, steps) in [(16, 1), (16, 2), (32, 1), (32, 2)] {
            let (row, segments, start) = (40 * steps + 1, [0, 3], 5); // rows at any address
            let len = start + (rows - 1) * row + 3 + 32 * steps;
            let data: Vec<u16> = (0..len).map(|i| to_bf16(number(i))).collect();
            let halves = |k: usize, j: usize| [number(k + 2 * j), number(3 * k + j)];
            let b: Vec<f32> = (0..2 * steps * 16 * 32)
                .map(|i| {
                    let [lower, upper] = halves(i / 32, i % 32).map(|x| u32::from(to_bf16(x)));
                    f32::from_bits(lower | upper << 16)
                })
                .collect();
            let a = TileRows { data: &data, start, row, segments: &segments, steps };
            let mut c = vec![1.0; rows * 32];
            tiles.multiply(&a, &b, &mut c, rows, false);
            tiles.multiply(&a, &b, &mut c, rows, true);
            for (i, &c) in c.iter().enumerate() {
                let (i, j) = (i / 32, i % 32);
                let mut sum = 0.0;
                for (s, segment) in segments.iter().enumerate() {
                    for p in 0..32 * steps {
                        let b = halves(s * 16 * steps + p / 2, j)[p % 2];
                        sum += from_bf16(data[start + i * row + segment + p]) * b;
                    }
                }
                assert_eq!(c, 2.0 * sum, "{rows} rows, {steps} steps, element ({i}, {j})");
            }
        }
    }

    #[test]
    fn words_are_transposed() {
        let Some(tiles) = tiles() else { return };
        let src: Vec<f32> = (0..32 * 50).map(|i| i as f32).collect();
        let mut dst = vec![0.0; 48 * 33];
        tiles.transpose(&src, 50, [2, 3], &mut dst, 33);
        for (r, c) in (0..32).flat_map(|r| (0..48).map(move |c| (r, c))) {
            assert_eq!(dst[c * 33 + r], src[r * 50 + c]);
        }
    }
}
