//! The parts of the pages, as they are in the program.

use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// A file of a page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its target, such as `/live.css`.
    pub target: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Asset {
    /// Returns the content type by the ending of the target; a target without ending is a page.
    pub fn content_type(&self) -> &'static str {
        match self.target.rsplit_once('.') {
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        }
    }

    /// Returns a route that answers with the file, or with `304` where the browser has it.
    pub fn route<S: Clone + Send + Sync + 'static>(self) -> MethodRouter<S> {
        get(async move |headers: HeaderMap| {
            let version = format!("\"{:x}\"", crc32fast::hash(self.text.as_bytes()));
            unless_known(&headers, &version, || {
                ([(CONTENT_TYPE, self.content_type())], self.text).into_response()
            })
        })
    }
}

/// Returns the response with its version; `304 Not Modified` if the browser has this version.
pub fn unless_known(
    headers: &HeaderMap,
    version: &str,
    response: impl FnOnce() -> Response,
) -> Response {
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == version.as_bytes());
    let response = if known { StatusCode::NOT_MODIFIED.into_response() } else { response() };
    ([(ETAG, version.to_owned())], response).into_response()
}
