//! What the page can ask for, by name. Each call takes a message and sends one or more back.
//!
//! | file | answers |
//! |---|---|
//! | [`faces`] | which faces a picture or frame holds, and their expressions; the faces of the set |
//! | [`why`] | maps, superpixels, and the smallest patch that changes an answer |
//! | [`network`] | the layers, their feature maps and kernels |
//! | [`filters`] | what a filter responds to; gradient ascent, step by step |
//! | [`map`] | where the faces of the set lie by their features |

pub mod faces;
pub mod filters;
pub mod map;
pub mod network;
pub mod why;

use crate::limits::MAX_PICTURE;
use crate::page::message::Message;
use crate::page::output::Output;
use crate::page::workspace::Workspace;
use crate::{PIXELS, Result};

/// Largest message without a picture, in bytes.
const SMALL: usize = 64 << 10;

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its name, the last part of its target.
    pub name: &'static str,
    /// Whether it may take seconds. Those that do not are computed beside them.
    pub slow: bool,
    /// Largest message that it takes, in bytes.
    pub limit: usize,
    /// Answers it; messages before the last one go to the output.
    pub run: fn(&mut Workspace<'_>, &Message, &Output) -> Result<Message>,
}

/// Every call.
pub const CALLS: [Call; 15] = [
    Call { name: "hello", slow: false, limit: SMALL, run: network::hello },
    Call { name: "picture", slow: false, limit: MAX_PICTURE + SMALL, run: faces::picture },
    Call { name: "frame", slow: false, limit: faces::MAX_FRAME + SMALL, run: faces::frame },
    Call {
        name: "answer",
        slow: false,
        limit: faces::MAX_ANSWERED * PIXELS + SMALL,
        run: faces::answer,
    },
    Call { name: "set", slow: false, limit: SMALL, run: faces::set },
    Call { name: "draw", slow: false, limit: SMALL, run: faces::draw },
    Call { name: "attribution", slow: true, limit: SMALL, run: why::attribution },
    Call { name: "superpixels", slow: false, limit: SMALL, run: why::superpixels },
    Call { name: "patch", slow: true, limit: SMALL, run: why::patch },
    Call { name: "sanity", slow: true, limit: SMALL, run: why::sanity },
    Call { name: "maps", slow: false, limit: SMALL, run: network::maps },
    Call { name: "kernel", slow: false, limit: SMALL, run: network::kernel },
    Call { name: "filter", slow: true, limit: SMALL, run: filters::filter },
    Call { name: "ascent", slow: true, limit: SMALL, run: filters::ascent },
    Call { name: "map", slow: true, limit: SMALL, run: map::map },
];
