//! The processes of an MPI program.

use crate::train::parallel::Ranks;
use crate::train::parallel::ranks::add;
use crate::{Error, Result};
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::{Universe, initialize_with_threading, library_version};
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;
use mpi::{Count, Threading};
use std::sync::Arc;

/// Values that travel from process to process at a time: while one adds a chunk, the next one adds the
/// chunk before.
const CHUNK: usize = 1 << 15;

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
        let (universe, threading) = initialize_with_threading(Threading::Serialized)
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
        Ok(Self { _universe: universe, ranks: Arc::new(Mpi { rank, size }) })
    }

    /// Ends all processes at once with this exit code.
    pub fn abort(&self, code: u8) -> ! {
        SimpleCommunicator::world().abort(code.into())
    }
}

/// One of the processes.
#[derive(Clone, Copy, Debug)]
struct Mpi {
    rank: usize,
    size: usize,
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
        gather(own, lengths)
    }

    fn gather_bytes(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
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

    /// A chain: each process receives the sum so far, adds its own vectors, and sends it on, chunk by
    /// chunk. The last one has the sum and sends it to all.
    fn sum_in_order(&self, own: &[Vec<f32>], len: usize) -> Result<Vec<f32>> {
        let world = SimpleCommunicator::world();
        let mut sum = vec![0.0; len];
        for start in (0..len).step_by(CHUNK) {
            let range = start..(start + CHUNK).min(len);
            let part = &mut sum[range.clone()];
            let mut vectors = own.iter();
            if self.rank > 0 {
                world.process_at_rank(self.rank as i32 - 1).receive_into(part);
            } else if let Some(first) = vectors.next() {
                part.copy_from_slice(&first[range.clone()]);
            }
            vectors.for_each(|vector| add(part, &vector[range.clone()]));
            if self.rank + 1 < self.size {
                world.process_at_rank(self.rank as i32 + 1).send(&*part);
            }
        }
        world.process_at_rank(self.size as i32 - 1).broadcast_into(&mut sum[..]);
        Ok(sum)
    }

    fn sum_fast(&self, own: Vec<f32>) -> Result<Vec<f32>> {
        let mut sum = vec![0.0; own.len()];
        let world = SimpleCommunicator::world();
        world.all_reduce_into(&own[..], &mut sum[..], SystemOperation::sum());
        Ok(sum)
    }
}
