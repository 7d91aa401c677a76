//! F(2×2, 3×3) on one tile, with its matrices written out: what the Winograd kernels compute.
//!
//! Two outputs of a filter of three on four pixels take six products by the definition. A filter is a polynomial,
//! g(x) = g₀ + g₁x + g₂x², and so is a signal; a product of polynomials is a convolution, and is known from its
//! values at as many points as it has coefficients. Four points, 0, 1, −1 and ∞, are enough: four products.
//!
//! [`G`] evaluates the filter there. Row by row, with the middle two halved:
//!
//! ```text
//! 0    g₀                     1    0    0
//! 1    (g₀ + g₁ + g₂)/2       ½    ½    ½
//! −1   (g₀ − g₁ + g₂)/2       ½   −½    ½
//! ∞    g₂                     0    0    1
//! ```
//!
//! [`BT`] and [`AT`] are what the transpose of that product does to pixels and outputs. In numbers, d = (1, 2, 3, 4)
//! and g = (1, 10, 100): G·g = (1, 55.5, 45.5, 100), Bᵀ·d = (−2, 5, 1, −2), the four products are −2, 277.5, 45.5
//! and −200, and Aᵀ makes of them 321 and 432, which are 1 + 20 + 300 and 2 + 30 + 400.
//!
//! In two dimensions each matrix is applied to the columns and to the rows, which takes 16 products for four
//! outputs instead of 36.

use crate::Scalar;

/// Pixels: Bᵀ.
pub const BT: [[f64; 4]; 4] =
    [[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]];

/// Filter: G.
pub const G: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

/// Outputs: Aᵀ.
pub const AT: [[f64; 4]; 2] = [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]];

/// Computes M·x·Mᵀ.
pub fn both_sides<T: Scalar, const R: usize, const C: usize>(
    m: &[[f64; C]; R],
    x: &[[T; C]; C],
) -> [[T; R]; R] {
    let mut y = [[T::ZERO; R]; R];
    for i in 0..R {
        for j in 0..R {
            for p in 0..C {
                for q in 0..C {
                    y[i][j] += T::from_f64(m[i][p] * m[j][q]) * x[p][q];
                }
            }
        }
    }
    y
}

/// Computes the 2×2 outputs of one tile of 4×4 pixels: y = Aᵀ[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]A.
pub fn tile<T: Scalar>(d: &[[T; 4]; 4], g: &[[T; 3]; 3]) -> [[T; 2]; 2] {
    let (pixels, filter) = (both_sides(&BT, d), both_sides(&G, g));
    let mut products = [[T::ZERO; 4]; 4];
    for i in 0..4 {
        for j in 0..4 {
            products[i][j] = pixels[i][j] * filter[i][j];
        }
    }
    both_sides(&AT, &products)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_products_are_enough() {
        let d: [[f64; 4]; 4] =
            std::array::from_fn(|i| std::array::from_fn(|j| (3 * i + j * j) as f64));
        let g = [[1.0, -2.0, 3.0], [0.5, 7.0, -1.0], [2.0, 0.0, 4.0]];
        let y = tile(&d, &g);
        for i in 0..2 {
            for j in 0..2 {
                let terms = (0..9).map(|t| g[t / 3][t % 3] * d[i + t / 3][j + t % 3]);
                assert!((y[i][j] - terms.sum::<f64>()).abs() < 1e-12, "{y:?}");
            }
        }
    }
}
