//! A network: its specification and its layers with their weights.

use crate::autograd::Var;
use crate::model::NetworkSpec;
use crate::model::build::{Build, MAX_PARAMETERS};
use crate::nn::{BatchNorm2d, Layer, Parameter, Pass, Sequential};
use crate::ops;
use crate::ops::BatchStatistics;
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};

/// Room for the parameters of a network of ours.
const USUAL_PARAMETERS: usize = 64;

/// A network from pixels in [0, 1] to logits.
#[derive(Clone, Debug)]
pub struct Network<T: Element = f32> {
    /// What it is made of.
    pub spec: NetworkSpec,
    layers: Sequential<T>,
}

impl<T: Element> Network<T> {
    /// A network with weights drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is nothing to see or to choose from, or the layers do not fit
    /// together, do not end in one logit a class, or exceed [`MAX_PARAMETERS`] or
    /// [`MAX_VALUES`](crate::model::build::MAX_VALUES).
    pub fn new(spec: NetworkSpec, seed: u64) -> Result<Self> {
        Self::build(MAX_PARAMETERS, spec, seed)
    }

    /// The network that a weights file describes: at most `limit` parameters, counted before any
    /// memory is taken, and an input `[1, s, s]`, since every command feeds it square gray faces.
    ///
    /// # Errors
    /// As [`Network::new`], and for another input.
    pub(crate) fn within(limit: usize, spec: NetworkSpec, seed: u64) -> Result<Self> {
        match spec.input {
            [1, h, w] if h == w => Self::build(limit, spec, seed),
            input => {
                let detail = format!("{}: the input is {input:?}, expected [1, s, s]", spec.name);
                Err(Error::shape("network", detail))
            }
        }
    }

    fn build(limit: usize, spec: NetworkSpec, seed: u64) -> Result<Self> {
        let (input, classes) = (spec.input, spec.classes.len());
        if input.contains(&0) || classes == 0 {
            let found = format!("{}: input {input:?} and {classes} classes", spec.name);
            return Err(Error::shape("network", found + "; none of these numbers may be 0"));
        }
        let layers = Build::new(seed, limit).layers(&spec.layers, &spec.input)?;
        let output = layers.output_shape(&spec.input)?;
        if output != [classes] {
            let detail =
                format!("{}: the last layer gives {output:?}, expected [{classes}]", spec.name);
            return Err(Error::shape("network", detail));
        }
        if !(spec.std > 0.0 && spec.std.is_finite() && spec.mean.is_finite()) {
            let detail = format!("input mean {} and standard deviation {}", spec.mean, spec.std);
            return Err(Error::shape("network", detail));
        }
        Ok(Self { spec, layers })
    }

    /// Logits `[n, classes]` of pictures `[n, 1, h, w]` with pixels in [0, 1].
    ///
    /// # Errors
    /// [`Error::Shape`] if the pictures do not fit.
    pub fn forward(&self, pass: &mut Pass<T>, pixels: &Var<T>) -> Result<Var<T>> {
        let z = self.normalise(pass, pixels)?;
        self.layers.forward(pass, &z)
    }

    /// As [`Network::forward`], but ends as soon as every watched layer has been seen.
    ///
    /// # Errors
    /// [`Error::Shape`] if the pictures do not fit.
    pub fn forward_to_watched(&self, pass: &mut Pass<T>, pixels: &Var<T>) -> Result<()> {
        let x = self.normalise(pass, pixels)?;
        self.layers.forward_while(pass, &x, |pass| !pass.saw_everything())?;
        Ok(())
    }

    /// z = (x − μ)/σ: what the first layer sees.
    fn normalise(&self, pass: &mut Pass<T>, pixels: &Var<T>) -> Result<Var<T>> {
        let mean = Var::constant(Tensor::scalar(T::from_f64(self.spec.mean)));
        let inv_std = Var::constant(Tensor::scalar(T::from_f64(1.0 / self.spec.std)));
        let centred = ops::sub(&mut pass.tape, pixels, &mean)?;
        let z = ops::mul(&mut pass.tape, &centred, &inv_std)?;
        Ok(pass.mark("normalise", z))
    }

    /// Logits without any gradient, in evaluation mode.
    ///
    /// # Errors
    /// [`Error::Shape`] if the pictures do not fit.
    pub fn logits(&self, pixels: Tensor<T>) -> Result<Tensor<T>> {
        let mut pass = Pass::eval();
        Ok(self.forward(&mut pass, &Var::constant(pixels))?.into_value())
    }

    /// The layers of the top level; blocks have children.
    pub fn layers(&self) -> &[Layer<T>] {
        &self.layers.0
    }

    /// All layers, blocks before their children, with the shape of their input.
    ///
    /// # Errors
    /// [`Error::Shape`] if the layers do not fit together, which `new` has excluded.
    pub fn walk(&self) -> Result<Vec<(&Layer<T>, Vec<usize>)>> {
        fn visit<'a, T: Element>(
            layers: &'a [Layer<T>],
            mut shape: Vec<usize>,
            out: &mut Vec<(&'a Layer<T>, Vec<usize>)>,
        ) -> Result<()> {
            for layer in layers {
                out.push((layer, shape.clone()));
                visit(layer.children(), shape.clone(), out)?;
                shape = layer.output_shape(&shape)?;
            }
            Ok(())
        }
        let mut out = Vec::new();
        visit(&self.layers.0, self.spec.input.to_vec(), &mut out)?;
        Ok(out)
    }

    /// The parameters in their order; `parameters()[i].index == i`.
    pub fn parameters(&self) -> Vec<&Parameter<T>> {
        let mut out = Vec::with_capacity(USUAL_PARAMETERS);
        self.layers.0.iter().for_each(|l| l.parameters(&mut out));
        out
    }

    /// The parameters in their order, to be changed.
    pub fn parameters_mut(&mut self) -> Vec<&mut Parameter<T>> {
        let mut out = Vec::with_capacity(USUAL_PARAMETERS);
        self.layers.0.iter_mut().for_each(|l| l.parameters_mut(&mut out));
        out
    }

    /// The batch norms in their order; `batch_norms()[i].index == i`.
    pub fn batch_norms(&self) -> Vec<&BatchNorm2d<T>> {
        let mut out = Vec::new();
        self.layers.0.iter().for_each(|l| l.batch_norms(&mut out));
        out
    }

    /// Moves the running statistics by what a training pass measured.
    pub fn track(&mut self, statistics: &[(usize, BatchStatistics<T>)]) {
        let mut norms = Vec::new();
        self.layers.0.iter_mut().for_each(|l| l.batch_norms_mut(&mut norms));
        for (index, batch) in statistics {
            norms[*index].track(batch);
        }
    }

    /// Everything that makes up the trained network, by name: parameters and running statistics.
    pub fn state(&self) -> Vec<(String, &Tensor<T>)> {
        let mut out = Vec::new();
        self.layers.0.iter().for_each(|l| l.state(&mut out));
        out
    }

    /// The same in the same order, to be changed.
    pub fn state_mut(&mut self) -> Vec<(String, &mut Tensor<T>)> {
        let mut out = Vec::new();
        self.layers.0.iter_mut().for_each(|l| l.state_mut(&mut out));
        out
    }

    /// The same network in another precision.
    ///
    /// # Errors
    /// None in practice: the specification has been built once.
    pub fn cast<U: Element>(&self) -> Result<Network<U>> {
        let mut other = Network::<U>::new(self.spec.clone(), 0)?;
        let state = self.state();
        for (name, tensor) in other.state_mut() {
            if let Some((_, value)) = state.iter().find(|(n, _)| *n == name) {
                *tensor = value.cast();
            }
        }
        Ok(other)
    }
}
