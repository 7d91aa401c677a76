//! Activation maximization of the same few filters and classes, from epoch to epoch.
//!
//! A picture made from noise takes hundreds of steps ([`crate::explain::filters::activation_maximization::maco`]). Here each
//! epoch adds a few steps to the picture of the epoch before, so that the picture follows the network
//! while it learns. When a training is resumed, its pictures start anew.

use crate::dataset::augment::View;
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
use crate::{PIXELS, Result, SIDE};
use rayon::prelude::*;

use crate::monitor::faces::{first_of_each_class, labels};

/// Training faces of each class, for the spectrum and the mean of the pictures.
const FACES_A_CLASS: usize = 10;
/// Number of filters.
const FILTERS: usize = 3;
/// Classes whose logit is maximized: happy and surprise.
const CLASSES: [usize; 2] = [3, 5];
/// Steps per epoch.
const STEPS: usize = 8;
/// Smallest side of the maps: the filters are of the deepest layer with such maps.
const MAP_SIDE: usize = 6;
/// Step size of the phases, in radians.
const RATE: f32 = 0.1;
/// Step size for the classes, whose pictures should stay faces, in radians.
const CLASS_RATE: f32 = 0.03;
/// First random stream, apart from those of other explanations.
const STREAM: u64 = 2000;

/// Pictures that are optimized from epoch to epoch.
pub struct FilterPictures {
    groups: Vec<PictureGroup>,
    /// The name of each picture: `activation_6 filter 0`, `happy`.
    pub names: Vec<String>,
}

/// Pictures with one objective.
struct PictureGroup {
    maco: Maco,
    objective: Objective,
    phases: Vec<f32>,
    adam: Adam,
}

impl PictureGroup {
    fn new(maco: Maco, objective: Objective, seed: u64, rate: f32) -> Self {
        let start = |&unit: &usize| {
            maco.start(0, &mut Rng::new(seed, Purpose::Explain, STREAM, unit as u64))
        };
        let phases: Vec<f32> = objective.units().iter().flat_map(start).collect();
        let adam = Adam::new(phases.len(), rate, true);
        PictureGroup { maco, objective, phases, adam }
    }

    fn pictures(&self) -> Vec<f32> {
        let each = self.phases.par_chunks_exact(self.maco.parameters());
        each.flat_map_iter(|phases| self.maco.picture(phases)).collect()
    }

    fn step(&mut self, model: &dyn Classifier) -> Result<()> {
        let objective = model.objective_gradient(&self.objective, &self.pictures())?;
        let phases = self.phases.par_chunks_exact(self.maco.parameters());
        let gradient: Vec<f32> = phases
            .zip(objective.gradient.par_chunks_exact(PIXELS))
            .flat_map_iter(|(phases, g)| self.maco.gradient(phases, g))
            .collect();
        self.adam.step(&mut self.phases, &gradient);
        Ok(())
    }
}

impl FilterPictures {
    /// Starts the pictures: filters from noise, classes from the mean training face. `None` if the
    /// network does not take 48×48 pixels.
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
            groups.push(PictureGroup::new(Maco::new(magnitude()), objective, seed, RATE));
        }
        let classes = &trainer.network.spec.classes;
        let units: Vec<usize> = CLASSES.into_iter().filter(|&c| c < classes.len()).collect();
        names.extend(units.iter().map(|&c| classes[c].clone()));
        let maco = Maco::starting_at(magnitude(), &faces.mean_face);
        groups.push(PictureGroup::new(maco, Objective::Logit { units }, seed, CLASS_RATE));
        Ok(Some(FilterPictures { groups, names }))
    }

    /// Takes a few steps with the present network.
    pub fn step(&mut self, network: &Network<f32>) -> Result<()> {
        let model = NetworkClassifier::new(network)?;
        for group in &mut self.groups {
            for _ in 0..STEPS {
                group.step(&model)?;
            }
        }
        Ok(())
    }

    /// Returns the pictures, in the order of the names.
    pub fn pictures(&self) -> Result<Vec<RgbImage>> {
        let all: Vec<f32> = self.groups.iter().flat_map(PictureGroup::pictures).collect();
        all.chunks_exact(PIXELS).map(|p| RgbImage::from_unit(p, SIDE, SIDE)).collect()
    }
}
