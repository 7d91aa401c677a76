//! Pages of wrongly predicted faces with the maps of the predicted and of the true class.

use crate::explain::{
    Attribution, AttributionOptions, Classifier, FaceBatch, Method, Target, attribute,
};
use crate::metrics::errors::Mistake;
use crate::render::colormap::overlay;
use crate::render::format::{percent, short};
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, ScaleBar, Theme};
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::saliency::one_method_page::{MAGNITUDE, SIGNED, colors_of, scale_of};
use crate::{PIXELS, Result};

/// Mistakes on the page of the most confident mistakes.
const ERRORS: usize = 12;
/// Confused pairs on their page, and mistakes per pair.
const PAIRS: (usize, usize) = (5, 3);
/// Methods of the maps: one at pixel resolution, one at feature-map resolution.
const METHODS: [Method; 2] = [Method::DEFAULT, Method::LayerCam];

/// The two pages of mistakes.
#[derive(Clone, Debug)]
pub struct MistakeMaps {
    /// The most confident mistakes, one per row.
    pub errors: Page,
    /// The most confident mistakes of the most frequently confused pairs.
    pub pairs: Page,
}

/// Evaluated faces `[n, 48, 48]` and the network.
pub struct EvaluatedFaces<'a> {
    /// The explained network.
    pub model: &'a dyn Classifier,
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// Pixels of all faces.
    pub pixels: &'a [f32],
    /// Mean training face, with which paths begin: the same for every page.
    pub mean_face: &'a [f32],
    /// Source of face `i`.
    pub origin: &'a dyn Fn(usize) -> String,
}

impl MistakeMaps {
    /// Explains the first of `mistakes`, which are sorted by confidence.
    pub fn new(evaluated: &EvaluatedFaces<'_>, mistakes: &[Mistake]) -> Result<MistakeMaps> {
        let shown: Vec<&Mistake> = mistakes.iter().take(ERRORS).collect();
        let errors = evaluated.page("The most confident mistakes", &shown)?;
        let mut counts: Vec<((usize, usize), usize)> = Vec::new();
        for m in mistakes {
            let pair = (m.truth, m.predicted);
            match counts.iter_mut().find(|(p, _)| *p == pair) {
                Some((_, n)) => *n += 1,
                None => counts.push((pair, 1)),
            }
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let of_pair = |(pair, _): &((usize, usize), usize)| {
            let own = mistakes.iter().filter(|m| (m.truth, m.predicted) == *pair);
            own.take(PAIRS.1).collect::<Vec<_>>()
        };
        let shown: Vec<&Mistake> = counts.iter().take(PAIRS.0).flat_map(of_pair).collect();
        let mut pairs = evaluated.page("The most frequent confusions", &shown)?;
        let words = |((truth, said), n): &((usize, usize), usize)| {
            format!("{} predicted as {}: {n}", evaluated.name(*truth), evaluated.name(*said))
        };
        let counted: Vec<String> = counts.iter().take(PAIRS.0).map(words).collect();
        pairs.subtitle = counted.join(" · ");
        Ok(MistakeMaps { errors, pairs })
    }
}

impl EvaluatedFaces<'_> {
    fn name(&self, class: usize) -> &str {
        name(self.names, class)
    }

    fn page(&self, title: &str, mistakes: &[&Mistake]) -> Result<Page> {
        let of = |m: &&Mistake| &self.pixels[m.face * PIXELS..(m.face + 1) * PIXELS];
        let pixels: Vec<f32> = mistakes.iter().flat_map(of).copied().collect();
        let options = AttributionOptions::new(self.mean_face.to_vec(), 0)?;
        let mut maps: Vec<Vec<Attribution>> = Vec::new();
        for method in METHODS {
            for class in [|m: &Mistake| m.predicted, |m: &Mistake| m.truth] {
                let targets: Vec<Target> =
                    mistakes.iter().map(|m| Target::Class(class(m))).collect();
                let faces = FaceBatch::new(self.model, &pixels, &targets)?;
                maps.push(attribute(&faces, method, &options)?);
            }
        }
        let mut page = Page { cell: 150.0, ..Page::new(title, Theme::Light) };
        page.columns = vec!["face".into()];
        for method in METHODS {
            let heads = ["predicted", "true"].map(|c| format!("{}, {c} class", method.title()));
            page.columns.extend(heads);
        }
        for (i, m) in mistakes.iter().enumerate() {
            page.rows.push(self.row(m, of(m), maps.iter().map(|all| &all[i]))?);
        }
        let ends = BarEnds::Percentile99("map");
        let bar = |colormap, label: &str| ScaleBar { colormap, ends, label: label.into() };
        page.scale_bars = vec![
            bar(SIGNED, "smoothed integrated gradients: blue against, red for the class"),
            bar(MAGNITUDE, "LayerCAM: evidence for the class"),
        ];
        page.caption = "Each map explains the logit of one class and has its own scale.".into();
        Ok(page)
    }

    fn row<'m>(
        &self,
        m: &Mistake,
        pixels: &[f32],
        maps: impl Iterator<Item = &'m Attribution>,
    ) -> Result<Row> {
        let face = PredictedFace {
            pixels: pixels.to_vec(),
            label: Some(m.truth),
            origin: (self.origin)(m.face),
            predicted: m.predicted,
            probability: m.confidence as f32,
        };
        let picture = face.picture()?;
        let mut header = face.header(self.names);
        let own = format!("{} {}", self.name(m.truth), percent(m.true_probability));
        header.insert(2, Line::new(own, Tone::Muted));
        let mut cells = vec![Cell::picture(picture.clone(), "")];
        for found in maps {
            cells.push(match &found.refused {
                Some(why) => Cell::Text(vec![Line::new(why.as_str(), Tone::Bad)]),
                None => Cell::Picture {
                    picture: overlay(
                        &picture,
                        &found.map,
                        colors_of(found.method),
                        scale_of(found),
                    )?,
                    smooth: found.method.is_smooth(),
                    caption: format!("max {}", short(found.raw_max.into())),
                },
            });
        }
        Ok(Row { header, cells })
    }
}
