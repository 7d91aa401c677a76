//! Networks: specification, architectures, weights, inference, files, tables.

pub mod architectures;
pub mod build;
pub mod calibration;
pub mod ensemble;
pub mod flops;
pub mod inference;
pub mod init;
pub mod loaded_model;
pub mod mean_face;
pub mod network;
pub mod predictions;
pub mod spec;
pub mod summary;
pub mod training_record;
pub mod weights;

pub use architectures::{ARCHITECTURES, architecture};
pub use calibration::Calibration;
pub use ensemble::Ensemble;
pub use flops::{flop_per_face, forward_flop_per_face};
pub use inference::Inference;
pub use init::Init;
pub use loaded_model::LoadedModel;
pub use network::Network;
pub use predictions::{Predictions, predict};
pub use spec::{LayerSpec, NetworkSpec};
pub use summary::{Summary, summary};
pub use training_record::{ClassCounts, TrainingRecord};
