//! Faces as input of a network, and their names and labels.

use crate::console::{self, eprintln_safe};
use crate::dataset::{Dataset, SynthOptions, source, synthesize};
use crate::explain::layers::layer_list;
use crate::explain::{Classifier as _, LayerInfo, NetworkClassifier};
use crate::model::{LoadedModel, mean_face};
use crate::stats::evenly_spread;
use crate::{Error, PIXELS, Result};
use std::path::Path;

/// Smallest number of faces whose mean resembles none of them.
const ENOUGH: usize = 100;

/// Reads the faces of `data`; without it, the training faces of the model; drawn faces if the model
/// does not name any.
pub fn training_faces(model: &LoadedModel, data: Option<&Path>) -> Result<Dataset> {
    match (data, &model.record.source) {
        (Some(path), _) => source::read_faces(path, false),
        (None, Some(_)) => model.training_faces(),
        (None, None) => {
            eprintln_safe!("{DRAWN_NOTE}");
            synthesize(&SynthOptions::default())
        }
    }
}

/// The note of a command that uses drawn faces although the network may have learnt from photographs.
pub const DRAWN_NOTE: &str = "note: neither the command nor the network's file names faces, so the program draws some: \
     a network that learnt from photographs answers them differently. Name photos, or faces with --data";

/// Returns a remark for captions if [`training_faces`] are drawn; empty if they are photos.
pub fn drawn_faces(model: &LoadedModel, data: Option<&Path>) -> &'static str {
    match (data, &model.record.source) {
        (None, None) => " drawn by the program, because neither the model nor --data names others",
        (None, Some(source)) if source.data.is_none() => {
            " drawn by the program, like the training faces"
        }
        _ => "",
    }
}

/// Returns all faces as input of the network, before it resizes them: `[n, 48, 48]` in [0, 1].
pub fn pixels(model: &LoadedModel, faces: &Dataset) -> Vec<f32> {
    model.pixels(faces, &(0..faces.len()).collect::<Vec<_>>())
}

/// Returns the mean training face; if the model does not have it, the mean of the given faces if there
/// are at least 100 of them, else uniform gray.
pub fn mean_face(model: &LoadedModel, faces: &Dataset) -> Vec<f32> {
    let of_those = || (faces.len() >= ENOUGH).then(|| mean_face::mean_face(faces, model.equalize));
    let gray = || vec![model.network.spec.mean as f32; PIXELS];
    model.mean_face().or_else(of_those).unwrap_or_else(gray)
}

/// Returns a short name of face i, such as `public_test.csv.gz #3` or `me.png`. `number` is its number
/// for the user.
pub fn short_origin(faces: &Dataset, i: usize, number: usize) -> String {
    let origin = faces.origin(i);
    let file = origin.path.file_name().unwrap_or(origin.path.as_os_str()).to_string_lossy();
    match origin.line {
        Some(_) => format!("{file} #{number}"),
        None => file.into_owned(),
    }
}

/// Returns the true classes; `usize::MAX` for faces without label.
pub fn labels(faces: &Dataset) -> Vec<usize> {
    faces.labels().iter().map(|l| l.map_or(usize::MAX, usize::from)).collect()
}

/// Returns at most `most` faces (0 = all), spread evenly over the data.
pub fn spread(faces: Dataset, most: usize) -> Dataset {
    if most == 0 || faces.len() <= most {
        return faces;
    }
    faces.select(&evenly_spread(faces.len(), most))
}

/// Prints the layers that `--layer` may name.
pub fn list_layers(
    model: &NetworkClassifier<'_>,
    may_name: &dyn Fn(&LayerInfo) -> bool,
) -> Result<()> {
    let layers: Vec<LayerInfo> = model.layers().into_iter().filter(may_name).collect();
    console::print(&format!("Choose with --layer NAME:\n\n{}", layer_list(&layers)))
}

/// Parses numbers such as `3,7,10-12`.
///
/// # Errors
/// [`Error::Usage`] that names the bad part.
pub fn parse_numbers(list: &str) -> Result<Vec<usize>> {
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
    use crate::cli::shared::network_input::parse_numbers;

    #[test]
    fn lists_of_numbers() {
        assert_eq!(parse_numbers("0-2,7, 5,1").unwrap(), [0, 1, 2, 7, 5]);
        for bad in ["", "3-1", "x", "1-", "-1", "0-99999999"] {
            assert!(
                parse_numbers(bad).unwrap_err().to_string().contains("expected numbers"),
                "{bad}"
            );
        }
    }
}
