//! The one-dimensional Winograd transforms F(2,3), F(3,3) and F(4,3).

use crate::arch::Vector;

/// F(M, 3): M outputs of a filter with three taps from A = M + 2 inputs with A products.
///
/// ```text
/// y = Aᵀ[(G·g) ⊙ (Bᵀ·d)]        d [A] inputs, g [3] filter, y [M] outputs
/// ```
///
/// In two dimensions each transform is applied to the columns, then to the rows.
pub trait Variant<const M: usize, const A: usize> {
    /// Returns Bᵀ·d.
    fn input<V: Vector>(d: [V; A]) -> [V; A];
    /// Returns G·g.
    fn filter<V: Vector>(g: [V; 3]) -> [V; A];
    /// Returns Aᵀ·m.
    fn output<V: Vector>(m: [V; A]) -> [V; M];
    /// Returns A·y: the adjoint of [`Variant::output`], applied to the gradient of the outputs.
    fn output_adjoint<V: Vector>(y: [V; M]) -> [V; A];
    /// Returns Gᵀ·u: the adjoint of [`Variant::filter`], which gives the gradient of the filter.
    fn filter_adjoint<V: Vector>(u: [V; A]) -> [V; 3];
}

/// F(2, 3) at the points 0, 1, −1, ∞. Its coefficients are 1 and ½, so on small integers it is
/// exact.
pub struct F2;

impl Variant<2, 4> for F2 {
    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3]: [V; 4]) -> [V; 4] {
        [d0 - d2, d1 + d2, d2 - d1, d1 - d3]
    }
    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2]: [V; 3]) -> [V; 4] {
        let half = V::splat(0.5);
        let even = (g0 + g2) * half;
        let odd = g1 * half;
        [g0, even + odd, even - odd, g2]
    }
    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3]: [V; 4]) -> [V; 2] {
        [m0 + (m1 + m2), (m1 - m2) - m3]
    }
    #[inline(always)]
    fn output_adjoint<V: Vector>([y0, y1]: [V; 2]) -> [V; 4] {
        [y0, y0 + y1, y0 - y1, V::splat(0.0) - y1]
    }
    #[inline(always)]
    fn filter_adjoint<V: Vector>([u0, u1, u2, u3]: [V; 4]) -> [V; 3] {
        let half = V::splat(0.5);
        let (sum, difference) = ((u1 + u2) * half, (u1 - u2) * half);
        [u0 + sum, difference, sum + u3]
    }
}

/// F(3, 3) at the points 0, ½, −1, 2, ∞, which had the smallest rounding error of the sets tried.
pub struct F3;

impl Variant<3, 5> for F3 {
    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3, d4]: [V; 5]) -> [V; 5] {
        [
            (d1 + d2).mul_add(V::splat(-1.5), d0 + d3),
            d1.mul_add(V::splat(-2.0), d3 - d2),
            d2.mul_add(V::splat(-2.5), d1 + d3),
            (d2 - d1).mul_add(V::splat(0.5), d3),
            (d2 + d3).mul_add(V::splat(-1.5), d1 + d4),
        ]
    }
    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2]: [V; 3]) -> [V; 5] {
        let half = g2.mul_add(V::splat(0.25), g1.mul_add(V::splat(0.5), g0));
        let minus_one = g0 - g1 + g2;
        let two = g2.mul_add(V::splat(4.0), g1.mul_add(V::splat(2.0), g0));
        let over = |nine: f32| V::splat(nine / 9.0);
        [g0, half * over(-8.0), minus_one * over(-2.0), two * over(1.0), g2]
    }
    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3, m4]: [V; 5]) -> [V; 3] {
        [
            (m0 + m1) + (m2 + m3),
            m1.mul_add(V::splat(0.5), m3.mul_add(V::splat(2.0), V::splat(0.0) - m2)),
            m1.mul_add(V::splat(0.25), m3.mul_add(V::splat(4.0), m2 + m4)),
        ]
    }
    #[inline(always)]
    fn output_adjoint<V: Vector>([y0, y1, y2]: [V; 3]) -> [V; 5] {
        let half = y2.mul_add(V::splat(0.25), y1.mul_add(V::splat(0.5), y0));
        let two = y2.mul_add(V::splat(4.0), y1.mul_add(V::splat(2.0), y0));
        [y0, half, y0 - y1 + y2, two, y2]
    }
    #[inline(always)]
    fn filter_adjoint<V: Vector>([u0, u1, u2, u3, u4]: [V; 5]) -> [V; 3] {
        let over = |nine: f32| V::splat(nine / 9.0);
        [
            u1.mul_add(over(-8.0), u2.mul_add(over(-2.0), u3.mul_add(over(1.0), u0))),
            u1.mul_add(over(-4.0), (u2 + u3) * over(2.0)),
            u3.mul_add(over(4.0), (u1 + u2).mul_add(over(-2.0), u4)),
        ]
    }
}

/// F(4, 3) at the points 0, ±1/√2, ±√2, ∞.
///
/// The usual points 0, ±1, ±2, ∞ need no irrational factors, but their coefficients go up to 8.
/// With these points the largest is 2√2, and the rounding error is half as large.
pub struct F4;

/// 1/√2; [`B`] is √2.
const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;

impl Variant<4, 6> for F4 {
    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3, d4, d5]: [V; 6]) -> [V; 6] {
        let [a, b, minus] = [V::splat(A), V::splat(B), V::splat(-2.5)];
        let even1 = d2.mul_add(V::splat(-2.0), d4);
        let even2 = d2.mul_add(V::splat(-0.5), d4);
        let odd1 = d1.mul_add(V::splat(-B), d3 * a);
        let odd2 = d1.mul_add(V::splat(-A), d3 * b);
        [
            d2.mul_add(minus, d0 + d4),
            even1 + odd1,
            even1 - odd1,
            even2 + odd2,
            even2 - odd2,
            d3.mul_add(minus, d1 + d5),
        ]
    }
    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2]: [V; 3]) -> [V; 6] {
        let even1 = g2.mul_add(V::splat(-1.0 / 3.0), g0 * V::splat(-2.0 / 3.0));
        let even2 = g2.mul_add(V::splat(1.0 / 3.0), g0 * V::splat(1.0 / 6.0));
        let (odd1, odd2) = (g1 * V::splat(-2.0 / 3.0 * A), g1 * V::splat(B / 6.0));
        [g0, even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, g2]
    }
    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; 6]) -> [V; 4] {
        let (even1, odd1, even2, odd2) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        [
            m0 + (even1 + even2),
            odd1.mul_add(V::splat(A), odd2 * V::splat(B)),
            even1.mul_add(V::splat(0.5), even2 + even2),
            odd1.mul_add(V::splat(0.5 * A), odd2.mul_add(V::splat(2.0 * B), m5)),
        ]
    }
    #[inline(always)]
    fn output_adjoint<V: Vector>([y0, y1, y2, y3]: [V; 4]) -> [V; 6] {
        let even1 = y2.mul_add(V::splat(0.5), y0);
        let odd1 = y3.mul_add(V::splat(0.5 * A), y1 * V::splat(A));
        let even2 = y2.mul_add(V::splat(2.0), y0);
        let odd2 = y3.mul_add(V::splat(2.0 * B), y1 * V::splat(B));
        [y0, even1 + odd1, even1 - odd1, even2 + odd2, even2 - odd2, y3]
    }
    #[inline(always)]
    fn filter_adjoint<V: Vector>([u0, u1, u2, u3, u4, u5]: [V; 6]) -> [V; 3] {
        let (even1, odd1, even2, odd2) = (u1 + u2, u1 - u2, u3 + u4, u3 - u4);
        [
            even1.mul_add(V::splat(-2.0 / 3.0), even2.mul_add(V::splat(1.0 / 6.0), u0)),
            odd1.mul_add(V::splat(-2.0 / 3.0 * A), odd2 * V::splat(B / 6.0)),
            even1.mul_add(V::splat(-1.0 / 3.0), even2.mul_add(V::splat(1.0 / 3.0), u5)),
        ]
    }
}

/// Applies the one-dimensional transform `$f` to the columns of a square, then to the rows.
///
/// `$load` is element (`$i`, `$j`) of the square, `$store` stores `$v`, element (`$k`, `$l`) of the
/// result. Only the square between the two steps, `$between`, is in memory. The caller reuses it
/// for every tile: filling a new one with zeros would cost as much as the arithmetic of a
/// transform.
///
/// This is a macro because a function that takes `$f` as a closure would not be inlined where the
/// wide registers are available (see [`crate::arch::Vectorized`]).
macro_rules! both_axes {
    ($between:ident, $f:path, $p:expr => $q:expr, [$i:ident, $j:ident] $load:expr, [$k:ident, $l:ident, $v:ident] $store:expr) => {
        for $j in 0..$p {
            let mut column = [V::splat(0.0); $p];
            for $i in 0..$p {
                column[$i] = $load;
            }
            let column = $f(column);
            for i in 0..$q {
                $between[i][$j] = column[i];
            }
        }
        for $k in 0..$q {
            let row = $f($between[$k]);
            for $l in 0..$q {
                let $v = row[$l];
                $store;
            }
        }
    };
}
pub(super) use both_axes;
