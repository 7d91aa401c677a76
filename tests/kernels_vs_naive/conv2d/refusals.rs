//! What is not a convolution, or does not fit its slices.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn conv2d_refuses_slices_of_another_length() {
    let g = three_by_three([1, 3, 5, 5], 4);
    let panics = |algorithm, [x, w, y]: [usize; 3]| {
        let (x, w, y) = (vec![0.0; x], vec![0.0; w], vec![0.0; y]);
        let passes: [&dyn Fn(); 3] = [
            &|| conv2d::forward_by(algorithm, &g, &x, &w, None, &mut y.clone()),
            &|| conv2d::backward_input_by(algorithm, &g, &y, &w, &mut x.clone()),
            &|| conv2d::backward_weight_by(algorithm, &g, &x, &y, &mut w.clone()),
        ];
        passes.map(|pass| catch_unwind(AssertUnwindSafe(pass)).is_err())
    };
    let lengths = [g.input_len(), g.weight_len(), g.output_len()];
    for algorithm in [Algorithm::Direct, Algorithm::Im2col, Algorithm::Winograd] {
        assert_eq!(panics(algorithm, lengths), [false; 3], "{algorithm}");
        for i in 0..3 {
            // Too long, so that nothing but the check would notice.
            let mut longer = lengths;
            longer[i] += 1;
            assert_eq!(panics(algorithm, longer), [true; 3], "{algorithm}, slice {i}");
        }
    }
}

#[test]
fn winograd_refuses_what_it_cannot_compute() {
    let ones = [1, 1];
    let conv = |kernel: [usize; 2], stride, dilation, groups| {
        let weight = [4, 4 / groups, kernel[0], kernel[1]];
        Conv2dGeometry::new([1, 4, 9, 9], weight, stride, ones, dilation, groups).unwrap()
    };
    let good = conv([3, 3], ones, ones, 1);
    let others = [
        conv([5, 3], ones, ones, 1),
        conv([3, 5], ones, ones, 1),
        conv([3, 3], [2, 1], ones, 1),
        conv([3, 3], [1, 2], ones, 1),
        conv([3, 3], ones, [2, 1], 1),
        conv([3, 3], ones, [1, 2], 1),
        conv([3, 3], ones, ones, 2),
    ];
    let panics = |g: Conv2dGeometry, [x, y]: [usize; 2]| {
        let (x, gy, mut gw) = (vec![0.0; x], vec![0.0; y], vec![0.0; g.weight_len()]);
        catch_unwind(move || {
            winograd::backward_weight(TileSize::Two, &g, &x, &gy, &mut gw);
        })
        .is_err()
    };
    let lengths = [good.input_len(), good.output_len()];
    assert!(!panics(good, lengths));
    for g in others {
        assert!(panics(g, [g.input_len(), g.output_len()]), "{g:?}");
    }
    // Too long, so that nothing but the check would notice.
    assert!(
        panics(good, [lengths[0] + 1, lengths[1]]) && panics(good, [lengths[0], lengths[1] + 1])
    );
}
