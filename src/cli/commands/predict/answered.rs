//! All faces of a prediction with their answers: for `--sort` and the contact sheet of `--sheet`.

use crate::Result;
use crate::cli::shared::output::write_page;
use crate::cli::shared::photos::InputFaces;
use crate::model::Predictions;
use crate::render::Theme;
use crate::report::evaluation::contact_sheet::{AnsweredFace, answer_sheet};
use std::path::Path;

/// The order of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    /// By class, within a class from the most probable answer to the least.
    Class,
    /// From the most probable answer to the least.
    Probability,
}

/// Every face that was read so far, with its probabilities.
#[derive(Default)]
pub(super) struct Answered {
    pub input: InputFaces,
    pub probabilities: Vec<f32>,
}

impl Answered {
    /// Adds faces that come after these.
    pub fn append(&mut self, part: InputFaces, predictions: Predictions) {
        self.input.append(part);
        self.probabilities.extend(predictions.probabilities);
    }

    /// Returns the faces with their predictions in this order.
    pub fn sorted(self, order: Order, classes: usize) -> (InputFaces, Predictions) {
        let predictions = Predictions { classes, probabilities: self.probabilities };
        let top = |i: usize| predictions.of(i)[predictions.class(i)];
        let class = |i: usize| if order == Order::Class { predictions.class(i) } else { 0 };
        let mut faces: Vec<usize> = (0..self.input.faces.len()).collect();
        // Stable: equal answers stay in the order of the inputs.
        faces.sort_by(|&a, &b| class(a).cmp(&class(b)).then(top(b).total_cmp(&top(a))));
        let probabilities = faces.iter().flat_map(|&i| predictions.of(i).to_vec()).collect();
        (self.input.select(&faces), Predictions { classes, probabilities })
    }
}

/// Writes the contact sheet of faces that are in `order`.
pub(super) fn write_sheet(
    path: &Path,
    input: &InputFaces,
    predictions: &Predictions,
    names: &[&str],
    order: Order,
) -> Result<()> {
    let face = |i: usize| {
        let class = predictions.class(i);
        AnsweredFace {
            pixels: input.faces.image(i),
            class: names[class],
            probability: f64::from(predictions.of(i)[class]),
            doubtful: input.crops[i].is_some_and(|crop| crop.location.is_doubtful()),
            name: match input.crops[i] {
                Some(_) => input.faces.id(i),
                None => input.faces.origin(i).to_string(),
            },
        }
    };
    let faces: Vec<AnsweredFace<'_>> = (0..input.faces.len()).map(face).collect();
    write_page(&answer_sheet(&faces, order == Order::Class, Theme::Light)?, path)
}
