use crate::kernels::*;
use fer_kernels::softmax;

const SHAPES: [[usize; 2]; 6] = [[0, 3], [2, 0], [3, 1], [1, 2], [4, 7], [2, 100]];

/// Computes grad_input\[j\] = Σ_i g\[i\] · J\[i,j\] for each row with the explicit Jacobian.
fn by_jacobian(
    cols: usize,
    y: &[f64],
    g: &[f64],
    jacobian: fn(&[f64], usize, usize) -> f64,
) -> Vec<f64> {
    let rows = y.chunks(cols.max(1)).zip(g.chunks(cols.max(1)));
    let of = |(y, g): (&[f64], &[f64])| -> Vec<f64> {
        let one = |j| (0..cols).map(|i| g[i] * jacobian(y, i, j)).sum();
        (0..cols).map(one).collect()
    };
    rows.flat_map(of).collect()
}

/// Returns δ\[i,j\].
fn same(i: usize, j: usize) -> f64 {
    f64::from(u8::from(i == j))
}

fn check(
    forward: fn(usize, &[f64], &mut [f64]),
    backward: fn(usize, &[f64], &[f64], &mut [f64]),
    jacobian: fn(&[f64], usize, usize) -> f64,
) {
    let draw = &mut Draw::new(1);
    for [rows, cols] in SHAPES {
        let mut numbers = || draw.floats(rows * cols).iter().map(|&v| 3.0 * f64::from(v)).collect();
        let (x, g): (Vec<f64>, Vec<f64>) = (numbers(), numbers());
        let (mut y, mut got) = (vec![9.0; x.len()], vec![9.0; x.len()]);
        forward(cols, &x, &mut y);
        backward(cols, &y, &g, &mut got);
        for (k, (got, want)) in got.iter().zip(by_jacobian(cols, &y, &g, jacobian)).enumerate() {
            assert!((got - want).abs() < 1e-12, "[{rows}, {cols}], {k}: {got} and {want}");
        }
    }
}

#[test]
fn softmax_backward_is_the_product_with_the_jacobian() {
    check(softmax::softmax, softmax::softmax_backward, |p, i, j| p[i] * (same(i, j) - p[j]));
}

#[test]
fn log_softmax_backward_is_the_product_with_the_jacobian() {
    check(softmax::log_softmax, softmax::log_softmax_backward, |y, i, j| same(i, j) - y[j].exp());
}
