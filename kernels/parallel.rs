//! Parallel loops, over the threads of an open region ([`on_team`](crate::arch::on_team)) or else over
//! rayon's current thread pool. A single task runs on the calling thread.

use crate::arch::{for_each_chunk, run_on_team};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Calls `f(0) … f(tasks − 1)` in parallel.
pub fn parallel_for(tasks: usize, f: impl Fn(usize) + Sync) {
    run_in_parallel(tasks, &f);
}

/// The loop itself, compiled once: a copy of rayon's code for each `f` was a third of this crate.
fn run_in_parallel(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    if tasks <= 1 {
        (0..tasks).for_each(f);
    } else if !run_on_team(tasks, f) {
        (0..tasks).into_par_iter().with_max_len(1).for_each(f);
    }
}

/// Calls `f(i, chunk)` for each chunk of `len` elements of `data` in parallel.
pub fn parallel_chunks<T: Send>(
    data: &mut [T],
    len: usize,
    f: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    for_each_chunk(data, len, f);
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

/// Tasks of [`parallel_parts`]: enough for an even load on some dozens of threads.
const TASKS: usize = 128;

/// Splits each slice of `data` into parts that begin at `start(0) = 0 ≤ start(1) ≤ …` and calls
/// `f(i, parts i)` for each i in parallel.
pub fn parallel_parts<const K: usize>(
    data: [&mut [f32]; K],
    parts: usize,
    start: &(impl Fn(usize) -> [usize; K] + Sync),
    f: &(impl Fn(usize, [&mut [f32]; K]) + Sync),
) {
    let per_task = parts.div_ceil(TASKS).max(1);
    let tasks = parts.div_ceil(per_task);
    let slots: [Mutex<Option<[&mut [f32]; K]>>; TASKS] = [const { Mutex::new(None) }; TASKS];
    let mut rest = data;
    for (task, slot) in slots.iter().enumerate().take(tasks) {
        let after = ((task + 1) * per_task).min(parts);
        let first = split_first(&mut rest, start(task * per_task), after, parts, start);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
    }
    parallel_for(tasks, |task| {
        let slot = slots[task].lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = slot else { return };
        for i in task * per_task..((task + 1) * per_task).min(parts) {
            f(i, split_first(&mut rest, start(i), i + 1, parts, start));
        }
    });
}

/// Takes the elements before part `end` from slices that begin at the offsets `from`.
fn split_first<'a, const K: usize>(
    rest: &mut [&'a mut [f32]; K],
    from: [usize; K],
    end: usize,
    parts: usize,
    start: &impl Fn(usize) -> [usize; K],
) -> [&'a mut [f32]; K] {
    let to = if end < parts { Some(start(end)) } else { None };
    std::array::from_fn(|k| {
        let slice = std::mem::take(&mut rest[k]);
        let len = to.map_or(slice.len(), |to| to[k] - from[k]);
        let (first, after) = slice.split_at_mut(len);
        rest[k] = after;
        first
    })
}
