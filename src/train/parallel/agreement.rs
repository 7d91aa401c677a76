//! What all processes must agree on before they train together.

use crate::model::weights::network_file::checksum;
use crate::train::config::Budget;
use crate::train::parallel::Ranks;
use crate::train::trainer::Trainer;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a process says of itself.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Passport {
    version: String,
    training_faces: String,
    validation_faces: String,
    settings: String,
    weights: String,
}

impl Passport {
    fn of(trainer: &Trainer) -> Self {
        // Paths may differ from machine to machine; the fingerprints say whether the faces do.
        let mut config = trainer.config.clone();
        (config.data, config.val, config.from) = (None, None, None);
        config.teacher.clear();
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            training_faces: trainer.train.fingerprint(),
            validation_faces: trainer.validation.fingerprint(),
            settings: serde_json::to_string(&config).unwrap_or_default(),
            weights: checksum(&trainer.network),
        }
    }

    /// What differs from `first`: what it is called, and both values.
    fn difference(&self, first: &Self) -> Option<(&'static str, String, String)> {
        let pairs = [
            ("another version", &self.version, &first.version),
            ("other training faces", &self.training_faces, &first.training_faces),
            ("other validation faces", &self.validation_faces, &first.validation_faces),
            ("other settings", &self.settings, &first.settings),
            (
                "other first weights, as another kind of CPU computes them",
                &self.weights,
                &first.weights,
            ),
        ];
        let (what, own, first) = pairs.into_iter().find(|(_, own, first)| own != first)?;
        let (own, first) = differing_setting(own, first).unwrap_or((own.clone(), first.clone()));
        Some((what, own, first))
    }
}

/// Returns the first setting that differs, with its value in both; `None` for what is no settings.
fn differing_setting(own: &str, first: &str) -> Option<(String, String)> {
    let settings = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let (own, first) = (settings(own)?, settings(first)?);
    let key = own.as_object()?.keys().find(|key| own[key.as_str()] != first[key.as_str()])?;
    Some((format!("{key} = {}", own[key.as_str()]), format!("{key} = {}", first[key.as_str()])))
}

/// Refuses a training whose processes differ in version, faces, settings or first weights, or that ends
/// by the clock. Every process gets the same answer.
///
/// # Errors
/// [`Error::Usage`] that names the process and what differs.
pub(crate) fn require(trainer: &Trainer, ranks: &dyn Ranks) -> Result<()> {
    if ranks.size() == 1 {
        return Ok(());
    }
    let own = Passport::of(trainer);
    let text = serde_json::to_vec(&own).map_err(|e| Error::Usage(e.to_string()))?;
    let all: Vec<Option<Passport>> =
        ranks.gather_bytes(&text)?.iter().map(|bytes| serde_json::from_slice(bytes).ok()).collect();
    for (rank, passport) in all.iter().enumerate() {
        let (Some(passport), Some(Some(first))) = (passport, all.first()) else {
            return Err(Error::Usage(format!("rank {rank} is of another version than rank 0")));
        };
        if let Some((what, own, first)) = passport.difference(first) {
            return Err(Error::Usage(format!(
                "rank {rank} has {what} than rank 0: {own}; expected {first}"
            )));
        }
    }
    match trainer.config.budget {
        Budget::Epochs(_) => Ok(()),
        Budget::Minutes(_) => Err(Error::Usage(
            "a budget in minutes follows the clock of one process; train with --epochs under mpirun".into(),
        )),
    }
}
