//! Parameters: the tensors that training changes.

use crate::random::{Purpose, Rng};
use crate::tensor::{Element, Tensor};

/// The role of a parameter. It decides the initial value and whether weight decay applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Kernel of a convolution or matrix of a linear layer: the only role with weight decay.
    Weight,
    /// Bias: an added constant.
    Bias,
    /// Scale γ of a batch norm.
    Gamma,
    /// Shift β of a batch norm.
    Beta,
}

/// A named tensor that training changes.
#[derive(Clone, Debug)]
pub struct Parameter<T: Element = f32> {
    /// `layer.role`, for example `conv2d_3.weight`.
    pub name: String,
    /// Its value.
    pub value: Tensor<T>,
    /// Its role.
    pub role: Role,
    /// Its index among the parameters of the network.
    pub index: usize,
}

impl<T: Element> Parameter<T> {
    /// Creates a weight, normal with variance 2/fan_in: this keeps the variance of the activations
    /// through a ReLU (He et al. 2015). fan_in is the number of inputs that one output sums.
    pub(crate) fn he_normal(name: String, shape: &[usize], seed: u64, index: usize) -> Self {
        let fan_in: usize = shape[1..].iter().product();
        let std = (2.0 / fan_in.max(1) as f64).sqrt();
        let mut rng = Rng::new(seed, Purpose::Init, 0, index as u64);
        let value = Tensor::from_fn(shape, |_| T::from_f64(std * rng.normal()));
        Self { name, value, role: Role::Weight, index }
    }

    /// Creates a vector of equal elements.
    pub(crate) fn constant(
        name: String,
        size: usize,
        value: f64,
        role: Role,
        index: usize,
    ) -> Self {
        Self { name, value: Tensor::full(&[size], T::from_f64(value)), role, index }
    }

    /// Returns whether weight decay applies.
    pub fn decays(&self) -> bool {
        self.role == Role::Weight
    }
}
