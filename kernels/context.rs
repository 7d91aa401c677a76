//! The settings that the kernels take as an argument.

use crate::arch::SimdLevel;
use crate::conv2d::Algorithm;
use std::sync::OnceLock;

/// SIMD level and convolution algorithm of a kernel call.
///
/// The `f32` kernels take it, or its SIMD level, as their first argument.
/// [`Kernels`](crate::Kernels) passes [`Context::global`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// Instructions to use.
    pub simd: SimdLevel,
    /// Algorithm of convolutions.
    pub conv: Algorithm,
}

static GLOBAL: OnceLock<Context> = OnceLock::new();

impl Context {
    /// Returns the context of this process: the one set by [`set_global`](Self::set_global), or the
    /// [default](Self::default) where the first call of `global` came before.
    pub fn global() -> Self {
        *GLOBAL.get_or_init(Self::default)
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
    /// Returns the widest SIMD level of this CPU and the automatic choice of algorithms.
    fn default() -> Self {
        Self { simd: SimdLevel::widest(), conv: Algorithm::Auto }
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
