//! Page of mean maps per class, of wrongly predicted faces, and of faces with much attribution
//! outside of the face.

use crate::explain::regions::class_maps::ClassMaps;
use crate::render::colormap::{draw_map, overlay};
use crate::render::format::{counted, percent, short};
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, RgbImage, Scale, ScaleBar, Theme};
use crate::report::face::name;
use crate::report::saliency::one_method_page::{MAGNITUDE, SIGNED};
use crate::{PIXELS, Result, SIDE};

/// Content of the page.
#[derive(Clone, Debug)]
pub struct ClassMapsPage {
    /// Mean maps and differences per class.
    pub maps: ClassMaps,
    /// Mean face of each class.
    pub mean_faces: Vec<Vec<f32>>,
    /// Means over the wrongly predicted faces, if there are any.
    pub wrong: Option<WrongFaces>,
    /// Faces with the largest share of the map outside of the face.
    pub outside: Vec<OutsideFace>,
}

/// Means over the wrongly predicted faces.
#[derive(Clone, Debug)]
pub struct WrongFaces {
    /// Their number.
    pub count: usize,
    /// Their mean face.
    pub mean_face: Vec<f32>,
    /// Mean density of the map for the true class.
    pub true_map: Vec<f32>,
    /// Mean density of the map for the predicted class.
    pub predicted_map: Vec<f32>,
    /// `true_map` minus `predicted_map`.
    pub difference: Vec<f32>,
}

/// A face with attribution outside of it.
#[derive(Clone, Debug)]
pub struct OutsideFace {
    /// Pixels.
    pub pixels: Vec<f32>,
    /// Map.
    pub map: Vec<f32>,
    /// Share of the attribution outside the face.
    pub share: f64,
    /// Where the face came from.
    pub origin: String,
    /// Label and predicted class.
    pub words: String,
}

impl ClassMapsPage {
    /// Draws the page; `what` says method, target, network and number of faces.
    pub fn page(&self, what: &str, names: &[&str], theme: Theme) -> Result<Page> {
        let mut page = Page::new("Mean maps per class", theme);
        page.subtitle = what.into();
        page.columns = ["mean face", "mean map", "minus all classes", "correct − wrong"]
            .map(String::from)
            .to_vec();
        for class in 0..names.len() {
            if self.maps.faces[class] > 0 {
                page.rows.push(self.class_row(class, name(names, class))?);
            }
        }
        if let Some(wrong) = &self.wrong {
            page.rows.push(wrong_row(wrong)?);
        }
        for (i, faces) in self.outside.chunks(4).enumerate() {
            let header = match i {
                0 => vec![
                    Line::new("most outside", Tone::Strong),
                    Line::new(
                        "faces with the most attribution on hair, hands or background",
                        Tone::Muted,
                    ),
                ],
                _ => vec![],
            };
            let cells = faces.iter().map(outside_cell).collect::<Result<Vec<_>>>()?;
            page.rows.push(Row { header, cells });
        }
        let ends = BarEnds::Percentile99("map");
        page.scale_bars = vec![
            ScaleBar { colormap: MAGNITUDE, ends, label: "density of the map".into() },
            ScaleBar {
                colormap: SIGNED,
                ends,
                label: "red: more on correct predictions, or for the true class".into(),
            },
        ];
        let blank = match self.maps.blank {
            0 => String::new(),
            n => format!(" {} with an empty map left out.", counted(n, "face")),
        };
        page.caption = format!(
            "Maps are magnitudes. Each map is divided by its mean before the mean over the faces is \
             taken, so that all faces count equally; ×2 is twice the mean of a pixel. Each row has \
             its own scale, with its largest value beside it. Minus all classes: what is looked at more (red) \
             or less (blue) here than on the mean of all classes, on one scale. Correct − wrong: mean map of correct \
             predictions minus mean map of wrong predictions. Noise: share of the mean square of \
             the difference that chance explains; at 100 % the difference shows nothing. True − \
             predicted: on wrong predictions, map for the true class minus map for the predicted \
             class. Percentages: share of the map outside of the face.{blank}"
        );
        Ok(page)
    }

    fn class_row(&self, class: usize, name: &str) -> Result<Row> {
        let (map, own) = (&self.maps.mean[class], &self.maps.own[class]);
        let own_scale = Scale::percentile99(&self.maps.own.concat());
        let scale = Scale::percentile99(map);
        let face = RgbImage::from_unit(&self.mean_faces[class], SIDE, SIDE)?;
        let difference = match &self.maps.correct_minus_wrong[class] {
            Some(d) => {
                let [correct, wrong] = d.faces;
                let noise = 100.0 * d.noise;
                signed(&d.map, &format!("{correct} − {wrong} faces\n{noise:.0} % is noise"))?
            }
            None => Cell::Text(vec![
                Line::new("only correct or", Tone::Muted),
                Line::new("only wrong predictions", Tone::Muted),
            ]),
        };
        let header = vec![
            Line::new(name, Tone::Strong),
            Line::new(counted(self.maps.faces[class], "face"), Tone::Muted),
            Line::new(strongest(scale), Tone::Muted),
        ];
        let cells = vec![
            Cell::picture(face.clone(), ""),
            Cell::picture(draw_map(map, SIDE, SIDE, MAGNITUDE, scale)?, ""),
            Cell::picture(overlay(&face, own, SIGNED, own_scale)?, ""),
            difference,
        ];
        Ok(Row { header, cells })
    }
}

fn wrong_row(wrong: &WrongFaces) -> Result<Row> {
    let header = vec![
        Line::new("wrong", Tone::Strong),
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
        Cell::picture(map(&wrong.predicted_map)?, "for the predicted class"),
        signed(&wrong.difference, "true − predicted")?,
    ];
    Ok(Row { header, cells })
}

fn signed(map: &[f32], caption: &str) -> Result<Cell> {
    let scale = Scale::percentile99(map);
    let caption = format!("{caption}\nmax ±{}", short(scale.max.into()));
    Ok(Cell::picture(draw_map(map, SIDE, SIDE, SIGNED, scale)?, caption.trim_start()))
}

/// Returns the largest value of a density map in words.
fn strongest(scale: Scale) -> String {
    format!("max ×{}", short(scale.max.into()))
}

fn outside_cell(face: &OutsideFace) -> Result<Cell> {
    debug_assert_eq!(face.map.len(), PIXELS);
    let picture = RgbImage::from_unit(&face.pixels, SIDE, SIDE)?;
    let scale = Scale::percentile99(&face.map);
    let caption = format!("{} outside\n{}, {}", percent(face.share), face.words, face.origin);
    Ok(Cell::picture(overlay(&picture, &face.map, MAGNITUDE, scale)?, caption))
}
