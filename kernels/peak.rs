//! What the machine can do at best: the limits that the speed of a kernel is compared with.
//!
//! Each function does a known amount of work on the threads of rayon's current pool; whoever calls
//! it holds the watch.

use crate::arch::{AlignedBuffer, BlockMut, Lhs, MAX_MR, micro_kernel};
use rayon::prelude::*;
use std::hint::black_box;

/// Floats that a thread reads or copies at a time.
const PIECE: usize = 1 << 16;

/// Arithmetic: every thread computes `repeats` register tiles from operands in its L1 cache, with
/// the micro-kernel in use and nothing to fetch. Returns the floating-point operations executed,
/// two per multiply-accumulate.
pub fn register_tiles(repeats: usize) -> u64 {
    rayon::broadcast(|_| tiles_of_one_thread(repeats)).into_iter().sum()
}

fn tiles_of_one_thread(repeats: usize) -> u64 {
    const K: usize = 64;
    let kernel = micro_kernel();
    let a = vec![1.0; kernel.mr * K];
    let b = AlignedBuffer::zeroed(K * kernel.nr);
    let mut c = vec![0.0; kernel.mr * kernel.nr];
    let rows: [usize; MAX_MR] = std::array::from_fn(|i| i % kernel.mr * K);
    let lhs = Lhs { data: &a, rows: &rows, segments: &[0], k: K, step: 1 };
    for _ in 0..repeats {
        let mut tile = BlockMut::new(&mut c, kernel.mr, kernel.nr, kernel.nr);
        kernel.run(&lhs, &b, &mut tile, true);
    }
    black_box(&c);
    2 * (repeats * kernel.mr * kernel.nr * K) as u64
}

/// Memory, reading: every element once. Returns the bytes read.
pub fn read(data: &[f32]) -> u64 {
    data.par_chunks(PIECE).for_each(|piece| {
        let mut sums = [0.0; 64]; // as many sums as the CPU can have loads in flight
        for line in piece.chunks_exact(sums.len()) {
            for (sum, &v) in sums.iter_mut().zip(line) {
                *sum += v;
            }
        }
        black_box(sums);
    });
    size_of_val(data) as u64
}

/// Memory, copying: as many elements as the shorter slice has. Returns the bytes read and written.
pub fn copy(from: &[f32], to: &mut [f32]) -> u64 {
    let pieces = to.par_chunks_mut(PIECE).zip(from.par_chunks(PIECE));
    pieces.for_each(|(to, from)| {
        let len = to.len().min(from.len());
        to[..len].copy_from_slice(&from[..len]);
    });
    black_box(&to);
    2 * size_of::<f32>() as u64 * from.len().min(to.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_counted() {
        let kernel = micro_kernel();
        let threads = rayon::current_num_threads();
        assert_eq!(register_tiles(3), (2 * 3 * threads * kernel.mr * kernel.nr * 64) as u64);
        let from: Vec<f32> = (0..PIECE + 5).map(|i| i as f32).collect();
        let mut to = vec![0.0; from.len()];
        assert_eq!(read(&from), 4 * from.len() as u64);
        assert_eq!(copy(&from, &mut to), 8 * from.len() as u64);
        assert_eq!(from, to);
    }
}
