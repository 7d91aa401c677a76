//! LIME: pieces that speak for the class and against it, with what says whether to believe them.

use crate::explain::attribution::lime::superpixels::{FACE_SUPERPIXELS, Segmentation};
use crate::explain::attribution::lime::{Lime, MAX_GAP, MIN_R2, MIN_TOP5};
use crate::explain::image_ops::max_abs;
use crate::render::colormap::draw_map;
use crate::render::format::short;
use crate::render::image::mix;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, Picture, Rgb, Scale, ScaleBar, Theme};
use crate::report::ShownFace;
use crate::report::face::name;
use crate::report::saliency::saliency_page::SIGNED;
use crate::{Result, SIDE};
use serde::Serialize;

/// Pieces shown as evidence on each side.
const SHOWN: usize = 5;
/// What is drawn, but with a warning: halfway to what is refused.
const NEAR_GAP: f64 = 0.5 * MAX_GAP;
const NEAR_R2: f64 = 1.5 * MIN_R2;
const NEAR_TOP5: f64 = 1.25 * MIN_TOP5;
/// Pixels of the drawing per pixel of the face, so that borders stay thin.
const ZOOM: usize = 4;
pub(crate) const FOR: Rgb = [190, 30, 45];
pub(crate) const AGAINST: Rgb = [33, 102, 172];

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

/// One face's explanation for programs.
#[derive(Clone, Debug, Serialize)]
pub struct LimeRecord {
    /// Where the face came from.
    pub origin: String,
    /// The class explained.
    pub class: String,
    /// Number of pieces.
    pub pieces: usize,
    /// Weight of each piece: change of the probability when it is shown.
    pub coefficients: Vec<f64>,
    /// Names of the pieces, where they have names.
    pub piece_names: Option<Vec<&'static str>>,
    /// Intercept.
    pub intercept: f64,
    /// Weighted R².
    pub r2: f64,
    /// Probability of the whole face by the local model, and by the network.
    pub local_prediction: f64,
    /// By the network.
    pub model_prediction: f64,
    /// Mean rank correlation between fits; null of a single fit.
    pub rank_agreement: Option<f64>,
    /// Mean share of the five strongest pieces that two fits share; null of a single fit.
    pub top5_agreement: Option<f64>,
    /// Whether the probabilities are calibrated ones.
    pub calibrated: bool,
    /// Why it is not to be believed.
    pub refused: Option<String>,
}

impl LimeRecord {
    /// From an explanation.
    pub fn new(
        face: &ShownFace,
        class: &str,
        lime: &Lime,
        segmentation: Segmentation,
        calibrated: bool,
    ) -> LimeRecord {
        LimeRecord {
            origin: face.origin.clone(),
            class: class.into(),
            pieces: lime.coefficients.len(),
            coefficients: lime.coefficients.clone(),
            piece_names: (segmentation == Segmentation::Face).then(|| FACE_SUPERPIXELS.to_vec()),
            intercept: lime.intercept,
            r2: lime.r2,
            local_prediction: lime.local_prediction,
            model_prediction: lime.model_prediction,
            rank_agreement: lime.agreement.map(|a| a.rank),
            top5_agreement: lime.agreement.map(|a| a.top5),
            calibrated,
            refused: lime.refused.clone(),
        }
    }
}

impl LimePage<'_> {
    /// A face a row: pieces, evidence for, evidence against, all weights. `classes[i]` is the class
    /// explained on `faces[i]`.
    ///
    /// # Errors
    /// Those of drawing.
    pub fn page(&self, faces: &[ShownFace], classes: &[usize], found: &[Lime]) -> Result<Page> {
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

    fn row(&self, face: &ShownFace, class: usize, lime: &Lime) -> Result<Row> {
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
        let mut cells = vec![cell(borders(&picture, &lime.segments))];
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
            let piece =
                |&k: &usize| format!("{} {}", FACE_SUPERPIXELS[k], signed(lime.coefficients[k]));
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

/// The strongest pieces of one sign.
pub(crate) fn strongest(lime: &Lime, sign: f64) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..lime.coefficients.len()).filter(|&k| sign * lime.coefficients[k] > 0.0).collect();
    order.sort_by(|&a, &b| {
        (sign * lime.coefficients[b]).total_cmp(&(sign * lime.coefficients[a])).then(a.cmp(&b))
    });
    order.truncate(SHOWN);
    order
}

/// Whether a pixel of the enlarged picture lies on a border of its piece.
fn on_border(segments: &[usize], x: usize, y: usize) -> bool {
    let side = SIDE * ZOOM;
    let piece = |x: usize, y: usize| segments[(y / ZOOM) * SIDE + x / ZOOM];
    let own = piece(x, y);
    let (right, below) = ((x + 1).min(side - 1), (y + 1).min(side - 1));
    piece(right, y) != own || piece(x, below) != own
}

/// The face with the borders of all pieces.
pub(crate) fn borders(face: &Picture, segments: &[usize]) -> Picture {
    Picture::from_fn(SIDE * ZOOM, SIDE * ZOOM, |x, y| {
        let below = face.at(x / ZOOM, y / ZOOM);
        if on_border(segments, x, y) { mix(below, [255, 208, 0], 0.75) } else { below }
    })
}

/// The chosen pieces as they are, tinted at their borders; the rest pale.
pub(crate) fn evidence(face: &Picture, lime: &Lime, pieces: &[usize], color: Rgb) -> Picture {
    let side = SIDE * ZOOM;
    let shown = |x: usize, y: usize| pieces.contains(&lime.segments[(y / ZOOM) * SIDE + x / ZOOM]);
    Picture::from_fn(side, side, |x, y| {
        let below = face.at(x / ZOOM, y / ZOOM);
        let around = [(x + 2, y), (x.saturating_sub(2), y), (x, y + 2), (x, y.saturating_sub(2))];
        let edge = |(a, b): (usize, usize)| !shown(a.min(side - 1), b.min(side - 1));
        match shown(x, y) {
            true if around.into_iter().any(edge) => color,
            true => below,
            false => mix(below, [235; 3], 0.8),
        }
    })
}
