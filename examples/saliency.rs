//! Which pixels does the answer depend on? Saliency in twenty lines, with the embedded network.
//!
//! `cargo run --release --no-default-features --example saliency` draws |∂logit/∂pixel| of a drawn face as
//! text, then prints the share of it in the middle of the picture.

use fer::model::weights::network_file::{EMBEDDED, read_model};
use fer::prelude::*;

fn main() -> Result<()> {
    println!("share of the map in the middle half: {:.2}", share_in_the_middle()?);
    Ok(())
}

/// Returns the class of the face, and ∂logit/∂pixel, `[48·48]`.
pub fn saliency(pixels: &[f32]) -> Result<(usize, Vec<f32>)> {
    let (network, _) = read_model(EMBEDDED.as_ref())?;
    let mut pass = Pass::eval(); // running statistics, no gradients of the weights
    let image = pass.tape.leaf(Tensor::from_slice(pixels, &[1, 1, 48, 48])?);
    let logits = network.forward(&mut pass, &image)?;
    let z = logits.value().to_vec();
    let class = (0..z.len()).fold(0, |best, c| if z[c] > z[best] { c } else { best });
    let one_hot = Tensor::from_fn(&[1, z.len()], |c| if c == class { 1.0 } else { 0.0 });
    let gradients = pass.tape.backward_from(&logits, one_hot)?;
    Ok((class, gradients.get(&image).map_or(Vec::new(), Tensor::to_vec)))
}

/// Prints the map of a drawn face, and returns how much of it lies in the middle half of each side.
pub fn share_in_the_middle() -> Result<f32> {
    let faces = synthesize(&SynthOptions { count: 4, ..SynthOptions::default() })?;
    let gray: Vec<f32> = faces.pixels()[3 * 2304..].iter().map(|&p| f32::from(p) / 255.0).collect();
    let (class, gradient) = saliency(&gray)?;
    println!("{}", fer::CLASS_NAMES[class]);
    let largest = gradient.iter().fold(f32::MIN_POSITIVE, |a, g| a.max(g.abs()));
    for row in gradient.chunks(48).step_by(2) {
        let ink = |g: &f32| b" .:-=+*#%@"[(9.99 * g.abs() / largest) as usize] as char;
        println!("{}", row.iter().map(ink).collect::<String>());
    }
    let middle = |i: usize| (12..36).contains(&(i / 48)) && (12..36).contains(&(i % 48));
    let total: f32 = gradient.iter().map(|g| g.abs()).sum();
    let inside: f32 = (0..2304).filter(|&i| middle(i)).map(|i| gradient[i].abs()).sum();
    Ok(inside / total)
}
