//! Names of folders and tags: those of Keras 3, and some that Keras no longer writes.
//!
//! ```text
//! RUN/                 hyper-parameters, validation/best_accuracy, validation/best_loss, custom scalars,
//!                      both graphs, about (text), projector
//! RUN/train/           epoch_loss  epoch_accuracy  epoch_learning_rate  images_per_second
//!                      epoch_grad_norm  epoch_weight_norm
//!                      layers/LAYER/WEIGHT/histogram, /gradient   layers/LAYER/activation
//!                      layers/LAYER/grad_norm, /weight_norm, /update_ratio, /dead_share
//! RUN/validation/      epoch_loss  epoch_accuracy   per_class/NAME/recall, /precision, /f1
//!                      pr/NAME   saliency/NAME   confusion (image)   confusion_table (text)
//! ```
//!
//! A tag that stands in both folders is drawn as two curves in one chart. The step is the epoch,
//! counted from 0 as Keras does. TensorBoard sorts tags by name and opens on the first: no scalar
//! comes before epoch_accuracy and epoch_loss.

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::summary::hparams::Metric;
use crate::monitor::tensorboard::summary::layout::{self, Chart};

/// Folder of what was measured on training data.
pub const TRAIN: &str = "train";
/// Folder of what was measured on validation data.
pub const VALIDATION: &str = "validation";

/// Mean loss of an epoch; both folders.
pub const EPOCH_LOSS: &str = "epoch_loss";
/// Accuracy of an epoch, in [0, 1]; both folders.
pub const EPOCH_ACCURACY: &str = "epoch_accuracy";
/// Learning rate at the end of an epoch.
pub const EPOCH_LEARNING_RATE: &str = "epoch_learning_rate";
/// Training speed in images/s.
pub const IMAGES_PER_SECOND: &str = "images_per_second";
/// Largest gradient norm of an epoch's steps, over all weights.
pub const GRAD_NORM: &str = "epoch_grad_norm";
/// ‖weights‖₂ of the whole network at the end of an epoch.
pub const WEIGHT_NORM: &str = "epoch_weight_norm";
/// Description of network and data; in the run folder.
pub const ABOUT: &str = "about";
/// The confusion matrix as a picture.
pub const CONFUSION: &str = "confusion";
/// The confusion matrix as a table. Tags are unique over all kinds in a folder, hence the name.
pub const CONFUSION_TABLE: &str = "confusion_table";

/// Best validation accuracy up to an epoch; in the run's folder.
pub const BEST_ACCURACY: &str = "validation/best_accuracy";
/// Validation loss at the epoch of the best accuracy; in the run's folder.
pub const BEST_LOSS: &str = "validation/best_loss";

/// Histogram of a weight; `weight` is `kernel`, `bias`, `gamma`, `beta` …
pub fn weight(layer: &str, weight: &str) -> String {
    format!("layers/{layer}/{weight}/histogram")
}
/// Histogram of a weight's gradient.
pub fn gradient(layer: &str, weight: &str) -> String {
    format!("layers/{layer}/{weight}/gradient")
}
/// Histogram of a layer's output on the probe batch.
pub fn activation(layer: &str) -> String {
    format!("layers/{layer}/activation")
}
/// ‖gradient‖₂ over all weights of a layer.
pub fn grad_norm(layer: &str) -> String {
    format!("layers/{layer}/grad_norm")
}
/// ‖weights‖₂ of a layer.
pub fn weight_norm(layer: &str) -> String {
    format!("layers/{layer}/weight_norm")
}
/// ‖change of the weights in one step‖₂ / ‖weights‖₂ of a layer.
pub fn update_ratio(layer: &str) -> String {
    format!("layers/{layer}/update_ratio")
}
/// Share of a layer's channels that are zero on the whole probe batch, in [0, 1].
pub fn dead_share(layer: &str) -> String {
    format!("layers/{layer}/dead_share")
}
/// Share of the faces of a class that are predicted as this class.
pub fn recall(class: &str) -> String {
    format!("per_class/{class}/recall")
}
/// Share of the faces predicted as a class that are of this class.
pub fn precision(class: &str) -> String {
    format!("per_class/{class}/precision")
}
/// Harmonic mean of recall and precision of a class.
pub fn f1(class: &str) -> String {
    format!("per_class/{class}/f1")
}
/// Precision-recall curve of a class.
pub fn pr(class: &str) -> String {
    format!("pr/{class}")
}
/// Saliency picture of the fixed face of a class.
pub fn saliency(class: &str) -> String {
    format!("saliency/{class}")
}
/// Number of values left out of `tag` because they were NaN or infinite.
pub fn nonfinite(tag: &str) -> String {
    format!("nonfinite/{tag}")
}

/// The two panels of the report: accuracy, then loss, training and validation in each.
pub fn curves_layout() -> Summary {
    let panels = vec![Chart::new("accuracy", &[EPOCH_ACCURACY]), Chart::new("loss", &[EPOCH_LOSS])];
    layout::layout(&[("curves", panels)])
}

/// The metrics beside the hyper-parameters: the last values of two scalars.
///
/// They are scalars of the run's folder and not of `validation/`: TensorBoard looks for a metric in
/// a folder below the session's by joining the names, and finds none when it is opened on the run
/// itself, whose name is then `.` (`./validation` is not `validation`).
pub const METRICS: [Metric<'static>; 2] = [
    Metric { group: "", tag: BEST_ACCURACY, display_name: "validation accuracy, best" },
    Metric { group: "", tag: BEST_LOSS, display_name: "validation loss at the best accuracy" },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensorboard_opens_on_the_accuracy() {
        let layer = "activation_1";
        let others = [
            EPOCH_LOSS.into(),
            EPOCH_LEARNING_RATE.into(),
            IMAGES_PER_SECOND.into(),
            GRAD_NORM.into(),
            WEIGHT_NORM.into(),
            BEST_ACCURACY.into(),
            BEST_LOSS.into(),
            grad_norm(layer),
            weight_norm(layer),
            update_ratio(layer),
            dead_share(layer),
            recall("angry"),
            precision("angry"),
            f1("angry"),
        ];
        let before: Vec<&String> = others.iter().filter(|t| t.as_str() < EPOCH_ACCURACY).collect();
        assert_eq!(before, [""; 0]);
    }
}
