//! Ops that work element by element, with broadcasting where they take two tensors.

pub mod add;
pub(crate) mod broadcast;
pub mod div;
pub mod dropout;
pub mod exp;
pub mod leaky_relu;
pub mod ln;
pub mod mul;
pub mod neg;
pub mod pow;
pub mod relu;
pub mod sigmoid;
pub mod sqrt;
pub mod sub;
pub mod tanh;
