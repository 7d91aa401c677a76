//! Memory that one training step leaves for the next.
//!
//! A step records the same ops as the step before. [`boxed`] puts each into the box of an op of the same
//! type whose backward pass is done, and the lists of a tape come back by [`take`] and [`give`]. So after the
//! first steps a tape asks the system for no memory. What this buys is small in seconds: it keeps the cost
//! of a step the same from step to step.

use crate::Result;
use crate::autograd::{Backward, InputGrads};
use crate::tensor::{Element, Tensor};
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

/// Most things of one type that are kept for the next step.
const MOST: usize = 1024;

thread_local! {
    /// For each type X, a `Vec<X>` of spare ones.
    static SPARE: RefCell<HashMap<TypeId, Box<dyn Any>>> = RefCell::new(HashMap::new());
}

/// Takes a thing that was given on this thread.
pub(crate) fn take<X: 'static>() -> Option<X> {
    let take = |all: &mut HashMap<TypeId, Box<dyn Any>>| {
        all.get_mut(&TypeId::of::<X>())?.downcast_mut::<Vec<X>>()?.pop()
    };
    SPARE.try_with(|all| take(&mut all.borrow_mut())).ok()?
}

/// Keeps a thing for the next who takes one on this thread.
pub(crate) fn give<X: 'static>(x: X) {
    let _ = SPARE.try_with(|all| {
        let mut all = all.borrow_mut();
        let kept = all.entry(TypeId::of::<X>()).or_insert_with(|| Box::new(Vec::<X>::new()));
        if let Some(kept) = kept.downcast_mut::<Vec<X>>().filter(|kept| kept.len() < MOST) {
            kept.push(x);
        }
    });
}

/// Takes an empty list, with room for `usual` elements if none was given back.
pub(crate) fn take_list<X: 'static>(usual: usize) -> Vec<X> {
    take().unwrap_or_else(|| Vec::with_capacity(usual))
}

/// Empties a list and keeps it.
pub(crate) fn give_list<X: 'static>(list: &mut Vec<X>) {
    list.clear();
    if list.capacity() > 0 {
        give(std::mem::take(list));
    }
}

/// An op on a tape, whatever its type: [`Backward`] in a box.
pub(crate) trait Recorded<T: Element>: Send {
    fn name(&self) -> &'static str;
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()>;
    /// Runs the op's last backward pass, and keeps the box.
    fn backward_once(
        self: Box<Self>,
        grad_output: Tensor<T>,
        grads: &mut InputGrads<T>,
    ) -> Result<()>;
}

/// The content of a box: an op, or an empty place for the next one.
struct Place<O>(Option<O>);

/// Puts an op into a box.
pub(crate) fn boxed<T: Element>(op: impl Backward<T> + 'static) -> Box<dyn Recorded<T>> {
    fill(take().unwrap_or_else(|| Box::new(Place(None))), op)
}

fn fill<T: Element, O: Backward<T> + 'static>(
    mut place: Box<Place<O>>,
    op: O,
) -> Box<dyn Recorded<T>> {
    place.0 = Some(op);
    place
}

impl<T: Element, O: Backward<T> + 'static> Recorded<T> for Place<O> {
    fn name(&self) -> &'static str {
        self.0.as_ref().map_or("", |op| op.name())
    }

    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |op| op.backward(grad_output, grads))
    }

    fn backward_once(
        mut self: Box<Self>,
        grad_output: Tensor<T>,
        grads: &mut InputGrads<T>,
    ) -> Result<()> {
        let op = self.0.take();
        give(self);
        op.map_or(Ok(()), |op| op.backward_once(grad_output, grads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::Tape;
    use crate::ops;

    #[test]
    fn a_box_and_a_list_come_back() {
        give(vec![7_u8; 3]);
        assert_eq!(take::<Vec<u8>>(), Some(vec![7; 3]));
        assert_eq!(take::<Vec<u8>>(), None);
        let mut list = vec![1_u16];
        give_list(&mut list);
        let again = take_list::<u16>(100);
        assert!(list.is_empty() && again.is_empty() && again.capacity() < 100);
    }

    #[test]
    fn gradients_do_not_depend_on_what_was_in_the_box_before() {
        let gradient_at = |x: f64| {
            let mut tape = Tape::<f64>::new();
            let x = tape.leaf(Tensor::scalar(x));
            let y = ops::mul(&mut tape, &x, &x).unwrap();
            tape.backward(&y).unwrap().get(&x).unwrap().item()
        };
        assert_eq!([1.0, 2.0, 3.0].map(gradient_at), [2.0, 4.0, 6.0]);
    }
}
