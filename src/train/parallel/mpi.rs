//! The processes of an MPI program.

use crate::limits::MAX_PARAMETERS;
use crate::train::parallel::Ranks;
use crate::{Error, Result};
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::{Universe, initialize_with_threading, library_version};
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;
use mpi::{Count, Threading};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes for messages that wait until MPI can send them: the gradients of the largest network as the sum so
/// far and as the whole sum, with what MPI adds to each. Of it the system hands out what is used.
const BUFFER: usize = 2 * MAX_PARAMETERS * size_of::<f32>() + (64 << 20);

/// MPI from its start to its end. The thread that starts it must end it.
pub struct Session {
    _universe: Universe,
    /// The processes.
    pub ranks: Arc<dyn Ranks>,
}

impl Session {
    /// Starts MPI. `started` is the number of processes that the launcher says it has started.
    ///
    /// # Errors
    /// [`Error::Usage`] if the launcher is that of another MPI library, or this one allows calls from one
    /// thread only.
    pub fn start(started: usize) -> Result<Self> {
        let refused = |why: &str| Error::Usage(format!("MPI: {why}"));
        let (mut universe, threading) = initialize_with_threading(Threading::Serialized)
            .ok_or_else(|| refused("it was started already"))?;
        let (rank, size) = (universe.world().rank() as usize, universe.world().size() as usize);
        let library = library_version().unwrap_or_default();
        let library = library.lines().next().unwrap_or_default().trim_end_matches('\0').to_owned();
        if threading < Threading::Serialized {
            return Err(refused(&format!("{library} was built for programs with one thread")));
        }
        if size != started {
            return Err(refused(&format!(
                "the launcher has started {started} processes, but this program uses another library, \
                 {library}, which knows of {size}; start it with the mpirun of that library, or build it \
                 with the other one"
            )));
        }
        universe.set_buffer_size(BUFFER);
        Ok(Self {
            _universe: universe,
            ranks: Arc::new(Mpi { rank, size, turn: Mutex::default() }),
        })
    }

    /// Ends all processes at once with this exit code.
    pub fn abort(&self, code: u8) -> ! {
        SimpleCommunicator::world().abort(code.into())
    }
}

/// One of the processes.
#[derive(Debug)]
struct Mpi {
    rank: usize,
    size: usize,
    /// Held by the thread that calls MPI.
    turn: Mutex<()>,
}

impl Mpi {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counts of MPI, which are 32-bit numbers, and where each part begins.
fn counts(lengths: &[usize]) -> Result<(Vec<Count>, Vec<Count>)> {
    let mut starts = Vec::with_capacity(lengths.len());
    let mut end = 0_usize;
    for length in lengths {
        starts.push(Count::try_from(end).unwrap_or(Count::MAX));
        end += length;
    }
    if Count::try_from(end).is_err() {
        return Err(Error::Failed(format!("MPI: a message of {end} values is too long")));
    }
    Ok((lengths.iter().map(|&n| Count::try_from(n).unwrap_or(0)).collect(), starts))
}

fn gather<T: Equivalence + Clone + Default>(own: &[T], lengths: &[usize]) -> Result<Vec<T>> {
    let (counts, starts) = counts(lengths)?;
    let mut all = vec![T::default(); lengths.iter().sum()];
    let mut parts = PartitionMut::new(&mut all[..], counts, starts);
    SimpleCommunicator::world().all_gather_varcount_into(own, &mut parts);
    Ok(all)
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[f32], lengths: &[usize]) -> Result<Vec<f32>> {
        let _turn = self.turn();
        gather(own, lengths)
    }

    fn gather_bytes(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let _turn = self.turn();
        let mut lengths = vec![0_u64; self.size];
        SimpleCommunicator::world().all_gather_into(&(own.len() as u64), &mut lengths[..]);
        let lengths: Vec<usize> = lengths.iter().map(|&n| n as usize).collect();
        let all = gather(own, &lengths)?;
        let mut rest = &all[..];
        let parts = lengths.iter().map(|&n| {
            let (part, after) = rest.split_at(n);
            rest = after;
            part.to_vec()
        });
        Ok(parts.collect())
    }

    /// A buffered send: MPI copies the values and sends them when it can.
    fn send(&self, to: usize, tag: usize, values: &[f32]) -> Result<()> {
        let tag = Count::try_from(tag).map_err(|_| Error::Failed(format!("MPI: tag {tag}")))?;
        let _turn = self.turn();
        SimpleCommunicator::world().process_at_rank(to as i32).buffered_send_with_tag(values, tag);
        Ok(())
    }

    /// Finds nothing while another thread waits for the other processes.
    fn try_receive(&self, from: usize) -> Result<Option<(usize, Vec<f32>)>> {
        let Ok(_turn) = self.turn.try_lock() else { return Ok(None) };
        let world = SimpleCommunicator::world();
        let found = world.process_at_rank(from as i32).immediate_matched_probe();
        Ok(found.map(|message| {
            let (values, status) = message.matched_receive_vec();
            (status.tag() as usize, values)
        }))
    }

    fn sum_fast(&self, own: Vec<f32>) -> Result<Vec<f32>> {
        let mut sum = vec![0.0; own.len()];
        let _turn = self.turn();
        let world = SimpleCommunicator::world();
        world.all_reduce_into(&own[..], &mut sum[..], SystemOperation::sum());
        Ok(sum)
    }
}
