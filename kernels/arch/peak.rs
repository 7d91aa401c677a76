//! Peak arithmetic and memory bandwidth of the machine, with which the speed of a kernel is
//! compared.
//!
//! Each function does a known amount of work on the threads of rayon's current pool; the caller
//! measures the time.

use crate::arch::{AlignedBuffer, BlockMut, Lhs, MAX_MR, SimdLevel, micro_kernel};
use rayon::prelude::*;
use std::hint::black_box;

/// Floats that a thread reads or copies at a time.
const CHUNK: usize = 1 << 16;

/// Computes `repeats` register tiles on every thread, with the micro-kernel of `simd` and operands
/// in L1. Returns the floating-point operations executed, two per multiply-accumulate.
pub fn register_tiles(simd: SimdLevel, repeats: usize) -> u64 {
    rayon::broadcast(|_| tiles_of_one_thread(simd, repeats)).into_iter().sum()
}

fn tiles_of_one_thread(simd: SimdLevel, repeats: usize) -> u64 {
    const K: usize = 64;
    let kernel = micro_kernel(simd);
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

/// Reads every element once. Returns the bytes read.
pub fn read(data: &[f32]) -> u64 {
    data.par_chunks(CHUNK).for_each(|chunk| {
        let mut sums = [0.0; 64]; // enough independent sums for all loads in flight
        for line in chunk.chunks_exact(sums.len()) {
            for (sum, &v) in sums.iter_mut().zip(line) {
                *sum += v;
            }
        }
        black_box(sums);
    });
    size_of_val(data) as u64
}

/// Copies as many elements as the shorter slice has. Returns the bytes read and written.
pub fn copy(from: &[f32], to: &mut [f32]) -> u64 {
    let chunks = to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK));
    chunks.for_each(|(to, from)| {
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
        let simd = SimdLevel::widest();
        let kernel = micro_kernel(simd);
        let threads = rayon::current_num_threads();
        assert_eq!(register_tiles(simd, 3), (2 * 3 * threads * kernel.mr * kernel.nr * 64) as u64);
        let from: Vec<f32> = (0..CHUNK + 5).map(|i| i as f32).collect();
        let mut to = vec![0.0; from.len()];
        assert_eq!(read(&from), 4 * from.len() as u64);
        assert_eq!(copy(&from, &mut to), 8 * from.len() as u64);
        assert_eq!(from, to);
    }
}
