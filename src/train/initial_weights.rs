//! The network that a training starts from.

use crate::console::eprintln_safe;
use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::{LayerSpec, LoadedModel, Network, NetworkSpec, architecture};
use crate::nn::ActivationFunction;
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
    warn_of_surprises(&spec, config.final_side());
    let (mean, std) = train.mean_and_std();
    (spec.mean, spec.std) = (mean, std.max(1.0 / 255.0)); // blank faces have no spread
    spec.input = [1, config.final_side(), config.final_side()];
    let mut network = Network::new(spec, config.seed)?;
    let pixels = if config.init.whitening() { whitening_faces(train, &config) } else { Vec::new() };
    config.init.apply(&mut network, &pixels, SIDE)?;
    Ok((config, network))
}

/// Says on standard error what a training does not do as the network's file reads.
fn warn_of_surprises(spec: &NetworkSpec, side: usize) {
    let NetworkSpec { name, input, .. } = spec;
    if *input != [1, SIDE, SIDE] && *input != [1, side, side] {
        eprintln_safe!(
            "{name}: its input = {input:?} is not used; the faces are trained at {side}×{side}. For another \
             side, such as 64: --set sizes=[{{until=1,side=64}}]"
        );
    }
    if let Some(LayerSpec::Activation { function }) = spec.layers.last() {
        let effect = match function {
            ActivationFunction::Softmax | ActivationFunction::Sigmoid => {
                "the loss applies a softmax itself, so the network can hardly become certain"
            }
            _ => "the loss expects logits of any sign and size",
        };
        let function = format!("{function:?}").to_lowercase();
        eprintln_safe!("{name} ends in a {function}: {effect}; leave out its last layer");
    }
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
