//! Properties of the tape that hold for all ops.

mod errors;
mod precision;
mod shapes;
mod threads;

use fer::autograd::{Backward, InputGrads, NodeId, Tape, Var};
use fer::tensor::Tensor;
use fer::{Error, Result, ops};
use std::sync::{Arc, Mutex};

fn number(tape: &mut Tape<f64>, value: f64) -> Var<f64> {
    tape.leaf(Tensor::scalar(value))
}

/// The gradient of `x`, a scalar.
fn slope(tape: &mut Tape<f64>, y: &Var<f64>, x: &Var<f64>) -> f64 {
    tape.backward(y).unwrap().get(x).expect("a gradient").item()
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T>, word: &str) {
    match result {
        Err(e @ Error::Shape { .. }) => assert!(e.to_string().contains(word), "{e}"),
        other => panic!("expected a shape error with `{word}`, found {other:?}"),
    }
}

#[test]
fn a_value_used_twice_adds_up_its_gradients() -> Result<()> {
    let mut t = Tape::new();
    let x = number(&mut t, 3.0);
    let y = ops::add(&mut t, &x, &x)?;
    assert_eq!(slope(&mut t, &y, &x), 2.0);

    let x = number(&mut t, 3.0);
    let square = ops::mul(&mut t, &x, &x)?;
    let cube = ops::mul(&mut t, &square, &x)?;
    assert_eq!(slope(&mut t, &cube, &x), 27.0); // 3x²

    let x = t.leaf(Tensor::full(&[2], 3.0));
    let y = ops::concat(&mut t, &[&x, &x, &x], 0)?;
    let u = Tensor::from_fn(&[6], |i| 10_f64.powi(i as i32));
    let gradients = t.backward_from(&y, u)?;
    assert_eq!(gradients.get(&x).unwrap().to_vec(), [10101.0, 101010.0]);
    Ok(())
}

/// y = (a + a·b)·(a·b): `a·b` is used by two nodes.
#[test]
fn a_node_with_two_users_passes_on_its_complete_gradient() -> Result<()> {
    let mut t = Tape::new();
    let (a, b) = (number(&mut t, 2.0), number(&mut t, 5.0));
    let ab = ops::mul(&mut t, &a, &b)?;
    let left = ops::add(&mut t, &a, &ab)?;
    let y = ops::mul(&mut t, &left, &ab)?;
    let gradients = t.backward(&y)?;
    assert_eq!(gradients.get(&a).unwrap().item(), 2.0 * 2.0 * 5.0 + 2.0 * 2.0 * 25.0);
    assert_eq!(gradients.get(&b).unwrap().item(), 4.0 + 2.0 * 4.0 * 5.0);
    Ok(())
}

#[test]
fn a_chain_of_100_000_nodes_needs_no_stack() -> Result<()> {
    const NODES: usize = 100_000;
    let work = || -> Result<f64> {
        let mut t = Tape::new();
        let x = number(&mut t, 1.0);
        let c = Var::constant(Tensor::scalar(1.0 / NODES as f64));
        let mut y = x.clone();
        for _ in 0..NODES {
            y = ops::add(&mut t, &y, &c)?;
        }
        assert_eq!(t.len(), NODES + 1);
        assert!((y.value().item() - 2.0).abs() < 1e-9);
        let slope = t.vjp(&y, Tensor::scalar(3.0))?.get(&x).unwrap().item();
        assert_eq!(t.backward(&y)?.get(&x).unwrap().item(), 1.0);
        // Dropping a long tape needs no stack either.
        let mut t = Tape::new();
        let mut y = number(&mut t, 1.0);
        for _ in 0..NODES {
            y = ops::neg(&mut t, &y)?;
        }
        drop(t);
        Ok(slope)
    };
    // A thread with 64 KB of stack: any recursion over the nodes would overflow it.
    let small = std::thread::Builder::new().stack_size(64 * 1024);
    assert_eq!(small.spawn(move || work().unwrap()).unwrap().join().unwrap(), 3.0);
    Ok(())
}

#[test]
fn no_grad_records_nothing() -> Result<()> {
    let mut t = Tape::new();
    let x = number(&mut t, 3.0);
    let (inner, leaf) = t.no_grad(|t| (ops::mul(t, &x, &x), t.leaf(Tensor::scalar(1.0))));
    let inner = inner?;
    assert_eq!(inner.value().item(), 9.0);
    assert!(!inner.requires_grad() && !leaf.requires_grad());
    assert_eq!(t.len(), 1);
    t.no_grad(|t| t.no_grad(|_| ()));
    let y = ops::mul(&mut t, &inner, &x)?; // records again, and 9 is a constant
    assert_eq!(slope(&mut t, &y, &x), 9.0);
    Ok(())
}

#[test]
fn detach_cuts_the_gradient() -> Result<()> {
    let mut t = Tape::new();
    let x = number(&mut t, 3.0);
    let square = ops::mul(&mut t, &x, &x)?;
    let y = ops::mul(&mut t, &square.detach(), &x)?;
    assert_eq!(slope(&mut t, &y, &x), 9.0); // not 27
    assert!(!square.detach().requires_grad());
    assert_refused(t.backward(&square.detach()), "not on this tape");
    Ok(())
}

#[test]
fn vjp_keeps_the_tape_and_backward_consumes_it() -> Result<()> {
    let mut t = Tape::new();
    let x = t.leaf(Tensor::from_slice(&[1.0, -2.0, 3.0], &[3])?);
    let s = ops::sigmoid(&mut t, &x)?;
    let y = ops::mul(&mut t, &s, &x)?;
    let u = Tensor::from_slice(&[1.0, 10.0, 100.0], &[3])?;
    let gradient = |g: fer::autograd::Gradients<f64>| g.get(&x).unwrap().to_vec();
    let first = gradient(t.vjp(&y, u.clone())?);
    assert_eq!(gradient(t.vjp(&y, u.clone())?), first);
    let twice = gradient(t.vjp(&y, u.map(|u| 2.0 * u))?);
    assert_eq!(twice, first.iter().map(|g| 2.0 * g).collect::<Vec<_>>());
    let last = t.backward_from(&y, u.clone())?;
    assert_eq!(gradient(last), first);
    assert!(t.is_empty());
    assert_refused(t.vjp(&y, u.clone()), "not on this tape");
    assert_refused(t.backward_from(&y, u), "not on this tape");
    Ok(())
}

#[test]
fn backward_starts_from_a_single_number_on_the_tape() -> Result<()> {
    let mut t = Tape::new();
    let x = t.leaf(Tensor::from_slice(&[1.0, 2.0], &[2])?);
    let y = ops::exp(&mut t, &x)?;
    assert_refused(t.backward(&y), "[2]");
    assert_refused(t.vjp(&y, Tensor::zeros(&[3])), "[3]");
    assert_eq!(t.len(), 2, "a refused backward pass leaves the tape as it was");
    let leaf = number(&mut t, 5.0);
    assert_eq!(slope(&mut t, &leaf, &leaf), 1.0);
    Ok(())
}

/// A variable recorded before `clear` (or `backward`) is no longer on the tape: using it is an
/// error of the backward pass, never a panic or the gradient of another value.
#[test]
fn stale_variables_are_refused() -> Result<()> {
    let mut t = Tape::new();
    let old = number(&mut t, 2.0);
    t.clear();
    t.retain_grad(&old); // nothing to retain
    assert_refused(t.backward(&old), "not on this tape");
    let x = number(&mut t, 3.0);
    assert_ne!(x.id(), old.id(), "ids are never used twice");
    let y = ops::mul(&mut t, &x, &old)?;
    assert_refused(t.vjp(&y, Tensor::scalar(1.0)), "mul: an input is not on this tape");
    assert_refused(t.backward(&y), "mul: an input is not on this tape");

    // After the error the tape still works, with new ids.
    let z = number(&mut t, 4.0);
    assert!(z.id() > y.id());
    let y = ops::mul(&mut t, &z, &z)?;
    let gradients = t.backward(&y)?;
    assert_eq!(gradients.get(&z).unwrap().item(), 8.0);
    assert!(gradients.get(&old).is_none() && gradients.get(&x).is_none());

    // A node of a longer tape.
    let mut longer = Tape::new();
    let far = (0..100).map(|_| number(&mut longer, 1.0)).last().unwrap();
    t.retain_grad(&far);
    let x = number(&mut t, 1.0);
    let y = ops::add(&mut t, &x, &far)?;
    assert_refused(t.backward(&y), "add: an input is not on this tape");
    assert_refused(t.backward(&far), "not on this tape");
    Ok(())
}

/// Two tapes of the same length: a node of one is never taken for a node of the other.
#[test]
fn variables_of_another_tape_are_refused() -> Result<()> {
    let (mut here, mut there) = (Tape::new(), Tape::new());
    let (a, b) = (number(&mut here, 3.0), number(&mut there, 5.0));
    assert_ne!(a.id(), b.id());
    let y = ops::mul(&mut here, &a, &b)?;
    assert_refused(here.vjp(&y, Tensor::scalar(1.0)), "mul: an input is not on this tape");
    assert_refused(here.backward(&y), "mul: an input is not on this tape");

    let a = number(&mut here, 3.0);
    let y = ops::mul(&mut here, &b, &b)?; // of nothing on this tape
    assert_refused(here.vjp(&y, Tensor::scalar(1.0)), "mul: an input is not on this tape");
    assert_refused(here.vjp(&b, Tensor::scalar(1.0)), "the output is not on this tape");
    let square = ops::mul(&mut here, &a, &a)?;
    let other = ops::mul(&mut there, &b, &b)?;
    let twin = ops::exp(&mut there, &other)?; // the same index as `square`
    here.retain_grad(&twin);
    let y = ops::neg(&mut here, &square)?;
    let gradients = here.backward(&y)?;
    assert_eq!(gradients.get(&a).unwrap().item(), -6.0);
    assert!(gradients.get(&square).is_none(), "kept for a variable of another tape");
    assert!(gradients.get(&b).is_none(), "a gradient of another tape's variable");
    Ok(())
}

#[test]
fn gradients_are_kept_for_leaves_and_retained_values() -> Result<()> {
    let mut t = Tape::new();
    let x = number(&mut t, 3.0);
    let unused = number(&mut t, 3.0);
    let square = ops::mul(&mut t, &x, &x)?;
    let half = ops::sqrt(&mut t, &square)?;
    let y = ops::mul(&mut t, &half, &square)?; // x³
    t.retain_grad(&square);
    let gradients = t.backward(&y)?;
    assert_eq!(gradients.get(&square).unwrap().item(), 3.0 + 9.0 / 6.0); // complete
    assert_eq!(gradients.get(&x).unwrap().item(), 27.0);
    assert!(gradients.get(&half).is_none() && gradients.get(&unused).is_none());
    Ok(())
}

/// The hook of guided backpropagation lets a gradient through a ReLU only where value and gradient
/// are positive; nothing else changes.
#[test]
fn a_hook_may_change_the_gradients() -> Result<()> {
    let values = Tensor::from_slice(&[1.0, 2.0, -1.0, -2.0], &[4])?;
    let u = Tensor::from_slice(&[1.0, -1.0, 1.0, -1.0], &[4])?;
    let mut block_negative = |_: NodeId, op: &str, grad: &mut Tensor<f64>| {
        if op == "relu" {
            *grad = grad.map(|g| g.max(0.0));
        }
    };
    let mut gradient = |guided, f: fn(&mut Tape<f64>, &Var<f64>) -> Result<Var<f64>>| {
        let mut t = Tape::new();
        let x = t.leaf(values.clone());
        let y = f(&mut t, &x)?;
        let gradients = match guided {
            true => t.backward_with(&y, u.clone(), &mut block_negative)?,
            false => t.backward_from(&y, u.clone())?,
        };
        Ok::<_, Error>(gradients.get(&x).unwrap().to_vec())
    };
    assert_eq!(gradient(false, ops::relu)?, [1.0, -1.0, 0.0, 0.0]);
    assert_eq!(gradient(true, ops::relu)?, [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient(true, ops::neg)?, [-1.0, 1.0, -1.0, 1.0]);
    Ok(())
}

/// A leaf that is used twice is visited once, when both gradients are there.
#[test]
fn a_hook_sees_the_complete_gradient_of_a_leaf() -> Result<()> {
    let mut t = Tape::new();
    let x = t.leaf(Tensor::scalar(3.0_f64));
    let square = ops::mul(&mut t, &x, &x)?;
    let y = ops::add(&mut t, &square, &x)?;
    let mut seen = Vec::new();
    let gradients = t.backward_with(&y, Tensor::scalar(1.0), &mut |id, op, grad| {
        if op == "leaf" {
            seen.push((Some(id), grad.item()));
        }
    })?;
    assert_eq!(seen, [(x.id(), 7.0)]);
    assert_eq!(gradients.get(&x).unwrap().item(), 7.0);
    Ok(())
}

/// An op that records the inputs for which its backward pass computed a gradient.
struct Spy(Arc<Mutex<Vec<usize>>>);

impl Backward<f64> for Spy {
    fn name(&self) -> &'static str {
        "spy"
    }
    fn backward(&self, grad_output: &Tensor<f64>, grads: &mut InputGrads<f64>) -> Result<()> {
        for i in 0..3 {
            grads.set(i, || {
                self.0.lock().unwrap().push(i);
                Ok(grad_output.clone())
            })?;
        }
        Ok(())
    }
}

#[test]
fn nothing_is_computed_for_inputs_that_are_constants() -> Result<()> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut t = Tape::new();
    let leaf = number(&mut t, 1.0);
    let constant = Var::constant(Tensor::scalar(1.0));
    let spy = |inputs: &[&Var<f64>], t: &mut Tape<f64>| {
        t.record(Tensor::scalar(0.0), inputs, Spy(seen.clone()))
    };
    let y = spy(&[&constant, &leaf, &constant], &mut t);
    let aside = spy(&[&leaf], &mut t); // not part of y
    let nodes: Vec<_> = t.nodes().map(|(id, name, inputs, _)| (id, name, inputs.len())).collect();
    let id = |v: &Var<f64>| v.id().unwrap();
    assert_eq!(nodes, [(id(&leaf), "leaf", 0), (id(&y), "spy", 3), (id(&aside), "spy", 1)]);
    assert_eq!(slope(&mut t, &y, &leaf), 1.0);
    assert_eq!(*seen.lock().unwrap(), [1]);
    assert!(!spy(&[&constant], &mut t).requires_grad());
    assert!(t.is_empty());
    Ok(())
}

/// A saved value does not change when another tensor that shares its buffer is written.
#[test]
fn saved_values_are_safe_from_later_writes() -> Result<()> {
    let mut t = Tape::new();
    let x = number(&mut t, 3.0);
    let y = ops::mul(&mut t, &x, &x)?;
    let mut mine = x.value().clone();
    mine.as_mut_slice()[0] = 100.0;
    assert_eq!((x.value().item(), mine.item()), (3.0, 100.0));
    assert_eq!(slope(&mut t, &y, &x), 6.0);
    Ok(())
}

/// A step reuses the buffers of the steps before, in any order. (No other test uses this size.)
#[test]
fn a_step_reuses_the_buffers_of_the_step_before() -> Result<()> {
    const SIZE: usize = 1_234_567;
    let input = Tensor::<f64>::full(&[SIZE], 0.5);
    let step = || -> Result<Vec<*const f64>> {
        let mut t = Tape::new();
        let x = t.leaf(input.clone());
        let y = ops::exp(&mut t, &x)?;
        let z = ops::mul(&mut t, &y, &x)?;
        let u = Tensor::full(&[SIZE], 1.0);
        let mut places = vec![y.value().as_slice().as_ptr(), z.value().as_slice().as_ptr()];
        places.push(u.as_slice().as_ptr());
        let gradients = t.backward_from(&z, u)?;
        places.push(gradients.get(&x).unwrap().as_slice().as_ptr());
        Ok(places)
    };
    let before = [step()?, step()?].concat();
    for place in [step()?, step()?].concat() {
        assert!(before.contains(&place), "{place:?} is a new buffer");
    }
    Ok(())
}

#[test]
fn ids_are_in_the_order_of_the_nodes() -> Result<()> {
    let mut t = Tape::new();
    let x = number(&mut t, 1.0);
    let y = ops::neg(&mut t, &x)?;
    let ids: Vec<NodeId> = t.nodes().map(|(id, ..)| id).collect();
    assert_eq!(ids, [x.id().unwrap(), y.id().unwrap()]);
    assert!(ids.is_sorted());
    Ok(())
}

/// A backward pass may write a gradient into the memory of a saved value, if nobody else holds it.
#[test]
fn reused_memory_changes_no_value_that_others_hold() -> Result<()> {
    let run = |held: bool| {
        let mut t = Tape::new();
        let a = t.leaf(Tensor::from_fn(&[6, 20], |i| (i * 7 % 11) as f32));
        let [gamma, beta] = [1.5, 0.5].map(|v| t.leaf(Tensor::full(&[20], v)));
        let x = ops::mul(&mut t, &a, &a)?;
        let before = x.value().to_vec();
        let (y, _) = ops::batch_norm_relu_train(&mut t, &x, &gamma, &beta, 1e-3, 1, None)?;
        let holder = held.then(|| x.clone());
        drop(x);
        let u = Tensor::from_fn(&[6, 20], |i| (i % 3) as f32);
        let [first, again] = [t.vjp(&y, u.clone())?, t.vjp(&y, u.clone())?];
        let last = t.backward_from(&y, u)?;
        let all = [first, again, last].map(|g| g.get(&a).unwrap().to_vec());
        assert!(all[0] == all[1] && all[0] == all[2]);
        assert!(holder.is_none_or(|x| x.value().to_vec() == before));
        Ok::<_, Error>(all[0].clone())
    };
    assert_eq!(run(true)?, run(false)?);
    Ok(())
}
