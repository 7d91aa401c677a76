//! Serves the page that answers and explains: its parts, and the calls that it makes.

use crate::Error;
use crate::Result;
use crate::page::calls::{CALLS, Call};
use crate::page::message::Message;
use crate::page::output::{Output, Reply};
use crate::page::parts::{HTML, PARTS, Part};
use crate::page::workspace::{Source, Workspace};
use crate::serve::assets::Asset;
use crate::serve::gate::error;
use crate::serve::worker::Worker;
use crate::serve::{Gate, Server};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use fer_kernels::on_pool;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;

/// Time limit of the body of a call.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Bodies that are read at a time.
const MAX_BODIES: usize = 8;

/// Longest name of a lane, in bytes.
const MAX_LANE: usize = 64;

/// A call with its message.
type Job = (Call, Message);

struct Page {
    html: String,
    /// Answers at once.
    quick: Worker<Job>,
    /// Computes for seconds, one thing at a time, while the other goes on answering.
    slow: Worker<Job>,
    bodies: Semaphore,
}

/// Starts to serve the page of a network; see [`Server::start`].
///
/// # Errors
/// [`Error::Usage`] if the port is taken or the network does not take square gray faces.
pub fn start(source: Source, port: Option<u16>) -> Result<Server> {
    Workspace::new(&source)?; // so that a network that does not fit is refused here
    let source = Arc::new(source);
    let start = || {
        let source = source.clone();
        Worker::start(move |next| compute(&source, next))
    };
    let workers = [start()?, start()?];
    Server::start(port, |gate| routes(gate, workers))
}

fn routes(gate: &Gate, [quick, slow]: [Worker<Job>; 2]) -> Router {
    let html = HTML.replace("{token}", gate.token());
    let page = Arc::new(Page { html, quick, slow, bodies: Semaphore::new(MAX_BODIES) });
    let add = |all: Router<_>, &(target, text): &Part| {
        let part = Asset { target, text };
        all.route(target, part.route())
    };
    let parts = PARTS.iter().fold(Router::new(), add);
    parts.route("/", get(index)).route("/api/{name}", post(call)).with_state(page)
}

async fn index(State(page): State<Arc<Page>>) -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (headers, page.html.clone()).into_response()
}

/// Answers calls until there are no more.
fn compute(source: &Source, next: &mut dyn FnMut() -> Option<(Job, Output)>) {
    let Ok(mut space) = Workspace::new(source) else { return };
    while let Some(((call, message), output)) = next() {
        let answer = on_pool(|| (call.run)(&mut space, &message, &output));
        match answer.and_then(|answer| output.send(answer)) {
            Ok(()) => {}
            Err(error) => output.fail(error),
        }
    }
}

/// Reads a message, hands it to the thread that computes, and streams what that sends.
async fn call(
    State(page): State<Arc<Page>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(call) = CALLS.iter().find(|call| call.name == name) else {
        return error(StatusCode::NOT_FOUND);
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_none_or(|length: usize| length > call.limit) {
        return error(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let read = async {
        let _permit = page.bodies.acquire().await;
        to_bytes(body, call.limit).await
    };
    let Ok(read) = tokio::time::timeout(BODY_TIME, read).await else {
        return error(StatusCode::REQUEST_TIMEOUT);
    };
    let Ok(bytes) = read else { return error(StatusCode::PAYLOAD_TOO_LARGE) };
    let message = match Message::parse(&bytes) {
        Ok(message) => message,
        Err(e) => return refused(&e),
    };
    let lane = message.json["lane"].as_str().unwrap_or(call.name).to_owned();
    if lane.len() > MAX_LANE {
        return refused(&Error::Usage(format!("lane: expected at most {MAX_LANE} bytes")));
    }
    let worker = if call.slow { &page.slow } else { &page.quick };
    let mut replies = worker.push(&lane, (*call, message));
    match replies.recv().await {
        Some(Ok(first)) => {
            let kind = [(CONTENT_TYPE, "application/octet-stream")];
            (kind, Body::new(Stream { first: Some(first), replies })).into_response()
        }
        Some(Err(e)) => refused(&e),
        None => refused(&Error::Interrupted("newer work took its place".into())),
    }
}

/// Returns an error as its message; nothing for work that newer work replaced, which is no error.
fn refused(e: &Error) -> Response {
    if matches!(e, Error::Interrupted(_)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let status = match e {
        Error::Usage(_) | Error::Shape { .. } => StatusCode::BAD_REQUEST,
        Error::Data { .. } | Error::Inputs(_) | Error::NoFace(_) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, e.to_string()).into_response()
}

/// The messages of a call as a body, one after the other.
struct Stream {
    first: Option<Message>,
    replies: UnboundedReceiver<Reply>,
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = |message: Message| Ok(Frame::data(Bytes::from(message.encode())));
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(frame(first)));
        }
        self.replies.poll_recv(context).map(|reply| {
            reply.map(|reply| {
                frame(reply.unwrap_or_else(|e| {
                    Message::json(serde_json::json!({ "error": e.to_string() }))
                }))
            })
        })
    }
}
