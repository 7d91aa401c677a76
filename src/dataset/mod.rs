//! Labelled faces: reads, checks, splits, draws, augments and writes them.
//!
//! A row of a CSV file or an image file becomes 2304 bytes of a [`Dataset`]; [`augment`] turns these bytes
//! into a batch of `f32` in [0, 1]. Nothing here depends on tensors or networks.
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@read`] | reads CSV files, gzip, image files and folders of images |
//! | [`image`] | decodes image files and scales them to 48×48 |
//! | [`clean`] | finds duplicates and contradicting labels, splits without duplicates across the parts |
//! | [`source`] | reads and splits the faces of a training |
//! | [`augment`] | augments faces and assembles batches |
//! | [`synth`] | draws synthetic faces |
//! | `write` | writes CSV files and folders of images (feature `images`) |

pub mod augment;
mod class_label;
pub mod clean;
pub mod image;
pub mod read;
pub mod source;
#[cfg(feature = "cli")]
pub mod stream;
pub mod synth;
#[cfg(feature = "images")]
pub mod write;

pub use augment::{Augment, Preset};
pub use class_label::{class_among, class_of};
pub use clean::split::{Split, stratified_split};
pub use read::{ReadOptions, Report, read};
pub use source::DataSource;
pub use synth::{SynthOptions, synthesize};
#[cfg(feature = "images")]
pub use write::csv::write_csv;
#[cfg(feature = "images")]
pub use write::folder::write_folder;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{CLASS_NAMES, Error, PIXELS, Result};

/// Part of FER2013 that a row belongs to (the column `Usage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub enum Usage {
    /// Training: 28,709 faces.
    Training,
    /// Validation: 3,589 faces.
    PublicTest,
    /// Test: 3,589 faces.
    PrivateTest,
}

impl TryFrom<String> for Usage {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Usage::parse(&text).ok_or(Usage::EXPECTED)
    }
}

impl Usage {
    /// All parts, in the order of the data.
    pub const ALL: [Usage; 3] = [Usage::Training, Usage::PublicTest, Usage::PrivateTest];

    /// The names, for messages.
    pub const EXPECTED: &str = "expected Training, PublicTest or PrivateTest";

    /// Returns the name that the file uses.
    pub fn name(self) -> &'static str {
        match self {
            Usage::Training => "Training",
            Usage::PublicTest => "PublicTest",
            Usage::PrivateTest => "PrivateTest",
        }
    }
    /// Parses the name that the file uses, ignoring case and spaces around it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.name().eq_ignore_ascii_case(text.trim()))
    }
}

/// Origin of a sample, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// CSV file, image file, or `synthetic`.
    pub path: &'a Path,
    /// Line of a CSV file, counted from 1; number of a synthetic face; `None` for an image file.
    pub line: Option<u64>,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// Label and origin of a face that is added to a [`Dataset`].
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Class, 0…6; `None` without a label.
    pub label: Option<u8>,
    /// Its id in the file.
    pub id: Option<String>,
    /// Its part of FER2013.
    pub usage: Option<Usage>,
    /// Its line in the file; `None` for an image file.
    pub line: Option<u64>,
}

/// Marks "no line" in [`Dataset`]'s compact table of origins.
const NO_LINE: u64 = 0;

/// Faces of 48×48 gray pixels with their labels and origins.
///
/// It is stored by column: the pixels of all faces are one block, 66 MB for 28,709 faces.
#[derive(Clone, Default)]
pub struct Dataset {
    pixels: Vec<u8>,
    labels: Vec<Option<u8>>,
    usages: Vec<Option<Usage>>,
    ids: Vec<Option<String>>,
    sources: Vec<PathBuf>,
    origins: Vec<(u32, u64)>,
}

impl fmt::Debug for Dataset {
    /// Writes the number of faces instead of millions of pixels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataset of {} faces, {:?} by class", self.len(), self.class_counts())
    }
}

impl Dataset {
    /// Returns an empty dataset.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source file and returns its number for [`Self::push`].
    pub fn add_source(&mut self, path: impl Into<PathBuf>) -> u32 {
        self.sources.push(path.into());
        (self.sources.len() - 1) as u32
    }

    /// Adds one face.
    ///
    /// # Panics
    /// If `image` is not 2304 long, the label is above 6, or `source` was not added before.
    pub fn push(&mut self, image: &[u8], sample: Sample, source: u32) {
        assert_eq!(image.len(), PIXELS, "a face has {PIXELS} pixels");
        assert!(sample.label.is_none_or(|l| usize::from(l) < CLASS_NAMES.len()), "label above 6");
        assert!((source as usize) < self.sources.len(), "source {source} was not added");
        self.pixels.extend_from_slice(image);
        self.labels.push(sample.label);
        self.usages.push(sample.usage);
        self.ids.push(sample.id);
        self.origins.push((source, sample.line.unwrap_or(NO_LINE)));
    }

    /// Returns a dataset of pixels, `[n, 48, 48]`, and one label per face.
    ///
    /// # Errors
    /// [`Error::Shape`] if the lengths do not match or a label is above 6.
    pub fn from_pixels(pixels: Vec<u8>, labels: Vec<Option<u8>>, source: &str) -> Result<Self> {
        if pixels.len() != labels.len() * PIXELS {
            return Err(Error::shape(
                "dataset",
                format!("{} pixels for {} labels of {PIXELS} each", pixels.len(), labels.len()),
            ));
        }
        if let Some(bad) = labels.iter().flatten().find(|&&l| usize::from(l) >= CLASS_NAMES.len()) {
            return Err(Error::shape("dataset", format!("label {bad}; expected 0 to 6")));
        }
        let n = labels.len();
        Ok(Dataset {
            pixels,
            labels,
            usages: vec![None; n],
            ids: vec![None; n],
            sources: vec![source.into()],
            origins: (0..n as u64).map(|i| (0, i + 1)).collect(),
        })
    }

    /// Returns the number of faces.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns true if there is no face.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns all pixels, row-major, `[n, 48, 48]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns the pixels of face `i`, row-major, `[48, 48]`.
    pub fn image(&self, i: usize) -> &[u8] {
        &self.pixels[i * PIXELS..(i + 1) * PIXELS]
    }

    /// Returns the class of face `i`, 0…6; `None` without a label.
    pub fn label(&self, i: usize) -> Option<u8> {
        self.labels[i]
    }

    /// Returns the class of every face.
    pub fn labels(&self) -> &[Option<u8>] {
        &self.labels
    }

    /// Returns true if every face has a label.
    pub fn is_labelled(&self) -> bool {
        self.labels.iter().all(Option::is_some)
    }

    /// Returns the part of FER2013 that face `i` belongs to.
    pub fn usage(&self, i: usize) -> Option<Usage> {
        self.usages[i]
    }

    /// Forgets which part of FER2013 each face belongs to: for data that is divided anew.
    pub fn forget_usage(&mut self) {
        self.usages.fill(None);
    }

    /// Returns the indices of the faces of a part of FER2013, ascending.
    pub fn indices_of_usage(&self, usage: Usage) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.usages[i] == Some(usage)).collect()
    }

    /// Returns the number of faces of each part, such as `28 Training, 14 PublicTest`, if the column
    /// `Usage` tells more than one apart.
    pub fn parts(&self) -> Option<String> {
        let counts = Usage::ALL.map(|usage| (self.indices_of_usage(usage).len(), usage.name()));
        let parts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        (parts.len() > 1).then(|| parts.join(", "))
    }

    /// Returns whether the faces have ids of their own.
    #[cfg(feature = "cli")]
    pub(crate) fn has_ids(&self) -> bool {
        self.ids.iter().all(Option::is_some)
    }

    /// Returns the id of face `i` in its file; without one, `i`.
    pub fn id(&self, i: usize) -> String {
        self.ids[i].clone().unwrap_or_else(|| i.to_string())
    }

    /// Returns the origin of face `i`.
    pub fn origin(&self, i: usize) -> Origin<'_> {
        let (source, line) = self.origins[i];
        Origin { path: &self.sources[source as usize], line: (line != NO_LINE).then_some(line) }
    }

    /// Returns the number of faces per class, without unlabelled ones.
    pub fn class_counts(&self) -> [usize; CLASS_NAMES.len()] {
        let mut counts = [0; CLASS_NAMES.len()];
        for &label in self.labels.iter().flatten() {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// Returns the indices of the faces of class `label`, ascending.
    pub fn indices_of(&self, label: u8) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.labels[i] == Some(label)).collect()
    }

    /// Returns the faces with these indices, in this order.
    pub fn select(&self, indices: &[usize]) -> Dataset {
        let mut pixels = Vec::with_capacity(indices.len() * PIXELS);
        for &i in indices {
            pixels.extend_from_slice(self.image(i));
        }
        Dataset {
            pixels,
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
            usages: indices.iter().map(|&i| self.usages[i]).collect(),
            ids: indices.iter().map(|&i| self.ids[i].clone()).collect(),
            sources: self.sources.clone(),
            origins: indices.iter().map(|&i| self.origins[i]).collect(),
        }
    }

    /// Appends the faces of `other`.
    pub fn append(&mut self, other: Dataset) {
        let shift = self.sources.len() as u32;
        self.pixels.extend_from_slice(&other.pixels);
        self.labels.extend(other.labels);
        self.usages.extend(other.usages);
        self.ids.extend(other.ids);
        self.sources.extend(other.sources);
        self.origins.extend(other.origins.into_iter().map(|(s, line)| (s + shift, line)));
    }

    /// Returns the mean and the population standard deviation of all pixels, in [0, 1]; (0, 0) without a
    /// face. The sums are exact integers.
    pub fn mean_and_std(&self) -> (f64, f64) {
        if self.is_empty() {
            return (0.0, 0.0);
        }
        let (mut sum, mut squares) = (0_u64, 0_u64);
        for &p in &self.pixels {
            sum += u64::from(p);
            squares += u64::from(p) * u64::from(p);
        }
        let n = self.pixels.len() as f64;
        let mean = sum as f64 / n;
        let variance = (squares as f64 / n - mean * mean).max(0.0);
        (mean / 255.0, variance.sqrt() / 255.0)
    }

    /// Returns the number of faces and a CRC-32 over their pixels and labels. Two datasets with the same
    /// fingerprint hold the same faces in the same order.
    pub fn fingerprint(&self) -> String {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&self.pixels);
        let labels: Vec<u8> = self.labels.iter().map(|l| l.unwrap_or(u8::MAX)).collect();
        crc.update(&labels);
        format!("{} faces, {:08x}", self.len(), crc.finalize())
    }

    /// Checks that a network can be trained on this dataset; returns the classes without a face.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no face, an unlabelled face, or only one class.
    pub fn require_trainable(&self, path: &Path) -> Result<Vec<&'static str>> {
        if self.is_empty() {
            return Err(Error::data(path, "no faces found; expected at least two classes of them"));
        }
        if let Some(i) = self.labels.iter().position(Option::is_none) {
            let Origin { path, line } = self.origin(i);
            let way_out = match self.labels.iter().any(Option::is_some) {
                true => "fill it in, or leave out such faces with --skip-bad",
                false => "add a column `label` or `emotion`, or use one folder per class",
            };
            return Err(Error::Data {
                path: path.into(),
                line,
                message: format!("has no label; training needs one: {way_out}"),
            });
        }
        let counts = self.class_counts();
        let missing: Vec<_> = (0..7).filter(|&c| counts[c] == 0).map(|c| CLASS_NAMES[c]).collect();
        if missing.len() >= 6 {
            let only = (0..7).find(|&c| counts[c] > 0).map_or("none", |c| CLASS_NAMES[c]);
            return Err(Error::data(
                path,
                format!(
                    "every face is `{only}`; training needs at least two classes, so add faces \
                     of another one"
                ),
            ));
        }
        Ok(missing)
    }

    /// Frees unused capacity.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.pixels.shrink_to_fit();
    }
}
