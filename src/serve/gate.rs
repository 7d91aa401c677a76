//! Who is let in: pages of this server, by its own name.
//!
//! The header `Host` must name this server, which stops DNS rebinding. `Origin`, where a browser sends it,
//! must be that of this server. Calls carry a token that is written into the page, so another program or
//! page cannot make them without having read that page.

use crate::{Error, Result};
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Header with the token of a call.
pub const TOKEN: HeaderName = HeaderName::from_static("x-token");

/// The port that a browser leaves out of the header `Host`.
const HTTP_PORT: u16 = 80;

/// Headers of every response: the page loads only from this server, runs no script and no style written
/// into the page, and is shown in no other page; the browser asks for changes each time.
const HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-cache"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(self), microphone=(), geolocation=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// What a request must say to be answered.
#[derive(Clone, Debug)]
pub struct Gate {
    port: u16,
    token: String,
}

impl Gate {
    /// Creates the gate of a server on `port`, with a random token of 128 bits.
    ///
    /// # Errors
    /// [`Error::Failed`] if the system gives no random bytes.
    pub fn new(port: u16) -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|e| Error::Failed(format!("no random bytes for the page's token: {e}")))?;
        Ok(Gate { port, token: bytes.iter().map(|b| format!("{b:02x}")).collect() })
    }

    /// The token of calls, in hexadecimal.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the status of a request that is refused; `None` if it may pass.
    pub fn refusal(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<StatusCode> {
        let mut hosts = headers.get_all(HOST).iter();
        let is_own_host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => self.is_own(host.as_bytes()),
            _ => false, // none, or two that disagree
        };
        if !is_own_host || uri.authority().is_some() || !uri.path().starts_with('/') {
            return Some(StatusCode::BAD_REQUEST);
        }
        let is_own_origin = |origin: &HeaderValue| {
            origin.as_bytes().strip_prefix(b"http://").is_some_and(|host| self.is_own(host))
        };
        if !headers.get_all(ORIGIN).iter().all(is_own_origin) {
            return Some(StatusCode::FORBIDDEN);
        }
        if uri.query().is_some() {
            return Some(StatusCode::NOT_FOUND); // no target has a query
        }
        let is_call = *method == Method::POST && uri.path().starts_with("/api/");
        (is_call && !self.has_token(headers)).then_some(StatusCode::FORBIDDEN)
    }

    fn is_own(&self, host: &[u8]) -> bool {
        ["127.0.0.1", "localhost"].iter().any(|name| {
            host == format!("{name}:{}", self.port).as_bytes()
                || (self.port == HTTP_PORT && host == name.as_bytes())
        })
    }

    /// Compares the token in a time that does not depend on where it differs.
    fn has_token(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(TOKEN).map_or(&b""[..], HeaderValue::as_bytes);
        let different = sent.iter().zip(self.token.as_bytes()).fold(0, |d, (a, b)| d | (a ^ b));
        sent.len() == self.token.len() && different == 0
    }
}

/// Refuses a request or hands it on, and adds the headers of every response.
pub async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let refusal = gate.refusal(request.method(), request.uri(), request.headers());
    let mut response = match refusal {
        Some(status) => error(status),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Returns a response that consists of its status.
pub fn error(status: StatusCode) -> Response {
    (status, status.canonical_reason().unwrap_or_default()).into_response()
}
