//! Threads, used only where there is more than one task.

use rayon::prelude::*;

/// Calls `f(0) … f(tasks − 1)` over the threads of rayon's current pool; a single task runs here,
/// without waking anybody.
pub fn parallel_for(tasks: usize, f: impl Fn(usize) + Send + Sync) {
    if tasks <= 1 {
        (0..tasks).for_each(f);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(f);
    }
}

/// Calls `f(i, chunk)` for each chunk of `len` elements of `data` over the threads.
pub fn parallel_chunks(data: &mut [f32], len: usize, f: impl Fn(usize, &mut [f32]) + Send + Sync) {
    if data.len() <= len {
        data.chunks_mut(len.max(1)).enumerate().for_each(|(i, chunk)| f(i, chunk));
    } else {
        data.par_chunks_mut(len).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}

/// Number of threads of the current pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}
