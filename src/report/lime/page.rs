//! LIME: pieces that speak for the class and against it, with what says whether to believe them.

use crate::explain::attribution::lime::superpixels::{FACE_PARTS, Segmentation};
use crate::explain::attribution::lime::{Lime, MAX_GAP, MIN_R2, MIN_TOP5};
use crate::explain::image_ops::max_abs;
use crate::render::colormap::draw_map;
use crate::render::format::short;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, Scale, ScaleBar, Theme};
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::lime::superpixels::{AGAINST, FOR, SHOWN, borders, evidence, strongest};
use crate::report::saliency::one_method_page::SIGNED;
use crate::{Result, SIDE};

/// What is drawn, but with a warning: halfway to what is refused.
const NEAR_GAP: f64 = 0.5 * MAX_GAP;
const NEAR_R2: f64 = 1.5 * MIN_R2;
const NEAR_TOP5: f64 = 1.25 * MIN_TOP5;

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub struct LimePage<'a> {
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// The network.
    pub model: &'a str,
    /// The pieces.
    pub segmentation: Segmentation,
    /// Samples of each fit.
    pub num_samples: usize,
    /// Fits compared.
    pub fits: usize,
    /// Colours.
    pub theme: Theme,
}

impl LimePage<'_> {
    /// A face a row: pieces, evidence for, evidence against, all weights. `classes[i]` is the class
    /// explained on `faces[i]`.
    ///
    /// # Errors
    /// Those of drawing.
    pub fn page(&self, faces: &[PredictedFace], classes: &[usize], found: &[Lime]) -> Result<Page> {
        let mut page = Page::new("LIME: which pieces of the face make the answer", self.theme);
        page.subtitle = format!(
            "{}. A linear model of the probability, fitted on {} pictures of each face with pieces \
             hidden in their mean gray.",
            self.model, self.num_samples
        );
        page.columns =
            ["pieces", "evidence for", "evidence against", "weights"].map(String::from).to_vec();
        for ((face, &class), lime) in faces.iter().zip(classes).zip(found) {
            page.rows.push(self.row(face, class, lime)?);
        }
        page.legend =
            vec![(FOR, "raises the probability when shown".into()), (AGAINST, "lowers it".into())];
        page.scale_bars = vec![ScaleBar {
            colormap: SIGNED,
            ends: BarEnds::Maximum("map"),
            label: "change of the probability".into(),
        }];
        page.caption = format!(
            "Segments: {} · the {SHOWN} strongest pieces of each side are shown in the face's own gray, \
             bordered · R²: how much of what the network does around this face the linear model \
             explains · local, network: probability of the whole face by the linear model and by the \
             network itself; intercept: with every piece hidden · agreement: rank correlation and \
             shared top five of {} fits with different random pictures. Red: near what is refused \
             (R² {MIN_R2}, local and network {MAX_GAP} apart, top five {:.0} %)",
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
        let both =
            format!("local {:.2}, network {:.2}", lime.local_prediction, lime.model_prediction);
        let fit = format!("{} pieces, R² {:.2}", lime.coefficients.len(), lime.r2);
        header.extend([
            bad_if(lime.r2 < NEAR_R2, fit),
            bad_if(lime.gap() > NEAR_GAP, both),
            muted(format!("intercept {}", signed(lime.intercept))),
        ]);
        if let Some(a) = lime.agreement {
            header.push(muted(format!("fits agree {:.2}", a.rank)));
            header.push(bad_if(a.top5 < NEAR_TOP5, format!("top five {:.0} %", 100.0 * a.top5)));
        }
        let cell = |picture| Cell::Picture { picture, smooth: false, caption: String::new() };
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
            cells.push(Cell::Picture { picture, smooth: false, caption: self.words(lime, sign) });
        }
        let map = lime.map();
        let scale = Scale { clip: max_abs(&map), max: max_abs(&map) };
        cells.push(Cell::Picture {
            picture: draw_map(&map, SIDE, SIDE, SIGNED, scale)?,
            smooth: false,
            caption: format!("max {}", short(scale.max.into())),
        });
        Ok(Row { header, cells })
    }

    /// The strongest named pieces; their sum where pieces have no names.
    fn words(&self, lime: &Lime, sign: f64) -> String {
        let pieces = strongest(lime, sign);
        if self.segmentation == Segmentation::Face {
            let piece = |&k: &usize| format!("{} {}", FACE_PARTS[k], signed(lime.coefficients[k]));
            return pieces.iter().take(3).map(piece).collect::<Vec<_>>().join("\n");
        }
        let sum: f64 = pieces.iter().map(|&k| lime.coefficients[k]).sum();
        format!("{} pieces: {}", pieces.len(), signed(sum))
    }
}

/// With a sign, and a minus as long as the plus.
fn signed(value: f64) -> String {
    format!("{value:+.2}").replace('-', "−")
}
