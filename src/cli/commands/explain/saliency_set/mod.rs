//! `fer saliency --regions`, `--class-maps`, `--check`, `--template`: explanations of a whole set.

mod check;
mod class_maps;
mod regions;

pub use class_maps::class_maps_of;
pub use regions::lifts;

use crate::cli::commands::explain::saliency::{Args, Work, explain_all, refuse_if_nothing};
use crate::cli::shared::explained::mean_face;
use crate::cli::shared::faces::{Model, first_of_each_class};
use crate::cli::shared::output::write_page;
use crate::cli::shared::target::TargetArg;
use crate::console::eprintln_safe;
use crate::dataset::Dataset;
use crate::explain::regions::face_regions::Template;
use crate::explain::regions::region_lift::fitted_templates;
use crate::explain::{Attribution, Classifier, Method, Target};
use crate::render::Theme;
use crate::render::panel::Page;
use crate::report::PredictedFace;
use crate::report::saliency::template_page::template_page;
use crate::{CLASS_NAMES, PIXELS};
use crate::{Error, Result};

/// Questions about a whole set.
#[derive(Debug, Default, clap::Args)]
pub struct SetArgs {
    /// Face or not face? How much falls on each region, for all faces of the set
    #[arg(long, group = "set", conflicts_with_all = ["index", "per_class", "raw", "common_scale"])]
    pub regions: bool,
    /// Mean map of each class, correct minus wrong, true minus predicted, for all faces of the set
    #[arg(long, group = "set", conflicts_with_all = ["index", "per_class", "raw", "common_scale"])]
    pub class_maps: bool,
    /// Can the maps be believed? One table for all methods
    #[arg(long, group = "set",
          conflicts_with_all = ["index", "per_class", "raw", "pictures", "method", "common_scale"])]
    pub check: bool,
    /// Draw the regions over faces of the set, to check them by eye
    #[arg(long, group = "set",
          conflicts_with_all = ["index", "per_class", "raw", "method", "target", "common_scale",
                                "layer", "samples", "black", "json"])]
    pub template: bool,
    /// At most so many faces, as many of each class [default: all; 7 for --check, 100 for
    /// --template]
    #[arg(long, value_name = "N", requires = "set",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub faces: Option<u32>,
}

impl SetArgs {
    /// Whether one of the questions was asked.
    pub fn asked(&self) -> bool {
        self.regions || self.class_maps || self.check || self.template
    }
}

/// Answers the question asked.
pub fn run(args: &Args, model: &Model) -> Result<()> {
    if args.set.check && matches!(args.target, TargetArg::Loss) {
        let message =
            "--check measures how probable a class stays; use --target pred, true or a class";
        return Err(Error::Usage(message.into()));
    }
    let set = Set::read(args, model)?;
    let theme = args.theme();
    let explained = model.trained.explained()?;
    if args.set.template {
        return write(args, set.template_page(theme)?);
    }
    let options = args.how.options(&explained, set.mean_face.clone())?;
    let faces = set.judge(&explained)?;
    let targets = args.target.of(&faces, &model.names())?;
    let work =
        Work { model: &explained, pixels: &set.pixels, targets: &targets, options: &options };
    if args.set.check {
        return check::run(args, model, &set, &work);
    }
    let [method] = args.method.0[..] else {
        return Err(Error::Usage("a whole set is explained by one method; name it".into()));
    };
    args.how.require_use(&[method])?;
    let found = explain_all(&work, &[method])?.remove(0);
    let (set, found) = set.without_refused(found)?;
    let faces = set.judge(&explained)?;
    let targets: Vec<Target> = found.iter().map(|a| a.target).collect();
    let work =
        Work { model: &explained, pixels: &set.pixels, targets: &targets, options: &options };
    let asked = Asked { model, set: &set, work, method, found: &found };
    match args.set.regions {
        true => regions::run(args, &asked),
        false => class_maps::run(args, &asked, &faces),
    }
}

/// A whole set explained by one method.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The network.
    pub model: &'a Model,
    /// The faces.
    pub set: &'a Set,
    /// The same faces as the methods take them.
    pub work: Work<'a>,
    /// The method.
    pub method: Method,
    /// Its maps, one a face.
    pub found: &'a [Attribution],
}

impl Asked<'_> {
    /// All maps in a row.
    fn maps(&self) -> Vec<f32> {
        self.found.iter().flat_map(|a| &a.map).copied().collect()
    }

    /// “Saliency, target pred, run (fer-s), 700 faces”.
    pub fn what(&self, target: &str) -> String {
        let faces = crate::render::format::counted(self.set.labels.len(), "face");
        format!("{}, target {target}, {}, {faces}", self.method.title(), self.model.title)
    }
}

fn write(args: &Args, page: Page) -> Result<()> {
    args.out.as_deref().map_or(Ok(()), |path| write_page(&page, path))
}

/// At most so many of these faces, the first of every class before the second of any, in their order.
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

/// Labelled faces of a set.
pub struct Set {
    /// `[n, 48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
    /// True classes.
    pub labels: Vec<usize>,
    /// Where they came from.
    pub origins: Vec<String>,
    /// Mean face of the training.
    pub mean_face: Vec<f32>,
}

impl Set {
    fn read(args: &Args, model: &Model) -> Result<Set> {
        let all = args.faces.read_set(model)?;
        let default = match () {
            () if args.set.check => Some(7),
            () if args.set.template => Some(100),
            () => None,
        };
        Set::choose(&all, args.set.faces.or(default).map(|n| n as usize), model)
    }

    /// Labelled faces of `all`, at most `limit`, evenly from its classes.
    pub fn choose(all: &Dataset, limit: Option<usize>, model: &Model) -> Result<Set> {
        let classes = model.network().spec.classes.len();
        let known = |&i: &usize| all.label(i).is_some_and(|c| usize::from(c) < classes);
        let mut chosen: Vec<usize> = match limit {
            Some(n) => first_of_each_class(all, n.div_ceil(CLASS_NAMES.len()))?,
            None => (0..all.len()).collect(),
        };
        chosen.retain(known);
        if chosen.is_empty() {
            return Err(Error::Usage("no face has a label; the classes are compared by it".into()));
        }
        if let Some(most) = limit {
            chosen = evenly(&chosen, most.max(1), |i| all.label(i));
        }
        Ok(Set {
            pixels: model.trained.pixels(all, &chosen),
            labels: chosen.iter().filter_map(|&i| all.label(i).map(usize::from)).collect(),
            origins: chosen.iter().map(|i| format!("#{i}")).collect(),
            mean_face: mean_face(&model.trained, all),
        })
    }

    /// The faces that were explained, and their maps; says how many were not.
    fn without_refused(self, found: Vec<Attribution>) -> Result<(Set, Vec<Attribution>)> {
        let kept: Vec<usize> = (0..found.len()).filter(|&f| found[f].refused.is_none()).collect();
        if kept.len() == found.len() {
            return Ok((self, found));
        }
        refuse_if_nothing(&found)?;
        let [left_out, all] = [found.len() - kept.len(), found.len()];
        let why = found.iter().find_map(|a| a.refused.as_deref()).unwrap_or_default();
        eprintln_safe!(
            "{left_out} of {all} faces are left out, refused by the method; the first: {why}"
        );
        if kept.is_empty() {
            return Err(Error::Failed("no face is left".into()));
        }
        let set = Set {
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

    /// The faces with what the network takes them for.
    pub fn judge(&self, model: &dyn Classifier) -> Result<Vec<PredictedFace>> {
        let labels: Vec<Option<usize>> = self.labels.iter().map(|&c| Some(c)).collect();
        PredictedFace::predict(model, &self.pixels, &labels, &self.origins)
    }

    /// The regions of each face.
    pub fn templates(&self) -> Vec<Template> {
        fitted_templates(&self.pixels, &self.mean_face)
    }

    fn template_page(&self, theme: Theme) -> Result<Page> {
        template_page(&self.pixels, &self.templates(), theme)
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
