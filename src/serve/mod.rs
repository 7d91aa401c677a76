//! The live page: a small server for one run folder, on this machine only.
//!
//! A browser asks for one of six fixed names ([`routes`]); anything else is "not found". No name
//! that comes over the wire is ever made into a path, so nothing but these files can be reached.
//! A page of another site cannot read them either: the `Host` must be ours, which stops a foreign
//! name that was pointed at this machine, and nothing is served with leave to read it elsewhere.
//!
//! GET over plain threads is all that is needed, so the protocol is written here, as far as it is
//! used: [`http`] reads a request and writes an answer, [`server`] listens.

pub mod http;
pub mod routes;
pub mod server;

pub use server::Server;
