//! The portable micro-kernel: the `wide` crate's vectors, on any CPU.

use super::contract::Raw;
use super::multiply_add::multiply_add;
use wide::f32x8;

const LANES: usize = 8;
/// Rows of the tile.
pub const MR: usize = 6;
/// Registers in a row of the tile. Browsers on x86-64 have 16 registers of four numbers for WebAssembly and
/// move what exceeds them to memory and back; a narrow tile needs 15.
const WIDTH: usize = if cfg!(target_arch = "wasm32") { 1 } else { 2 };
/// Columns of the tile.
pub const NR: usize = WIDTH * LANES;

/// A step of the sum: t + x·y in each element.
trait Step {
    fn step(x: f32x8, y: f32x8, t: f32x8) -> f32x8;
}

/// Elements are f32.
pub struct Single;
/// Elements are pairs of bfloat16, as in `pair_products`.
pub struct Pairs;

impl Step for Single {
    #[inline(always)]
    fn step(x: f32x8, y: f32x8, t: f32x8) -> f32x8 {
        multiply_add(x, y, t)
    }
}

impl Step for Pairs {
    #[inline(always)]
    fn step(x: f32x8, y: f32x8, t: f32x8) -> f32x8 {
        let upper = |x: f32x8| x.to_array().map(|x| f32::from_bits(x.to_bits() & 0xffff_0000));
        let lower = |x: f32x8| x.to_array().map(|x| f32::from_bits(x.to_bits() << 16));
        let t = multiply_add(f32x8::new(upper(x)), f32x8::new(upper(y)), t);
        multiply_add(f32x8::new(lower(x)), f32x8::new(lower(y)), t)
    }
}

/// Computes a tile by the contract of [`super::contract`].
///
/// # Safety
/// Every address of A, B and C that the contract names is valid.
#[allow(private_bounds)]
pub unsafe fn run<S: Step>(x: &Raw) {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        match x.m {
            0..=2 => tile::<S, 2>(x),
            3..=4 => tile::<S, 4>(x),
            _ => tile::<S, MR>(x),
        }
    }
}

/// Computes a tile with R ≥ m rows in registers, so that a low tile costs less than a high one.
///
/// # Safety
/// The caller keeps what [`run`] requires.
unsafe fn tile<S: Step, const R: usize>(x: &Raw) {
    let mut t = [[f32x8::ZERO; WIDTH]; R];
    let (mut b, mut lines) = (x.b, x.prefetch);
    // SAFETY: `rows` has MR ≥ R entries.
    let rows: [*const f32; R] =
        std::array::from_fn(|i| x.a.wrapping_add(unsafe { *x.rows.add(i) }));
    for s in 0..x.num_segments {
        // SAFETY: s is below the number of segments.
        let mut at = unsafe { *x.segments.add(s) };
        for _ in 0..x.k {
            // SAFETY: B has num_segments·k rows of NR elements, stride_b apart; this is the next.
            let row = unsafe { &*b.cast::<[[f32; LANES]; WIDTH]>() };
            lines.prefetch_next();
            let row = row.map(f32x8::new);
            for i in 0..R {
                // SAFETY: rows[i] + segments[s] + p·step is an element of A.
                let a = f32x8::splat(unsafe { *rows[i].add(at) });
                for (t, b) in t[i].iter_mut().zip(row) {
                    *t = S::step(a, b, *t);
                }
            }
            at += x.step;
            b = b.wrapping_add(x.stride_b);
        }
    }
    for (i, t) in t.iter().enumerate().take(x.m) {
        // SAFETY: row i < m of C holds NR elements, borrowed by nothing else.
        let c = unsafe { &mut *x.c.add(i * x.stride_c).cast::<[f32; NR]>() };
        for (c, t) in c.iter_mut().zip(t.iter().flat_map(|half| half.to_array())) {
            *c = if x.add { *c + t } else { t };
        }
    }
}
