//! The floating-point types that the kernels accept, and bfloat16.

pub mod bf16;

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A floating-point element: `f32`, or `f64` where gradients are checked.
pub trait Scalar:
    Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// −∞, the neutral element of max.
    const NEG_INFINITY: Self;

    /// Rounds `v` to this type.
    fn from_f64(v: f64) -> Self;
    /// Returns this value in double precision.
    fn to_f64(self) -> f64;
    /// Returns eˣ.
    fn exp(self) -> Self;
    /// Returns the natural logarithm.
    fn ln(self) -> Self;
    /// Returns the square root.
    fn sqrt(self) -> Self;
    /// Returns the hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Returns selfᵖ for a real exponent.
    fn powf(self, p: Self) -> Self;
    /// Returns |self|.
    fn abs(self) -> Self;
    /// Returns whether this is NaN.
    fn is_nan(self) -> bool;
    /// Returns the larger of the two.
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
}

/// Implements [`Scalar`] by the type's own methods.
macro_rules! scalar {
    ($t:ident: $($method:ident)*) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            fn from_f64(v: f64) -> Self {
                v as $t
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn powf(self, p: Self) -> Self {
                $t::powf(self, p)
            }
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            $(fn $method(self) -> Self {
                $t::$method(self)
            })*
        }
    };
}
scalar!(f32: exp ln sqrt tanh abs);
scalar!(f64: exp ln sqrt tanh abs);
