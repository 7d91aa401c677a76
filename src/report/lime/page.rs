//! Page of LIME explanations: superpixels for and against the class, with the quality of the fit.

use crate::explain::attribution::lime::superpixels::{FACE_PARTS, Segmentation};
use crate::explain::attribution::lime::{Lime, MAX_GAP, MIN_R2, MIN_TOP5};
use crate::explain::image_ops::max_abs;
use crate::render::colormap::draw_map;
use crate::render::format::short;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, Scale, ScaleBar, Theme};
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::i18n::minus;
use crate::report::lime::superpixels::{AGAINST, FOR, SHOWN, borders, evidence, strongest};
use crate::report::saliency::one_method_page::SIGNED;
use crate::{Result, SIDE};

/// Limits of a warning, halfway to the limits of a refusal.
const NEAR_GAP: f64 = 0.5 * MAX_GAP;
const NEAR_R2: f64 = 1.5 * MIN_R2;
const NEAR_TOP5: f64 = 1.25 * MIN_TOP5;

/// Settings of the page.
#[derive(Clone, Copy, Debug)]
pub struct LimePage<'a> {
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// Name of the network.
    pub model: &'a str,
    /// Segmentation into superpixels.
    pub segmentation: Segmentation,
    /// Samples per fit.
    pub num_samples: usize,
    /// Number of fits.
    pub fits: usize,
    /// Colours.
    pub theme: Theme,
}

impl LimePage<'_> {
    /// Draws one row per face: superpixels, evidence for, evidence against, all weights. `classes[i]` is
    /// the class explained on `faces[i]`.
    pub fn page(&self, faces: &[PredictedFace], classes: &[usize], found: &[Lime]) -> Result<Page> {
        let mut page = Page::new("LIME: which parts of the face decide the prediction", self.theme);
        page.subtitle = format!(
            "{}. A linear model of the probability, fitted to {} samples per face in which random \
             superpixels are replaced by their mean gray.",
            self.model, self.num_samples
        );
        page.columns = ["superpixels", "evidence for", "evidence against", "weights"]
            .map(String::from)
            .to_vec();
        for ((face, &class), lime) in faces.iter().zip(classes).zip(found) {
            page.rows.push(self.row(face, class, lime)?);
        }
        page.legend = vec![
            (FOR, "raises the probability".into()),
            (AGAINST, "lowers the probability".into()),
        ];
        page.scale_bars = vec![ScaleBar {
            colormap: SIGNED,
            ends: BarEnds::Maximum("map"),
            label: "change of the probability".into(),
        }];
        page.caption = format!(
            "Superpixels: {}; the weight of each is the change of the probability, in points of 1, when it is shown. Shown with borders: the {SHOWN} strongest superpixels on each side. R²: share \
             of the variance of the probability that the linear model explains. Linear model, network: \
             probability of the unmodified face. Intercept: probability with all superpixels replaced. \
             Agreement: rank correlation and shared top five of {} fits with different samples. In orange: \
             close to a refusal (R² below {MIN_R2}, difference above {MAX_GAP}, top five below {:.0} %).",
            self.segmentation,
            self.fits,
            100.0 * MIN_TOP5
        );
        Ok(page)
    }

    fn row(&self, face: &PredictedFace, class: usize, lime: &Lime) -> Result<Row> {
        let picture = face.picture()?;
        let mut header = face.header(self.names);
        let muted = |text: String| Line::new(text, Tone::Muted);
        if class != face.predicted {
            header.push(Line::new(format!("for {}", name(self.names, class)), Tone::Normal));
        }
        let bad_if =
            |bad: bool, text: String| Line::new(text, if bad { Tone::Bad } else { Tone::Muted });
        let both = format!(
            "linear model {:.2}, network {:.2}",
            lime.local_prediction, lime.model_prediction
        );
        let fit = format!("{} superpixels, R² {:.2}", lime.coefficients.len(), lime.r2);
        header.extend([
            bad_if(lime.r2 < NEAR_R2, fit),
            bad_if(lime.gap() > NEAR_GAP, both),
            muted(format!("intercept {}", signed(lime.intercept))),
        ]);
        if let Some(a) = lime.agreement {
            header.push(muted(format!("rank correlation {:.2}", a.rank)));
            header.push(bad_if(a.top5 < NEAR_TOP5, format!("top five {:.0} %", 100.0 * a.top5)));
        }
        let cell = |picture| Cell::picture(picture, "");
        let mut cells = vec![cell(borders(&picture, &lime.superpixels))];
        if let Some(why) = &lime.refused {
            cells.push(Cell::Text(vec![
                Line::new("refused", Tone::Strong),
                Line::new(why.as_str(), Tone::Bad),
            ]));
            return Ok(Row { header, cells });
        }
        for (sign, color) in [(1.0, FOR), (-1.0, AGAINST)] {
            let picture = evidence(&picture, lime, &strongest(lime, sign), color);
            cells.push(Cell::picture(picture, self.words(lime, sign)));
        }
        let map = lime.map();
        let scale = Scale { clip: max_abs(&map), max: max_abs(&map) };
        cells.push(Cell::picture(
            draw_map(&map, SIDE, SIDE, SIGNED, scale)?,
            format!("max {}", short(scale.max.into())),
        ));
        Ok(Row { header, cells })
    }

    /// Returns the strongest superpixels by name, or the sum of their weights if they have no names.
    fn words(&self, lime: &Lime, sign: f64) -> String {
        let pieces = strongest(lime, sign);
        if self.segmentation == Segmentation::Face {
            let piece = |&k: &usize| format!("{} {}", FACE_PARTS[k], signed(lime.coefficients[k]));
            return pieces.iter().take(3).map(piece).collect::<Vec<_>>().join("\n");
        }
        let sum: f64 = pieces.iter().map(|&k| lime.coefficients[k]).sum();
        format!("{} superpixels: {}", pieces.len(), signed(sum))
    }
}

/// Formats a number with its sign.
fn signed(value: f64) -> String {
    minus(format!("{value:+.2}"))
}
