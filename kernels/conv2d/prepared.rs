//! Filters that serve many batches: packed or transformed once.

use super::epilogue::rectify;
use super::filters::Filters;
use super::plan::{Algorithm, Pass, plan};
use super::winograd::{self, TileSize};
use super::{Epilogue, direct, im2col};
use crate::arch::{AlignedBuffer, MicroKernel, micro_kernel};
use crate::{Conv2dGeometry, Pool2dGeometry, pool, scratch};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The filters of a convolution whose weights do not change, in every order that has been asked
/// for. A single picture spends more time on bringing filters into order than on using them.
pub struct Prepared {
    weight: Vec<f32>,
    /// By order and by the width of the micro-kernel's panels.
    orders: Mutex<Vec<(Order, usize, Arc<AlignedBuffer>)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Packed,
    Transformed(TileSize),
}

impl Prepared {
    /// Filters `[c_out, c_in/groups, k_h, k_w]`.
    pub fn new(weight: Vec<f32>) -> Self {
        Self { weight, orders: Mutex::new(Vec::new()) }
    }

    /// y = conv(x, w) and what comes after; `g` may differ from call to call in everything but the
    /// shape of the filters and the groups.
    ///
    /// **Shapes**: as [`forward`](super::forward), y smaller where it is
    /// [pooled](Epilogue::pool).
    ///
    /// # Panics
    /// When a slice does not have the length of its shape.
    pub fn forward(&self, g: &Conv2dGeometry, x: &[f32], after: Epilogue, y: &mut [f32]) {
        assert!(self.weight.len() == g.weight_len() && y.len() == after.output_len(g));
        assert!(after.bias.is_none_or(|b| b.len() == g.c_out));
        let algorithm = plan(g, Pass::Forward);
        let pools = algorithm == Algorithm::Winograd && winograd::tile_size(g).pools();
        if after.pool && !pools {
            let mut whole = scratch::take(g.output_len());
            self.forward_by(algorithm, g, x, Epilogue { pool: false, ..after }, &mut whole);
            let output = [g.n, g.c_out, g.h_out, g.w_out];
            let Ok(windows) = Pool2dGeometry::halving(output) else { return };
            return pool::halving_max(&windows, &whole, y);
        }
        self.forward_by(algorithm, g, x, after, y);
    }

    fn forward_by(
        &self,
        algorithm: Algorithm,
        g: &Conv2dGeometry,
        x: &[f32],
        after: Epilogue,
        y: &mut [f32],
    ) {
        let kernel = micro_kernel();
        let filters = |group| Filters::forward(g, &self.weight, group);
        match algorithm {
            Algorithm::Winograd => {
                let size = winograd::tile_size(g);
                let u = self.in_order(kernel, Order::Transformed(size), || {
                    winograd::transform(kernel, size, g, &self.weight)
                });
                winograd::forward_transformed(kernel, size, g, x, &u, after, y);
            }
            Algorithm::Im2col => {
                im2col::forward(g, x, &self.weight, after.bias, y);
                if after.relu {
                    rectify(y);
                }
            }
            _ => {
                let len = direct::packed_len(kernel, g, &filters);
                let packed = self.in_order(kernel, Order::Packed, || {
                    let mut packed = AlignedBuffer::zeroed(len);
                    direct::pack(kernel, g, &filters, &mut packed[..len]);
                    packed
                });
                direct::correlate_packed(kernel, g, x, filters, &packed[..len], after, y.into());
            }
        }
    }

    fn in_order(
        &self,
        kernel: &MicroKernel,
        order: Order,
        make: impl FnOnce() -> AlignedBuffer,
    ) -> Arc<AlignedBuffer> {
        let nr = kernel.nr;
        let found = |orders: &[(Order, usize, Arc<AlignedBuffer>)]| {
            let this = orders.iter().find(|(o, n, _)| (*o, *n) == (order, nr));
            this.map(|(.., buffer)| buffer.clone())
        };
        if let Some(buffer) = found(&self.orders()) {
            return buffer;
        }
        // Made without the lock: while it is made this thread may be given other work, which may
        // come here too.
        let buffer = Arc::new(make());
        let mut orders = self.orders();
        found(&orders).unwrap_or_else(|| {
            orders.push((order, nr, buffer.clone()));
            buffer
        })
    }

    fn orders(&self) -> MutexGuard<'_, Vec<(Order, usize, Arc<AlignedBuffer>)>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared({} weights)", self.weight.len())
    }
}
