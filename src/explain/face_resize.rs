//! The resize of a face to the input size of a network, and its adjoint.

use crate::dataset::augment::cubic_weights;
use crate::explain::ReceptiveField;
use crate::tensor::Element;
use crate::{PIXELS, SIDE};
use rayon::prelude::*;

/// The resize from 48×48 to side×side that training uses: cubic convolution (Keys 1981) about the
/// centre, edges repeated.
///
/// Every output pixel is a weighted sum over four rows and four columns, so a gradient goes back
/// through the adjoint. The map of a 48×48 face is thus the exact gradient, not a resized picture.
/// It is another filter than [`resize_bilinear`](crate::dataset::image::resize::resize_bilinear),
/// because it must agree with [`View::render`](crate::dataset::augment::View::render).
#[derive(Clone, Debug)]
pub struct FaceResize {
    side: usize,
    /// For each row (or column) of the output: four rows of the face with their weights.
    taps: Vec<[(usize, f64); 4]>,
}

impl FaceResize {
    /// The resize to side×side.
    pub fn new(side: usize) -> FaceResize {
        let (scale, last) = (SIDE as f64 / side as f64, (SIDE - 1) as f64);
        let tap = |i: usize| {
            let at = last / 2.0 + scale * (i as f64 - (side as f64 - 1.0) / 2.0);
            let at = at.clamp(0.0, last);
            let first = (at as usize).min(SIDE - 2);
            let weights = cubic_weights(at - first as f64);
            std::array::from_fn(|k| ((first + k).clamp(1, SIDE) - 1, weights[k]))
        };
        FaceResize { side, taps: (0..side).map(tap).collect() }
    }

    /// Rows and columns of the output.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Calls `visit(output pixel, face pixel, weight)` for every weight.
    fn for_each_tap(&self, mut visit: impl FnMut(usize, usize, f64)) {
        for (i, rows) in self.taps.iter().enumerate() {
            for (j, columns) in self.taps.iter().enumerate() {
                for (row, down) in rows {
                    for (column, right) in columns {
                        visit(i * self.side + j, row * SIDE + column, down * right);
                    }
                }
            }
        }
    }

    /// Resizes faces `[n, 48, 48]` to `[n, side, side]`.
    pub fn forward<T: Element>(&self, faces: &[T]) -> Vec<T> {
        if self.side == SIDE {
            return faces.to_vec();
        }
        let mut out = vec![T::ZERO; faces.len() / PIXELS * self.side * self.side];
        let pairs = out.par_chunks_exact_mut(self.side * self.side);
        pairs.zip(faces.par_chunks_exact(PIXELS)).for_each(|(out, face)| {
            self.for_each_tap(|to, from, weight| out[to] += T::from_f64(weight) * face[from]);
        });
        out
    }

    /// Applies the adjoint of [`FaceResize::forward`]: gradients `[n, side, side]` to `[n, 48,
    /// 48]`.
    pub fn backward<T: Element>(&self, gradients: &[T]) -> Vec<T> {
        if self.side == SIDE {
            return gradients.to_vec();
        }
        let each = self.side * self.side;
        let mut out = vec![T::ZERO; gradients.len() / each * PIXELS];
        let pairs = out.par_chunks_exact_mut(PIXELS).zip(gradients.par_chunks_exact(each));
        pairs.for_each(|(out, gradient)| {
            self.for_each_tap(|to, from, weight| out[from] += T::from_f64(weight) * gradient[to]);
        });
        out
    }

    /// Converts a receptive field from pixels of the network's input to pixels of the face.
    pub fn in_face_pixels(&self, field: ReceptiveField) -> ReceptiveField {
        if self.side == SIDE {
            return field;
        }
        let scale = SIDE as f64 / self.side as f64;
        ReceptiveField {
            size: (field.size as f64 * scale).ceil() as usize,
            jump: field.jump * scale,
            start: (field.start + 0.5) * scale - 0.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::View;
    use crate::random::{Purpose, Rng};

    #[test]
    fn forward_is_the_resize_of_training_and_backward_its_adjoint() {
        let mut rng = Rng::new(5, Purpose::Test, 0, 0);
        let image: Vec<u8> = (0..PIXELS).map(|_| rng.below(256) as u8).collect();
        let x: Vec<f32> = image.iter().map(|&v| f32::from(v) / 255.0).collect();
        for side in [24, 40, SIDE, 64] {
            let size = FaceResize::new(side);
            let mut expected = vec![0.0; side * side];
            View::PLAIN.render(&image, false, side, &mut expected);
            let found = size.forward(&x);
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{side}");

            let g: Vec<f64> = (0..side * side).map(|_| rng.normal()).collect();
            let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (left, right) = (dot(&size.forward(&wide), &g), dot(&wide, &size.backward(&g)));
            assert!((left - right).abs() < 1e-9, "{side}: {left} {right}");
        }
    }

    #[test]
    fn fields_are_counted_in_pixels_of_the_face() {
        let field = ReceptiveField { size: 3, jump: 2.0, start: 0.5 };
        assert_eq!(FaceResize::new(SIDE).in_face_pixels(field), field);
        // Every pixel of a 24×24 picture is two of the face: cell 0 is centred between 1 and 2.
        let twice = ReceptiveField { size: 6, jump: 4.0, start: 1.5 };
        assert_eq!(FaceResize::new(24).in_face_pixels(field), twice);
    }
}
