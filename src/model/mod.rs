//! Networks: as data, built in, with weights, on disk, and as a table.

pub mod architectures;
pub mod build;
pub mod eigen;
pub mod inference;
pub mod init;
pub mod network;
pub mod spec;
pub mod summary;

pub use architectures::{ARCHITECTURES, architecture};
pub use inference::Inference;
pub use init::Init;
pub use network::Network;
pub use spec::{LayerSpec, NetworkSpec};
