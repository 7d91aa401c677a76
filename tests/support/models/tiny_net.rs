//! One small convolutional network with known filters.

use crate::support::models::{CLASSES, normals};
use fer::explain::NetworkClassifier;
use fer::model::{Network, NetworkSpec};
use fer::tensor::Tensor;

/// The statistics of its batch norms are 0 and 1, so that they multiply by γ.
const SPEC: &str = r#"
name = "tiny"
classes = ["a", "b", "c"]
mean = 0.5
std = 0.25
layers = [
    { type = "conv2d", filters = 6, kernel = 5 },
    { type = "batch_normalization", eps = 1e-30 },
    { type = "activation" },
    { type = "average_pooling2d", size = 2 },
    { type = "conv2d", filters = 8 },
    { type = "batch_normalization", eps = 1e-30 },
    { type = "activation" },
    { type = "global_average_pooling2d" },
    { type = "linear", units = 3 },
]
"#;

/// Returns a network with Gabor filters in the first convolution; `seed` draws the second one and the
/// linear layer. It lives as long as the program.
pub fn tiny_net(seed: u64) -> NetworkClassifier<'static> {
    let spec: NetworkSpec = toml::from_str(SPEC).unwrap();
    let mut network = Box::new(Network::new(spec, 0).unwrap());
    for (name, tensor) in network.state_mut() {
        let values = match name.as_str() {
            "conv2d_1.weight" => gabors(),
            "conv2d_2.weight" => normals(100 + seed, 8 * 6 * 9, 0.3),
            "batch_normalization_2.gamma" => vec![0.5, -1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.0],
            "linear_1.weight" => normals(200 + seed, CLASSES * 8, 3.0),
            "linear_1.bias" => vec![0.0; CLASSES],
            _ => continue,
        };
        *tensor = Tensor::from_slice(&values, &tensor.shape()).unwrap();
    }
    NetworkClassifier::new(Box::leak(network)).unwrap()
}

/// Six waves under a Gaussian, 5×5: three directions, period 8, sine and cosine.
fn gabors() -> Vec<f32> {
    let tap = |k: usize, p: usize| {
        let angle = std::f32::consts::PI * (k / 2) as f32 / 3.0;
        let (i, j) = ((p / 5) as f32 - 2.0, (p % 5) as f32 - 2.0);
        let phase = std::f32::consts::FRAC_PI_4 * (i * angle.sin() + j * angle.cos());
        let wave = if k.is_multiple_of(2) { phase.sin() } else { phase.cos() };
        0.3 * wave * (-(i * i + j * j) / 4.0).exp()
    };
    (0..6 * 25).map(|t| tap(t / 25, t % 25)).collect()
}
