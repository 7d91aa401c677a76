//! The labelled faces of a data set, and their maps by one method.

use crate::cli::commands::explain::saliency::args::Args;
use crate::cli::shared::attribution::{AttributionTask, require_a_map};
use crate::cli::shared::faces::{Model, first_of_each_class};
use crate::cli::shared::network_input::mean_face;
use crate::console::eprintln_safe;
use crate::dataset::Dataset;
use crate::explain::regions::face_regions::{Template, fitted_templates};
use crate::explain::{Attribution, Classifier, Method};
use crate::render::Theme;
use crate::render::panel::Page;
use crate::report::PredictedFace;
use crate::report::saliency::template_page::template_page;
use crate::{CLASS_NAMES, Error, PIXELS, Result};

/// The maps of a set of faces by one method.
#[derive(Clone, Copy)]
pub struct SetMaps<'a> {
    /// The network.
    pub model: &'a Model,
    /// The faces.
    pub set: &'a FaceSet,
    /// The same faces as input of a method.
    pub task: AttributionTask<'a>,
    /// The method.
    pub method: Method,
    /// Its maps, one per face.
    pub found: &'a [Attribution],
}

impl SetMaps<'_> {
    /// The maps of all faces, `[n, 48, 48]`.
    pub fn maps(&self) -> Vec<f32> {
        self.found.iter().flat_map(|a| &a.map).copied().collect()
    }

    /// Returns a title such as “Saliency, target pred, run (fer-s), 700 faces”.
    pub fn title(&self, target: &str) -> String {
        let faces = crate::render::format::counted(self.set.labels.len(), "face");
        format!("{}, target {target}, {}, {faces}", self.method.title(), self.model.title)
    }
}

/// Returns at most `most` of these faces in their order: the first of each class before the second of
/// any.
fn evenly(faces: &[usize], most: usize, class: impl Fn(usize) -> Option<u8>) -> Vec<usize> {
    let mut seen = [0; CLASS_NAMES.len()];
    let mut ranked: Vec<(usize, usize)> = Vec::with_capacity(faces.len());
    for (place, &face) in faces.iter().enumerate() {
        let count = &mut seen[class(face).map_or(0, usize::from)];
        ranked.push((*count, place));
        *count += 1;
    }
    ranked.sort_unstable();
    ranked.truncate(most);
    ranked.sort_unstable_by_key(|&(_, place)| place);
    ranked.into_iter().map(|(_, place)| faces[place]).collect()
}

/// The labelled faces of a data set.
pub struct FaceSet {
    /// `[n, 48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
    /// True classes.
    pub labels: Vec<usize>,
    /// Short names, such as `#17`.
    pub origins: Vec<String>,
    /// The mean face of the training data.
    pub mean_face: Vec<f32>,
}

impl FaceSet {
    /// Reads the faces that the arguments name.
    ///
    /// # Errors
    /// Those of reading, and of [`FaceSet::choose`].
    pub fn read(args: &Args, model: &Model) -> Result<FaceSet> {
        let all = args.faces.read_set(model)?;
        let default = match () {
            () if args.set.sanity_check => Some(7),
            () if args.set.draw_regions => Some(100),
            () => None,
        };
        FaceSet::choose(&all, args.set.max_faces.or(default).map(|n| n as usize), model)
    }

    /// Returns the labelled faces of `all`, at most `limit`, as many of each class.
    ///
    /// # Errors
    /// [`Error::Usage`] if no face has a label that the network knows.
    pub fn choose(all: &Dataset, limit: Option<usize>, model: &Model) -> Result<FaceSet> {
        let classes = model.network().spec.classes.len();
        let known = |&i: &usize| all.label(i).is_some_and(|c| usize::from(c) < classes);
        let mut chosen: Vec<usize> = match limit {
            Some(n) => first_of_each_class(all, n.div_ceil(CLASS_NAMES.len()))?,
            None => (0..all.len()).collect(),
        };
        chosen.retain(known);
        if chosen.is_empty() {
            return Err(Error::Usage(
                "no face has a label of the network's classes; name labelled faces with --data"
                    .into(),
            ));
        }
        if let Some(most) = limit {
            chosen = evenly(&chosen, most.max(1), |i| all.label(i));
        }
        Ok(FaceSet {
            pixels: model.trained.pixels(all, &chosen),
            labels: chosen.iter().filter_map(|&i| all.label(i).map(usize::from)).collect(),
            origins: chosen.iter().map(|i| format!("#{i}")).collect(),
            mean_face: mean_face(&model.trained, all),
        })
    }

    /// Leaves out the faces that the method refused, and says how many. Returns the rest and its maps.
    ///
    /// # Errors
    /// [`Error::Failed`] or [`Error::Usage`] if no face is left.
    pub fn without_refused(self, found: Vec<Attribution>) -> Result<(FaceSet, Vec<Attribution>)> {
        let kept: Vec<usize> = (0..found.len()).filter(|&f| found[f].refused.is_none()).collect();
        if kept.len() == found.len() {
            return Ok((self, found));
        }
        require_a_map(&found)?;
        let [left_out, all] = [found.len() - kept.len(), found.len()];
        let why = found.iter().find_map(|a| a.refused.as_deref()).unwrap_or_default();
        eprintln_safe!(
            "{left_out} of {all} faces left out, because the method refuses them; the first: {why}"
        );
        if kept.is_empty() {
            return Err(Error::Failed("no face is left".into()));
        }
        let set = FaceSet {
            pixels: kept
                .iter()
                .flat_map(|&f| &self.pixels[f * PIXELS..][..PIXELS])
                .copied()
                .collect(),
            labels: kept.iter().map(|&f| self.labels[f]).collect(),
            origins: kept.iter().map(|&f| self.origins[f].clone()).collect(),
            mean_face: self.mean_face,
        };
        Ok((set, found.into_iter().filter(|a| a.refused.is_none()).collect()))
    }

    /// Classifies the faces.
    pub fn classify(&self, model: &dyn Classifier) -> Result<Vec<PredictedFace>> {
        let labels: Vec<Option<usize>> = self.labels.iter().map(|&c| Some(c)).collect();
        PredictedFace::predict(model, &self.pixels, &labels, &self.origins)
    }

    /// Returns the regions of each face.
    pub fn templates(&self) -> Result<Vec<Template>> {
        fitted_templates(&self.pixels)
    }

    /// Draws the regions over the faces.
    pub fn regions_page(&self, theme: Theme) -> Result<Page> {
        template_page(&self.pixels, &self.templates()?, theme)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_class_is_there_before_any_has_one_more() {
        // Three faces of class 0, two of class 1, one of class 2, class by class.
        let classes = [0, 0, 0, 1, 1, 2];
        let chosen = |most| super::evenly(&[0, 1, 2, 3, 4, 5], most, |i| Some(classes[i]));
        assert_eq!(chosen(2), [0, 3]);
        assert_eq!(chosen(4), [0, 1, 3, 5]);
        assert_eq!(chosen(9), [0, 1, 2, 3, 4, 5]);
    }
}
