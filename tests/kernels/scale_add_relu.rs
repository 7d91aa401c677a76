use crate::kernels::*;
use fer_kernels::{ChannelView, naive, norm::scale_add_relu};

/// \[y, grad_a, grad_s, grad_b\].
type Results = [Vec<f32>; 4];

/// Operands in the order `[n, pixels, c]`, and the same as `[n, c, pixels]`.
struct Case {
    v: ChannelView,
    s: Vec<f32>,
    /// a, b and the gradient of y.
    images: [Vec<f32>; 3],
}

impl Case {
    fn new([n, pixels, c]: [usize; 3], mut numbers: impl FnMut(usize) -> Vec<f32>) -> Self {
        let v = ChannelView { outer: n, channels: c, inner: pixels };
        let images = [(); 3].map(|()| numbers(v.len()));
        Self { v, s: numbers(n * c), images }
    }
    fn results(&self) -> Results {
        [self.v.len(), self.v.len(), self.s.len(), self.v.len()].map(|len| vec![9.0; len])
    }
    fn fast(&self, simd: SimdLevel) -> Results {
        let ([a, b, g], [mut y, mut ga, mut gs, mut gb]) = (&self.images, self.results());
        scale_add_relu::forward(simd, &self.v, a, &self.s, b, &mut y);
        scale_add_relu::backward(simd, &self.v, &y, &self.s, b, g, &mut ga, &mut gs, &mut gb);
        [y, ga, gs, gb]
    }
    /// Returns the naive results, computed on NCHW.
    fn naive(&self) -> Results {
        let ChannelView { outer: n, channels: c, inner: pixels } = self.v;
        let [a, b, g] = self.images.each_ref().map(|x| swap_axes([n, pixels, c], x));
        let [mut y, mut ga, mut gs, mut gb] = self.results();
        naive::scale_add_relu::forward(&self.v, &a, &self.s, &b, &mut y);
        naive::scale_add_relu::backward(&self.v, &y, &self.s, &b, &g, &mut ga, &mut gs, &mut gb);
        let [y, ga, gb] = [y, ga, gb].map(|x| swap_axes([n, c, pixels], &x));
        [y, ga, gs, gb]
    }
}

#[test]
fn scale_add_relu_is_exact_on_integers() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(1);
        for c in [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 70] {
            for [n, pixels] in [[0, 4], [1, 0], [1, 1], [2, 3], [3, 5], [1, 100]] {
                let case = Case::new([n, pixels, c], |len| draw.integers(len));
                assert!(case.naive() == case.fast(simd), "{:?}, {simd}", case.v);
            }
        }
    });
}

#[test]
fn scale_add_relu_gives_the_same_bits_for_any_threads_and_level() {
    let draw = &mut Draw::new(2);
    let case = Case::new([5, 300, 40], |len| draw.floats(len));
    same_bits_for_any_threads_and_level("scale_add_relu", |simd| case.fast(simd).concat());
}
