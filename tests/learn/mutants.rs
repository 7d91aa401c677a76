//! Chapter 3: proof. The mutants here are ops whose backward pass is wrong in one case only.

use fer::prelude::*;

mod central_difference {
    use fer::prelude::*;

    #[test]
    fn the_slope_of_a_cube_is_twelve_at_two() {
        let x = Tensor::from_slice(&[2.0], &[1]).unwrap();
        let found = gradcheck(&[x], 0.0, 1e-30, |tape, x| ops::pow(tape, &x[0], 3.0)).unwrap();
        let ratio = found.numeric / found.analytic;
        assert!((ratio - 1.0).abs() < 1e-8, "{found:?}");
    }

    #[test]
    fn a_wrong_gradient_is_found() {
        let x = Tensor::from_slice(&[2.0], &[1]).unwrap();
        let wrong = |tape: &mut Tape<f64>, x: &[Var<f64>]| super::doubled(tape, &x[0], |_, _| 1.0);
        assert!(gradcheck(&[x], 1e-5, 1e-7, wrong).unwrap().error > 1.0);
    }
}

/// y = 2x with the gradient g · slope(i, x), where the right slope is 2.
fn doubled(tape: &mut Tape<f64>, x: &Var<f64>, slope: fn(usize, f64) -> f64) -> Result<Var<f64>> {
    let y = x.value().map(|x| 2.0 * x);
    Ok(tape.record(y, &[x], Doubled { x: x.value().clone(), slope }))
}

struct Doubled {
    x: Tensor<f64>,
    slope: fn(usize, f64) -> f64,
}

impl Backward<f64> for Doubled {
    fn name(&self) -> &'static str {
        "doubled"
    }
    fn backward(&self, g: &Tensor<f64>, grads: &mut InputGrads<f64>) -> Result<()> {
        grads.set(0, || {
            let (x, g) = (self.x.as_slice(), g.as_slice());
            Ok(Tensor::from_fn(&self.x.shape(), |i| g[i] * (self.slope)(i, x[i])))
        })
    }
}

/// Each is right in most cases.
const MUTANTS: [fn(usize, f64) -> f64; 3] = [
    |_, x| if x < 0.0 { 0.0 } else { 2.0 },
    |_, x| if x > 3.0 { 1.0 } else { 2.0 },
    |i, _| if i == 2 { 0.0 } else { 2.0 },
];

fn inputs_that_notice() -> Vec<f64> {
    vec![-1.0, 5.0, 2.0]
}

mod kill_the_mutants {
    use super::{MUTANTS, doubled, inputs_that_notice};
    use fer::prelude::*;

    /// Whether the gradient check fails at `x`.
    fn is_caught(x: &[f64], slope: fn(usize, f64) -> f64) -> bool {
        let x = Tensor::from_slice(x, &[x.len()]).unwrap();
        gradcheck(&[x], 1e-5, 1e-7, |tape, x| doubled(tape, &x[0], slope)).unwrap().error > 1.0
    }

    #[test]
    fn every_mutant_is_caught() {
        for (number, mutant) in MUTANTS.into_iter().enumerate() {
            assert!(is_caught(&inputs_that_notice(), mutant), "mutant {number} survives");
            assert!(!is_caught(&[1.0, 2.0], mutant), "mutant {number} was caught before");
        }
    }

    #[test]
    fn the_right_op_is_not() {
        assert!(!is_caught(&inputs_that_notice(), |_, _| 2.0));
    }
}
