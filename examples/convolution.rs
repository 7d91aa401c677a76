//! One filter on one drawn face: the vertical differences, and what comes back to the pixels.
//!
//! `cargo run --no-default-features --example convolution` draws the face and the answer as text, then
//! prints how many windows read a pixel in the middle: 9.

use fer::prelude::*;

fn main() -> Result<()> {
    println!("windows that read pixel (24, 24): {}", windows_of_a_pixel()?);
    Ok(())
}

/// Prints a face and its edges, and returns the number of windows that read its middle.
pub fn windows_of_a_pixel() -> Result<f32> {
    let faces = synthesize(&SynthOptions { count: 4, ..SynthOptions::default() })?;
    let gray: Vec<f32> = faces.pixels()[3 * 2304..].iter().map(|&p| f32::from(p) / 255.0).collect();
    let mut tape = Tape::new();
    let face = tape.leaf(Tensor::from_slice(&gray, &[1, 1, 48, 48])?);

    // Below minus above: bright under dark gives a positive number, as at a lip or an eyebrow.
    let below_minus_above = [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0];
    let filter = Var::constant(Tensor::from_slice(&below_minus_above, &[1, 1, 3, 3])?);
    let edges = ops::conv2d(&mut tape, &face, &filter, None, Conv2dOptions::default())?;
    print(&gray, 48, 0.0, 1.0);
    print(&edges.value().to_vec(), 46, -2.0, 2.0);

    // With a filter of ones the gradient of a pixel counts the windows that read it.
    let ones = Var::constant(Tensor::full(&[1, 1, 3, 3], 1.0));
    let sums = ops::conv2d(&mut tape, &face, &ones, None, Conv2dOptions::default())?;
    let total = ops::sum(&mut tape, &sums, &[0, 1, 2, 3])?;
    let gradients = tape.backward(&total)?;
    Ok(gradients.get(&face).map_or(0.0, |g| g.to_vec()[24 * 48 + 24]))
}

/// Prints every second row: dark to bright as space to `@`.
fn print(pixels: &[f32], width: usize, low: f32, high: f32) {
    for row in pixels.chunks(width).step_by(2) {
        let ink = |&v: &f32| (9.99 * ((v - low) / (high - low)).clamp(0.0, 1.0)) as usize;
        println!("{}", row.iter().map(|v| b" .:-=+*#%@"[ink(v)] as char).collect::<String>());
    }
}
