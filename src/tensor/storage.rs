//! A pool of reusable buffers.
//!
//! A training step needs the same buffer sizes again and again, so a released buffer is kept for
//! the next request of its size. After the first step no large allocation is left.

use fer_kernels::Kernels;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A number type with a pool of buffers.
pub trait Pooled: Copy + Default + Send + Sync + 'static {
    #[doc(hidden)]
    fn pool() -> &'static Pool<Self>;
}

macro_rules! pooled {
    ($t:ty) => {
        impl Pooled for $t {
            fn pool() -> &'static Pool<Self> {
                static POOL: Pool<$t> = Pool(Mutex::new(BTreeMap::new()));
                &POOL
            }
        }
    };
}
pooled!(f32);
pooled!(f64);
pooled!(u32); // arg-max indices

/// A number type that tensors can hold: it has kernels and a pool of buffers.
pub trait Element: Kernels + Pooled {}
impl Element for f32 {}
impl Element for f64 {}

/// Free buffers by capacity. The `Arc` is kept with its buffer, so that its counter is not
/// allocated again either.
#[derive(Debug)]
pub struct Pool<T>(Mutex<BTreeMap<usize, Vec<Arc<Vec<T>>>>>);

impl<T: Pooled> Pool<T> {
    fn take(&self, capacity: usize) -> Option<Arc<Vec<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&capacity)?.pop()
    }
    fn give(&self, buffer: Arc<Vec<T>>) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.entry(buffer.len()).or_default().push(buffer);
    }
}

/// Returns all free buffers to the system. Called between phases of different batch sizes.
pub fn trim<T: Pooled>() {
    T::pool().0.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Rounds up to one of eight sizes between two powers of two, so that a smaller last batch can
/// reuse buffers too. At most an eighth is wasted.
fn capacity(len: usize) -> usize {
    let step = (len.next_power_of_two() / 16).max(1);
    len.div_ceil(step) * step
}

/// A shared buffer; cloning shares it, dropping the last owner returns it to the pool.
#[derive(Debug)]
pub struct Storage<T: Pooled> {
    buffer: Option<Arc<Vec<T>>>, // None only while dropping
    len: usize,
}

impl<T: Pooled> Storage<T> {
    /// Returns a buffer of `len` elements with contents left over from earlier use: the caller must
    /// write every element.
    pub fn unfilled(len: usize) -> Self {
        let capacity = capacity(len);
        let buffer =
            T::pool().take(capacity).unwrap_or_else(|| Arc::new(vec![T::default(); capacity]));
        Self { buffer: Some(buffer), len }
    }

    /// Returns the elements.
    pub fn as_slice(&self) -> &[T] {
        self.buffer.as_ref().map_or(&[], |b| &b[..self.len])
    }

    /// Returns the elements, writable; copies them first if the buffer is shared.
    pub fn make_mut(&mut self) -> &mut [T] {
        let len = self.len;
        if self.buffer.as_mut().is_none_or(|b| Arc::get_mut(b).is_none()) {
            let mut copy = Self::unfilled(len);
            if let Some(b) = copy.buffer.as_mut().and_then(Arc::get_mut) {
                b[..len].copy_from_slice(self.as_slice());
            }
            *self = copy;
        }
        self.buffer.as_mut().and_then(Arc::get_mut).map_or(&mut [], |b| &mut b[..len])
    }
}

impl<T: Pooled> Clone for Storage<T> {
    fn clone(&self) -> Self {
        Self { buffer: self.buffer.clone(), len: self.len }
    }
}

impl<T: Pooled> Drop for Storage<T> {
    fn drop(&mut self) {
        if let Some(mut buffer) = self.buffer.take()
            && Arc::get_mut(&mut buffer).is_some()
        {
            T::pool().give(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_buffer_is_copied_before_it_is_written() {
        let mut a = Storage::<f64>::unfilled(5);
        a.make_mut().fill(1.0);
        let b = a.clone();
        a.make_mut()[0] = 2.0;
        assert_eq!(a.as_slice(), [2.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(b.as_slice(), [1.0; 5]);
    }

    #[test]
    fn a_dropped_buffer_is_found_again() {
        let len = 7_654_321; // a size no other test uses
        let a = Storage::<f64>::unfilled(len);
        let place = a.as_slice().as_ptr();
        drop(a);
        assert_eq!(Storage::<f64>::unfilled(len).as_slice().as_ptr(), place);
    }

    #[test]
    fn capacities_waste_at_most_an_eighth() {
        for len in 1..5000 {
            let c = capacity(len);
            assert!(c >= len && c <= len + len / 8 + 1, "{len} -> {c}");
        }
        assert_eq!(capacity(0), 0);
    }
}
