//! The live page: an HTTP server for one run folder, on this machine only.
//!
//! The server answers six fixed targets ([`routes`]); anything else is "not found". No target is turned
//! into a path, so no other file can be read. Pages of other sites cannot read the files either: the
//! header `Host` must name this server, which stops DNS rebinding, and no response allows other origins.
//!
//! [`http`] reads requests and writes responses, [`server`] listens.

pub mod http;
pub mod routes;
pub mod server;

pub use server::Server;
