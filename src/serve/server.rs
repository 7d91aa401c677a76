//! The listener and its threads.

use crate::monitor::live::views::PROGRESS;
use crate::serve::http::{Response, Timed, read_request, write_response};
use crate::serve::routes::answer;
use crate::{Error, Result};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The default port.
pub const PORT: u16 = 4848;

/// Largest number of simultaneous connections.
const MAX_CONNECTIONS: usize = 32;
/// Time limit of the head of a request: a browser sends it at once.
const HEAD_TIME: Duration = Duration::from_secs(2);
/// Time limit of an answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A server of one run folder; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    port: u16,
    open: AtomicUsize,
    stopped: AtomicBool,
    /// Time of the last request for the progress.
    last_request: Mutex<Option<Instant>>,
}

impl Server {
    /// Starts to serve on 127.0.0.1. Without `port` uses the default port, or a free one if that is
    /// taken.
    ///
    /// # Errors
    /// [`Error::Usage`] if the port is taken.
    pub fn start(folder: &Path, port: Option<u16>) -> Result<Self> {
        let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match port {
            Some(port) => listen(port),
            None => listen(PORT).or_else(|_| listen(0)),
        };
        let refuse = |e: std::io::Error| {
            let port = port.unwrap_or(PORT);
            Error::Usage(format!(
                "cannot serve on port {port} of this machine: {e}; name another with --port or --live"
            ))
        };
        let listener = listener.map_err(refuse)?;
        let port = listener.local_addr().map_err(refuse)?.port();
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            port,
            open: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            last_request: Mutex::new(None),
        });
        let inside = shared.clone();
        let thread = std::thread::spawn(move || inside.listen(&listener));
        Ok(Server { port, shared, listener: Some(thread) })
    }

    /// Returns the address of the page.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Waits, at most for `limit`, until an open page has requested the progress once more, so that it
    /// learns that the training has ended.
    pub fn wait_for_page(&self, limit: Duration) {
        let start = Instant::now();
        let last_request =
            || *self.shared.last_request.lock().unwrap_or_else(PoisonError::into_inner);
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
    pub fn wait(mut self) {
        if let Some(thread) = self.listener.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // A connection of our own wakes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.listener.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else {
                std::thread::sleep(Duration::from_millis(50)); // perhaps no free file descriptor
                continue;
            };
            if self.open.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
                self.open.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let shared = self.clone();
            let work = move || {
                let _ = shared.serve(stream); // a browser that closes the connection is no error
                shared.open.fetch_sub(1, Ordering::SeqCst);
            };
            if std::thread::Builder::new().spawn(work).is_err() {
                self.open.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let request = read_request(&mut Timed::new(stream.try_clone()?, HEAD_TIME))?;
        let mut output = Timed::new(stream, ANSWER_TIME);
        let Some(request) = request else {
            return write_response(&mut output, &Response::error("400 Bad Request"), true);
        };
        let response = answer(&request, &self.folder, self.port);
        write_response(&mut output, &response, request.method != "HEAD")?;
        if request.target.ends_with(PROGRESS) {
            *self.last_request.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Instant::now());
        }
        Ok(())
    }
}
