//! Which faces an explanation is about.

use crate::CLASS_NAMES;
use crate::cli::shared::explained::{mean_face, short_origin};
use crate::cli::shared::input::{Reading, model_or_input};
use crate::cli::shared::photos::PhotoArgs;
use crate::dataset::{Dataset, SynthOptions, synthesize};
use crate::explain::Classifier;
use crate::model::LoadedModel;
use crate::model::Network;
use crate::render::format::counted;
use crate::report::PredictedFace;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Built-in faces for a model that does not say how it was trained, and the number of the first:
/// far behind those that a training draws.
const BUILT_IN: (usize, u64) = (1_400, 1 << 32);

/// Where the faces come from and which are meant.
#[derive(Debug, clap::Args)]
pub struct FaceArgs {
    /// Pictures, PNG or JPEG
    #[arg(value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,
    /// Faces: a CSV (plain or gzip) or a folder of class-named folders [default: those that the
    /// model was validated on]
    #[arg(long, value_name = "D")]
    pub data: Option<PathBuf>,
    /// Numbers of the faces, counted from 0
    #[arg(long, value_name = "I,…", value_delimiter = ',', conflicts_with = "pictures")]
    pub index: Vec<usize>,
    /// The first N faces of each class [default: 1]
    #[arg(long, value_name = "N", conflicts_with_all = ["index", "pictures"])]
    pub per_class: Option<usize>,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub photos: PhotoArgs,
}

impl FaceArgs {
    /// Files and folders that faces are read from.
    pub fn inputs(&self) -> Vec<&Path> {
        self.pictures.iter().chain(&self.data).map(PathBuf::as_path).collect()
    }
}

/// A network with what its file says of its training.
pub struct Model {
    /// The network and how it was trained.
    pub trained: LoadedModel,
    /// As captions call it: name of the file or folder, and of the network.
    pub title: String,
}

impl Model {
    /// Reads MODEL, a run folder or a weights file; the embedded network if it was left out,
    /// where the first of the pictures may stand in its place.
    pub fn read(model: Option<PathBuf>, faces: &mut FaceArgs) -> Result<Model> {
        let model = model_or_input(model, &mut faces.pictures);
        let of_a_set = faces.data.is_some() || !faces.index.is_empty() || faces.per_class.is_some();
        if !faces.pictures.is_empty() && of_a_set {
            let message = "--data, --index and --per-class mean faces of a set: leave them out, \
                           or the pictures";
            return Err(Error::Usage(message.into()));
        }
        let trained = LoadedModel::read_or_embedded(model.as_deref())?;
        Ok(Model { title: trained.title(), trained })
    }

    /// The title, and whether its probabilities are calibrated: for pages that show some.
    pub fn caption(&self) -> String {
        match self.is_calibrated() {
            true => format!("{}, probabilities calibrated", self.title),
            false => self.title.clone(),
        }
    }

    /// Whether a temperature was fitted to its probabilities.
    pub fn is_calibrated(&self) -> bool {
        self.trained.temperature(false).is_some()
    }

    /// The network.
    pub fn network(&self) -> &Network<f32> {
        &self.trained.network
    }

    /// Names of the classes.
    pub fn names(&self) -> Vec<&str> {
        self.network().spec.classes.iter().map(String::as_str).collect()
    }
}

/// The faces read, and those chosen.
pub struct Chosen {
    /// All faces of --data, the built-in ones, or the pictures.
    pub all: Dataset,
    /// Numbers of those that are meant.
    pub chosen: Vec<usize>,
    /// Mean face of the training.
    pub mean_face: Vec<f32>,
    /// The chosen faces as the network sees them, `[n, 48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
}

impl FaceArgs {
    /// Reads the faces of the set, without the pictures.
    pub fn read_set(&self, model: &Model) -> Result<Dataset> {
        match (&self.data, &model.trained.record.source) {
            (Some(path), _) => self.reading.read(path),
            (None, Some(_)) => model.trained.validation_faces(),
            (None, None) => built_in(),
        }
    }

    /// Reads and chooses.
    pub fn choose(&self, model: &Model) -> Result<Chosen> {
        if !self.pictures.is_empty() {
            return self.read_pictures(model);
        }
        let all = self.read_set(model)?;
        let chosen = match self.index.is_empty() {
            true => first_of_each_class(&all, self.per_class.unwrap_or(1))?,
            false => self.check_index(&all)?,
        };
        Ok(Chosen::new(model, all, chosen))
    }

    fn read_pictures(&self, model: &Model) -> Result<Chosen> {
        let seen = self.photos.read(&self.pictures, &self.reading)?;
        seen.require_a_face()?;
        let all = seen.faces;
        let chosen = (0..all.len()).collect();
        Ok(Chosen::new(model, all, chosen))
    }

    fn check_index(&self, all: &Dataset) -> Result<Vec<usize>> {
        match self.index.iter().find(|&&i| i >= all.len()) {
            Some(i) => Err(Error::Usage(format!(
                "--index {i}: the data holds {}, 0 to {}",
                counted(all.len(), "face"),
                all.len().saturating_sub(1)
            ))),
            None => Ok(self.index.clone()),
        }
    }
}

impl Chosen {
    fn new(model: &Model, all: Dataset, chosen: Vec<usize>) -> Chosen {
        let pixels = model.trained.pixels(&all, &chosen);
        let mean_face = mean_face(&model.trained, &all);
        Chosen { all, chosen, mean_face, pixels }
    }

    /// Their true classes.
    pub fn labels(&self) -> Vec<Option<usize>> {
        self.chosen.iter().map(|&i| self.all.label(i).map(usize::from)).collect()
    }

    /// Their places of origin, short enough for a row's header.
    pub fn origins(&self) -> Vec<String> {
        let short = |&i: &usize| short_origin(&self.all, i, i);
        self.chosen.iter().map(short).collect()
    }

    /// The chosen faces with what the network takes them for.
    pub fn judge(&self, model: &dyn Classifier) -> Result<Vec<PredictedFace>> {
        PredictedFace::predict(model, &self.pixels, &self.labels(), &self.origins())
    }
}

/// Procedurally drawn faces that no training has seen.
pub fn built_in() -> Result<Dataset> {
    let (count, first) = BUILT_IN;
    synthesize(&SynthOptions { count, first, ..SynthOptions::default() })
}

/// The first `n` faces of each class that has any, class by class.
pub fn first_of_each_class(all: &Dataset, n: usize) -> Result<Vec<usize>> {
    let of_class = |c: usize| all.indices_of(c as u8).into_iter().take(n);
    let chosen: Vec<usize> = (0..CLASS_NAMES.len()).flat_map(of_class).collect();
    match chosen.is_empty() {
        true => Err(Error::Usage(
            "no face has a label, so none can be chosen by class; choose with --index".into(),
        )),
        false => Ok(chosen),
    }
}
