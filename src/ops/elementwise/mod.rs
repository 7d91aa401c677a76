//! Ops that work element by element, with broadcasting where they take two tensors.

mod add;
mod div;
mod exp;
mod leaky_relu;
mod ln;
mod mul;
mod neg;
mod pow;
mod relu;
mod sigmoid;
mod sqrt;
mod sub;
mod tanh;

pub use add::add;
pub use div::div;
pub use exp::exp;
pub use leaky_relu::leaky_relu;
pub use ln::ln;
pub use mul::mul;
pub use neg::neg;
pub use pow::pow;
pub use relu::relu;
pub use sigmoid::sigmoid;
pub use sqrt::sqrt;
pub use sub::sub;
pub use tanh::tanh;
