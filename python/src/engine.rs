//! The engine for teaching: a tape, and tensors that remember how they were computed. Everything is in
//! double precision, on the naive kernels.

use crate::errors::{raise, usage};
use fer::autograd::{Gradients, NodeId, Tape as Record, Var};
use fer::ops::{self, Conv2dOptions, CrossEntropyOptions, Pool2dOptions, Targets};
use fer::random::{Purpose, Rng};
use fer::tensor::Tensor as Values;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Name, inputs and shape of a recorded operation.
type NodeRow = (&'static str, Vec<Option<usize>>, Vec<usize>);

/// An operation over axes.
type Reduction = fn(&mut Record<f64>, &Var<f64>, &[usize]) -> fer::Result<Var<f64>>;

/// Values and gradients of a tape.
#[derive(Default)]
struct State {
    record: Record<f64>,
    gradients: Option<Gradients<f64>>,
}

/// A record of operations.
#[pyclass(frozen, module = "fer_cnn")]
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<State>>);

impl Tape {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value, and the tape that recorded it; without a tape, a constant.
#[pyclass(frozen, module = "fer_cnn")]
#[derive(Clone)]
pub struct Tensor {
    var: Var<f64>,
    tape: Option<Tape>,
}

/// Copies whatever NumPy understands as numbers.
fn values(x: &Bound<'_, PyAny>) -> PyResult<Values<f64>> {
    let py = x.py();
    let options = PyDict::new(py);
    options.set_item("dtype", "float64")?;
    options.set_item("order", "C")?;
    let array = py.import("numpy")?.call_method("asarray", (x,), Some(&options))?;
    let array: PyReadonlyArrayDyn<'_, f64> = array.extract()?;
    let slice = array.as_slice().map_err(|_| usage("tensor: expected an array in C order"))?;
    Values::from_slice(slice, array.as_array().shape()).map_err(raise)
}

fn to_numpy<'py>(py: Python<'py>, x: &Values<f64>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    x.to_vec().into_pyarray(py).reshape(x.shape().to_vec())
}

/// An operand: a tensor, or a constant.
pub struct Operand(Tensor);

impl<'a, 'py> FromPyObject<'a, 'py> for Operand {
    type Error = PyErr;
    fn extract(x: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(tensor) = x.cast::<Tensor>() {
            return Ok(Operand(tensor.get().clone()));
        }
        Ok(Operand(Tensor { var: Var::constant(values(&x)?), tape: None }))
    }
}

/// Applies an operation on the tape of its inputs.
fn apply(
    inputs: &[&Tensor],
    op: impl FnOnce(&mut Record<f64>, &[&Var<f64>]) -> fer::Result<Var<f64>>,
) -> PyResult<Tensor> {
    let mut tapes = inputs.iter().filter_map(|x| x.tape.as_ref());
    let tape = tapes.next();
    if tapes.any(|other| tape.is_some_and(|tape| !Arc::ptr_eq(&tape.0, &other.0))) {
        return Err(usage("the operands are on two tapes; expected one"));
    }
    let vars: Vec<&Var<f64>> = inputs.iter().map(|x| &x.var).collect();
    let var = match tape {
        Some(tape) => op(&mut tape.state().record, &vars),
        None => op(&mut Record::new(), &vars),
    };
    Ok(Tensor { var: var.map_err(raise)?, tape: tape.cloned() })
}

#[pymethods]
impl Tape {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// A value whose gradient is wanted.
    fn leaf(&self, value: &Bound<'_, PyAny>) -> PyResult<Tensor> {
        let var = self.state().record.leaf(values(value)?);
        Ok(Tensor { var, tape: Some(self.clone()) })
    }

    /// Name, inputs and shape of every recorded operation. An input is the number of an earlier one, or
    /// `None` for a constant.
    fn nodes(&self) -> Vec<NodeRow> {
        let state = self.state();
        let ids: Vec<NodeId> = state.record.nodes().map(|(id, ..)| id).collect();
        let number = |id: &Option<NodeId>| ids.binary_search(id.as_ref()?).ok();
        let nodes = state.record.nodes();
        nodes
            .map(|(_, name, inputs, shape)| {
                (name, inputs.iter().map(number).collect(), shape.to_vec())
            })
            .collect()
    }

    fn __len__(&self) -> usize {
        self.state().record.len()
    }
}

#[pymethods]
impl Tensor {
    /// So that `array * tensor` is a tensor.
    #[classattr]
    #[pyo3(name = "__array_ufunc__")]
    const ARRAY_UFUNC: Option<bool> = None;

    #[new]
    fn new(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { var: Var::constant(values(value)?), tape: None })
    }

    #[getter]
    fn shape(&self) -> Vec<usize> {
        self.var.shape().to_vec()
    }

    fn numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        to_numpy(py, self.var.value())
    }

    fn item(&self) -> PyResult<f64> {
        match self.var.value().elements() {
            1 => Ok(self.var.value().item()),
            n => Err(usage(format!("item: expected one number, found {n}"))),
        }
    }

    #[getter]
    fn requires_grad(&self) -> bool {
        self.var.requires_grad()
    }

    /// The gradient after `backward`; `None` where the output does not depend on this tensor.
    #[getter]
    fn grad<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        let Some(tape) = &self.tape else { return Ok(None) };
        let state = tape.state();
        let found = state.gradients.as_ref().and_then(|all| all.get(&self.var));
        found.map(|grad| to_numpy(py, grad)).transpose()
    }

    /// Keeps the gradient of an intermediate result.
    fn retain_grad(&self) {
        if let Some(tape) = &self.tape {
            tape.state().record.retain_grad(&self.var);
        }
    }

    /// Computes the gradients, and empties the tape.
    #[pyo3(signature = (grad_output = None))]
    fn backward(&self, grad_output: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let Some(tape) = &self.tape else {
            return Err(usage("backward: a constant has no gradient; start from Tape.leaf"));
        };
        let grad_output = grad_output.map(values).transpose()?;
        let mut state = tape.state();
        let found = match grad_output {
            Some(grad) => state.record.backward_from(&self.var, grad),
            None => state.record.backward(&self.var),
        };
        state.gradients = Some(found.map_err(raise)?);
        Ok(())
    }

    fn detach(&self) -> Self {
        Self { var: self.var.detach(), tape: None }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let values = self.numpy(py)?.repr()?.to_string();
        let grad = if self.requires_grad() { ", requires_grad=True" } else { "" };
        Ok(format!("Tensor({}{grad})", values.trim_start_matches("array(").trim_end_matches(')')))
    }

    fn __add__(&self, other: Operand) -> PyResult<Self> {
        apply(&[self, &other.0], |t, x| ops::add(t, x[0], x[1]))
    }
    fn __radd__(&self, other: Operand) -> PyResult<Self> {
        apply(&[&other.0, self], |t, x| ops::add(t, x[0], x[1]))
    }
    fn __sub__(&self, other: Operand) -> PyResult<Self> {
        apply(&[self, &other.0], |t, x| ops::sub(t, x[0], x[1]))
    }
    fn __rsub__(&self, other: Operand) -> PyResult<Self> {
        apply(&[&other.0, self], |t, x| ops::sub(t, x[0], x[1]))
    }
    fn __mul__(&self, other: Operand) -> PyResult<Self> {
        apply(&[self, &other.0], |t, x| ops::mul(t, x[0], x[1]))
    }
    fn __rmul__(&self, other: Operand) -> PyResult<Self> {
        apply(&[&other.0, self], |t, x| ops::mul(t, x[0], x[1]))
    }
    fn __truediv__(&self, other: Operand) -> PyResult<Self> {
        apply(&[self, &other.0], |t, x| ops::div(t, x[0], x[1]))
    }
    fn __rtruediv__(&self, other: Operand) -> PyResult<Self> {
        apply(&[&other.0, self], |t, x| ops::div(t, x[0], x[1]))
    }
    fn __matmul__(&self, other: Operand) -> PyResult<Self> {
        apply(&[self, &other.0], |t, x| ops::matmul(t, x[0], x[1]))
    }
    fn __neg__(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::neg(t, x[0]))
    }
    fn __pow__(&self, exponent: f64, modulo: Option<i64>) -> PyResult<Self> {
        let _ = modulo; // Python's third argument of pow()
        apply(&[self], |t, x| ops::pow(t, x[0], exponent))
    }

    fn exp(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::exp(t, x[0]))
    }
    fn log(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::ln(t, x[0]))
    }
    fn sqrt(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::sqrt(t, x[0]))
    }
    fn relu(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::relu(t, x[0]))
    }
    #[pyo3(signature = (slope = 0.01))]
    fn leaky_relu(&self, slope: f64) -> PyResult<Self> {
        apply(&[self], |t, x| ops::leaky_relu(t, x[0], slope))
    }
    fn sigmoid(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::sigmoid(t, x[0]))
    }
    fn tanh(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::tanh(t, x[0]))
    }
    fn softmax(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::softmax(t, x[0]))
    }
    fn log_softmax(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::log_softmax(t, x[0]))
    }

    /// Sum over axes, which stay with size 1; over all of them, a single number.
    #[pyo3(signature = (axes = None))]
    fn sum(&self, axes: Option<Vec<usize>>) -> PyResult<Self> {
        self.reduce(axes, ops::sum)
    }
    #[pyo3(signature = (axes = None))]
    fn mean(&self, axes: Option<Vec<usize>>) -> PyResult<Self> {
        self.reduce(axes, ops::mean)
    }
    #[pyo3(signature = (axes = None))]
    fn max(&self, axes: Option<Vec<usize>>) -> PyResult<Self> {
        self.reduce(axes, ops::max)
    }
    fn reshape(&self, shape: Vec<usize>) -> PyResult<Self> {
        apply(&[self], |t, x| ops::reshape(t, x[0], &shape))
    }
    #[pyo3(signature = (axes = None))]
    fn transpose(&self, axes: Option<Vec<usize>>) -> PyResult<Self> {
        let axes = axes.unwrap_or_else(|| (0..self.var.shape().len()).rev().collect());
        apply(&[self], |t, x| ops::transpose(t, x[0], &axes))
    }
    fn linear(&self, weight: Operand, bias: Operand) -> PyResult<Self> {
        apply(&[self, &weight.0, &bias.0], |t, x| ops::linear(t, x[0], x[1], x[2]))
    }

    #[pyo3(signature = (weight, bias = None, stride = 1, padding = 0, dilation = 1, groups = 1))]
    fn conv2d(
        &self,
        weight: Operand,
        bias: Option<Operand>,
        stride: usize,
        padding: usize,
        dilation: usize,
        groups: usize,
    ) -> PyResult<Self> {
        let [stride, padding, dilation] = [[stride; 2], [padding; 2], [dilation; 2]];
        let options = Conv2dOptions { stride, padding, dilation, groups };
        match bias {
            Some(bias) => apply(&[self, &weight.0, &bias.0], |t, x| {
                ops::conv2d(t, x[0], x[1], Some(x[2]), options)
            }),
            None => apply(&[self, &weight.0], |t, x| ops::conv2d(t, x[0], x[1], None, options)),
        }
    }
    fn max_pool2d(&self, size: usize) -> PyResult<Self> {
        apply(&[self], |t, x| ops::max_pool2d(t, x[0], Pool2dOptions::square(size)))
    }
    fn avg_pool2d(&self, size: usize) -> PyResult<Self> {
        apply(&[self], |t, x| ops::avg_pool2d(t, x[0], Pool2dOptions::square(size)))
    }
    fn global_avg_pool2d(&self) -> PyResult<Self> {
        apply(&[self], |t, x| ops::global_avg_pool2d(t, x[0]))
    }
    #[pyo3(signature = (gamma, beta, eps = 1e-5))]
    fn batch_norm(&self, gamma: Operand, beta: Operand, eps: f64) -> PyResult<Self> {
        apply(&[self, &gamma.0, &beta.0], |t, x| {
            Ok(ops::batch_norm_train(t, x[0], x[1], x[2], eps, None)?.0)
        })
    }
    #[pyo3(signature = (p, seed = 0))]
    fn dropout(&self, p: f64, seed: u64) -> PyResult<Self> {
        apply(&[self], |t, x| ops::dropout(t, x[0], p, Rng::new(seed, Purpose::Dropout, 0, 0)))
    }
    #[pyo3(signature = (labels, label_smoothing = 0.0))]
    fn cross_entropy(&self, labels: Vec<usize>, label_smoothing: f64) -> PyResult<Self> {
        let options = CrossEntropyOptions { label_smoothing, class_weights: None };
        apply(&[self], |t, x| ops::cross_entropy(t, x[0], &Targets::Labels(labels), &options))
    }
}

impl Tensor {
    /// Reduces over axes; without them over all, to a single number.
    fn reduce(&self, axes: Option<Vec<usize>>, op: Reduction) -> PyResult<Self> {
        let Some(axes) = axes else {
            let all: Vec<usize> = (0..self.var.shape().len()).collect();
            return apply(&[self], |t, x| {
                let y = op(t, x[0], &all)?;
                ops::reshape(t, &y, &[])
            });
        };
        apply(&[self], |t, x| op(t, x[0], &axes))
    }
}

/// Joins tensors along an axis.
#[pyfunction]
pub fn concat(tensors: Vec<Operand>, axis: usize) -> PyResult<Tensor> {
    let inputs: Vec<&Tensor> = tensors.iter().map(|x| &x.0).collect();
    apply(&inputs, |t, x| ops::concat(t, x, axis))
}
