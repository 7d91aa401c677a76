//! Convolution of NHWC images: forward and its two adjoints.
//!
//! A convolution is a matrix product whose left operand, the im2col matrix, repeats every pixel
//! once per tap of the filter:
//!
//! ```text
//! y[pixel, o] = Σ_{tap, c} x[pixel + tap, c] · w[tap, c, o]
//! ```
//!
//! [`crate::im2col`] writes that matrix out. The kernels here never do: where images are stored
//! channels-last, with a border of zeros around them, its element (pixel, tap, c) lies at
//! `offset(pixel) + offset(tap) + c`, which is exactly the address that a micro-kernel reads.
//!
//! * `direct`: forward, and the gradient of the input where the stride is 1 (then it is again a
//!   convolution, with mirrored weights);
//! * `backward_input`: that case, and the general one by a product and the adjoint of im2col;
//! * `backward_weight`: the product with pixels as the inner index.

mod backward_input;
mod backward_weight;
mod direct;
mod rows;
mod weights;

pub use backward_input::backward_input;
pub use backward_weight::backward_weight;
pub use direct::forward;
