//! Model and faces of the commands that explain.

use crate::cli::shared::input::{Reading, model_or_input};
use crate::cli::shared::network_input::{DRAWN_NOTE, mean_face, short_origin};
use crate::cli::shared::photos::PhotoArgs;
use crate::console::eprintln_safe;
use crate::dataset::{Dataset, SynthOptions, synthesize};
use crate::explain::Classifier;
use crate::model::predictions::features_and_classes;
use crate::model::{LoadedModel, Network};
use crate::render::format::counted;
use crate::report::{PredictedFace, typical_faces};
use crate::stats::evenly_spread;
use crate::{CLASS_NAMES, Error, Result};
use std::path::{Path, PathBuf};

/// Number of drawn faces for a model without training data, and the number of the first: far behind
/// those that a training draws.
const DRAWN: (usize, u64) = (1_400, 1 << 32);

/// The faces to explain.
#[derive(Debug, clap::Args)]
pub struct FaceArgs {
    /// Photos or pictures of faces: PNG, JPEG, WebP, GIF or BMP
    #[arg(value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,
    /// Data set: a CSV (plain or gzip) or a folder with one folder per class [default: the validation
    /// faces of the model]
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Numbers of faces in the data set, from 0
    #[arg(long, value_name = "N,…", value_delimiter = ',', conflicts_with = "pictures")]
    pub index: Vec<usize>,
    /// The first N faces of each class [default: 1]
    #[arg(long, value_name = "N", conflicts_with_all = ["index", "pictures"])]
    pub per_class: Option<usize>,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub photos: PhotoArgs,
}

/// Most faces among which typical ones are searched, spread evenly over the set.
const TYPICAL_OF: usize = 1_400;

impl FaceArgs {
    /// Returns the files and folders that faces are read from.
    pub fn inputs(&self) -> Vec<&Path> {
        self.pictures.iter().chain(&self.data).map(PathBuf::as_path).collect()
    }
}

/// A network with the record of its training.
pub struct Model {
    /// The network and its training record.
    pub trained: LoadedModel,
    /// Title for captions: name of the file or folder, and of the network.
    pub title: String,
    /// Whether drawn faces stand in for those that neither the command nor the file names.
    drawn: bool,
}

impl Model {
    /// Reads MODEL, a run folder or a weights file. Without it reads the embedded network; the argument
    /// in its place is then the first picture.
    ///
    /// # Errors
    /// Those of reading, and [`Error::Usage`] if pictures and a data set are both named.
    pub fn read(model: Option<PathBuf>, faces: &mut FaceArgs) -> Result<Model> {
        let model = model_or_input(model, &mut faces.pictures)?;
        let of_a_set = faces.data.is_some() || !faces.index.is_empty() || faces.per_class.is_some();
        if !faces.pictures.is_empty() && of_a_set {
            let message = "--data, --index and --per-class choose faces of a data set; leave out \
                           either these options or the pictures";
            return Err(Error::Usage(message.into()));
        }
        let trained = LoadedModel::read_or_embedded(model.as_deref())?;
        let is_named = !faces.pictures.is_empty() || faces.data.is_some();
        let drawn = !is_named && trained.record.source.is_none();
        Ok(Model { title: trained.title(), trained, drawn })
    }

    /// Returns the title, with a remark if the probabilities are calibrated, and another if the faces
    /// are drawn for want of others.
    pub fn caption(&self) -> String {
        let calibrated = if self.is_calibrated() { ", probabilities calibrated" } else { "" };
        let drawn = match self.drawn {
            true => ". The faces are drawn by the program; photographs may be answered differently",
            false => "",
        };
        format!("{}{calibrated}{drawn}", self.title)
    }

    /// Whether the probabilities are calibrated.
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

/// The faces that were read, and the chosen ones.
pub struct Chosen {
    /// All faces of the data set, or of the pictures.
    pub all: Dataset,
    /// Numbers of the chosen faces.
    pub chosen: Vec<usize>,
    /// The mean face of the training data.
    pub mean_face: Vec<f32>,
    /// The chosen faces as the network sees them, `[n, 48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
}

impl FaceArgs {
    /// Reads the data set, without the pictures.
    pub fn read_set(&self, model: &Model) -> Result<Dataset> {
        match (&self.data, &model.trained.record.source) {
            (Some(path), _) => self.reading.read(path),
            (None, Some(_)) => model.trained.validation_faces(),
            (None, None) => {
                eprintln_safe!("{DRAWN_NOTE}");
                drawn()
            }
        }
    }

    /// Reads the faces and chooses those that the options name.
    ///
    /// # Errors
    /// Those of reading, and [`Error::Usage`] for a face that does not exist.
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

    /// As [`FaceArgs::choose`], but where no option names a face, chooses the most typical one of each class.
    ///
    /// # Errors
    /// As [`FaceArgs::choose`].
    pub fn choose_typical(&self, model: &Model) -> Result<Chosen> {
        if !self.pictures.is_empty() || !self.index.is_empty() || self.per_class.is_some() {
            return self.choose(model);
        }
        let all = self.read_set(model)?;
        let mut searched = evenly_spread(all.len(), TYPICAL_OF);
        searched.retain(|&i| all.label(i).is_some());
        let labels: Vec<usize> =
            searched.iter().filter_map(|&i| all.label(i).map(usize::from)).collect();
        let network = &model.trained.network;
        let found = features_and_classes(network, &all.select(&searched), model.trained.equalize)?;
        let chosen: Vec<usize> = match found {
            Some((features, predicted)) => {
                let classes = network.spec.classes.len();
                let typical = typical_faces(&features, &labels, &predicted, classes);
                typical.into_iter().flatten().map(|k| searched[k]).collect()
            }
            None => vec![],
        };
        if chosen.is_empty() {
            return self.choose(model);
        }
        Ok(Chosen::new(model, all, chosen))
    }

    fn read_pictures(&self, model: &Model) -> Result<Chosen> {
        let input = self.photos.read(&self.pictures, &self.reading)?;
        input.require_a_face()?;
        let all = input.faces;
        let chosen = (0..all.len()).collect();
        Ok(Chosen::new(model, all, chosen))
    }

    fn check_index(&self, all: &Dataset) -> Result<Vec<usize>> {
        match self.index.iter().find(|&&i| i >= all.len()) {
            Some(i) => Err(Error::Usage(format!(
                "--index {i}: the data set has {}, 0 to {}",
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

    /// Returns the true classes; `None` for a face without label.
    pub fn labels(&self) -> Vec<Option<usize>> {
        self.chosen.iter().map(|&i| self.all.label(i).map(usize::from)).collect()
    }

    /// Returns a short name of each face, for the header of a row.
    pub fn origins(&self) -> Vec<String> {
        let short = |&i: &usize| short_origin(&self.all, i, i);
        self.chosen.iter().map(short).collect()
    }

    /// Classifies the chosen faces.
    pub fn classify(&self, model: &dyn Classifier) -> Result<Vec<PredictedFace>> {
        PredictedFace::predict(model, &self.pixels, &self.labels(), &self.origins())
    }
}

/// Draws faces that no training has used.
fn drawn() -> Result<Dataset> {
    let (count, first) = DRAWN;
    synthesize(&SynthOptions { count, first, ..SynthOptions::default() })
}

/// Returns the numbers of the first `n` faces of each class, class by class.
///
/// # Errors
/// [`Error::Usage`] if no face has a label.
pub fn first_of_each_class(all: &Dataset, n: usize) -> Result<Vec<usize>> {
    let of_class = |c: usize| all.indices_of(c as u8).into_iter().take(n);
    let chosen: Vec<usize> = (0..CLASS_NAMES.len()).flat_map(of_class).collect();
    match chosen.is_empty() {
        true => Err(Error::Usage(
            "no face has a label, so faces cannot be chosen by class; choose with --index".into(),
        )),
        false => Ok(chosen),
    }
}
