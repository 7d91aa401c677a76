//! Weighted ridge regression, solved exactly.

use crate::{Error, Result};

/// A linear model fitted to weighted samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    /// A coefficient for each column.
    pub coefficients: Vec<f64>,
    /// Intercept, not penalised.
    pub intercept: f64,
    /// R²: weighted share of the variance that the model explains; 0 where y does not vary.
    pub r2: f64,
}

/// Fits a linear model: minimises Σ_s w_s·(y_s − b₀ − Σ_j b_j·x_sj)² + α·Σ_j b_j² over rows x
/// `[samples, columns]`.
///
/// Columns and y are centred by their weighted means, so that the intercept is not penalised. Then
/// (XᵀWX + αI)·b = XᵀWy is solved by Cholesky decomposition. Agrees with scikit-learn's
/// `Ridge(alpha).fit(x, y, sample_weight=w)`.
///
/// **Errors**: `Shape` where sizes disagree or the system is singular (α = 0 and dependent
/// columns).
pub fn ridge(x: &[f64], y: &[f64], weights: &[f64], alpha: f64) -> Result<Ridge> {
    let samples = y.len();
    let total: f64 = weights.iter().sum();
    if samples == 0 || weights.len() != samples || !x.len().is_multiple_of(samples) || total <= 0.0
    {
        let detail = format!("{} values, {samples} samples, weights sum to {total}", x.len());
        return Err(Error::shape("ridge", detail));
    }
    let columns = x.len() / samples;
    let weighted_mean = |value: &dyn Fn(usize) -> f64| {
        (0..samples).map(|s| weights[s] * value(s)).sum::<f64>() / total
    };
    let mean_y = weighted_mean(&|s| y[s]);
    let mean_x: Vec<f64> = (0..columns).map(|j| weighted_mean(&|s| x[s * columns + j])).collect();

    let mut gram = vec![0.0; columns * columns];
    let mut right = vec![0.0; columns];
    let mut centred = vec![0.0; columns];
    for s in 0..samples {
        for j in 0..columns {
            centred[j] = x[s * columns + j] - mean_x[j];
        }
        for i in 0..columns {
            let scaled = weights[s] * centred[i];
            right[i] += scaled * (y[s] - mean_y);
            for j in 0..=i {
                gram[i * columns + j] += scaled * centred[j];
            }
        }
    }
    for j in 0..columns {
        gram[j * columns + j] += alpha;
    }
    let coefficients = solve_cholesky(gram, right)?;
    let dot = |row: &[f64]| row.iter().zip(&coefficients).map(|(a, b)| a * b).sum::<f64>();
    let intercept = mean_y - dot(&mean_x);
    let (mut residual, mut variance) = (0.0, 0.0);
    for s in 0..samples {
        let fitted = intercept + dot(&x[s * columns..(s + 1) * columns]);
        residual += weights[s] * (y[s] - fitted).powi(2);
        variance += weights[s] * (y[s] - mean_y).powi(2);
    }
    let r2 = if variance > 0.0 { 1.0 - residual / variance } else { 0.0 };
    Ok(Ridge { coefficients, intercept, r2 })
}

/// Solves A·b = r for a symmetric positive definite A `[n, n]`, of which the lower triangle is
/// read: A = L·Lᵀ, then forward and back substitution.
fn solve_cholesky(mut a: Vec<f64>, mut r: Vec<f64>) -> Result<Vec<f64>> {
    let n = r.len();
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            if i != j {
                a[i * n + j] = rest / a[j * n + j];
            } else if rest > 1e-12 * a[i * n + i] && rest.is_finite() {
                a[i * n + i] = rest.sqrt();
            } else {
                let detail = format!("column {i} depends on the others; use alpha > 0");
                return Err(Error::shape("ridge", detail));
            }
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| a[i * n + k] * r[k]).sum();
        r[i] = (r[i] - dot) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| a[k * n + i] * r[k]).sum();
        r[i] = (r[i] - dot) / a[i * n + i];
    }
    Ok(r)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One column, by hand: x = 0, 1, 1; y = 1, 2, 4; w = 2, 1, 1; α = 1. Weighted means 1/2 and
    /// 2; Σw·x̃² = 2·¼ + ¼ + ¼ = 1; Σw·x̃·ỹ = 2·(½) + 0 + 1 = 2; b = 2/(1 + 1) = 1; b₀ = 2 − ½.
    #[test]
    fn ridge_matches_hand_computation() {
        let fit = ridge(&[0.0, 1.0, 1.0], &[1.0, 2.0, 4.0], &[2.0, 1.0, 1.0], 1.0).unwrap();
        assert!((fit.coefficients[0] - 1.0).abs() < 1e-12, "{fit:?}");
        assert!((fit.intercept - 1.5).abs() < 1e-12, "{fit:?}");
        // Residuals −½, −½, 1½: Σw·r² = ½ + ¼ + 2¼ = 3; Σw·ỹ² = 2 + 0 + 4 = 6.
        assert!((fit.r2 - 0.5).abs() < 1e-12, "{fit:?}");
    }

    #[test]
    fn ridge_recovers_a_plane_and_refuses_dependent_columns() {
        let x = [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        let y = [3.0, 5.0, 2.0, 4.0]; // 3 + 2a − b
        let fit = ridge(&x, &y, &[1.0, 2.0, 0.5, 1.0], 0.0).unwrap();
        let found = [fit.intercept, fit.coefficients[0], fit.coefficients[1], fit.r2];
        for (a, b) in found.into_iter().zip([3.0, 2.0, -1.0, 1.0]) {
            assert!((a - b).abs() < 1e-12, "{found:?}");
        }
        assert!(ridge(&[1.0, 1.0, 2.0, 2.0], &[0.0, 1.0], &[1.0, 1.0], 0.0).is_err());
        assert!(ridge(&[], &[], &[], 1.0).is_err());
    }
}
