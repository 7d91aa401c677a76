//! The live page of a training: three parts of the page, and the two files that the training writes.

use crate::Result;
use crate::monitor::live::views::{LIVE, PROGRESS};
use crate::serve::Server;
use crate::serve::assets::{Asset, unless_known};
use crate::serve::gate::error;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const PAGE: [Asset; 3] = [
    Asset { target: "/", text: include_str!("live_files/live.html") },
    Asset { target: "/live.css", text: include_str!("live_files/live.css") },
    Asset { target: "/live.js", text: include_str!("live_files/live.js") },
];

/// Header with the seconds since a file was written.
const AGE: HeaderName = HeaderName::from_static("x-age");

/// A server of one run folder; it stops when it is dropped.
#[derive(Debug)]
pub struct LivePage {
    server: Server,
    run: Arc<Run>,
}

#[derive(Debug)]
struct Run {
    folder: PathBuf,
    /// Time of the last request for the progress.
    last_request: Mutex<Option<Instant>>,
}

impl LivePage {
    /// Starts to serve a run folder; see [`Server::start`].
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if the port is taken.
    pub fn start(folder: &Path, port: Option<u16>) -> Result<Self> {
        let run = Arc::new(Run { folder: folder.to_owned(), last_request: Mutex::new(None) });
        let state = run.clone();
        let server = Server::start(port, move |_| routes().with_state(state))?;
        Ok(LivePage { server, run })
    }

    /// Returns the address of the page.
    pub fn address(&self) -> String {
        self.server.address()
    }

    /// Waits, at most for `limit`, until an open page has requested the progress once more, so that it
    /// learns that the training has ended.
    pub fn wait_for_page(&self, limit: Duration) {
        let start = Instant::now();
        let last_request = || *self.run.last_request.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = last_request().is_some_and(|at| at.elapsed() < 2 * limit);
        while is_open && start.elapsed() < limit && last_request().is_some_and(|at| at < start) {
            std::thread::sleep(Duration::from_millis(50));
        }
        if is_open {
            // Time for the next request of the page: the last epoch.
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Serves until the process ends.
    pub fn wait(self) {
        self.server.wait();
    }
}

fn routes() -> Router<Arc<Run>> {
    let page = PAGE.iter().fold(Router::new(), |all, part| all.route(part.target, part.route()));
    page.route("/live.json", get(live)).route("/progress.json", get(progress))
}

async fn live(State(run): State<Arc<Run>>, headers: HeaderMap) -> Response {
    file(run.folder.join(LIVE), headers).await
}

async fn progress(State(run): State<Arc<Run>>, headers: HeaderMap) -> Response {
    let response = file(run.folder.join(PROGRESS), headers).await;
    *run.last_request.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    response
}

/// Returns a file of the training with its age; `304 Not Modified` if the browser has this version.
async fn file(path: PathBuf, headers: HeaderMap) -> Response {
    let read = move || read(&path, &headers).unwrap_or_else(|_| error(StatusCode::NOT_FOUND));
    let read = tokio::task::spawn_blocking(read);
    read.await.unwrap_or_else(|_| error(StatusCode::INTERNAL_SERVER_ERROR))
}

fn read(path: &Path, headers: &HeaderMap) -> std::io::Result<Response> {
    let written = std::fs::metadata(path)?.modified()?;
    let since = written.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let age = SystemTime::now().duration_since(written).map_or(0, |age| age.as_secs());
    let body = std::fs::read(path)?;
    let response = unless_known(headers, &format!("\"{since:x}\""), || {
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    });
    Ok(([(AGE, age.to_string())], response).into_response())
}
