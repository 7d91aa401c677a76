//! Filters that serve many batches: packed or transformed once.

use super::epilogue::{Epilogue, relu};
use super::filters::Filters;
use super::plan::{Algorithm, plan_prepared};
use super::winograd::{self, TileSize};
use super::{direct, im2col};
use crate::arch::{AlignedBuffer, MicroKernel, SimdLevel, micro_kernel_in};
use crate::bf16::{Factors, Precision, is_paired, rounded, rounded_copy};
use crate::{Context, Conv2dGeometry, Pool2dGeometry, pool, scratch};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The filters of a convolution whose weights do not change, in every memory order used so far.
///
/// For a single image, reordering the filters takes longer than using them.
pub struct Prepared {
    weight: Vec<f32>,
    precision: Precision,
    /// Each with its order and the width of the micro-kernel's panels.
    orders: Mutex<Vec<(Order, usize, Arc<AlignedBuffer>)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Packed,
    Transformed(TileSize),
}

impl Prepared {
    /// Takes filters `[c_out, c_in/groups, k_h, k_w]`.
    pub fn new(weight: Vec<f32>) -> Self {
        Self::with_precision(weight, Precision::F32)
    }

    /// Takes filters `[c_out, c_in/groups, k_h, k_w]` for products in this precision.
    ///
    /// In bfloat16, results are near those of [`naive::precision`](crate::naive::precision). Winograd
    /// rounds its transformed operands, other algorithms the operands themselves. This precision counts,
    /// not that of the context.
    pub fn with_precision(mut weight: Vec<f32>, precision: Precision) -> Self {
        if precision == Precision::Bf16 {
            weight.iter_mut().for_each(|w| *w = rounded(*w));
        }
        Self { weight, precision, orders: Mutex::new(Vec::new()) }
    }

    /// Returns the name of the algorithm that [`forward`](Self::forward) uses, with the size of
    /// Winograd's tiles: `direct`, `im2col`, `winograd 4x4`.
    pub fn plan_name(&self, ctx: Context, g: &Conv2dGeometry) -> String {
        let (algorithm, size) = self.plan(ctx, g);
        super::plan::name_of(algorithm, size)
    }

    fn plan(&self, ctx: Context, g: &Conv2dGeometry) -> (Algorithm, TileSize) {
        let (usual, size) = plan_prepared(ctx.conv, g);
        (super::plan_in(ctx.in_precision(self.precision), g, usual), size)
    }

    /// Computes y = conv(x, w), followed by the epilogue. `g` may differ from call to call except
    /// in the shape of the filters and the groups.
    ///
    /// **Shapes**: as [`forward`](super::forward), y smaller where it is [pooled](Epilogue::pool).
    ///
    /// # Panics
    /// When a slice does not have the length of its shape.
    pub fn forward(
        &self,
        ctx: Context,
        g: &Conv2dGeometry,
        x: &[f32],
        epilogue: Epilogue,
        y: &mut [f32],
    ) {
        assert!(self.weight.len() == g.weight_len() && y.len() == epilogue.output_len(g));
        assert!(epilogue.bias.is_none_or(|b| b.len() == g.c_out));
        let (conv, size) = self.plan(ctx, g);
        let plan = (ctx.simd, conv, size);
        let fused = conv == Algorithm::Winograd && size.fuses_pooling();
        if epilogue.pool && !fused {
            let mut whole = scratch::take(g.output_len());
            self.convolve(plan, g, x, Epilogue { pool: false, ..epilogue }, &mut whole);
            let output = [g.n, g.c_out, g.h_out, g.w_out];
            let Ok(windows) = Pool2dGeometry::halving(output) else { return };
            return pool::halving_max(ctx.simd, &windows, &whole, y);
        }
        self.convolve(plan, g, x, epilogue, y);
    }

    fn convolve(
        &self,
        (simd, conv, size): (SimdLevel, Algorithm, TileSize),
        g: &Conv2dGeometry,
        x: &[f32],
        epilogue: Epilogue,
        y: &mut [f32],
    ) {
        let filters = |group| Filters::forward(g, &self.weight, group);
        let precision = match conv {
            Algorithm::Winograd | Algorithm::Direct if is_paired(g.c_in / g.groups) => {
                self.precision
            }
            _ => Precision::F32,
        };
        let x = if precision == self.precision { Factors::Given(x) } else { rounded_copy(x) };
        let kernel = micro_kernel_in(simd, precision);
        match conv {
            Algorithm::Winograd => {
                let u = self.in_order(kernel, Order::Transformed(size), || {
                    winograd::transform_filters(simd, precision, size, g, &self.weight)
                });
                winograd::forward_transformed((simd, precision), size, g, &x, &u, epilogue, y);
            }
            Algorithm::Im2col => {
                im2col::forward(simd, g, &x, &self.weight, epilogue.bias, y);
                if epilogue.relu {
                    relu(simd, y);
                }
            }
            _ => {
                let filters = |group| filters(group).packed_in(simd, precision);
                let len = direct::packed_len(kernel, g, &filters);
                let packed = self.in_order(kernel, Order::Packed, || {
                    let mut packed = AlignedBuffer::zeroed(len);
                    direct::pack(kernel, g, &filters, &mut packed[..len]);
                    packed
                });
                let (packed, y) = (&packed[..len], y.into());
                direct::correlate_packed((simd, precision), g, &x, filters, packed, epilogue, y);
            }
        }
    }

    /// Returns the filters in an order, made by `make` the first time.
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
        // Made without the lock: meanwhile rayon may run other work on this thread, and that work
        // may take the lock, too.
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
