//! Reverse-mode automatic differentiation, to be read in this order:
//!
//! 1. [`tensor`]: numbers with a shape.
//! 2. [`tape`]: every operation that is carried out is written on a tape.
//! 3. [`backward`]: the tape is read from its end to its beginning; that is backpropagation.
//! 4. [`unbroadcast`]: what the gradient of a repeated value is.
//! 5. [`gradcheck`]: how we know that it is right.
//!
//! After these five files, `ops/mul.rs`, `ops/relu.rs`, `ops/matmul.rs` and `ops/conv2d.rs` each
//! add one idea.
//!
//! # Example
//! ```
//! use fer::autograd::Tape;
//! use fer::tensor::Tensor;
//! use fer::ops;
//!
//! let mut tape = Tape::<f64>::new();
//! let x = tape.leaf(Tensor::scalar(3.0));
//! let y = ops::mul(&mut tape, &x, &x)?; // y = x²
//! let gradients = tape.backward(&y)?;
//! assert_eq!(gradients.get(&x).unwrap().item(), 6.0); // dy/dx = 2x
//! # Ok::<(), fer::Error>(())
//! ```

pub mod backward;
pub mod gradcheck;
pub mod tape;
pub mod unbroadcast;

pub use backward::{Backward, BackwardRule, Gradients, InputGrads};
pub use tape::{NodeId, Tape, Var};
