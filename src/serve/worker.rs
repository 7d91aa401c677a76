//! A thread that computes, and what waits for it.
//!
//! Work has a lane, a name that the page chooses. New work of a lane takes the place of older work that
//! waits there, and stops the one that runs: the newest request wins, and nothing queues up.

use crate::page::output::{Listener, Output, Reply};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Most lanes with waiting work.
const MAX_WAITING: usize = 64;

impl Listener for UnboundedSender<Reply> {
    fn deliver(&self, reply: Reply) {
        let _ = self.send(reply); // a closed page is noticed by the next check
    }
    fn is_gone(&self) -> bool {
        self.is_closed()
    }
}

/// Work for the state S of the thread.
struct Work<J> {
    lane: String,
    job: J,
    output: Output,
}

/// A thread with waiting work; it ends when this value is dropped.
#[derive(Debug)]
pub struct Worker<J>(Arc<Shared<J>>);

struct Shared<J> {
    queue: Mutex<Queue<J>>,
    changed: Condvar,
}

struct Queue<J> {
    waiting: VecDeque<Work<J>>,
    /// Lane of the work that runs, and its flag.
    running: Option<(String, Arc<AtomicBool>)>,
    closed: bool,
}

impl<J> std::fmt::Debug for Shared<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next work, once there is some; `None` at the end.
    fn next(&self) -> Option<Work<J>> {
        let mut queue = self.lock();
        loop {
            queue.running = None;
            if queue.closed {
                return None;
            }
            if let Some(work) = queue.waiting.pop_front() {
                queue.running = Some((work.lane.clone(), work.output.stop_flag()));
                return Some(work);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread. `run` receives a function that returns the next job with its output, and `None`
    /// at the end.
    ///
    /// # Errors
    /// [`Error::Failed`] if the system starts no thread.
    pub fn start(
        run: impl FnOnce(&mut dyn FnMut() -> Option<(J, Output)>) + Send + 'static,
    ) -> Result<Self> {
        let queue = Queue { waiting: VecDeque::new(), running: None, closed: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), changed: Condvar::new() });
        let own = shared.clone();
        let work = move || run(&mut || own.next().map(|work| (work.job, work.output)));
        std::thread::Builder::new()
            .name("compute".into())
            .spawn(work)
            .map_err(|e| Error::Failed(format!("cannot start the thread that computes: {e}")))?;
        Ok(Worker(shared))
    }

    /// Adds a job to a lane, in place of older ones, and returns where its messages arrive. Nothing
    /// arrives if a newer job takes its place before it runs, or too many lanes wait.
    pub fn push(&self, lane: &str, job: J) -> UnboundedReceiver<Reply> {
        let (sender, receiver) = unbounded_channel();
        let output = Output::to(sender);
        let mut queue = self.0.lock();
        queue.waiting.retain(|work| work.lane != lane && !work.output.is_gone());
        if let Some((_, stop)) = queue.running.as_ref().filter(|(running, _)| running == lane) {
            stop.store(true, Ordering::Relaxed);
        }
        if queue.waiting.len() < MAX_WAITING {
            queue.waiting.push_back(Work { lane: lane.into(), job, output });
        }
        self.0.changed.notify_one();
        receiver
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        queue.waiting.clear();
        if let Some((_, stop)) = &queue.running {
            stop.store(true, Ordering::Relaxed);
        }
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::message::Message;
    use serde_json::json;
    use std::sync::mpsc;

    /// A worker whose jobs are numbers, sent back once `go` allows it.
    fn numbers() -> (Worker<u32>, mpsc::Sender<()>, mpsc::Receiver<u32>) {
        let ((go, gate), (told, begun)) = (mpsc::channel(), mpsc::channel());
        let worker = Worker::start(move |next| {
            while let Some((number, output)) = next() {
                let _ = told.send(number);
                let _ = gate.recv();
                if let Err(error) = output.send(Message::json(json!(number))) {
                    output.fail(error);
                }
            }
        });
        (worker.unwrap(), go, begun)
    }

    #[test]
    fn the_newest_of_a_lane_wins_and_other_lanes_wait() {
        let (worker, go, begun) = numbers();
        let mut first = worker.push("frame", 1);
        assert_eq!(begun.recv().unwrap(), 1);
        let mut second = worker.push("other", 2);
        let mut third = worker.push("frame", 3);
        let mut fourth = worker.push("frame", 4);
        (0..3).for_each(|_| go.send(()).unwrap());
        let number = |reply: Option<Reply>| reply.map(|r| r.map(|m| m.json).ok());
        assert_eq!(number(first.blocking_recv()), Some(None), "stopped while it ran");
        assert_eq!(number(second.blocking_recv()), Some(Some(json!(2))));
        assert_eq!(number(third.blocking_recv()), None, "replaced before it ran");
        assert_eq!(number(fourth.blocking_recv()), Some(Some(json!(4))));
    }

    #[test]
    fn work_that_nobody_waits_for_stops() {
        let (worker, go, begun) = numbers();
        let gone = worker.push("a", 1);
        assert_eq!(begun.recv().unwrap(), 1);
        drop(gone);
        drop(worker.push("b", 2));
        let mut last = worker.push("c", 3);
        go.send(()).unwrap();
        assert_eq!(begun.recv().unwrap(), 3, "2 was never begun");
        go.send(()).unwrap();
        assert!(last.blocking_recv().unwrap().is_ok());
    }
}
