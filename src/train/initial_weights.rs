//! The network that a training starts from.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::{LoadedModel, Network, architecture};
use crate::stats::evenly_spread;
use crate::train::config::TrainConfig;
use crate::{CLASS_NAMES, Error, Result, SIDE};

/// Most faces whose patches are used for whitening, evenly spread over the data.
const WHITENING_FACES: usize = 2_000;

/// Returns the network before the first step, and the configuration. With `from`, the configuration
/// takes architecture and equalisation from that model.
///
/// # Errors
/// [`Error::Usage`] for an unknown architecture, [`Error::Model`] if the model of `from` cannot be used.
pub(crate) fn initial_network(
    config: TrainConfig,
    train: &Dataset,
) -> Result<(TrainConfig, Network<f32>)> {
    if config.from.is_some() {
        return network_to_fine_tune(config);
    }
    let mut spec = architecture(&config.arch)?;
    let (mean, std) = train.mean_and_std();
    (spec.mean, spec.std) = (mean, std.max(1.0 / 255.0)); // blank faces have no spread
    spec.input = [1, config.final_side(), config.final_side()];
    let mut network = Network::new(spec, config.seed)?;
    let pixels = if config.init.whitening() { whitening_faces(train, &config) } else { Vec::new() };
    config.init.apply(&mut network, &pixels, SIDE)?;
    Ok((config, network))
}

/// Refuses a network that does not have seven classes.
pub(crate) fn require_seven_classes(network: &Network<f32>) -> Result<()> {
    let (name, found) = (&network.spec.name, &network.spec.classes);
    if found.len() == CLASS_NAMES.len() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{name} has {} classes ({}), the faces have {}: {}; name as many in its file, or none",
        found.len(),
        found.join(", "),
        CLASS_NAMES.len(),
        CLASS_NAMES.join(", ")
    )))
}

/// Returns the trained network of `from`, for faces of the side that this training ends with.
fn network_to_fine_tune(mut config: TrainConfig) -> Result<(TrainConfig, Network<f32>)> {
    let path = config.from.clone().unwrap_or_default();
    let trained = LoadedModel::read(&path)?;
    config.arch = trained.network.spec.name.clone();
    config.augment.equalize = trained.equalize;
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

/// Returns training faces as the network will see them, `[n, 48, 48]`.
fn whitening_faces(train: &Dataset, config: &TrainConfig) -> Vec<f32> {
    let faces = evenly_spread(train.len(), WHITENING_FACES);
    View::PLAIN.batch(train, &faces, config.augment.equalize, SIDE)
}
