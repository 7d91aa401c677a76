//! What the same few filters and classes want to see, from epoch to epoch.
//!
//! A picture made from nothing takes hundreds of steps ([`crate::explain::filters::activation_maximization::maco`]); here each epoch
//! adds a few to the picture of the epoch before, so that the picture follows the network while it
//! learns. A training that is resumed begins its pictures anew.

use crate::Result;
use crate::explain::filters::activation_maximization::maco::Maco;
use crate::explain::filters::activation_maximization::spectrum::Extension;
use crate::explain::filters::activation_maximization::{Adam, Parametrization};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::layers::deepest_map;
use crate::explain::{Classifier, NetworkClassifier, Objective};
use crate::model::Network;
use crate::random::{Purpose, Rng};
use crate::render::RgbImage;
use crate::stats::evenly_spread;
use crate::train::Trainer;
use crate::{PIXELS, SIDE};
use rayon::prelude::*;

use crate::dataset::augment::View;
use crate::monitor::live::faces::{first_of_each_class, labels};

/// Training faces of each class whose spectrum and mean the pictures borrow.
const FACES_A_CLASS: usize = 10;
/// Filters of a layer.
const FILTERS: usize = 3;
/// Classes whose logit is raised: happy, with its mouth, and surprise.
const CLASSES: [usize; 2] = [3, 5];
/// Steps an epoch.
const STEPS: usize = 8;
/// Side of the maps, at least: the layer is the deepest one with such.
const MAP_SIDE: usize = 6;
/// Radians a step.
const RATE: f32 = 0.1;
/// The same for the classes, whose pictures should stay faces.
const GENTLE_RATE: f32 = 0.03;
/// Streams clear of those of the explanations that are asked for.
const STREAM: u64 = 2000;

/// Pictures that grow, and what they are of.
pub struct Grown {
    groups: Vec<Group>,
    /// What each picture raises: `activation_6 filter 0`, `happy`.
    pub names: Vec<String>,
}

/// Pictures with one objective.
struct Group {
    maco: Maco,
    objective: Objective,
    phases: Vec<f32>,
    adam: Adam,
}

impl Group {
    fn new(maco: Maco, objective: Objective, seed: u64, rate: f32) -> Self {
        let start =
            |&unit: &usize| maco.start(&mut Rng::new(seed, Purpose::Explain, STREAM, unit as u64));
        let phases: Vec<f32> = objective.units().iter().flat_map(start).collect();
        let adam = Adam::new(phases.len(), rate, true);
        Group { maco, objective, phases, adam }
    }

    fn pictures(&self) -> Vec<f32> {
        let each = self.phases.par_chunks_exact(self.maco.parameters());
        each.flat_map_iter(|phases| self.maco.picture(phases)).collect()
    }

    fn step(&mut self, model: &dyn Classifier) -> Result<()> {
        let raised = model.objective_gradient(&self.objective, &self.pictures())?;
        let phases = self.phases.par_chunks_exact(self.maco.parameters());
        let gradient: Vec<f32> = phases
            .zip(raised.gradient.par_chunks_exact(PIXELS))
            .flat_map_iter(|(phases, g)| self.maco.gradient(phases, g))
            .collect();
        self.adam.step(&mut self.phases, &gradient);
        Ok(())
    }
}

impl Grown {
    /// Begins: filters from noise, classes from the mean training face. `None` if the network does
    /// not take 48×48 pixels or has no map.
    ///
    /// # Errors
    /// Those of measuring the training faces.
    pub fn new(trainer: &Trainer) -> Result<Option<Self>> {
        if trainer.network.spec.input != [1, SIDE, SIDE] {
            return Ok(None);
        }
        let data = &trainer.train;
        let some = first_of_each_class(data, FACES_A_CLASS);
        let pixels = View::PLAIN.batch(data, &some, trainer.config.augment.equalize, SIDE);
        let labels = labels(data, &some);
        let faces = TrainingFaces::new(&pixels, &labels, Extension::Hann)?;
        let (seed, magnitude) = (trainer.config.seed, || faces.magnitude.clone());
        let (mut groups, mut names) = (Vec::new(), Vec::new());
        let layers = NetworkClassifier::new(&trainer.network)?.layers();
        if let Some(layer) = deepest_map(&layers, MAP_SIDE) {
            let units = evenly_spread(layer.output[0], FILTERS);
            names.extend(units.iter().map(|unit| format!("{} filter {unit}", layer.name)));
            let objective = Objective::Channel { layer: layer.clone(), units };
            groups.push(Group::new(Maco::new(magnitude()), objective, seed, RATE));
        }
        let classes = &trainer.network.spec.classes;
        let units: Vec<usize> = CLASSES.into_iter().filter(|&c| c < classes.len()).collect();
        names.extend(units.iter().map(|&c| classes[c].clone()));
        let maco = Maco::starting_at(magnitude(), &faces.mean_face);
        groups.push(Group::new(maco, Objective::Logit { units }, seed, GENTLE_RATE));
        Ok(Some(Grown { groups, names }))
    }

    /// A few steps with the network as it is now.
    ///
    /// # Errors
    /// Those of the network.
    pub fn grow(&mut self, network: &Network<f32>) -> Result<()> {
        let model = NetworkClassifier::new(network)?;
        for group in &mut self.groups {
            for _ in 0..STEPS {
                group.step(&model)?;
            }
        }
        Ok(())
    }

    /// The pictures, in the order of the names.
    ///
    /// # Errors
    /// None in practice.
    pub fn pictures(&self) -> Result<Vec<RgbImage>> {
        let all: Vec<f32> = self.groups.iter().flat_map(Group::pictures).collect();
        all.chunks_exact(PIXELS).map(|p| RgbImage::from_unit(p, SIDE, SIDE)).collect()
    }
}
