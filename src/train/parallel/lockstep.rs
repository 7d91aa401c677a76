//! The micro-batches of one process, each on a thread of its own: at each batch norm they wait for all
//! others, in this process and in the other ones.

use crate::autograd::Peers;
use crate::train::parallel::Ranks;
use crate::{Error, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Where the threads of one process meet.
pub(crate) struct Lockstep {
    ranks: Arc<dyn Ranks>,
    /// Number of micro-batches of each process.
    parts: Vec<usize>,
    meeting: Mutex<Meeting>,
    changed: Condvar,
}

#[derive(Default)]
struct Meeting {
    /// What the own micro-batches have brought to this meeting, in their order.
    brought: Vec<Option<Vec<f32>>>,
    /// Number of meetings that have ended.
    ended: usize,
    /// What the last one gathered.
    all: Arc<Vec<f32>>,
    /// Whether a micro-batch failed, so that no meeting will be complete.
    failed: bool,
}

impl Lockstep {
    /// Prepares the meetings of a step.
    pub fn new(ranks: Arc<dyn Ranks>, parts: Vec<usize>) -> Arc<Self> {
        let own = parts.get(ranks.rank()).copied().unwrap_or_default();
        let meeting = Meeting { brought: vec![None; own], ..Meeting::default() };
        Arc::new(Self { ranks, parts, meeting: Mutex::new(meeting), changed: Condvar::new() })
    }

    fn meeting(&self) -> MutexGuard<'_, Meeting> {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all own micro-batches have brought their values; the last one gathers those of the
    /// other processes.
    fn meet(&self, place: usize, own: &[f32]) -> Result<Arc<Vec<f32>>> {
        let mut meeting = self.meeting();
        let number = meeting.ended;
        meeting.brought[place] = Some(own.to_vec());
        if meeting.brought.iter().all(Option::is_some) {
            let whole: Vec<f32> =
                meeting.brought.iter_mut().filter_map(Option::take).flatten().collect();
            let lengths: Vec<usize> = self.parts.iter().map(|parts| parts * own.len()).collect();
            match self.ranks.gather(&whole, &lengths) {
                Ok(all) => meeting.all = Arc::new(all),
                Err(e) => {
                    meeting.failed = true;
                    self.changed.notify_all();
                    return Err(e);
                }
            }
            meeting.ended += 1;
            self.changed.notify_all();
        }
        while meeting.ended == number && !meeting.failed {
            meeting = self.changed.wait(meeting).unwrap_or_else(PoisonError::into_inner);
        }
        match meeting.ended > number {
            true => Ok(meeting.all.clone()),
            false => Err(Error::Failed("another micro-batch of the step failed".into())),
        }
    }
}

/// One micro-batch at the meetings. Dropped without [`Part::done`], it ends the waiting of the others.
pub(crate) struct Part {
    lockstep: Arc<Lockstep>,
    place: usize,
}

impl Part {
    /// The micro-batch at `place` among those of this process.
    pub fn new(lockstep: &Arc<Lockstep>, place: usize) -> Self {
        Self { lockstep: lockstep.clone(), place }
    }

    /// Ends the waiting of the other micro-batches, because this one has failed.
    pub fn fail(&self) {
        self.lockstep.meeting().failed = true;
        self.lockstep.changed.notify_all();
    }
}

impl Peers<f32> for Part {
    fn gather(&self, own: &[f32]) -> Result<Vec<f32>> {
        Ok(self.lockstep.meet(self.place, own)?.to_vec())
    }
}
