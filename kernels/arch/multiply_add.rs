//! x · y + t of the portable level's vectors.

use wide::f32x8;

/// Returns x · y + t, rounded once or twice as the CPU likes.
#[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
#[inline(always)]
pub fn multiply_add(x: f32x8, y: f32x8, t: f32x8) -> f32x8 {
    x.mul_add(y, t)
}

/// Returns x · y + t, rounded once or twice as the browser likes: its fastest instruction.
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
#[inline(always)]
pub fn multiply_add(x: f32x8, y: f32x8, t: f32x8) -> f32x8 {
    use std::arch::wasm32::{f32x4_relaxed_madd, v128};
    // SAFETY: both types are 32 bytes, and every bit pattern is a value of either.
    let halves = |v: f32x8| unsafe { std::mem::transmute::<f32x8, [v128; 2]>(v) };
    let ([x0, x1], [y0, y1], [t0, t1]) = (halves(x), halves(y), halves(t));
    let sum = [f32x4_relaxed_madd(x0, y0, t0), f32x4_relaxed_madd(x1, y1, t1)];
    // SAFETY: as above.
    unsafe { std::mem::transmute::<[v128; 2], f32x8>(sum) }
}
