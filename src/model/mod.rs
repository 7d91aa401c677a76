//! Networks: specification, architectures, weights, inference, files, tables.

pub mod architectures;
pub mod build;
pub mod calibration;
pub mod flops;
pub mod inference;
pub mod init;
pub mod loaded_model;
pub mod mean_face;
pub mod network;
pub mod predictions;
pub mod spec;
pub mod summary;
pub mod weights;

pub use architectures::{ARCHITECTURES, architecture};
pub use calibration::Calibrated;
pub use flops::{flop_per_face, forward_flop_per_face};
pub use inference::Inference;
pub use init::Init;
pub use loaded_model::{Ensemble, Trained};
pub use network::Network;
pub use predictions::{Predictions, predict};
pub use spec::{LayerSpec, NetworkSpec};
pub use summary::{Summary, summary};
