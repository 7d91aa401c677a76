//! A network: its specification, and its layers with their weights.

use crate::autograd::Var;
use crate::limits::{MAX_CLASSES, MAX_PARAMETERS, SIDES};
use crate::model::NetworkSpec;
use crate::model::build::NetworkBuilder;
use crate::nn::{Layer, Parameter, Pass, Sequential};
use crate::ops::{self, BatchStatistics};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::Precision;

/// Capacity reserved for a list of parameters: about those of a built-in network.
const USUAL_PARAMETERS: usize = 64;

/// A network from pixels in [0, 1] to logits.
#[derive(Clone, Debug)]
pub struct Network<T: Element = f32> {
    /// Its specification.
    pub spec: NetworkSpec,
    /// The precision of its products when it is prepared for inference. Training and gradients do not
    /// use it, and no file holds it.
    pub precision: Precision,
    layers: Sequential<T>,
}

impl<T: Element> Network<T> {
    /// Creates a network with random weights from `seed`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the input or the list of classes is empty, or the layers do not fit
    /// together, do not end in one logit per class, or exceed [`MAX_PARAMETERS`] or
    /// another of [`crate::limits`].
    pub fn new(spec: NetworkSpec, seed: u64) -> Result<Self> {
        Self::build(MAX_PARAMETERS, spec, seed)
    }

    /// Creates the network that a weights file describes: at most `limit` parameters, counted
    /// before memory is allocated, and an input `[1, s, s]`, because commands feed it square gray
    /// faces of [`SIDES`].
    ///
    /// # Errors
    /// As [`Network::new`], and for another input.
    pub(crate) fn within(limit: usize, spec: NetworkSpec, seed: u64) -> Result<Self> {
        match spec.input {
            [1, h, w] if h == w && SIDES.contains(&h) => Self::build(limit, spec, seed),
            input => {
                let expected = format!("expected [1, s, s] with s of {SIDES:?}");
                let detail = format!("{}: the input is {input:?}, {expected}", spec.name);
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
        if classes > MAX_CLASSES {
            let found = format!("{}: {classes} classes", spec.name);
            return Err(Error::shape(
                "network",
                found + &format!("; expected at most {MAX_CLASSES}"),
            ));
        }
        let layers = NetworkBuilder::new(seed, limit).layers(&spec.layers, &spec.input)?;
        let output = layers.output_shape(&spec.input)?;
        if output != [classes] {
            let detail =
                format!("{}: the last layer gives {output:?}, expected [{classes}]", spec.name);
            return Err(Error::shape("network", detail));
        }
        if !(spec.std > 0.0 && spec.std.is_finite() && spec.mean.is_finite()) {
            let detail = format!(
                "input mean {} and standard deviation {}, expected finite numbers, the second above 0",
                spec.mean, spec.std
            );
            return Err(Error::shape("network", detail));
        }
        Ok(Self { spec, precision: Precision::default(), layers })
    }

    /// Computes the logits `[n, classes]` of images `[n, 1, h, w]` with pixels in [0, 1].
    ///
    /// # Errors
    /// [`Error::Shape`] if the images do not fit.
    pub fn forward(&self, pass: &mut Pass<T>, pixels: &Var<T>) -> Result<Var<T>> {
        let z = self.normalise(pass, pixels)?;
        self.layers.forward(pass, &z)
    }

    /// Runs the network only until the outputs of all layers watched by name are there.
    ///
    /// # Errors
    /// [`Error::Shape`] if the images do not fit.
    pub fn forward_to_watched(&self, pass: &mut Pass<T>, pixels: &Var<T>) -> Result<()> {
        let x = self.normalise(pass, pixels)?;
        self.layers.forward_while(pass, &x, |pass| !pass.has_all_watched())?;
        Ok(())
    }

    /// Computes z = (x − μ)/σ, the input of the first layer.
    fn normalise(&self, pass: &mut Pass<T>, pixels: &Var<T>) -> Result<Var<T>> {
        let mean = Var::constant(Tensor::scalar(T::from_f64(self.spec.mean)));
        let inv_std = Var::constant(Tensor::scalar(T::from_f64(1.0 / self.spec.std)));
        let centred = ops::sub(&mut pass.tape, pixels, &mean)?;
        let z = ops::mul(&mut pass.tape, &centred, &inv_std)?;
        pass.end_part("normalise", &z);
        Ok(z)
    }

    /// Computes the logits in evaluation mode, without gradients.
    ///
    /// # Errors
    /// [`Error::Shape`] if the images do not fit.
    pub fn logits(&self, pixels: Tensor<T>) -> Result<Tensor<T>> {
        let mut pass = Pass::eval();
        Ok(self.forward(&mut pass, &Var::constant(pixels))?.into_value())
    }

    /// Returns the layers of the top level; blocks have children.
    pub fn layers(&self) -> &[Layer<T>] {
        &self.layers.0
    }

    /// Returns the multiply-accumulates for one input of this shape, of convolutions and matrices only.
    pub fn macs(&self, input: &[usize]) -> usize {
        self.layers.macs(input)
    }

    /// Returns all layers, blocks before their children, with the shape of their input.
    ///
    /// # Errors
    /// [`Error::Shape`] if the layers do not fit together; `new` has checked that they do.
    pub fn walk(&self) -> Result<Vec<(&Layer<T>, Vec<usize>)>> {
        self.walk_from(&self.spec.input)
    }

    /// Returns all layers, as [`Network::walk`] does, for an input of another size.
    ///
    /// # Errors
    /// [`Error::Shape`] if the layers do not fit together at this size.
    pub fn walk_from(&self, input: &[usize]) -> Result<Vec<(&Layer<T>, Vec<usize>)>> {
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
        visit(&self.layers.0, input.to_vec(), &mut out)?;
        Ok(out)
    }

    /// Returns the parameters in order; `parameters()[i].index == i`.
    pub fn parameters(&self) -> Vec<&Parameter<T>> {
        let mut out = Vec::with_capacity(USUAL_PARAMETERS);
        self.layers.0.iter().for_each(|l| l.parameters(&mut out));
        out
    }

    /// Returns the parameters in order, mutable.
    pub fn parameters_mut(&mut self) -> Vec<&mut Parameter<T>> {
        let mut out = Vec::with_capacity(USUAL_PARAMETERS);
        self.layers.0.iter_mut().for_each(|l| l.parameters_mut(&mut out));
        out
    }

    /// Updates the running statistics with those that a training pass computed.
    pub fn update_running_statistics(&mut self, statistics: &[(usize, BatchStatistics<T>)]) {
        let mut norms = Vec::new();
        self.layers.0.iter_mut().for_each(|l| l.batch_norms_mut(&mut norms));
        for (index, batch) in statistics {
            norms[*index].update_running_statistics(batch);
        }
    }

    /// Returns the state of the network by name: parameters and running statistics.
    pub fn state(&self) -> Vec<(String, &Tensor<T>)> {
        let mut out = Vec::new();
        self.layers.0.iter().for_each(|l| l.state(&mut out));
        out
    }

    /// Returns the state in the same order, mutable.
    pub fn state_mut(&mut self) -> Vec<(String, &mut Tensor<T>)> {
        let mut out = Vec::new();
        self.layers.0.iter_mut().for_each(|l| l.state_mut(&mut out));
        out
    }

    /// Returns the network with other tensors in place of its state, in the order of
    /// [`Network::state`].
    pub fn with_state(&self, state: &[Tensor<T>]) -> Self {
        let mut out = self.clone();
        for ((_, tensor), value) in out.state_mut().into_iter().zip(state) {
            *tensor = value.clone();
        }
        out
    }

    /// Returns the same network in another precision.
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
