//! Parallel loops over rayon's current thread pool. A single task runs on the calling thread.

use rayon::prelude::*;

/// Calls `f(0) … f(tasks − 1)` in parallel.
pub fn parallel_for(tasks: usize, f: impl Fn(usize) + Send + Sync) {
    if tasks <= 1 {
        (0..tasks).for_each(f);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(f);
    }
}

/// Calls `f(i, chunk)` for each chunk of `len` elements of `data` in parallel.
pub fn parallel_chunks(data: &mut [f32], len: usize, f: impl Fn(usize, &mut [f32]) + Send + Sync) {
    if data.len() <= len {
        data.chunks_mut(len.max(1)).enumerate().for_each(|(i, chunk)| f(i, chunk));
    } else {
        data.par_chunks_mut(len).enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
}

/// Runs `f` on a thread of the current pool. Work that consists of many small parallel loops should
/// start there: from outside the pool, each loop would wake a thread and wait for it.
pub fn on_pool<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    match rayon::current_thread_index() {
        Some(_) => f(),
        None => rayon::scope(|_| f()),
    }
}

/// Returns the number of threads of the current pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Splits each slice of `data` into parts that begin at `start(0) = 0 ≤ start(1) ≤ …` and calls
/// `f(i, parts i)` for each i in parallel.
pub fn parallel_parts<const K: usize>(
    data: [&mut [f32]; K],
    parts: usize,
    start: &(impl Fn(usize) -> [usize; K] + Sync),
    f: &(impl Fn(usize, [&mut [f32]; K]) + Sync),
) {
    fn halve<const K: usize>(
        data: [&mut [f32]; K],
        parts: std::ops::Range<usize>,
        start: &(impl Fn(usize) -> [usize; K] + Sync),
        f: &(impl Fn(usize, [&mut [f32]; K]) + Sync),
    ) {
        match parts.len() {
            0 => {}
            1 => f(parts.start, data),
            len => {
                let middle = parts.start + len / 2;
                let (from, to) = (start(parts.start), start(middle));
                let mut right = [(); K].map(|()| &mut [][..]);
                let mut k = 0;
                let left = data.map(|data| {
                    let (left, rest) = data.split_at_mut(to[k] - from[k]);
                    right[k] = rest;
                    k += 1;
                    left
                });
                rayon::join(
                    || halve(left, parts.start..middle, start, f),
                    || halve(right, middle..parts.end, start, f),
                );
            }
        }
    }
    halve(data, 0..parts, start, f);
}
