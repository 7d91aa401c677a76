//! One picture that explains an answer: the face, the map over it, LIME, and a sentence.

use crate::explain::Attribution;
use crate::explain::attribution::lime::Lime;
use crate::explain::attribution::lime::superpixels::FACE_PARTS;
use crate::explain::image_ops::max_abs;
use crate::explain::regions::face_regions::{REGIONS, Region};
use crate::render::colormap::overlay;
use crate::render::format::percent;
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, Scale, ScaleBar, Theme};
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::i18n::{capital, minus};
use crate::report::saliency::one_method_page::{SIGNED, colors_of, scale_of};
use crate::{Result, SIDE};

/// Least share of the evidence that makes a region worth a word.
const WORTH_A_WORD: f64 = 0.1;

/// The explanation of one face.
pub struct Explanation<'a> {
    /// The face with its answer.
    pub face: &'a PredictedFace,
    /// The map of the answer.
    pub map: &'a Attribution,
    /// LIME by the parts of the face.
    pub lime: &'a Lime,
    /// Evidence of each region for the answer, in the order of [`Region::ALL`].
    pub evidence: [f64; REGIONS],
    /// Names of the classes.
    pub names: &'a [&'a str],
}

impl Explanation<'_> {
    /// Says the answer and what speaks for and against it in one sentence.
    pub fn sentence(&self) -> String {
        let class = name(self.names, self.face.predicted);
        let answer = format!("{}, {}", capital(class), percent(self.face.probability.into()));
        let named = |sign: f64, most: usize| -> String {
            let of = self.shares().filter(|(_, share)| sign * share >= WORTH_A_WORD);
            let mut of: Vec<(Region, f64)> = of.collect();
            of.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            let words: Vec<&str> = of.iter().take(most).map(|(r, _)| words(*r)).collect();
            words.join(" and ")
        };
        let (pro, contra) = (named(1.0, 2), named(-1.0, 1));
        let pro = match pro.as_str() {
            "" => "no part of the face stands out".to_owned(),
            _ => format!("most for it: {pro}"),
        };
        let contra =
            if contra.is_empty() { contra } else { format!("; most against it: {contra}") };
        format!("{answer}; {pro}{contra}; {}.", self.lime_words())
    }

    /// The share of each region in the evidence: E_r/Σ|E|.
    fn shares(&self) -> impl Iterator<Item = (Region, f64)> {
        let total: f64 = self.evidence.iter().map(|e| e.abs()).sum();
        let share = move |e: f64| e / total.max(f64::MIN_POSITIVE);
        Region::ALL.into_iter().zip(self.evidence.map(share))
    }

    /// LIME's strongest part on each side: “LIME: mouth +0.31, forehead −0.05”.
    fn lime_words(&self) -> String {
        if self.lime.refused.is_some() {
            return "LIME does not fit this face".into();
        }
        let mut parts: Vec<(usize, f64)> =
            self.lime.coefficients.iter().copied().enumerate().collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let ends = [parts.first(), parts.last()];
        let part = |&(k, w): &(usize, f64)| {
            format!("{} {}", FACE_PARTS.get(k).unwrap_or(&"part"), minus(format!("{w:+.2}")))
        };
        let words: Vec<String> = ends.into_iter().flatten().map(part).collect();
        format!("LIME: {}", words.join(", "))
    }

    fn row(&self) -> Result<Row> {
        let picture = self.face.picture()?;
        let colors = colors_of(self.map.method);
        let map = overlay(&picture, &self.map.map, colors, scale_of(self.map))?;
        let weights = self.lime.map();
        let top = max_abs(&weights);
        let lime = match self.lime.refused.as_deref() {
            Some(why) => Cell::Text(vec![Line::new(why, Tone::Bad)]),
            None => {
                let scale = Scale { clip: top, max: top };
                Cell::picture(overlay(&picture, &weights, SIGNED, scale)?, "")
            }
        };
        let mut header = self.face.header(self.names);
        header.push(Line::new(self.sentence(), Tone::Normal));
        let map = Cell::Picture {
            picture: map,
            smooth: self.map.method.is_smooth(),
            caption: String::new(),
        };
        Ok(Row { header, cells: vec![Cell::picture(picture, ""), map, lime] })
    }
}

/// The region with its article, as a sentence needs it.
fn words(region: Region) -> &'static str {
    match region {
        Region::Eyes => "the eyes and brows",
        Region::BrowGap => "the place between the brows",
        Region::Nose => "the nose",
        Region::Mouth => "the mouth",
        Region::Cheeks => "the cheeks",
        Region::Forehead => "the forehead",
        Region::Temples => "the temples",
        Region::Chin => "the chin",
        Region::Outside => "hair and background",
    }
}

/// Draws one row per face. `title` names the network.
pub fn explanation_page(all: &[Explanation<'_>], title: &str, theme: Theme) -> Result<Page> {
    let mut page = Page::new("What the network sees in this face", theme);
    page.cell = 3.0 * SIDE as f32;
    page.subtitle = title.to_owned();
    page.columns = ["face", "where it looks", "LIME"].map(String::from).to_vec();
    page.rows = all.iter().map(Explanation::row).collect::<Result<_>>()?;
    let ends = BarEnds::Percentile99("map");
    page.scale_bars = vec![ScaleBar {
        colormap: SIGNED,
        ends,
        label: "blue: against, red: for the answer".into(),
    }];
    let method = all.first().map_or("", |e| e.map.method.title());
    page.caption = format!(
        "Where it looks: {method} of the score of the answer, against the mean face. Most for it, most against \
         it: the parts by which the score of the answer changes most, \
         taken out of this face or put into the mean face. LIME: change of \
         the probability, in points of 1, by a whole part of the face (fer lime --segmentation face); fer lime \
         alone weighs some 45 smaller superpixels, each of which changes less."
    );
    Ok(page)
}
