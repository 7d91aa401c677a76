//! Chapter 6: pooling, batch norm, softmax with cross-entropy, and an op of one's own.

#[allow(dead_code)]
#[path = "../../examples/own_op.rs"]
mod own_op;

mod max_pool_ties {
    use fer_kernels::Pool2dGeometry;
    use fer_kernels::naive::pool::max_forward;

    /// Maximum and its place in each window of three of a row.
    fn pooled(row: &[f64]) -> (Vec<f64>, Vec<u32>) {
        let g = Pool2dGeometry::new([1, 1, 1, row.len()], [1, 3], [1, 3], [0, 0]).unwrap();
        let (mut y, mut argmax) = (vec![0.0; row.len() / 3], vec![9; row.len() / 3]);
        max_forward(&g, row, &mut y, &mut argmax);
        (y, argmax)
    }

    #[test]
    fn the_first_among_equals() {
        assert_eq!(pooled(&[1.0, 5.0, 5.0, 0.0, 0.0, 0.0]), (vec![5.0, 0.0], vec![1, 3]));
        assert_eq!(pooled(&[-3.0, -2.0, -7.0]), (vec![-2.0], vec![1]));
    }

    #[test]
    fn nan_is_above_all() {
        assert_eq!(pooled(&[9.0, f64::NAN, 10.0]).1, [1]);
        assert_eq!(pooled(&[9.0, f64::NAN, 1.0]).1, [1]);
    }
}

mod max_pool_backward {
    use fer_kernels::Pool2dGeometry;
    use fer_kernels::naive::pool::max_backward_input;

    #[test]
    fn the_maximum_gets_it_all_and_overlaps_add_up() {
        // Two planes of a row of five, windows of three that overlap.
        let g = Pool2dGeometry::new([1, 2, 1, 5], [1, 3], [1, 1], [0, 0]).unwrap();
        let mut gx = [f64::NAN; 10];
        let (gy, argmax) = ([1.0, 2.0, 4.0, 10.0, 20.0, 40.0], [2, 2, 4, 0, 1, 2]);
        max_backward_input(&g, &gy, &argmax, &mut gx);
        assert_eq!(gx, [0.0, 0.0, 3.0, 0.0, 4.0, 10.0, 20.0, 40.0, 0.0, 0.0]);
    }
}

mod batch_norm_backward {
    use fer::prelude::*;

    /// Gradient of x for values of one channel.
    fn gradient(x: &[f64], u: &[f64]) -> Vec<f64> {
        let mut tape = Tape::new();
        let x = tape.leaf(Tensor::from_slice(x, &[x.len(), 1]).unwrap());
        let gamma = tape.leaf(Tensor::full(&[1], 3.0));
        let beta = tape.leaf(Tensor::zeros(&[1]));
        let (y, _) = ops::batch_norm_train(&mut tape, &x, &gamma, &beta, 0.0, None).unwrap();
        let u = Tensor::from_slice(u, &y.shape()).unwrap();
        tape.backward_from(&y, u).unwrap().get(&x).unwrap().to_vec()
    }

    #[test]
    fn two_values_cannot_move() {
        crate::assert_near("x = 1, 3", &gradient(&[1.0, 3.0], &[1.0, 0.0]), &[0.0, 0.0]);
    }

    #[test]
    fn shift_and_stretch_get_nothing() {
        // x̂ = (−1, 0, 1)·√1.5: a gradient of ones (shift) or along x̂ (stretch) vanishes.
        crate::assert_near("shift", &gradient(&[1.0, 2.0, 3.0], &[1.0; 3]), &[0.0; 3]);
        crate::assert_near("stretch", &gradient(&[1.0, 2.0, 3.0], &[-1.0, 0.0, 1.0]), &[0.0; 3]);
    }

    #[test]
    fn what_remains() {
        // u = (1, 0, 0): minus its mean ⅓, minus its part along x̂: (½, 0, −½)·1 → (1, −2, 1)/6.
        let unit = 3.0 * 1.5_f64.sqrt() / 6.0;
        let want = [unit, -2.0 * unit, unit];
        crate::assert_near("u = 1, 0, 0", &gradient(&[1.0, 2.0, 3.0], &[1.0, 0.0, 0.0]), &want);
    }
}

mod log_softmax {
    use fer_kernels::softmax::log_softmax;

    fn row(x: &[f64]) -> Vec<f64> {
        let mut y = vec![f64::NAN; x.len()];
        log_softmax(x.len(), x, &mut y);
        y
    }

    #[test]
    fn probabilities_of_one_third() {
        let third = (1.0_f64 / 3.0).ln();
        crate::assert_near("three equal logits", &row(&[2.0; 3]), &[third; 3]);
        crate::assert_near("0 and ln 3", &row(&[0.0, 3_f64.ln()]), &[0.25_f64.ln(), 0.75_f64.ln()]);
    }

    #[test]
    fn logits_of_a_thousand() {
        crate::assert_near("0 and 1000", &row(&[0.0, 1000.0]), &[-1000.0, 0.0]);
        crate::assert_near("twice −1000", &row(&[-1000.0; 2]), &[0.5_f64.ln(); 2]);
    }
}

mod p_minus_t {
    use fer::prelude::*;

    fn gradient(z: &[f64], rows: usize, targets: Targets<f64>, smoothing: f64) -> Vec<f64> {
        let mut tape = Tape::new();
        let z = tape.leaf(Tensor::from_slice(z, &[rows, z.len() / rows]).unwrap());
        let options = CrossEntropyOptions { label_smoothing: smoothing, ..Default::default() };
        let loss = ops::cross_entropy(&mut tape, &z, &targets, &options).unwrap();
        tape.backward(&loss).unwrap().get(&z).unwrap().to_vec()
    }

    #[test]
    fn p_minus_t() {
        let got = gradient(&[0.0, 0.0], 1, Targets::Labels(vec![1]), 0.0);
        crate::assert_near("logits 0, 0, class 1", &got, &[0.5, -0.5]);
        let got = gradient(&[0.0, 3_f64.ln()], 1, Targets::Labels(vec![0]), 0.0);
        crate::assert_near("p = ¼, ¾, class 0", &got, &[-0.75, 0.75]);
    }

    #[test]
    fn the_mean_over_rows_divides() {
        let got = gradient(&[0.0; 4], 2, Targets::Labels(vec![0, 1]), 0.0);
        crate::assert_near("two rows", &got, &[-0.25, 0.25, 0.25, -0.25]);
    }

    #[test]
    fn smoothing_moves_the_target() {
        let got = gradient(&[0.0, 0.0], 1, Targets::Labels(vec![1]), 0.2);
        crate::assert_near("t = 0.1, 0.9", &got, &[0.4, -0.4]);
    }

    #[test]
    fn targets_need_not_sum_to_one() {
        let soft = Targets::Soft(Tensor::from_slice(&[1.0, 2.0], &[1, 2]).unwrap());
        crate::assert_near("t = 1, 2", &gradient(&[0.0, 0.0], 1, soft, 0.0), &[0.5, -0.5]);
    }
}

mod softplus {
    use super::own_op::{largest_error, softplus};
    use fer::prelude::*;

    fn values(x: &[f64]) -> Vec<f64> {
        let mut tape = Tape::new();
        let x = Var::constant(Tensor::from_slice(x, &[x.len()]).unwrap());
        softplus(&mut tape, &x).unwrap().value().to_vec()
    }

    #[test]
    fn the_middle() {
        crate::assert_near(
            "at 0 and 1",
            &values(&[0.0, 1.0]),
            &[2_f64.ln(), (1.0 + 1_f64.exp()).ln()],
        );
        assert!(largest_error().unwrap() <= 1.0, "the gradient does not belong to these values");
    }

    #[test]
    fn the_extremes() {
        crate::assert_near("at ±1000, ±0", &values(&[-1000.0, 1000.0]), &[0.0, 1000.0]);
        crate::assert_near("at ±0", &values(&[0.0, -0.0]), &[2_f64.ln(); 2]);
        assert!(values(&[f64::NAN])[0].is_nan(), "NaN must stay NaN");
    }
}
