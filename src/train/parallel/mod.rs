//! Training in micro-batches, by one process or by several.
//!
//! A batch is cut into micro-batches of a fixed number of faces. Each is a computation of its own, and the
//! step adds their gradients in their order. So neither the number of processes nor that of threads
//! changes a bit.
//!
//! | file | what it does |
//! |---|---|
//! | `ranks` | [`Ranks`]: the processes that train together, and what they tell each other |
//! | `lockstep` | the micro-batches of one process, which stop at each batch norm for all others |
//! | `ordered_sum` | the sum of all gradients, on its way while gradients are still computed |
//! | `step` | one step: forward and backward passes of the own micro-batches, the sum, the update |
//! | `agreement` | refuses a process with other data, another version or other settings |
//! | `mpi` | [`Ranks`] over MPI (feature `mpi`) |

pub(crate) mod agreement;
mod lockstep;
#[cfg(feature = "mpi")]
pub mod mpi;
mod ordered_sum;
mod ranks;
pub(crate) mod step;

pub use ranks::{Alone, Ranks, Reduce};
