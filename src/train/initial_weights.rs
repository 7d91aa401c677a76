//! The network that a training starts from.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::Trained;
use crate::model::{Network, architecture};
use crate::train::TrainConfig;
use crate::{CLASS_NAMES, PIXELS, SIDE};
use crate::{Error, Result};

/// Most faces whose patches are looked at for whitening, spread evenly over the data.
const WHITENING_FACES: usize = 2_000;

/// The network as the configuration wants it before the first step; with `from`, the configuration
/// takes over what that network was made for.
pub(crate) fn first_network(
    config: TrainConfig,
    train: &Dataset,
) -> Result<(TrainConfig, Network<f32>)> {
    if config.from.is_some() {
        return fine_tuned(config);
    }
    let mut spec = architecture(&config.arch)?;
    let (mean, std) = train.mean_and_std();
    (spec.mean, spec.std) = (mean, std.max(1.0 / 255.0)); // blank faces have no spread
    spec.input = [1, config.final_side(), config.final_side()];
    let mut network = Network::new(spec, config.seed)?;
    let pixels = if config.init.whitening() { spread(train, &config) } else { Vec::new() };
    config.init.apply(&mut network, &pixels, SIDE)?;
    Ok((config, network))
}

/// Refuses a network that cannot tell the seven expressions apart.
pub(crate) fn require_seven_classes(network: &Network<f32>) -> Result<()> {
    let (name, found) = (&network.spec.name, &network.spec.classes);
    if found.len() == CLASS_NAMES.len() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{name} tells apart {} classes ({}), the faces have {}: {}; name as many in its file, or \
         none",
        found.len(),
        found.join(", "),
        CLASS_NAMES.len(),
        CLASS_NAMES.join(", ")
    )))
}

/// The trained network at the side that this training ends with.
fn fine_tuned(mut config: TrainConfig) -> Result<(TrainConfig, Network<f32>)> {
    let path = config.from.clone().unwrap_or_default();
    let trained = Trained::read(&path)?;
    config.arch = trained.network.spec.name.clone();
    config.augment.equalize = trained.equalize();
    let mut spec = trained.network.spec.clone();
    let (was, side) = (spec.input[1], config.final_side());
    spec.input = [1, side, side];
    let other_side = |why: String| {
        let message = format!("its network cannot go from faces of side {was} to {side}: {why}");
        Error::model(&path, message)
    };
    let mut network = Network::new(spec, config.seed).map_err(|e| other_side(e.to_string()))?;
    for ((name, to), (_, from)) in network.state_mut().into_iter().zip(trained.network.state()) {
        if to.shape() != from.shape() {
            return Err(other_side(format!("{name} is {:?}", from.shape())));
        }
        *to = from.clone();
    }
    Ok((config, network))
}

/// Training faces as the network will see them, `[n, 48, 48]`.
fn spread(train: &Dataset, config: &TrainConfig) -> Vec<f32> {
    let n = train.len().min(WHITENING_FACES);
    let faces: Vec<usize> = (0..n).map(|i| i * train.len() / n).collect();
    let mut pixels = vec![0.0; n * PIXELS];
    View::PLAIN.fill_batch(train, &faces, config.augment.equalize, SIDE, &mut pixels);
    pixels
}
