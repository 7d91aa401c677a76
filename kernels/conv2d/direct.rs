//! Convolution as one matrix product over implicit rows.
//!
//! ```text
//! tasks      blocks of output rows × output channels, over the threads
//! loop 4     c0 over input channels by KC
//! loop 3     groups of taps, so that one panel of weights stays in L1
//! loop 2     jr over output channels by nr
//! loop 1     ir over output pixels by mr: a micro-kernel reads the image in place
//! ```
//!
//! Every output is a sum over (c0, tap, c) in this order, whoever computes it.

use super::Epilogue;
use super::epilogue::rectify;
use super::rows::{Channels, InputRows, columns_per_task, rows_per_task};
use super::weights::Filters;
use crate::arch::{BlockMut, Lhs, MAX_MR, MicroKernel, for_each_block, micro_kernel};
use crate::pack::KC;
use crate::{Conv2dGeometry, scratch};

/// Output pixels of a task: their inputs stay in L2.
const TASK_PIXELS: usize = 192;
/// Taps that one call of a micro-kernel may add.
const MAX_TAPS: usize = 32;

/// The convolution described by `g` with these filters of each group.
pub fn correlate<'a>(
    g: &Conv2dGeometry,
    x: &[f32],
    filters_of: impl Fn(usize) -> Filters<'a>,
    after: Epilogue,
    y: &mut [f32],
) {
    let kernel = micro_kernel();
    let mut packed = scratch::take(packed_len(kernel, g, &filters_of));
    pack(kernel, g, &filters_of, &mut packed);
    correlate_packed(kernel, g, x, filters_of, &packed, after, y);
}

/// Length of the packed filters of all groups.
pub fn packed_len<'a>(
    kernel: &MicroKernel,
    g: &Conv2dGeometry,
    filters_of: &impl Fn(usize) -> Filters<'a>,
) -> usize {
    g.groups * filters_of(0).packed_len(kernel.nr)
}

/// Packs the filters of all groups for a micro-kernel.
pub fn pack<'a>(
    kernel: &MicroKernel,
    g: &Conv2dGeometry,
    filters_of: &impl Fn(usize) -> Filters<'a>,
    packed: &mut [f32],
) {
    let group = packed.len() / g.groups;
    for (i, packed) in packed.chunks_mut(group.max(1)).enumerate() {
        filters_of(i).pack(kernel.nr, packed);
    }
}

/// The convolution described by `g` with filters that [`pack`] has packed for the micro-kernel.
pub fn correlate_packed<'a>(
    kernel: &MicroKernel,
    g: &Conv2dGeometry,
    x: &[f32],
    filters_of: impl Fn(usize) -> Filters<'a>,
    packed: &[f32],
    after: Epilogue,
    y: &mut [f32],
) {
    assert!(x.len() == g.input_len() && y.len() == g.output_len());
    if y.is_empty() || x.is_empty() {
        return after.alone(g, y);
    }
    let (c, o) = (g.c_in / g.groups, g.c_out / g.groups);
    let rows = rows_per_task(g, TASK_PIXELS);
    let columns = columns_per_task((g.n * g.h_out).div_ceil(rows), o, kernel.nr);
    let pixels = y.len() / g.c_out;
    let mut y = BlockMut::new(y, pixels, g.c_out, g.c_out);
    for group in 0..g.groups {
        let filters = filters_of(group);
        let packed = &packed[group * filters.packed_len(kernel.nr)..];
        let channels = Channels { first: group * c, count: c };
        let o0 = group * o;
        for_each_block(
            y.tile(0, o0, pixels, o),
            [rows * g.w_out, columns],
            |pixel, o, mut block| {
                let first = pixel / g.w_out;
                let input = InputRows::new(g, x, first..first + block.rows() / g.w_out, channels);
                if let Some(bias) = after.bias {
                    fill_with_bias(&mut block, &bias[o0 + o..]);
                }
                let add = after.bias.is_some();
                let task = Task { kernel, filters, packed, first, o, add };
                task.run(g, &input, &mut block);
                if after.relu {
                    (0..block.rows()).for_each(|i| rectify(block.row_mut(i)));
                }
            },
        );
    }
}

/// Every row of the block = the bias.
fn fill_with_bias(block: &mut BlockMut, bias: &[f32]) {
    for i in 0..block.rows() {
        let row = block.row_mut(i);
        row.copy_from_slice(&bias[..row.len()]);
    }
}

/// Output rows from `first` on, output channels from `o` on.
struct Task<'a> {
    kernel: &'a MicroKernel,
    filters: Filters<'a>,
    packed: &'a [f32],
    first: usize,
    o: usize,
    add: bool,
}

impl Task<'_> {
    fn run(&self, g: &Conv2dGeometry, input: &InputRows, y: &mut BlockMut) {
        let (taps, nr) = (self.filters.taps, self.kernel.nr);
        let mut add = self.add;
        for c0 in (0..self.filters.c).step_by(KC) {
            let kc = KC.min(self.filters.c - c0);
            let per_group = (KC / kc).clamp(1, MAX_TAPS);
            for t0 in (0..taps).step_by(per_group) {
                let group = per_group.min(taps - t0);
                let mut segments = [0; MAX_TAPS];
                for (t, s) in segments[..group].iter_mut().enumerate() {
                    *s = input.tap_offset(t0 + t) + c0;
                }
                for jr in (0..y.cols()).step_by(nr) {
                    let panel = self.filters.panel(self.packed, nr, c0, self.o + jr);
                    let panel = &panel[t0 * kc * nr..][..group * kc * nr];
                    self.loop_1(g, input, &segments[..group], kc, panel, y, jr, add);
                }
                add = true;
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // the loop's bounds, operands and place
    fn loop_1(
        &self,
        g: &Conv2dGeometry,
        input: &InputRows,
        segments: &[usize],
        k: usize,
        panel: &[f32],
        y: &mut BlockMut,
        jr: usize,
        add: bool,
    ) {
        let (mut r, mut j) = (0, 0);
        let mut row = input.row_offset(self.first);
        let step = input.pixel_step();
        for ir in (0..y.rows()).step_by(self.kernel.mr) {
            let mut rows = [row; MAX_MR];
            for at in rows.iter_mut().take(self.kernel.mr.min(y.rows() - ir)) {
                *at = row + j * step;
                j += 1;
                if j == g.w_out {
                    (r, j) = (r + 1, 0);
                    if r * g.w_out < y.rows() {
                        row = input.row_offset(self.first + r);
                    }
                }
            }
            let lhs = Lhs { data: input.data(), rows: &rows, segments, k, step: 1 };
            self.kernel.run(&lhs, panel, &mut y.tile(ir, jr, self.kernel.mr, self.kernel.nr), add);
        }
    }
}
