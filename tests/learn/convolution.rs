//! Chapter 5: the convolution and its two adjoints.

use fer_kernels::Conv2dGeometry;

/// One image `[1, 1, 3, 3]`, one filter of 2×2.
fn small(padding: usize) -> Conv2dGeometry {
    let (image, filter) = ([1, 1, 3, 3], [1, 1, 2, 2]);
    Conv2dGeometry::new(image, filter, [1, 1], [padding; 2], [1, 1], 1).unwrap()
}

const X: [f64; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
const W: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

mod conv_forward {
    use super::{W, X, small};
    use fer_kernels::naive::conv2d::forward;

    #[test]
    fn every_window_is_weighed() {
        let mut y = [f64::NAN; 4];
        forward(&small(0), &X, &W, None, &mut y);
        assert_eq!(y, [5421.0, 6532.0, 8754.0, 9865.0]); // 1·1 + 10·2 + 100·4 + 1000·5, …
    }

    #[test]
    fn the_bias_is_added_once() {
        let mut y = [f64::NAN; 4];
        forward(&small(0), &X, &W, Some(&[0.5]), &mut y);
        assert_eq!(y, [5421.5, 6532.5, 8754.5, 9865.5]);
    }

    #[test]
    fn outside_there_are_zeros() {
        let mut y = [f64::NAN; 16];
        forward(&small(1), &X, &W, None, &mut y);
        assert_eq!(y[..4], [1000.0, 2100.0, 3200.0, 300.0]);
    }
}

mod conv_backward_input {
    use super::{W, X, small};
    use fer_kernels::naive::conv2d::backward_input;

    #[test]
    fn a_pixel_gets_the_weights_of_the_windows_that_read_it() {
        let mut gx = [f64::NAN; 9];
        backward_input(&small(0), &[1.0; 4], &W, &mut gx);
        assert_eq!(gx, [1.0, 11.0, 10.0, 101.0, 1111.0, 1010.0, 100.0, 1100.0, 1000.0]);
    }

    /// ⟨conv(x), u⟩ = ⟨x, backward_input(u)⟩, with conv(x) as numbers.
    #[test]
    fn it_is_the_adjoint() {
        let (y, u) = ([5421.0, 6532.0, 8754.0, 9865.0], [1.0, -2.0, 3.0, 5.0]);
        let mut gx = [f64::NAN; 9];
        backward_input(&small(0), &u, &W, &mut gx);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert_eq!(dot(&X, &gx), dot(&y, &u));
    }
}

mod conv_backward_weight {
    use super::{X, small};
    use fer_kernels::naive::conv2d::backward_weight;

    #[test]
    fn a_weight_gets_the_pixels_that_it_met() {
        let mut gw = [f64::NAN; 4];
        backward_weight(&small(0), &X, &[1.0; 4], &mut gw);
        assert_eq!(gw, [12.0, 16.0, 24.0, 28.0]); // 1+2+4+5, 2+3+5+6, 4+5+7+8, 5+6+8+9
        backward_weight(&small(0), &X, &[0.0, 0.0, 0.0, 2.0], &mut gw);
        assert_eq!(gw, [10.0, 12.0, 16.0, 18.0]);
    }
}

mod im2col {
    use super::small;
    use fer_kernels::conv2d::im2col::im2col;

    const IMAGE: [f32; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];

    #[test]
    fn a_row_for_every_window() {
        let mut cols = [f32::NAN; 16];
        im2col(&small(0), &IMAGE, 0..2, [0, 1], &mut cols);
        let want = [1., 2., 4., 5., 2., 3., 5., 6., 4., 5., 7., 8., 5., 6., 8., 9.];
        assert_eq!(cols, want);
    }

    #[test]
    fn the_padding_is_zero() {
        let mut cols = [f32::NAN; 16];
        im2col(&small(1), &IMAGE, 0..1, [0, 1], &mut cols);
        assert_eq!(cols, [0., 0., 0., 1., 0., 0., 1., 2., 0., 0., 2., 3., 0., 0., 3., 0.]);
    }
}

mod col2im {
    use super::small;
    use fer_kernels::conv2d::im2col::col2im;

    /// With ones every pixel counts the windows that read it.
    #[test]
    fn copies_come_home_and_add_up() {
        let mut image = [0.0; 9];
        col2im(&small(0), &[1.0; 16], 0..2, [0, 1], &mut image);
        assert_eq!(image, [1., 2., 1., 2., 4., 2., 1., 2., 1.]);
    }

    #[test]
    fn each_goes_to_its_own_pixel() {
        let mut image = [0.0; 9];
        let cols = std::array::from_fn::<f32, 16, _>(|i| i as f32);
        col2im(&small(0), &cols, 0..2, [0, 1], &mut image);
        assert_eq!(image, [0., 5., 5., 10., 30., 20., 10., 25., 15.]);
    }
}
