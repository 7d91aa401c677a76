//! How the gradient of the weights is shared out: ranges of images × ranges of input channels × ranges of
//! output channels.
//!
//! The partition depends on the geometry alone, so that the bits do not depend on the number of threads.

use crate::Conv2dGeometry;
use std::ops::Range;

/// The batch is split where the channels alone give fewer tasks than this.
const TASKS: usize = 8;

/// The partition of the work into tasks.
pub struct Partition {
    ranges_n: usize,
    pub ranges_c: usize,
    pub ranges_o: usize,
    /// Most channels of a range.
    channels: usize,
}

impl Partition {
    /// Splits input and output channels into ranges of at most `channels`.
    pub fn new(g: &Conv2dGeometry, channels: usize) -> Self {
        let [ranges_c, ranges_o] = [g.c_in, g.c_out].map(|c| c.div_ceil(channels));
        let ranges_n = TASKS.div_ceil(ranges_c * ranges_o).min(g.n);
        Self { ranges_n, ranges_c, ranges_o, channels }
    }
    /// Returns the number of tasks.
    pub fn tasks(&self) -> usize {
        self.ranges_n * self.ranges_c * self.ranges_o
    }
    /// Returns a task; its number counts output channels first, then input channels, then images.
    pub fn task(&self, g: &Conv2dGeometry, task: usize) -> Task {
        let (rest, range_o) = (task / self.ranges_o, task % self.ranges_o);
        let (range_n, range_c) = (rest / self.ranges_c, rest % self.ranges_c);
        let channels = |i: usize, all: usize| i * self.channels..((i + 1) * self.channels).min(all);
        Task {
            images: range_n * g.n / self.ranges_n..(range_n + 1) * g.n / self.ranges_n,
            c: channels(range_c, g.c_in),
            o: channels(range_o, g.c_out),
        }
    }
}

/// One task: a range of images, of input channels and of output channels.
pub struct Task {
    pub images: Range<usize>,
    pub c: Range<usize>,
    pub o: Range<usize>,
}
