//! `--target`: the score that is explained.

use crate::dataset::class_among;
use crate::explain::Target;
use crate::explain::layers::nearest;
use crate::report::PredictedFace;
use crate::{Error, Result};

/// The value of `--target`.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetArg {
    /// Logit of the predicted class.
    Predicted,
    /// Logit of the true class.
    True,
    /// Loss against the true class.
    Loss,
    /// Logit of the predicted class minus the log-sum-exp of the others.
    Contrast,
    /// Logit of a class.
    Named(String),
}

const NAMES: [(&str, TargetArg); 4] = [
    ("pred", TargetArg::Predicted),
    ("true", TargetArg::True),
    ("loss", TargetArg::Loss),
    ("contrast", TargetArg::Contrast),
];

impl std::str::FromStr for TargetArg {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        Ok(named.map_or(TargetArg::Named(text.into()), |(_, target)| target.clone()))
    }
}

impl TargetArg {
    /// Returns the text of the option.
    pub fn as_str(&self) -> &str {
        match self {
            TargetArg::Named(class) => class,
            other => NAMES.iter().find(|(_, target)| target == other).map_or("", |(name, _)| name),
        }
    }

    /// Returns the target of each face.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown class, or if a face has no label where one is needed.
    pub fn of(&self, faces: &[PredictedFace], names: &[&str]) -> Result<Vec<Target>> {
        let named = match self {
            TargetArg::Named(class) => {
                Some(class_named(class, names, "Targets: pred, true, loss, contrast, ")?)
            }
            _ => None,
        };
        let label = |face: &PredictedFace| {
            face.label.filter(|&c| c < names.len()).ok_or_else(|| {
                let what = if *self == TargetArg::Loss { "loss" } else { "true" };
                Error::Usage(format!(
                    "{} has no label of the network's classes, which --target {what} needs; use \
                     --target pred or a class",
                    face.origin
                ))
            })
        };
        let target = |face: &PredictedFace| {
            Ok(match self {
                TargetArg::Predicted => Target::Predicted,
                TargetArg::True => Target::True(label(face)?),
                TargetArg::Loss => Target::Loss(label(face)?),
                TargetArg::Contrast => Target::Contrast(face.predicted),
                TargetArg::Named(_) => Target::Class(named.unwrap_or_default()),
            })
        };
        faces.iter().map(target).collect()
    }
}

/// Finds a class of the network by name, in any spelling of the data sets, or by number. `listed` stands
/// in the message, before the names.
///
/// # Errors
/// [`Error::Usage`] that lists the classes.
pub fn class_named(text: &str, names: &[&str], listed: &str) -> Result<usize> {
    class_among(text, names).ok_or_else(|| {
        let hint = nearest(text, names).map(|n| format!("; did you mean `{n}`?"));
        let (hint, names) = (hint.unwrap_or(".".into()), names.join(", "));
        Error::Usage(format!("no class `{text}`{hint} {listed}{names}"))
    })
}
