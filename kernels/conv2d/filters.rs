//! Filters packed in the order in which the micro-kernel reads them.
//!
//! For each run of at most [`KC`] input channels and each panel of nr output channels, packed
//! filters are `[tap][channel][nr]`, with zeros to the right of the last output channel. In bfloat16
//! an element is a pair of channels.

use crate::arch::SimdLevel;
use crate::bf16::pack_pairs;
use crate::gemm::pack::{KC, transpose};
use crate::parallel::parallel_chunks;
use crate::{Conv2dGeometry, Precision, scratch};

/// The filters of one group as a matrix `[taps · c, o]`, in any of three stored orders.
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    /// Taps, k_h·k_w.
    pub taps: usize,
    /// Channels summed over, or pairs of them.
    pub c: usize,
    /// Channels produced.
    pub o: usize,
    w: &'a [f32],
    order: Order,
    /// Whether packed elements are pairs of bfloat16, and the instructions to round with.
    pairs: Option<SimdLevel>,
}

#[derive(Clone, Copy)]
enum Order {
    /// w\[o\]\[c\]\[tap\].
    Forward,
    /// w\[c\]\[o\]\[taps − 1 − tap\].
    Mirrored,
    /// w\[c\]\[channel\]\[t\], output t·channels + channel: all taps side by side as one.
    Columns {
        /// Channels of the image.
        channels: usize,
    },
}

impl<'a> Filters<'a> {
    /// Returns the filters of y = Σ w·x, from w `[c_out, c_in/groups, k_h, k_w]`.
    pub fn forward(g: &Conv2dGeometry, w: &'a [f32], group: usize) -> Self {
        let (c, o) = (g.c_in / g.groups, g.c_out / g.groups);
        Self {
            taps: g.k_h * g.k_w,
            c,
            o,
            w: one_group(g, w, group),
            order: Order::Forward,
            pairs: None,
        }
    }
    /// Returns the filters that turn the gradient of the output into that of the input: channels
    /// exchanged, taps mirrored. `g` and `w` are those of the forward convolution.
    pub fn mirrored(g: &Conv2dGeometry, w: &'a [f32], group: usize) -> Self {
        let (c, o) = (g.c_out / g.groups, g.c_in / g.groups);
        Self {
            taps: g.k_h * g.k_w,
            c,
            o,
            w: one_group(g, w, group),
            order: Order::Mirrored,
            pairs: None,
        }
    }
    /// Returns the filters that turn the gradient of the output into that of the im2col matrix
    /// `[pixels, taps · channels]`.
    pub fn columns(g: &Conv2dGeometry, w: &'a [f32], group: usize) -> Self {
        let (c, channels) = (g.c_out / g.groups, g.c_in / g.groups);
        let o = g.k_h * g.k_w * channels;
        Self {
            taps: 1,
            c,
            o,
            w: one_group(g, w, group),
            order: Order::Columns { channels },
            pairs: None,
        }
    }
    /// Returns the same filters, in bfloat16 packed in pairs of channels, whose number is even.
    pub fn packed_in(self, simd: SimdLevel, precision: Precision) -> Self {
        match precision {
            Precision::F32 => self,
            Precision::Bf16 => Self { c: self.c / 2, pairs: Some(simd), ..self },
        }
    }
    /// Returns the length of all packed panels.
    pub fn packed_len(&self, nr: usize) -> usize {
        self.taps * self.c * self.o.next_multiple_of(nr)
    }
    /// Packs all panels.
    pub fn pack(&self, nr: usize, packed: &mut [f32]) {
        let mut rest = &mut packed[..self.packed_len(nr)];
        for c0 in (0..self.c).step_by(KC) {
            let kc = KC.min(self.c - c0);
            let (run, after) = rest.split_at_mut(self.taps * kc * self.o.next_multiple_of(nr));
            rest = after;
            parallel_chunks(run, self.taps * kc * nr, |j, panel| {
                self.pack_panel([c0, kc], j * nr, nr, panel);
            });
        }
    }
    /// Returns the packed panel of output channels o.. for the run of channels that starts at c0.
    pub fn panel<'b>(&self, packed: &'b [f32], nr: usize, c0: usize, o: usize) -> &'b [f32] {
        let run = c0 * self.taps * self.o.next_multiple_of(nr);
        let panel = self.taps * KC.min(self.c - c0) * nr;
        &packed[run + o / nr * panel..][..panel]
    }
    /// Packs channels c0..c0 + kc and outputs j..j + nr: `[tap][kc][nr]`.
    pub fn pack_panel(&self, [c0, kc]: [usize; 2], j: usize, nr: usize, panel: &mut [f32]) {
        if let Some(simd) = self.pairs {
            let single = Self { c: 2 * self.c, pairs: None, ..*self };
            let mut whole = scratch::take(2 * self.taps * kc * nr);
            single.pack_panel([2 * c0, 2 * kc], j, nr, &mut whole);
            return pack_pairs(simd, &whole, nr, panel);
        }
        let (taps, n) = (self.taps, nr.min(self.o - j));
        if n < nr {
            panel.fill(0.0);
        }
        match self.order {
            Order::Forward => {
                // Column q of a row of w is (channel, tap); in the panel it is (tap, channel).
                let src = &self.w[(j * self.c + c0) * taps..];
                let at = |q: usize| (q % taps * kc + q / taps) * nr;
                transpose(src, self.c * taps, [n, kc * taps], panel, at);
            }
            Order::Mirrored => {
                for c in 0..kc {
                    let src = &self.w[((c0 + c) * self.o + j) * taps..];
                    let at = |t: usize| ((taps - 1 - t) * kc + c) * nr;
                    transpose(src, taps, [n, taps], panel, at);
                }
            }
            Order::Columns { channels } => {
                for (row, panel) in self.w[c0 * self.o..].chunks(self.o).zip(panel.chunks_mut(nr)) {
                    for (q, to) in (j..j + n).zip(panel) {
                        *to = row[q % channels * (self.o / channels) + q / channels];
                    }
                }
            }
        }
    }
}

/// Returns the weights of one group.
fn one_group<'a>(g: &Conv2dGeometry, w: &'a [f32], group: usize) -> &'a [f32] {
    let len = w.len() / g.groups;
    &w[group * len..][..len]
}
