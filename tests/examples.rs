//! Every example runs and gives the number that its first lines promise.

#![allow(dead_code)] // each example has a `main` of its own

#[path = "../examples/convolution.rs"]
mod convolution;
#[path = "../examples/gradcheck.rs"]
mod gradcheck;
#[path = "../examples/own_op.rs"]
mod own_op;
#[path = "../examples/saliency.rs"]
mod saliency;
#[path = "../examples/spiral.rs"]
mod spiral;
#[path = "../examples/tape.rs"]
mod tape;
#[path = "../examples/xor.rs"]
mod xor;

use fer::prelude::*;

#[test]
fn the_tape_gives_both_paths() {
    assert_eq!(tape::gradient_of_a().unwrap(), -2.0);
}

#[test]
fn the_gradient_check_passes() {
    let worst = gradcheck::worst_element().unwrap();
    assert!(worst.error < 1e-2, "{worst:?}");
}

#[test]
fn exclusive_or_is_learned() {
    let loss = xor::final_loss().unwrap();
    assert!(loss < 0.01, "{loss}");
}

/// Too small a rate has not arrived, a good one has, too large a one never does.
#[test]
fn the_learning_rate_decides_about_the_spiral() {
    let share = |lr| spiral::accuracy(&spiral::train(lr, 200).unwrap()).unwrap();
    let [small, good, large] = [0.001, 0.1, 10.0].map(share);
    assert!(good > 0.9 && small < good && large < good, "{small} {good} {large}");
}

#[test]
fn nine_windows_read_an_inner_pixel() {
    assert_eq!(convolution::windows_of_a_pixel().unwrap(), 9.0);
}

#[test]
fn the_saliency_map_is_on_the_face() {
    let share = saliency::share_in_the_middle().unwrap();
    assert!((0.25..1.0).contains(&share), "{share}"); // the middle is a quarter of the picture
}

#[test]
fn softplus_is_right_where_the_plain_formula_overflows() {
    assert!(own_op::largest_error().unwrap() < 1e-2);
    let mut tape = Tape::<f32>::new();
    let x = tape.leaf(Tensor::from_slice(&[-1000.0, 0.0, 1000.0], &[3]).unwrap());
    let y = own_op::softplus(&mut tape, &x).unwrap();
    assert_eq!(y.value().to_vec(), [0.0, 2_f32.ln(), 1000.0]);
    let slopes = tape.backward_from(&y, Tensor::full(&[3], 1.0)).unwrap();
    assert_eq!(slopes.get(&x).unwrap().to_vec(), [0.0, 0.5, 1.0]);
}
