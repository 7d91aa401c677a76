//! Direct convolution: one matrix product over the implicit rows of the im2col matrix.
//!
//! ```text
//! tasks      blocks of output rows × output channels, over the threads
//! loop 4     c0 over input channels by KC
//! loop 3     groups of taps, so that one panel of weights stays in L1
//! loop 2     jr over output channels by nr
//! loop 1     ir over output pixels by mr: a micro-kernel reads the image in place
//! ```
//!
//! Every output is a sum over (c0, tap, c) in this order, whichever task computes it.

use super::epilogue::{Epilogue, Output, relu};
use super::filters::Filters;
use super::input_rows::{Channels, InputRows, Words, columns_per_task, rows_per_task};
use super::tiled;
use crate::arch::{
    BlockMut, Lhs, MAX_MR, MicroKernel, SimdLevel, Tiles, for_each_block, micro_kernel_in,
};
use crate::gemm::pack::KC;
use crate::parallel::threads;
use crate::{Conv2dGeometry, Precision, scratch};

/// Output pixels of a task: their inputs stay in L2.
const TASK_PIXELS: usize = 192;
/// Consecutive tasks of one thread where statistics of the output are computed: 768 pixels, three
/// blocks of partial statistics, where the images are 3·2ᵏ pixels wide.
const CONSECUTIVE_TASKS: usize = 4;
/// Largest number of taps in one call of a micro-kernel.
const MAX_TAPS: usize = 32;

/// Estimates the time for few pixels with packed filters, in cycles of a core with 512-bit registers:
/// the products, or the reading of the filters if that takes longer, and a part of the other.
pub fn time_of_few_pixels(g: &Conv2dGeometry) -> usize {
    time(g.n * g.h_out * g.w_out, g.k_h * g.k_w, g.c_in * g.c_out.div_ceil(32))
}

/// Estimates the time of `products` matrix products of `rows` rows each, with filters of `filters`
/// times 32 floats.
pub fn time(rows: usize, products: usize, filters: usize) -> usize {
    let multiply = rows.next_multiple_of(4) * products * filters;
    let read = CYCLES_PER_FILTER_LINES * products * filters;
    multiply.max(read) + multiply.min(read) / 3
}

/// Cycles in which two cache lines arrive from outside L2.
const CYCLES_PER_FILTER_LINES: usize = 10;

/// Computes the convolution `g` with the filters of each group. In bfloat16 the groups have an even
/// number of input channels.
pub fn correlate<'a>(
    (simd, precision): (SimdLevel, Precision),
    g: &Conv2dGeometry,
    x: &[f32],
    filters_of: impl Fn(usize) -> Filters<'a>,
    epilogue: Epilogue,
    output: Output,
) {
    let kernel = micro_kernel_in(simd, precision);
    let filters_of = |group| filters_of(group).packed_in(simd, precision);
    let mut packed = scratch::take(packed_len(kernel, g, &filters_of));
    pack(kernel, g, &filters_of, &mut packed);
    correlate_packed((simd, precision), g, x, filters_of, &packed, epilogue, output);
}

/// Returns the length of the packed filters of all groups.
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

/// Computes the convolution `g` with filters that [`pack`] has packed for the micro-kernel of the SIMD
/// level and precision.
pub fn correlate_packed<'a>(
    (simd, precision): (SimdLevel, Precision),
    g: &Conv2dGeometry,
    x: &[f32],
    filters_of: impl Fn(usize) -> Filters<'a>,
    packed: &[f32],
    epilogue: Epilogue,
    mut output: Output,
) {
    let kernel = micro_kernel_in(simd, precision);
    let words = match precision {
        Precision::F32 => Words::Single,
        Precision::Bf16 => Words::PairsOfChannels(simd),
    };
    assert!(x.len() == g.input_len() && output.y.len() == g.output_len() && !epilogue.pool);
    if output.y.is_empty() || x.is_empty() {
        return epilogue.apply_to_zero(simd, g, output);
    }
    let group = |number: usize| {
        let filters = filters_of(number);
        let packed = &packed[number * filters.packed_len(kernel.nr)..];
        Group { simd, words, g, x, kernel, number, filters, packed, epilogue }
    };
    let (o, rows) = (g.c_out / g.groups, rows_per_task(g, TASK_PIXELS));
    let (tasks, task_pixels) = ((g.n * g.h_out).div_ceil(rows), rows * g.w_out);
    let columns = columns_per_task(tasks, o, kernel.nr);
    if output.partial.is_some() && g.groups == 1 && columns >= o {
        // Each part is some consecutive tasks, so that it holds whole blocks of the statistics.
        let group = group(0);
        let together = CONSECUTIVE_TASKS.min(tasks.div_ceil(2 * threads()));
        let start = |part: usize| part * together * task_pixels;
        return output.write_parts(simd, o, tasks.div_ceil(together), &start, &|i, mut part| {
            for (task, y) in part.y.chunks_mut(task_pixels * o).enumerate() {
                let pixels = y.len() / o;
                let y = BlockMut::new(y, pixels, o, o);
                group.block(start(i) + task * task_pixels, 0, y);
            }
            part.written(simd, 0..o);
        });
    }
    let pixels = output.y.len() / g.c_out;
    let mut y = BlockMut::new(output.y, pixels, g.c_out, g.c_out);
    for i in 0..g.groups {
        let group = group(i);
        for_each_block(y.tile(0, i * o, pixels, o), [task_pixels, columns], |pixel, o, y| {
            group.block(pixel, o, y);
        });
    }
    output.compute_statistics(simd, g.c_out);
}

/// A group of channels and its operands.
struct Group<'a> {
    simd: SimdLevel,
    words: Words,
    g: &'a Conv2dGeometry,
    x: &'a [f32],
    kernel: &'a MicroKernel,
    number: usize,
    filters: Filters<'a>,
    packed: &'a [f32],
    epilogue: Epilogue<'a>,
}

impl Group<'_> {
    /// Returns the tile registers, where they compute this convolution.
    fn tiles(&self) -> Option<Tiles> {
        let c = self.g.c_in / self.g.groups;
        let applies = self.words != Words::Single && tiled::applies(self.simd, self.g, c);
        if applies { Tiles::of(self.simd) } else { None }
    }

    /// Computes whole output rows from pixel `pixel` on, output channels of the group from `o` on.
    fn block(&self, pixel: usize, o: usize, mut y: BlockMut) {
        let Self { simd, words, g, x, kernel, number, filters, packed, epilogue } = *self;
        let count = g.c_in / g.groups;
        let channels = Channels { first: number * count, count };
        let first = pixel / g.w_out;
        let input = InputRows::new(g, x, first..first + y.rows() / g.w_out, channels, words);
        let bias = epilogue.bias.map(|bias| &bias[number * (g.c_out / g.groups) + o..]);
        if let Some(tiles) = self.tiles() {
            let (c, finish) = (2 * filters.c, (bias, epilogue.relu));
            let panel = |jr: usize| filters.panel(packed, kernel.nr, 0, o + jr);
            return tiled::correlate(&tiles, (g, c), &input, panel, first, &mut y, finish);
        }
        if let Some(bias) = bias {
            fill_with_bias(&mut y, bias);
        }
        Task { kernel, filters, packed, first, o, add: bias.is_some() }.run(g, &input, &mut y);
        if epilogue.relu {
            (0..y.rows()).for_each(|i| relu(simd, y.row_mut(i)));
        }
    }
}

/// Writes the bias into every row of the block.
fn fill_with_bias(block: &mut BlockMut, bias: &[f32]) {
    for i in 0..block.rows() {
        let row = block.row_mut(i);
        row.copy_from_slice(&bias[..row.len()]);
    }
}

/// The product for output rows from `first` on and output channels from `o` on.
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
