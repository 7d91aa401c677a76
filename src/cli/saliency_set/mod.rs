//! `fer saliency --regions`, `--class-maps`, `--check`, `--template`: explanations of a whole set.

mod check;
mod class_maps;
mod regions;

pub use class_maps::class_maps_of;
pub use regions::lifts;

use super::explained::{mean_face, pixels_of};
use super::faces::{Model, first_of_each_class};
use super::output::write_page;
use super::saliency::{Args, Work, explain_all};
use super::target::TargetArg;
use crate::CLASS_NAMES;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::explain::region_lift::fitted_templates;
use crate::explain::regions::Template;
use crate::explain::{Attribution, Classifier, Method};
use crate::render::Theme;
use crate::render::panel::Page;
use crate::report::ShownFace;
use crate::report::template_page::template_page;

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
    refuse(&found)?;
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
        let faces = crate::render::numbers::counted(self.set.labels.len(), "face");
        format!("{}, target {target}, {}, {faces}", self.method.title(), self.model.title)
    }
}

fn write(args: &Args, page: Page) -> Result<()> {
    args.out.as_deref().map_or(Ok(()), |path| write_page(&page, path))
}

fn refuse(found: &[Attribution]) -> Result<()> {
    match found.iter().find_map(|a| a.refused.clone()) {
        Some(why) => Err(Error::Usage(why)),
        None => Ok(()),
    }
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
        // A limit that the classes do not divide is met by leaving out the last ones.
        chosen.truncate(limit.unwrap_or(usize::MAX).max(1));
        Ok(Set {
            pixels: pixels_of(&model.trained, all, &chosen),
            labels: chosen.iter().filter_map(|&i| all.label(i).map(usize::from)).collect(),
            origins: chosen.iter().map(|i| format!("#{i}")).collect(),
            mean_face: mean_face(&model.trained, all),
        })
    }

    /// The faces with what the network takes them for.
    pub fn judge(&self, model: &dyn Classifier) -> Result<Vec<ShownFace>> {
        let labels: Vec<Option<usize>> = self.labels.iter().map(|&c| Some(c)).collect();
        ShownFace::judge(model, &self.pixels, &labels, &self.origins)
    }

    /// The regions of each face.
    pub fn templates(&self) -> Vec<Template> {
        fitted_templates(&self.pixels, &self.mean_face)
    }

    fn template_page(&self, theme: Theme) -> Result<Page> {
        template_page(&self.pixels, &self.templates(), theme)
    }
}
