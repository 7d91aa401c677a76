//! The page that answers and explains, wherever its network computes: behind `fer serve`, or in the browser itself
//! (`web/`).
//!
//! | file | what it does |
//! |---|---|
//! | [`parts`] | the files that the browser loads, in `files/` |
//! | [`message`] | what the page and the network send each other |
//! | [`calls`] | what the page can ask for, by name |
//! | [`workspace`] | what a call works with: the network, the faces, and what it remembers |
//! | [`output`] | where a call sends its messages, and learns that nobody wants them any more |

pub mod calls;
pub mod message;
pub mod output;
pub mod parts;
pub mod workspace;
