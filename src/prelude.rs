//! What most programs need: `use fer::prelude::*;`
//!
//! ```
//! use fer::prelude::*;
//!
//! let mut tape = Tape::new();
//! let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0], &[2])?);
//! let squares = ops::mul(&mut tape, &x, &x)?;
//! let y = ops::sum(&mut tape, &squares, &[0])?;
//! assert_eq!(tape.backward(&y)?.get(&x).unwrap().to_vec(), [2.0, 4.0]); // 2x
//! # Ok::<(), fer::Error>(())
//! ```

pub use crate::autograd::{Backward, Gradients, InputGrads, Tape, Var, gradcheck};
pub use crate::dataset::{Dataset, SynthOptions, synthesize};
pub use crate::model::{LayerSpec, Network, NetworkSpec, architecture};
pub use crate::nn::{Mode, Pass};
pub use crate::ops::{self, Conv2dOptions, CrossEntropyOptions, Pool2dOptions, Targets};
pub use crate::optim::{Ema, Optimizer, OptimizerConfig, OptimizerKind, Schedule};
pub use crate::tensor::{Element, Tensor};
pub use crate::{Error, Result};
