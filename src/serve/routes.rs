//! The targets of the server: three parts of the page, which are embedded in the program, and the two
//! files that a training writes.

use crate::monitor::live::views::{LIVE, PROGRESS};
use crate::serve::http::{Request, Response};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const HTML: &str = include_str!("page/live.html");
const CSS: &str = include_str!("page/live.css");
const JS: &str = include_str!("page/live.js");

/// The port that a browser leaves out of the header `Host`.
const HTTP_PORT: u16 = 80;

/// Answers a request to the server of `folder` on `port`.
pub fn answer(request: &Request, folder: &Path, port: u16) -> Response {
    let own = ["127.0.0.1", "localhost"];
    let is_own = |host: &&str| {
        request.host == format!("{host}:{port}") || (port == HTTP_PORT && request.host == **host)
    };
    if !own.iter().any(is_own) {
        return Response::error("400 Bad Request");
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response { allow: "GET, HEAD", ..Response::error("405 Method Not Allowed") };
    }
    match request.target.as_str() {
        "/" => embedded("text/html; charset=utf-8", HTML),
        "/live.css" => embedded("text/css; charset=utf-8", CSS),
        "/live.js" => embedded("text/javascript; charset=utf-8", JS),
        "/live.json" => file(&folder.join(LIVE), request),
        "/progress.json" => file(&folder.join(PROGRESS), request),
        "/favicon.ico" => Response { status: "204 No Content", ..Response::default() },
        _ => Response::error("404 Not Found"),
    }
}

fn embedded(content_type: &'static str, text: &str) -> Response {
    Response { status: "200 OK", content_type, body: text.into(), ..Response::default() }
}

/// Returns a file of the training; `304 Not Modified` if the browser has this version.
fn file(path: &Path, request: &Request) -> Response {
    let Ok(written) = std::fs::metadata(path).and_then(|m| m.modified()) else {
        return Response::error("404 Not Found");
    };
    let since = written.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let etag = format!("\"{since:x}\"");
    let age = SystemTime::now().duration_since(written).map_or(0, |age| age.as_secs());
    let content_type = "application/json";
    let response = Response { content_type, etag, age: Some(age), ..Response::default() };
    if request.if_none_match == response.etag {
        return Response { status: "304 Not Modified", ..response };
    }
    match std::fs::read(path) {
        Ok(body) => Response { status: "200 OK", body, ..response },
        Err(_) => Response::error("404 Not Found"),
    }
}
