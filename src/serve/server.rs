//! The listener and its connections.

use crate::serve::gate::{Gate, error, guard};
use crate::{Error, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio_io_timeout::TimeoutStream;

/// The default port.
pub const PORT: u16 = 4848;

/// Largest number of simultaneous connections; a browser opens six.
const MAX_CONNECTIONS: usize = 512;
/// Time limit of the head of a request, which a browser sends at once, and of an idle connection.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Longest time that the reader of an answer may take nothing of it.
const READER_TIME: Duration = Duration::from_secs(5);
/// Time limit of a connection with all its answers; the browser opens another.
const CONNECTION_TIME: Duration = Duration::from_secs(600);
/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Wait after a connection that the system could not open, perhaps for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A server on 127.0.0.1 with a thread of its own; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve the routes on 127.0.0.1. Without `port` uses the default port, or a free one if
    /// that is taken.
    ///
    /// # Errors
    /// [`Error::Usage`] if the port is taken.
    pub fn start(port: Option<u16>, routes: impl FnOnce(&Gate) -> Router) -> Result<Self> {
        let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match port {
            Some(port) => listen(port),
            None => listen(PORT).or_else(|_| listen(0)),
        };
        let refuse = |e: std::io::Error| {
            let port = port.unwrap_or(PORT);
            Error::Usage(format!(
                "cannot serve on port {port} of this machine: {e}; name another one, such as {}",
                port.wrapping_add(1).max(1024)
            ))
        };
        let listener = listener.map_err(refuse)?;
        let port = listener.local_addr().map_err(refuse)?.port();
        listener.set_nonblocking(true).map_err(refuse)?;
        let gate = Gate::new(port)?;
        let no_icon = get(async || StatusCode::NO_CONTENT);
        let routes = routes(&gate)
            .route("/favicon.ico", no_icon)
            .fallback(async || error(StatusCode::NOT_FOUND))
            .layer(from_fn_with_state(Arc::new(gate), guard));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(refuse)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async {
                tokio::spawn(accept(listener, routes));
                let _ = stopped.await;
            });
        };
        let thread = std::thread::Builder::new().name("serve".into()).spawn(serve);
        Ok(Server { port, stop: Some(stop), thread: Some(thread.map_err(refuse)?) })
    }

    /// Returns the address of the page.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Accepts connections and serves each in a task.
async fn accept(listener: TcpListener, routes: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let open = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_HEAD);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = open.clone().try_acquire_owned() else { continue };
        let _ = stream.set_nodelay(true); // answers are small, and wait for nothing
        let service = TowerToHyperService::new(routes.clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(READER_TIME));
        let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
        tokio::spawn(async move {
            // A browser that closes the connection is no error.
            let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
            drop(permit);
        });
    }
}
