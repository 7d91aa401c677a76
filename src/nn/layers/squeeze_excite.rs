//! Squeeze and excitation: channels scaled by weights computed from the whole image.

use crate::autograd::Var;
use crate::nn::{LayerBuilder, Linear, Pass};
use crate::tensor::Element;
use crate::{Result, ops};
use fer_kernels::Precision;

/// y = x · sigmoid(W₂·relu(W₁·mean(x) + b₁) + b₂), one weight per channel (Hu et al. 2018).
#[derive(Clone, Debug)]
pub struct SqueezeExcite<T: Element = f32> {
    /// `squeeze_excite_1`, …
    pub name: String,
    /// c → c/reduction.
    pub squeeze: Linear<T>,
    /// c/reduction → c.
    pub excite: Linear<T>,
}

impl<T: Element> SqueezeExcite<T> {
    /// Creates a layer with channels/reduction hidden units, at least one. With a reduction of 0 it
    /// has none, and [`Layer::output_shape`](crate::nn::Layer) returns an error.
    pub fn new(b: &mut LayerBuilder, channels: usize, reduction: usize) -> Self {
        let name = b.name("squeeze_excite");
        let hidden = channels.checked_div(reduction).map_or(0, |hidden| hidden.max(1));
        let squeeze = Linear::new(b, format!("{name}.squeeze"), channels, hidden);
        let excite = Linear::new(b, format!("{name}.excite"), hidden, channels);
        Self { name, squeeze, excite }
    }

    /// Computes the weight of each channel, `[n, c]`. Its products are f32: they are few.
    pub(crate) fn weight(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        let precision = pass.tape.precision();
        pass.tape.set_precision(Precision::F32);
        let score = self.score(pass, x);
        pass.tape.set_precision(precision);
        ops::sigmoid(&mut pass.tape, &score?)
    }

    fn score(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        let mean = ops::global_avg_pool2d(&mut pass.tape, x)?;
        let hidden = self.squeeze.forward(pass, &mean)?;
        let hidden = ops::relu(&mut pass.tape, &hidden)?;
        self.excite.forward(pass, &hidden)
    }

    pub(crate) fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        let weight = self.weight(pass, x)?;
        let [n, c] = [x.shape()[0], x.shape()[1]];
        let weight = ops::reshape(&mut pass.tape, &weight, &[n, c, 1, 1])?;
        ops::mul(&mut pass.tape, x, &weight)
    }
}
