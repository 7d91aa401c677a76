//! Whole-set maps: what the faces of a class have in common.

use crate::explain::regions::class_maps::ClassMaps;
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::{counted, percent, short};
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, RgbImage, Scale, ScaleBar, Theme};
use crate::report::face::name;
use crate::report::saliency::one_method_page::{MAGNITUDE, SIGNED};
use crate::{PIXELS, Result, SIDE};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct ClassMapsPage<'a> {
    /// Means and differences.
    pub maps: &'a ClassMaps,
    /// Mean face of each class.
    pub mean_faces: &'a [Vec<f32>],
    /// What the wrong faces have in common, where there are any.
    pub wrong: Option<&'a WrongFaces>,
    /// Faces whose map lies outside the face most.
    pub outside: &'a [OutsideFace],
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// Method, target, network, number of faces.
    pub what: &'a str,
    /// Colours.
    pub theme: Theme,
}

/// What the faces that were read wrong have in common.
#[derive(Clone, Debug)]
pub struct WrongFaces {
    /// Their number.
    pub count: usize,
    /// Their mean face.
    pub mean_face: Vec<f32>,
    /// Mean density of the map for the true class.
    pub true_map: Vec<f32>,
    /// Mean density of the map for the class named instead.
    pub predicted_map: Vec<f32>,
    /// The first minus the second.
    pub difference: Vec<f32>,
}

/// A face whose attribution lies outside of it.
#[derive(Clone, Debug)]
pub struct OutsideFace {
    /// Pixels.
    pub pixels: Vec<f32>,
    /// Map.
    pub map: Vec<f32>,
    /// Share of the attribution outside the face.
    pub share: f64,
    /// Words under the picture: true class, predicted class.
    pub words: String,
}

impl ClassMapsPage<'_> {
    /// The page.
    ///
    /// # Errors
    /// Those of drawing.
    pub fn page(&self) -> Result<Page> {
        let mut page = Page::new("What the faces of a class have in common", self.theme);
        page.subtitle = self.what.into();
        page.columns = ["mean face", "mean map", "over the mean face", "correct − wrong"]
            .map(String::from)
            .to_vec();
        for class in 0..self.names.len() {
            if self.maps.faces[class] > 0 {
                page.rows.push(self.class_row(class)?);
            }
        }
        if let Some(wrong) = self.wrong {
            page.rows.push(wrong_row(wrong)?);
        }
        for (i, faces) in self.outside.chunks(4).enumerate() {
            let header = match i {
                0 => vec![
                    Line::new("most outside", Tone::Strong),
                    Line::new("faces whose hair, hands or background drew the most", Tone::Muted),
                ],
                _ => vec![],
            };
            let cells = faces.iter().map(outside_cell).collect::<Result<Vec<_>>>()?;
            page.rows.push(Row { header, cells });
        }
        let ends = BarEnds::Percentile99("map");
        page.scale_bars = vec![
            ScaleBar { colormap: MAGNITUDE, ends, label: "share of the map, from none".into() },
            ScaleBar {
                colormap: SIGNED,
                ends,
                label: "red: more on correct faces, or for the true class".into(),
            },
        ];
        let blank = match self.maps.blank {
            0 => String::new(),
            n => format!(" {} with a blank map left out.", counted(n, "face")),
        };
        page.caption = format!(
            "Maps are magnitudes, each divided by its mean before the mean over the faces is taken, \
             so that every face counts the same: ×2 is twice the even share of a pixel. Each row \
             has its own scale; its strongest pixel stands beside it. Correct − wrong: where the \
             network looks on faces it reads right, minus on faces it does not; noise: share of the \
             difference's mean square that chance gives, 100 %: nothing is shown. True − predicted: \
             over the wrong faces, map for the true class minus map for the class named instead. \
             Percentages: share of the map outside of the face.{blank}"
        );
        Ok(page)
    }

    fn class_row(&self, class: usize) -> Result<Row> {
        let map = &self.maps.mean[class];
        let scale = Scale::percentile99(map);
        let face = RgbImage::from_unit(&self.mean_faces[class], SIDE, SIDE)?;
        let difference = match &self.maps.correct_minus_wrong[class] {
            Some(d) => {
                let [correct, wrong] = d.faces;
                let noise = 100.0 * d.noise;
                signed(&d.map, &format!("{correct} − {wrong} faces\n{noise:.0} % is noise"))?
            }
            None => Cell::Text(vec![
                Line::new("no wrong face,", Tone::Muted),
                Line::new("or no correct one", Tone::Muted),
            ]),
        };
        let header = vec![
            Line::new(name(self.names, class), Tone::Strong),
            Line::new(counted(self.maps.faces[class], "face"), Tone::Muted),
            Line::new(strongest(scale), Tone::Muted),
        ];
        let cells = vec![
            Cell::picture(face.clone(), ""),
            Cell::picture(draw_map(map, SIDE, SIDE, MAGNITUDE, scale)?, ""),
            Cell::picture(overlay(&face, map, MAGNITUDE, scale)?, ""),
            difference,
        ];
        Ok(Row { header, cells })
    }
}

fn wrong_row(wrong: &WrongFaces) -> Result<Row> {
    let header = vec![
        Line::new("read wrong", Tone::Strong),
        Line::new(counted(wrong.count, "face"), Tone::Muted),
    ];
    let face = RgbImage::from_unit(&wrong.mean_face, SIDE, SIDE)?;
    let scales = [&wrong.true_map, &wrong.predicted_map].map(|m| Scale::percentile99(m));
    let scale = Scale::common(&scales);
    let map = |map: &[f32]| draw_map(map, SIDE, SIDE, MAGNITUDE, scale);
    let header = [header, vec![Line::new(strongest(scale), Tone::Muted)]].concat();
    let cells = vec![
        Cell::picture(face, "mean face"),
        Cell::picture(map(&wrong.true_map)?, "for the true class"),
        Cell::picture(map(&wrong.predicted_map)?, "for the class named"),
        signed(&wrong.difference, "true − predicted")?,
    ];
    Ok(Row { header, cells })
}

fn signed(map: &[f32], caption: &str) -> Result<Cell> {
    let scale = Scale::percentile99(map);
    let caption = format!("{caption}\n±{} at most", short(scale.max.into()));
    Ok(Cell::picture(draw_map(map, SIDE, SIDE, SIGNED, scale)?, caption.trim_start()))
}

/// The largest value of a map of densities, in words.
fn strongest(scale: Scale) -> String {
    format!("strongest ×{}", short(scale.max.into()))
}

fn outside_cell(face: &OutsideFace) -> Result<Cell> {
    debug_assert_eq!(face.map.len(), PIXELS);
    let picture = RgbImage::from_unit(&face.pixels, SIDE, SIDE)?;
    let scale = Scale::percentile99(&face.map);
    let caption = format!("{} outside\n{}", percent(face.share), face.words);
    Ok(Cell::picture(overlay(&picture, &face.map, MAGNITUDE, scale)?, caption))
}
