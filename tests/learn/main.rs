//! The tests that grade `fer learn`: one module per exercise, with numbers that can be checked by hand. In the
//! finished engine all of them pass.

mod convolution;
mod engine;
mod explain;
mod losses;
mod mutants;
mod speed;
mod training;

/// Fails unless the numbers agree to 1e-9 of the larger one (or of 1).
fn assert_near(what: &str, got: &[f64], want: &[f64]) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0) || a == b;
    let same = got.len() == want.len() && got.iter().zip(want).all(near);
    assert!(same, "{what}: {got:?}, expected {want:?}");
}
