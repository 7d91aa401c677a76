//! Pages for the browser, on this machine only.
//!
//! | file | what it does |
//! |---|---|
//! | [`server`] | listens, on a thread of its own; ends connections that are slow or too many |
//! | [`gate`] | lets in only pages of this server, and says so in the headers of every response |
//! | [`assets`] | the parts of the pages, which are in the program |
//! | [`live`] | the live page of a training |
//! | [`network_page`] | the page that answers and explains ([`crate::page`]) |
//! | [`export`](mod@export) | the microscope of that page as a static site |
//! | [`worker`] | a thread that computes: the newest request wins; one answers at once, one takes its time |
//!
//! No target is turned into a path, so no other file can be read.

pub mod assets;
pub mod export;
pub mod gate;
pub mod live;
pub mod network_page;
pub mod server;
pub mod worker;

pub use gate::Gate;
pub use live::LivePage;
pub use server::Server;
