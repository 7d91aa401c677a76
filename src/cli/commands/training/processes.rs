//! The processes of `mpirun -n N fer train`.

use crate::train::parallel::{Alone, Ranks};
use crate::{Error, Result};
#[cfg(feature = "mpi")]
use crate::{console, train::parallel::mpi::Session};
use std::sync::Arc;
#[cfg(feature = "mpi")]
use std::time::Duration;

/// Faces of a micro-batch where several processes train and none is chosen.
pub(super) const MICRO_BATCH: usize = 16;

/// What launchers tell of the number of processes: MPICH and Intel MPI, Open MPI, Slurm's and others' PMIx.
const SIZES: [&str; 3] = ["PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE"];

/// Time in which process 0 tells what all of them know, before another one does.
#[cfg(feature = "mpi")]
const FIRST: Duration = Duration::from_millis(300);

/// Returns how many processes a launcher of MPI programs has started, if one has started this program.
fn started() -> Option<usize> {
    SIZES.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// Runs a training as one of the processes that were started together. An error of one ends all.
#[cfg(feature = "mpi")]
pub(super) fn run(train: impl FnOnce(Arc<dyn Ranks>) -> Result<()>) -> Result<()> {
    let Some(started) = started().filter(|&n| n > 1) else { return train(Arc::new(Alone)) };
    let session = Session::start(started)?;
    let rank = session.ranks.rank();
    console::silence(rank > 0);
    match train(session.ranks.clone()) {
        Err(error) if !matches!(error, Error::Interrupted(_)) => {
            if rank > 0 {
                std::thread::sleep(FIRST);
                console::silence(false);
            }
            console::say(&format!("fer: rank {rank}: {error}"));
            session.abort(error.exit_code())
        }
        result => result, // all processes stop after the same step
    }
}

/// Runs a training. Refuses to run as one of several that know nothing of each other.
#[cfg(not(feature = "mpi"))]
pub(super) fn run(train: impl FnOnce(Arc<dyn Ranks>) -> Result<()>) -> Result<()> {
    match started() {
        Some(n) if n > 1 => Err(Error::Usage(format!(
            "started by mpirun as one of {n} processes, but this build has no MPI: each would train alone. \
             Build it with MPI (MPICH or Open MPI with mpicc, and libclang): cargo build --release \
             --features mpi"
        ))),
        _ => train(Arc::new(Alone)),
    }
}
