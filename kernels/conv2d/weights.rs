//! Weights in the order in which the micro-kernel reads them.
//!
//! For each run of at most [`KC`] input channels, for each panel of nr output channels:
//! `[tap][channel][nr]`, zeros to the right of the last output channel.

use crate::pack::{KC, transpose};
use crate::parallel::parallel_chunks;

/// Sizes of the matrix `[taps · c, o]` that a convolution multiplies with.
#[derive(Clone, Copy)]
pub struct WeightShape {
    /// Taps, k_h·k_w.
    pub taps: usize,
    /// Channels summed over.
    pub c: usize,
    /// Channels produced.
    pub o: usize,
}

impl WeightShape {
    /// Length of the packed weights.
    pub fn packed_len(&self, nr: usize) -> usize {
        self.taps * self.c * self.o.next_multiple_of(nr)
    }
    /// The panel that serves output channels o.. for the run of channels that starts at c0.
    pub fn panel<'a>(&self, packed: &'a [f32], nr: usize, c0: usize, o: usize) -> &'a [f32] {
        let run = c0 * self.taps * self.o.next_multiple_of(nr);
        let panel = self.taps * KC.min(self.c - c0) * nr;
        &packed[run + o / nr * panel..][..panel]
    }
}

/// Packs w\[o\]\[c\]\[tap\] for y = Σ w·x.
pub fn pack_forward(s: &WeightShape, w: &[f32], nr: usize, packed: &mut [f32]) {
    pack_panels(s, nr, packed, |c0, kc, j, panel| {
        let src = &w[(j * s.c + c0) * s.taps..];
        let n = nr.min(s.o - j);
        // Column q of a row of w is (channel, tap); its place is (tap, channel).
        let at = |q: usize| (q % s.taps * kc + q / s.taps) * nr;
        transpose(src, s.c * s.taps, [n, kc * s.taps], panel, at);
    });
}

/// Packs the adjoint: `s.c` are the channels of the gradient, `s.o` those of the image, and
/// w\[c\]\[o\]\[tap\] is mirrored, so that the gradient of the input is again a convolution.
pub fn pack_mirrored(s: &WeightShape, w: &[f32], nr: usize, packed: &mut [f32]) {
    pack_panels(s, nr, packed, |c0, kc, j, panel| {
        let n = nr.min(s.o - j);
        for c in 0..kc {
            let src = &w[((c0 + c) * s.o + j) * s.taps..];
            let at = |t: usize| ((s.taps - 1 - t) * kc + c) * nr;
            transpose(src, s.taps, [n, s.taps], panel, at);
        }
    });
}

/// Calls `fill(first channel, channels, first output channel, panel)` for each panel.
fn pack_panels(
    s: &WeightShape,
    nr: usize,
    packed: &mut [f32],
    fill: impl Fn(usize, usize, usize, &mut [f32]) + Send + Sync,
) {
    let mut rest = packed;
    for c0 in (0..s.c).step_by(KC) {
        let kc = KC.min(s.c - c0);
        let (run, after) = rest.split_at_mut(s.taps * kc * s.o.next_multiple_of(nr));
        rest = after;
        parallel_chunks(run, s.taps * kc * nr, |j, panel| {
            if s.o - j * nr < nr {
                panel.fill(0.0);
            }
            fill(c0, kc, j * nr, panel);
        });
    }
}
