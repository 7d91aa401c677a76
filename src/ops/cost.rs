//! What an op costs: multiply-accumulates, other operations, bytes, from the shapes alone.
//!
//! Numbers first. conv2d of an image `[1, 1, 48, 48]` with 8 filters `[8, 1, 3, 3]` and padding 1: every one of
//! the 8·48·48 outputs sums 1·3·3 products, which is 165,888 multiply-accumulates (MAC), or twice as many
//! floating-point operations (FLOP). The backward pass uses each product of the forward pass twice, once for the
//! gradient of its pixel and once for that of its weight: 331,776 MAC.

use crate::ops::OPS;
use crate::tensor::Shape;

/// The cost of one op: forward, then backward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiply-accumulates of convolutions and matrix products, by their definition, whatever the
    /// algorithm. The backward pass counts only the gradients that are needed.
    pub macs: [usize; 2],
    /// Other floating-point operations, about: a few per element.
    pub other: [usize; 2],
    /// Numbers that must be read and written once, at least.
    pub numbers: [usize; 2],
    /// Numbers that the op keeps until its backward pass. Buffers that several ops keep are counted
    /// for each.
    pub saved: usize,
}

impl Cost {
    /// Returns the floating-point operations: two per multiply-accumulate, and the others.
    pub fn flop(&self) -> [usize; 2] {
        [0, 1].map(|pass| 2 * self.macs[pass] + self.other[pass])
    }
}

/// Returns the cost of the op called `name`; `None` if there is no such op. An input is its shape, or
/// `None` for a constant, which has no gradient; constants are taken to be small and count nothing.
///
/// ```
/// # use fer::ops::cost::cost;
/// # use fer::tensor::Shape;
/// let [x, w] = [[1, 1, 48, 48], [8, 1, 3, 3]].map(|s| Some(Shape::new(&s)));
/// let conv2d = cost("conv2d", &[x, w], Shape::new(&[1, 8, 48, 48])).unwrap();
/// assert_eq!(conv2d.macs, [165_888, 331_776]);
/// assert_eq!(conv2d.saved, 48 * 48 + 8 * 9); // x and w
/// ```
pub fn cost(name: &str, inputs: &[Option<Shape>], output: Shape) -> Option<Cost> {
    let size = |i: usize| inputs.get(i).copied().flatten().map_or(0, |s| s.elements());
    let last = |i: usize| inputs.get(i).copied().flatten().and_then(|s| s.last().copied());
    let (y, x, w) = (output.elements(), size(0), size(1));
    let needed = inputs.iter().flatten().count();
    let products = match name {
        "conv2d" | "conv2d_statistics" => y * w / output.get(1).copied().unwrap_or(1).max(1),
        "linear" | "matmul" => y * last(0).unwrap_or(0),
        _ => 0,
    };
    let gradients = inputs.iter().take(2).flatten().count(); // of the two factors of a product
    // Operations per element forward and backward, and the numbers that are kept.
    let (forward, backward, saved) = match name {
        "leaf" | "reshape" => (0, 0, 0),
        "transpose" | "concat" => (0, 0, 0),
        "add" | "sub" => (y, 0, 0),
        "neg" => (y, y, 0),
        "mul" => (y, y * needed, x + w),
        "div" => (y, 3 * y, x + w + y),
        "exp" | "sqrt" | "relu" => (y, y, y),
        "ln" | "leaky_relu" => (y, y, x),
        "pow" => (y, 3 * y, x),
        "sigmoid" => (4 * y, 3 * y, y),
        "tanh" => (y, 3 * y, y),
        "sum" => (x, 0, 0),
        "mean" | "global_avg_pool2d" | "avg_pool2d" => (x, x, 0),
        "max" | "max_pool2d" => (x, y, y),
        "softmax" => (4 * y, 4 * y, y),
        "log_softmax" => (4 * y, 3 * y, y),
        "cross_entropy" => (6 * x, 3 * x, 2 * x),
        "conv2d" => (size(2).min(1) * y, size(2).min(1) * y, x + w),
        "conv2d_statistics" => ((3 + size(2).min(1)) * y, size(2).min(1) * y, x + w),
        "linear" => (size(2).min(1) * y, size(2).min(1) * y, x + w),
        "matmul" => (0, 0, x + w),
        "batch_norm" => (2 * x, 7 * x, x + 3 * w),
        "batch_norm_relu" => (3 * x, 8 * x, x + 4 * w),
        "scale_add_relu" => (3 * y, 3 * y, 2 * y + w),
        "dropout" => (y, y, y),
        "affine_warp" => (8 * y, 8 * y, 0),
        // A new op, element by element, that keeps its input.
        _ if OPS.iter().any(|(op, _)| *op == name) => (y, y, x),
        _ => return None,
    };
    let all: usize = (0..inputs.len()).map(size).sum();
    let is_op = usize::from(name != "leaf" && name != "reshape");
    Some(Cost {
        macs: [products, products * gradients],
        other: [forward, backward],
        numbers: [is_op * (all + y), is_op * (y + saved + all)],
        saved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_op_has_a_cost() {
        let shape = Some(Shape::new(&[2, 3, 4, 4]));
        for (op, _) in crate::ops::OPS {
            let found = cost(op, &[shape; 3], Shape::new(&[2, 3, 4, 4]));
            assert!(found.is_some(), "{op} is missing from src/ops/cost.rs");
        }
        assert_eq!(cost("leaf", &[], Shape::new(&[3])), Some(Cost::default()));
        assert_eq!(cost("no such op", &[], Shape::new(&[3])), None);
    }

    #[test]
    fn a_factor_that_is_constant_gets_no_gradient() {
        let [x, w] = [&[1, 2, 5, 5][..], &[4, 2, 3, 3]].map(|s| Some(Shape::new(s)));
        let y = Shape::new(&[1, 4, 3, 3]);
        let macs = 4 * 3 * 3 * 2 * 9;
        assert_eq!(cost("conv2d", &[x, w], y).map(|c| c.macs), Some([macs, 2 * macs]));
        assert_eq!(cost("conv2d", &[None, w], y).map(|c| c.macs), Some([macs, macs]));
    }
}
