//! Processes that train together, played by threads.

use fer::Result;
use fer::train::parallel::Ranks;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Barrier, Mutex};

#[derive(Debug)]
struct Table {
    slots: Mutex<Vec<Vec<u8>>>,
    barrier: Barrier,
    /// Messages on their way, by sender and receiver.
    letters: Mutex<BTreeMap<(usize, usize), VecDeque<Letter>>>,
}

/// A tag and values.
type Letter = (usize, Vec<f32>);

/// One of the threads.
#[derive(Debug)]
pub struct ThreadRank {
    rank: usize,
    size: usize,
    table: Arc<Table>,
}

/// Runs `work` on `size` threads as processes 0, 1, … and returns what each returned.
pub fn together<R: Send>(size: usize, work: impl Fn(Arc<dyn Ranks>) -> R + Sync) -> Vec<R> {
    let slots = Mutex::new(vec![Vec::new(); size]);
    let table = Arc::new(Table { slots, barrier: Barrier::new(size), letters: Mutex::default() });
    std::thread::scope(|scope| {
        let start = |rank| {
            let own = Arc::new(ThreadRank { rank, size, table: table.clone() });
            let work = &work;
            scope.spawn(move || work(own))
        };
        let threads: Vec<_> = (0..size).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

impl Ranks for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.size
    }
    fn gather(&self, own: &[f32], lengths: &[usize]) -> Result<Vec<f32>> {
        assert_eq!(lengths[self.rank], own.len());
        Ok(floats(&self.gather_bytes(&bytes(own))?.concat()))
    }
    fn gather_bytes(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.table.slots.lock().unwrap()[self.rank] = own.to_vec();
        self.table.barrier.wait();
        let all = self.table.slots.lock().unwrap().clone();
        self.table.barrier.wait();
        Ok(all)
    }
    fn send(&self, to: usize, tag: usize, values: &[f32]) -> Result<()> {
        let mut letters = self.table.letters.lock().unwrap();
        letters.entry((self.rank, to)).or_default().push_back((tag, values.to_vec()));
        Ok(())
    }
    fn try_receive(&self, from: usize) -> Result<Option<(usize, Vec<f32>)>> {
        let mut letters = self.table.letters.lock().unwrap();
        Ok(letters.get_mut(&(from, self.rank)).and_then(VecDeque::pop_front))
    }
    fn sum_fast(&self, own: Vec<f32>) -> Result<Vec<f32>> {
        let all = floats(&self.gather_bytes(&bytes(&own))?.concat());
        let mut sum = vec![0.0; own.len()];
        for vector in all.chunks_exact(own.len()) {
            sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v);
        }
        Ok(sum)
    }
}
