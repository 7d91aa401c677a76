//! The precision of a tape: convolutions and fully connected layers round the factors of their products,
//! forward and backward, and nothing else.

use fer::autograd::{Tape, Var};
use fer::ops;
use fer::random::{Purpose, Rng};
use fer::tensor::{Element, Tensor};
use fer_kernels::Precision;
use fer_kernels::bf16::rounded;

fn random<T: Element>(shape: &[usize], seed: u64) -> Tensor<T> {
    let mut rng = Rng::new(seed, Purpose::Test, 0, 0);
    Tensor::from_fn(shape, |_| T::from_f64(f64::from(rng.normal() as f32)))
}

fn round<T: Element>(x: &Tensor<T>) -> Tensor<T> {
    let values: Vec<T> =
        x.to_vec().iter().map(|x| T::from_f64(f64::from(rounded(x.to_f64() as f32)))).collect();
    Tensor::from_slice(&values, &x.shape()).unwrap()
}

/// An op of x, w and b.
type Op<T> = fn(&mut Tape<T>, [&Var<T>; 3]) -> fer::Result<Var<T>>;

/// Returns y and the gradients of x, w and b.
fn run<T: Element>(
    op: Op<T>,
    precision: Precision,
    operands: &[Tensor<T>; 3],
    grad: &Tensor<T>,
) -> Vec<Vec<f64>> {
    let mut tape = Tape::new();
    tape.set_precision(precision);
    let [x, w, b] = operands.each_ref().map(|operand| tape.leaf(operand.clone()));
    let y = op(&mut tape, [&x, &w, &b]).unwrap();
    tape.set_precision(Precision::F32); // the backward pass has the precision of the forward pass
    let gradients = tape.backward_from(&y, grad.clone()).unwrap();
    let tensors = [&x, &w, &b].map(|v| gradients.get(v).unwrap().clone());
    [y.value().clone()].iter().chain(&tensors).map(|t| t.cast::<f64>().to_vec()).collect()
}

fn assert_rounds_its_factors<T: Element>(
    op: Op<T>,
    shapes: [&[usize]; 3],
    output: &[usize],
    eps: f64,
) {
    let operands = [0, 1, 2].map(|i| random::<T>(shapes[i], i as u64));
    let grad = random::<T>(output, 3);
    let [x, w, b] = &operands;
    let got = run(op, Precision::Bf16, &operands, &grad);
    let rounded = [round(x), round(w), b.clone()];
    let mut want = run(op, Precision::F32, &rounded, &round(&grad));
    want[3] = run(op, Precision::F32, &operands, &grad).remove(3); // of the bias: no product
    for (got, want) in got.iter().zip(&want) {
        let unit = want.iter().fold(1.0_f64, |max, x| max.max(x.abs()));
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() <= eps * unit));
    }
    let exact = run(op, Precision::F32, &operands, &grad);
    for k in 0..3 {
        assert!(got[k] != exact[k], "result {k} has the factors of f32");
    }
}

#[test]
fn layers_round_the_factors_of_their_products() {
    fn linear<T: Element>(tape: &mut Tape<T>, [x, w, b]: [&Var<T>; 3]) -> fer::Result<Var<T>> {
        ops::linear(tape, x, w, b)
    }
    fn conv2d<T: Element>(tape: &mut Tape<T>, [x, w, b]: [&Var<T>; 3]) -> fer::Result<Var<T>> {
        ops::conv2d(tape, x, w, Some(b), Default::default())
    }
    fn statistics<T: Element>(tape: &mut Tape<T>, [x, w, b]: [&Var<T>; 3]) -> fer::Result<Var<T>> {
        Ok(ops::conv2d_statistics(tape, x, w, Some(b), Default::default())?.0)
    }
    let matrices: ([&[usize]; 3], &[usize]) = ([&[5, 9], &[4, 9], &[4]], &[5, 4]);
    let images: ([&[usize]; 3], &[usize]) = ([&[2, 6, 5, 5], &[4, 6, 2, 2], &[4]], &[2, 4, 4, 4]);
    assert_rounds_its_factors::<f64>(linear, matrices.0, matrices.1, 1e-12);
    assert_rounds_its_factors::<f32>(linear, matrices.0, matrices.1, 1e-5);
    for op in [conv2d::<f64> as Op<f64>, statistics::<f64>] {
        assert_rounds_its_factors(op, images.0, images.1, 1e-12);
    }
    for op in [conv2d::<f32> as Op<f32>, statistics::<f32>] {
        assert_rounds_its_factors(op, images.0, images.1, 1e-5);
    }
}

#[test]
fn other_ops_compute_in_f32() {
    let product = |precision| {
        let mut tape = Tape::new();
        tape.set_precision(precision);
        let [a, b] = [0, 1].map(|seed| tape.leaf(random::<f32>(&[4, 4], seed)));
        ops::matmul(&mut tape, &a, &b).unwrap().into_value().to_vec()
    };
    assert!(product(Precision::Bf16) == product(Precision::F32));
}
