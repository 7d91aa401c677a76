//! How threads share the work on a few tiles, such as those of one image.

/// The work: rows of tiles, and panels of output channels.
pub struct Shares {
    /// Rows of tiles.
    pub rows: usize,
    /// Tiles of a row.
    pub columns: usize,
    /// Panels of output channels.
    pub panels: usize,
}

/// Largest number of floats of transformed inputs that stay in L2 beside the filters.
const MAX_INPUT: usize = 1 << 18;
/// Largest number of parts of the output channels.
const MAX_PARTS: usize = 64;
/// Rows to which the micro-kernel rounds up, on the widest level.
const ROWS: usize = 4;

impl Shares {
    /// Returns the rows of tiles and the panels of a task, for `c` input channels and `products`
    /// elements of a tile: those that keep the busiest thread for the shortest time.
    ///
    /// No result depends on the choice.
    pub fn choose(&self, c: usize, products: usize, threads: usize) -> [usize; 2] {
        let mut best = ([self.rows, self.panels], usize::MAX);
        let mut parts = 1;
        while parts <= self.panels.min(MAX_PARTS) {
            let panels = self.panels.div_ceil(parts);
            for k in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32] {
                let rows = self.rows.div_ceil((k * threads).div_ceil(parts));
                let time = self.time([rows, panels], c, products, threads);
                if time < best.1 {
                    best = ([rows, panels], time);
                }
            }
            parts *= 2;
        }
        best.0
    }

    /// Estimates the time of the busiest thread, in cycles of a core with 512-bit registers.
    fn time(&self, [rows, panels]: [usize; 2], c: usize, products: usize, threads: usize) -> usize {
        let tiles = rows * self.columns;
        let tasks = self.rows.div_ceil(rows) * self.panels.div_ceil(panels);
        let multiply = c * panels * tiles.next_multiple_of(ROWS);
        let read_filters = 8 * c * panels;
        let read_inputs = match tiles * c * products > MAX_INPUT {
            true => tiles * c * panels / 4,
            false => 0,
        };
        let transform = 3 * tiles * (c.div_ceil(16) + 2 * panels);
        // Pixels of other channels' tasks come from another core's cache.
        let others = if panels < self.panels { threads - 1 } else { 0 };
        let exchange = 20 * tiles * c.div_ceil(16) * others / threads;
        let time = multiply + read_filters + read_inputs + transform + exchange;
        tasks.div_ceil(threads) * products * time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_equal_shares() {
        // The 3×3 layers of `tiny` on one image, F(4×4) but the last.
        let first = Shares { rows: 12, columns: 12, panels: 1 };
        assert_eq!(first.choose(32, 36, 2), [6, 1]);
        let second = Shares { rows: 6, columns: 6, panels: 2 };
        assert_eq!(second.choose(64, 36, 2), [3, 2]);
        let third = Shares { rows: 4, columns: 4, panels: 4 };
        assert_eq!(third.choose(128, 25, 2), [4, 2]);
        assert_eq!(third.choose(128, 25, 1), [4, 4]);
    }
}
