//! What the explaining commands share: a network, the faces it learnt from, lists of names.

use crate::checkpoint::weights::read_model;
use crate::dataset::augment::View;
use crate::dataset::{Dataset, SynthOptions, synthesize};
use crate::error::{Error, Result};
use crate::model::Network;
use crate::train::{TrainConfig, load};
use crate::{PIXELS, SIDE};
use std::path::{Path, PathBuf};

/// A network to be explained.
pub struct Subject {
    path: PathBuf,
    /// The network.
    pub network: Network<f32>,
    config: Option<TrainConfig>,
}

impl Subject {
    /// Reads a run folder or a weights file.
    pub fn read(path: &Path) -> Result<Self> {
        let (network, archive) = read_model(path)?;
        let has_config = archive.meta.contains_key("config");
        let config = has_config.then(|| archive.get(path, "config")).transpose()?;
        Ok(Self { path: path.to_owned(), network, config })
    }

    /// The faces of `data`; without it, those the network was trained on; where the weights do not
    /// say which, the built-in ones.
    pub fn training_faces(&self, data: Option<&Path>) -> Result<Dataset> {
        if let Some(path) = data {
            return load::read_faces(path, false);
        }
        let Some(config) = &self.config else {
            return synthesize(&SynthOptions::default());
        };
        if let Some(gone) = config.data.iter().chain(&config.val).find(|p| !p.exists()) {
            return Err(Error::Usage(format!(
                "{} was trained on faces of {}, which is not there; name others with --data",
                self.path.display(),
                gone.display()
            )));
        }
        Ok(load::load(config, true)?.0)
    }

    /// Faces as the network sees them, `[n, 48, 48]` in [0, 1].
    pub fn pixels(&self, faces: &Dataset) -> Vec<f32> {
        let equalize = self.config.as_ref().is_some_and(|c| c.augment.equalize);
        let all: Vec<usize> = (0..faces.len()).collect();
        let mut pixels = vec![0.0; faces.len() * PIXELS];
        View::PLAIN.fill_batch(faces, &all, equalize, SIDE, &mut pixels);
        pixels
    }
}

/// At most `most` faces (0 = all), spread evenly over the data.
pub fn spread(faces: Dataset, most: usize) -> Dataset {
    let n = faces.len();
    if most == 0 || n <= most {
        return faces;
    }
    faces.select(&(0..most).map(|i| i * n / most).collect::<Vec<_>>())
}

/// Numbers such as `3,7,10-12`.
pub fn numbers(list: &str) -> Result<Vec<usize>> {
    let refuse = |part: &str| {
        Error::Usage(format!("`{part}` in `{list}`: expected numbers such as 0-31 or 3,7,10-12"))
    };
    let mut out = Vec::new();
    for part in list.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| refuse(part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last || last - first > 100_000 {
            return Err(refuse(part));
        }
        out.extend((first..=last).filter(|k| !out.contains(k)).collect::<Vec<_>>());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn lists_of_numbers() {
        assert_eq!(numbers("0-2,7, 5,1").unwrap(), [0, 1, 2, 7, 5]);
        for bad in ["", "3-1", "x", "1-", "-1", "0-99999999"] {
            assert!(numbers(bad).unwrap_err().to_string().contains("expected numbers"), "{bad}");
        }
    }
}
