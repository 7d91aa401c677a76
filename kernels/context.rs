//! The settings that the kernels take as an argument.

use crate::arch::SimdLevel;
use crate::bf16::Precision;
use crate::conv2d::Algorithm;
use std::sync::OnceLock;

/// SIMD level, convolution algorithm and precision of a kernel call.
///
/// The `f32` kernels take it, or its SIMD level, as their first argument.
/// [`Kernels`](crate::Kernels) passes [`Context::global`], in the precision that its caller names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// Instructions to use.
    pub simd: SimdLevel,
    /// Algorithm of convolutions.
    pub conv: Algorithm,
    /// Precision of the factors of convolutions and matrix products.
    pub precision: Precision,
}

static GLOBAL: OnceLock<Context> = OnceLock::new();

impl Context {
    /// Returns the context of this process: the one set by [`set_global`](Self::set_global), or the
    /// [default](Self::default) where the first call of `global` came before.
    pub fn global() -> Self {
        *GLOBAL.get_or_init(Self::default)
    }

    /// Returns the same context in another precision.
    pub fn in_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Sets the context of this process. It can be set once, before the first use.
    ///
    /// # Errors
    /// Another context that is in use already.
    pub fn set_global(self) -> Result<(), Context> {
        match *GLOBAL.get_or_init(|| self) {
            global if global == self => Ok(()),
            global => Err(global),
        }
    }
}

impl Default for Context {
    /// Returns the widest SIMD level of this CPU, the automatic choice of algorithms, and f32.
    fn default() -> Self {
        Self { simd: SimdLevel::widest(), conv: Algorithm::Auto, precision: Precision::F32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_global_context_is_set_once() {
        let direct = Context { conv: Algorithm::Direct, ..Context::default() };
        assert_eq!(Context::global(), Context::default());
        assert_eq!(direct.set_global(), Err(Context::default()));
        assert_eq!(Context::default().set_global(), Ok(()));
    }
}
