use crate::kernels::*;
use fer_kernels::{Pool2dGeometry, naive, pool};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn geometries(draw: &mut Draw, count: usize) -> Vec<Pool2dGeometry> {
    let mut found = vec![];
    while found.len() < count {
        let kernel = [draw.int(1, 3), draw.int(1, 3)];
        let stride = [draw.int(1, 4), draw.int(1, 4)];
        let padding = [draw.int(0, kernel[0] / 2), draw.int(0, kernel[1] / 2)];
        let c = draw.pick(&[0, 1, 3, 7, 8, 9, 32]);
        let input = [draw.int(0, 3), c, draw.int(1, 9), draw.int(1, 9)];
        found.extend(Pool2dGeometry::new(input, kernel, stride, padding));
        // The halving pool of our networks, odd sizes included.
        found.extend(Pool2dGeometry::new(input, [2, 2], [2, 2], [0, 0]));
    }
    found
}

#[test]
fn pool_matches_naive() {
    let draw = &mut Draw::new(1);
    for g in geometries(draw, 600) {
        let (size_in, size_out) = (g.h_in * g.w_in, g.h_out * g.w_out);
        let to_nhwc = |x: &[f32]| swap_axes([g.n, g.c, size_in], x);
        let out_to_nhwc = |x: &[f32]| swap_axes([g.n, g.c, size_out], x);
        let x = draw.integers(g.input_len()); // small integers: ties in most windows
        let gy = draw.integers(g.output_len());
        let (mut y, mut at) = (vec![0.0; gy.len()], vec![0; gy.len()]);
        let (mut fast_y, mut fast_at) = (y.clone(), at.clone());
        naive::pool::max_forward(&g, &x, &mut y, &mut at);
        pool::max_forward(&g, &to_nhwc(&x), &mut fast_y, &mut fast_at);
        assert_eq!(out_to_nhwc(&y), fast_y, "max {g:?}");
        assert_eq!(swap_axes([g.n, g.c, size_out], &at), fast_at, "argmax {g:?}");

        let (mut gx, mut fast_gx) = (vec![9.0; x.len()], vec![9.0; x.len()]);
        naive::pool::max_backward_input(&g, &gy, &at, &mut gx);
        pool::max_backward_input(&g, &out_to_nhwc(&gy), &fast_at, &mut fast_gx);
        assert_eq!(to_nhwc(&gx), fast_gx, "max backward {g:?}");

        naive::pool::avg_forward(&g, &x, &mut y);
        pool::avg_forward(&g, &to_nhwc(&x), &mut fast_y);
        assert_eq!(out_to_nhwc(&y), fast_y, "avg {g:?}");
        naive::pool::avg_backward_input(&g, &gy, &mut gx);
        pool::avg_backward_input(&g, &out_to_nhwc(&gy), &mut fast_gx);
        assert_eq!(to_nhwc(&gx), fast_gx, "avg backward {g:?}");
    }
}

#[test]
fn max_pool_lets_nan_win_and_points_inside_for_minus_infinity() {
    let g = Pool2dGeometry::new([1, 1, 2, 2], [2, 2], [2, 2], [0, 0]).unwrap();
    let (mut y, mut at) = ([0.0], [9]);
    pool::max_forward(&g, &[1.0, f32::NAN, 5.0, 2.0], &mut y, &mut at);
    assert!(y[0].is_nan() && at == [1]);
    pool::max_forward(&g, &[f32::NEG_INFINITY; 4], &mut y, &mut at);
    assert_eq!((y[0], at[0]), (f32::NEG_INFINITY, 0));
}

#[test]
fn pool_refuses_slices_of_another_length() {
    // The first is a halving pool, the second is not: both code paths.
    for kernel in [[2, 2], [3, 3]] {
        let g = Pool2dGeometry::new([1, 3, 6, 6], kernel, kernel, [0, 0]).unwrap();
        let panics = |[input, output, argmax]: [usize; 3]| {
            let (x, y, at) = (vec![0.0; input], vec![0.0; output], vec![0; argmax]);
            let passes: [&dyn Fn(); 4] = [
                &|| pool::max_forward(&g, &x, &mut y.clone(), &mut at.clone()),
                &|| pool::max_backward_input(&g, &y, &at, &mut x.clone()),
                &|| pool::avg_forward(&g, &x, &mut y.clone()),
                &|| pool::avg_backward_input(&g, &y, &mut x.clone()),
            ];
            passes.map(|pass| catch_unwind(AssertUnwindSafe(pass)).is_err())
        };
        let [input, output] = [g.input_len(), g.output_len()];
        assert_eq!(panics([input, output, output]), [false; 4], "{g:?}");
        // Too long, so that only the check notices.
        assert_eq!(panics([input + 1, output, output]), [true; 4], "{g:?}");
        assert_eq!(panics([input, output + 1, output + 1]), [true; 4], "{g:?}");
        assert_eq!(panics([input, output, output + 1]), [true, true, false, false], "{g:?}");
    }
}
