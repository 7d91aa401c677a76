//! The number that an explanation explains.

use crate::stats::{argmax, logsumexp};

/// The number that an explanation explains, computed from a face's logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Logit of the class the network predicts for the face as given.
    Predicted,
    /// Logit of the true class.
    True(usize),
    /// Logit of a named class.
    Class(usize),
    /// Cross-entropy against the true class. Its gradient vanishes where the network is confident
    /// and correct.
    Loss(usize),
    /// S_c − logsumexp of the other logits: the log-odds of class c. It does not saturate.
    Contrast(usize),
}

impl Target {
    /// The class of the target.
    pub fn class(&self, logits: &[f32]) -> usize {
        match *self {
            Target::Predicted => argmax(logits),
            Target::True(c) | Target::Class(c) | Target::Loss(c) | Target::Contrast(c) => c,
        }
    }

    /// Whether the target is a loss instead of a score.
    pub fn is_loss(&self) -> bool {
        matches!(self, Target::Loss(_))
    }

    /// Replaces [`Target::Predicted`] by the class that these logits predict.
    pub fn resolve(&self, logits: &[f32]) -> Target {
        match *self {
            Target::Predicted => Target::Class(argmax(logits)),
            other => other,
        }
    }

    /// Computes the score of one face from its logits.
    ///
    /// **Panics** for a class that the logits do not have, which
    /// [`FaceBatch`](crate::explain::FaceBatch) excludes. So does [`Target::logit_gradient`].
    pub fn score(&self, logits: &[f32]) -> f32 {
        let c = self.class(logits);
        match self {
            Target::Loss(_) => (normaliser(logits, None) - f64::from(logits[c])) as f32,
            Target::Contrast(_) => (f64::from(logits[c]) - normaliser(logits, Some(c))) as f32,
            _ => logits[c],
        }
    }

    /// Computes d score / d logits, `[classes]`: the start of the backward pass.
    pub fn logit_gradient(&self, logits: &[f32]) -> Vec<f32> {
        let c = self.class(logits);
        let one_at_c = |k: usize| if k == c { 1.0 } else { 0.0 };
        let skip = matches!(self, Target::Contrast(_)).then_some(c);
        let normaliser = normaliser(logits, skip);
        let share = |k: usize| (f64::from(logits[k]) - normaliser).exp() as f32;
        (0..logits.len())
            .map(|k| match self {
                Target::Loss(_) => share(k) - one_at_c(k),
                Target::Contrast(_) if k != c => -share(k),
                _ => one_at_c(k),
            })
            .collect()
    }

    /// Describes the target in a few words for a caption.
    pub fn describe(&self, class_name: &str) -> String {
        match self {
            Target::Predicted => format!("logit of predicted {class_name}"),
            Target::True(_) => format!("logit of true {class_name}"),
            Target::Class(_) => format!("logit of {class_name}"),
            Target::Loss(_) => format!("loss against {class_name}"),
            Target::Contrast(_) => format!("{class_name} against the rest"),
        }
    }
}

/// logsumexp of the logits without class `skip`.
fn normaliser(logits: &[f32], skip: Option<usize>) -> f64 {
    let kept = logits.iter().enumerate().filter(|&(k, _)| Some(k) != skip);
    logsumexp(kept.map(|(_, &v)| f64::from(v)))
}
