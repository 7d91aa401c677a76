//! Gradients have the shape of their values, and the layout of a tensor is that of its memory.

use crate::laws::engine::assert_refused;
use fer::autograd::{Backward, InputGrads, Tape, Var, gradcheck, unbroadcast};
use fer::tensor::{Shape, Tensor};
use fer::{Result, ops};
use fer_kernels::Layout;

/// An op whose backward pass gives its second input a gradient of this shape, right or wrong.
struct Wrong(Vec<usize>);

impl Backward<f64> for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn backward(&self, _: &Tensor<f64>, grads: &mut InputGrads<f64>) -> Result<()> {
        grads.set(1, || Ok(Tensor::zeros(&self.0)))
    }
}

/// A zero of the inputs, by an op whose gradient of the second has the given shape.
fn wrong(t: &mut Tape<f64>, v: &[Var<f64>], shape: &[usize]) -> Var<f64> {
    t.record(Tensor::scalar(0.0), &[&v[0], &v[1]], Wrong(shape.to_vec()))
}

#[test]
fn a_gradient_of_another_shape_is_an_error_that_names_the_op() -> Result<()> {
    let inputs = [Tensor::zeros(&[3]), Tensor::zeros(&[2, 3])];
    for shape in [&[2, 2][..], &[3, 2], &[6], &[1, 2, 3], &[]] {
        let mut t = Tape::new();
        let leaves = inputs.clone().map(|x| t.leaf(x));
        let y = wrong(&mut t, &leaves, shape);
        // Alone it would be stored as it is, beside another it would be added to that.
        let one = ops::sum(&mut t, &leaves[1], &[0, 1])?;
        let both = ops::mul(&mut t, &one, &y)?;
        for y in [&y, &both] {
            let u = Tensor::full(&y.shape(), 1.0);
            let words = format!("wrong: its backward pass gives {shape:?} to an input [2, 3]");
            assert_refused(t.vjp(y, u), &words);
        }
        assert_refused(t.backward(&y), "wrong");
        // A constant 0 has a gradient of 0: only the shape can show that this one is wrong.
        assert_refused(gradcheck(&inputs, 1e-5, 1e-7, |t, v| Ok(wrong(t, v, shape))), "wrong");
    }
    let found = gradcheck(&inputs, 1e-5, 1e-7, |t, v| Ok(wrong(t, v, &[2, 3])))?;
    assert_eq!(found.error, 0.0);
    Ok(())
}

#[test]
fn a_shape_that_is_no_broadcast_is_an_error() {
    let sum = |from: &[usize], to: &[usize]| unbroadcast(Tensor::full(from, 1.0), &Shape::new(to));
    assert_eq!(sum(&[2, 3], &[3]).unwrap().to_vec(), [2.0; 3]);
    assert_eq!(sum(&[2, 3], &[2, 1]).unwrap().to_vec(), [3.0; 2]);
    assert_refused(sum(&[3], &[2, 3]), "unbroadcast: [3] is no gradient of a broadcast [2, 3]");
    assert_refused(sum(&[], &[1]), "unbroadcast: []");
    assert_refused(sum(&[2, 3], &[3, 2]), "[3, 2]");
}

/// Only a tensor of four axes can be channels-last. Any other is row-major and reports it, also
/// after it is reshaped to four axes.
#[test]
fn memory_is_channels_last_with_four_axes_only() -> Result<()> {
    let counted = |shape: &[usize], layout| {
        Tensor::<f64>::build(Shape::new(shape), layout, |y| {
            y.iter_mut().enumerate().for_each(|(i, y)| *y = i as f64);
        })
    };
    for shape in [&[][..], &[24], &[4, 6], &[2, 3, 4], &[1, 2, 3, 4, 1]] {
        let x = counted(shape, Layout::Nhwc);
        assert_eq!(x.layout(), Layout::Nchw, "{shape:?}");
        assert_eq!(x.to_layout(Layout::Nhwc).layout(), Layout::Nchw, "{shape:?}");
    }
    let picture = counted(&[2, 3, 4], Layout::Nhwc).reshape(&[1, 2, 3, 4])?;
    assert_eq!(picture.layout(), Layout::Nchw);
    assert_eq!(picture.to_vec(), (0..24).map(f64::from).collect::<Vec<_>>());
    let mut t = Tape::new();
    let [a, b] =
        [Tensor::zeros(&[1, 2, 3, 4]), counted(&[2, 3, 4], Layout::Nhwc)].map(Var::constant);
    assert_eq!(ops::add(&mut t, &a, &b)?.value().to_vec(), picture.to_vec());
    assert_eq!(counted(&[1, 2, 3, 4], Layout::Nhwc).layout(), Layout::Nhwc);
    Ok(())
}
