//! Fully connected layer.

use crate::autograd::Var;
use crate::nn::{LayerBuilder, Parameter, Pass, Role};
use crate::random::{Purpose, Rng};
use crate::tensor::{Element, Tensor};
use crate::{Result, ops};

/// A fully connected layer: y = x·Wᵀ + b.
#[derive(Clone, Debug)]
pub struct Linear<T: Element = f32> {
    /// `linear_1`, …
    pub name: String,
    /// `[outputs, inputs]`.
    pub weight: Parameter<T>,
    /// `[outputs]`.
    pub bias: Parameter<T>,
}

impl<T: Element> Linear<T> {
    /// Creates a layer with weights uniform in ±1/√inputs, so that the outputs start small, and
    /// biases 0.
    pub fn new(b: &mut LayerBuilder, name: String, inputs: usize, outputs: usize) -> Self {
        let index = b.parameter();
        let bound = 1.0 / (inputs.max(1) as f64).sqrt();
        let mut rng = Rng::new(b.seed, Purpose::Init, 0, index as u64);
        let value =
            Tensor::from_fn(&[outputs, inputs], |_| T::from_f64(rng.uniform_in(-bound, bound)));
        let weight = Parameter { name: format!("{name}.weight"), value, role: Role::Weight, index };
        let index = b.parameter();
        let bias = Parameter::constant(format!("{name}.bias"), outputs, 0.0, Role::Bias, index);
        Self { name, weight, bias }
    }

    /// Computes y = x·Wᵀ + b.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the input does not fit.
    pub fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        let (weight, bias) = (pass.parameter(&self.weight), pass.parameter(&self.bias));
        ops::linear(&mut pass.tape, x, &weight, &bias)
    }
}
