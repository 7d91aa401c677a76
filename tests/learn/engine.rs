//! Chapters 1 and 2: the tape, and the first ops.

mod scalar_backward {
    use fer::autograd::scalar::Tape;

    #[test]
    fn one_path() {
        let mut tape = Tape::new();
        let x = tape.leaf(3.0);
        let y = tape.record(30.0, &[(x, 10.0)]);
        let z = tape.record(60.0, &[(y, 2.0)]);
        let gradients = tape.backward(z);
        assert_eq!(gradients.get(z), 1.0, "∂z/∂z");
        assert_eq!(gradients.get(y), 2.0, "∂z/∂y");
        assert_eq!(gradients.get(x), 20.0, "∂z/∂x = 2 · 10");
    }

    #[test]
    fn two_paths_add_up() {
        let mut tape = Tape::new();
        let x = tape.leaf(1.0);
        let a = tape.record(3.0, &[(x, 3.0)]);
        let b = tape.record(5.0, &[(x, 5.0)]);
        let y = tape.record(8.0, &[(a, 1.0), (b, 1.0)]);
        assert_eq!(tape.backward(y).get(x), 8.0, "3 + 5: one of the paths was overwritten?");
    }

    #[test]
    fn what_comes_after_the_output_gets_nothing() {
        let mut tape = Tape::new();
        let x = tape.leaf(1.0);
        let y = tape.record(2.0, &[(x, 2.0)]);
        let later = tape.record(6.0, &[(y, 3.0)]);
        let gradients = tape.backward(y);
        assert_eq!((gradients.get(x), gradients.get(later)), (2.0, 0.0));
    }
}

mod scalar_mul {
    use fer::autograd::scalar::{Tape, mul};

    #[test]
    fn each_factor_is_the_others_derivative() {
        let mut tape = Tape::new();
        let (a, b) = (tape.leaf(2.0), tape.leaf(-3.0));
        let y = mul(&mut tape, a, b);
        assert_eq!(y.value, -6.0);
        let gradients = tape.backward(y);
        assert_eq!(gradients.get(a), -3.0, "∂(ab)/∂a = b");
        assert_eq!(gradients.get(b), 2.0, "∂(ab)/∂b = a");
    }

    #[test]
    fn a_square_has_two_equal_paths() {
        let mut tape = Tape::new();
        let x = tape.leaf(5.0);
        let y = mul(&mut tape, x, x);
        assert_eq!(tape.backward(y).get(x), 10.0, "∂x²/∂x = 2x");
    }
}

mod scalar_tanh {
    use fer::autograd::scalar::{Tape, tanh};

    #[test]
    fn values_and_slopes() {
        for x in [-20.0, -1.0, 0.0, 0.5, 20.0] {
            let mut tape = Tape::new();
            let leaf = tape.leaf(x);
            let y = tanh(&mut tape, leaf);
            let slope = tape.backward(y).get(leaf);
            let want: [f64; 2] = [x.tanh(), 1.0 - x.tanh() * x.tanh()];
            crate::assert_near(&format!("tanh {x} and its slope"), &[y.value, slope], &want);
        }
    }
}

mod accumulate {
    use fer::prelude::*;

    #[test]
    fn a_value_used_three_times_gets_three_gradients() {
        let mut tape = Tape::<f64>::new();
        let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0], &[2]).unwrap());
        let y = ops::concat(&mut tape, &[&x, &x, &x], 0).unwrap();
        let u = Tensor::from_slice(&[1.0, 2.0, 10.0, 20.0, 100.0, 200.0], &[6]).unwrap();
        let gradients = tape.backward_from(&y, u).unwrap();
        assert_eq!(gradients.get(&x).unwrap().to_vec(), [111.0, 222.0]);
    }

    #[test]
    fn a_first_gradient_is_kept_as_it_is() {
        let mut tape = Tape::<f64>::new();
        let x = tape.leaf(Tensor::scalar(3.0));
        let y = ops::neg(&mut tape, &x).unwrap();
        assert_eq!(tape.backward(&y).unwrap().get(&x).unwrap().item(), -1.0);
    }
}

mod order {
    use fer::prelude::*;

    /// y = concat(−x, −(−x)): the first negation has two users, and must wait for both.
    #[test]
    fn a_gradient_is_passed_on_when_it_is_complete() {
        let mut tape = Tape::<f64>::new();
        let x = tape.leaf(Tensor::full(&[1], 1.0));
        let a = ops::neg(&mut tape, &x).unwrap();
        let b = ops::neg(&mut tape, &a).unwrap();
        let y = ops::concat(&mut tape, &[&a, &b], 0).unwrap();
        let u = Tensor::from_slice(&[10.0, 1.0], &[2]).unwrap();
        let gradients = tape.vjp(&y, u.clone()).unwrap();
        assert_eq!(gradients.get(&x).unwrap().item(), -9.0, "−10 + 1");
        assert_eq!(tape.vjp(&y, u).unwrap().get(&x).unwrap().item(), -9.0, "the second time");
    }
}

mod relu_backward {
    use fer::prelude::*;

    #[test]
    fn only_what_is_positive_passes() {
        let mut tape = Tape::<f64>::new();
        let x = tape.leaf(Tensor::from_slice(&[-1.0, 0.0, -0.0, 2.0], &[4]).unwrap());
        let y = ops::relu(&mut tape, &x).unwrap();
        let u = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[4]).unwrap();
        let gradients = tape.backward_from(&y, u).unwrap();
        assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.0, 0.0, 0.0, 4.0]);
    }
}

mod unbroadcast {
    use fer::autograd::unbroadcast;
    use fer::tensor::{Shape, Tensor};

    fn of(grad: &[usize], shape: &[usize]) -> Vec<f64> {
        let grad = Tensor::from_fn(grad, |i| (i + 1) as f64);
        let sum = unbroadcast(grad, &Shape::new(shape)).unwrap();
        assert_eq!(*sum.shape(), *shape, "shape of the result");
        sum.to_vec()
    }

    #[test]
    fn repeated_axes_are_summed() {
        // 1 2 3
        // 4 5 6
        assert_eq!(of(&[2, 3], &[2, 3]), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(of(&[2, 3], &[1, 3]), [5.0, 7.0, 9.0]);
        assert_eq!(of(&[2, 3], &[2, 1]), [6.0, 15.0]);
    }

    #[test]
    fn missing_axes_are_summed() {
        assert_eq!(of(&[2, 3], &[3]), [5.0, 7.0, 9.0]);
        assert_eq!(of(&[2, 3], &[1]), [21.0]);
        assert_eq!(of(&[2, 3], &[]), [21.0]);
        assert_eq!(of(&[2, 2, 2], &[2, 1]), [14.0, 22.0]); // 1+2+5+6, 3+4+7+8
    }
}

mod mul_backward {
    use fer::prelude::*;

    fn gradients(a: &Tensor<f64>, b: &Tensor<f64>, u: &Tensor<f64>) -> [Vec<f64>; 2] {
        let mut tape = Tape::new();
        let leaves = [tape.leaf(a.clone()), tape.leaf(b.clone())];
        let y = ops::mul(&mut tape, &leaves[0], &leaves[1]).unwrap();
        let gradients = tape.backward_from(&y, u.clone()).unwrap();
        leaves.map(|x| gradients.get(&x).expect("no gradient was set").to_vec())
    }

    #[test]
    fn each_gradient_is_the_other_factor_times_what_arrives() {
        let of = |v: &[f64]| Tensor::from_slice(v, &[2]).unwrap();
        let [a, b] = gradients(&of(&[2.0, 3.0]), &of(&[5.0, 7.0]), &of(&[1.0, 10.0]));
        assert_eq!((a, b), (vec![5.0, 70.0], vec![2.0, 30.0]));
    }

    #[test]
    fn a_broadcast_factor_gets_a_sum() {
        let row = Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 3]).unwrap();
        let column = Tensor::from_slice(&[10.0, 20.0], &[2, 1]).unwrap();
        let [row, column] = gradients(&row, &column, &Tensor::full(&[2, 3], 1.0));
        assert_eq!((row, column), (vec![30.0; 3], vec![6.0; 2]));
    }
}

mod matmul_backward {
    use fer::prelude::*;

    #[test]
    fn shapes_say_where_the_transposes_go() {
        let mut tape = Tape::<f64>::new();
        let a = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0], &[1, 3]).unwrap());
        let b = tape.leaf(Tensor::from_slice(&[1.0, 0.0, 0.0, 1.0, 2.0, 3.0], &[3, 2]).unwrap());
        let c = ops::matmul(&mut tape, &a, &b).unwrap();
        let u = Tensor::from_slice(&[1.0, 10.0], &[1, 2]).unwrap();
        let gradients = tape.backward_from(&c, u).unwrap();
        // Ā[0, p] = 1·B[p, 0] + 10·B[p, 1];  B̄[p, j] = A[0, p]·ū[j]
        assert_eq!(gradients.get(&a).unwrap().to_vec(), [1.0, 10.0, 32.0]);
        assert_eq!(gradients.get(&b).unwrap().to_vec(), [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
    }
}
