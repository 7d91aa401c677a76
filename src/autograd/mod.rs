//! Reverse-mode automatic differentiation, to be read in this order:
//!
//! 0. [`scalar`]: the whole idea on plain numbers, in one file.
//! 1. [`op`]: the derivative of one operation.
//! 2. [`tape`]: a record of every operation in the order in which it ran.
//! 3. [`backward`]: the tape is read from its end to its beginning; that is backpropagation.
//! 4. [`mod@unbroadcast`]: the gradient of a value that was repeated.
//! 5. [`mod@gradcheck`]: the test of all this, by finite differences.
//!
//! `spare` keeps the memory of one step for the next. `table` prints a tape. Small programs to change and run: `examples/`.
//!
//! [`tensor`](crate::tensor) (numbers with a shape) comes before these files. After them,
//! `ops/elementwise/mul.rs`, `ops/elementwise/relu.rs`, `ops/matrix/matmul.rs` and
//! `ops/image/conv2d.rs` each add one idea.
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
pub mod op;
pub mod scalar;
pub(crate) mod spare;
mod table;
pub mod tape;
pub mod unbroadcast;

pub use backward::{BackwardHook, Gradients};
pub use gradcheck::gradcheck;
pub use op::{Backward, InputGrads};
pub use tape::{NodeId, Peers, Tape, Var};
pub use unbroadcast::unbroadcast;
