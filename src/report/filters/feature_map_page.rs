//! Pages of feature maps of one face, of mean feature maps per class, and of kernels.

use crate::Result;
use crate::explain::filters::feature_maps::{ClassMeans, MapStatistics};
use crate::explain::{FeatureMaps, LayerInfo, LayerKind};
use crate::nn::Conv2d;
use crate::render::colormap::draw_map;
use crate::render::format::{counted, percent, short};
use crate::render::panel::{Cell, Line, Page, Row, Tone};
use crate::render::{BarEnds, Colormap, Scale, ScaleBar, Scene, Theme};

/// Side of a map on the page in pixels.
const CELL: f32 = 96.0;
/// Maps per row, rounded down to whole groups.
const ACROSS: usize = 9;

/// A layer and its feature maps of one face, `n = 1`.
pub struct Stage {
    /// The layer.
    pub layer: LayerInfo,
    /// Output of the layer.
    pub maps: FeatureMaps,
}

/// Drawing options of feature maps.
#[derive(Clone, Copy, Debug)]
pub struct MapStyle {
    /// Whether all maps of a layer share one scale.
    pub common_scale: bool,
    /// Colours.
    pub theme: Theme,
}

/// Returns a signed colour map if there are negative values.
fn colormap_of(values: &[f32]) -> Colormap {
    if values.iter().any(|&v| v < 0.0) { Colormap::BlueRed } else { Colormap::Magma }
}

/// Draws the maps of one face through the stages of a block: each filter before and after
/// normalisation and ReLU side by side.
pub fn stages_page(stages: &[Stage], filters: &[usize], style: MapStyle) -> Result<Page> {
    let names: Vec<&str> = stages.iter().map(|s| s.layer.name.as_str()).collect();
    let across = (ACROSS / stages.len().max(1)).max(1);
    let all: Vec<f32> = stages.iter().flat_map(|s| s.maps.data.iter().copied()).collect();
    // One colour map for the block shows what the ReLU removes.
    let colormap = colormap_of(&all);
    let scales: Vec<Scale> = stages.iter().map(|s| Scale::percentile99(&s.maps.data)).collect();
    let cell = |k: usize, stage: &Stage, scale: Scale| -> Result<Cell> {
        let map = stage.maps.channel(0, k);
        let scale = if style.common_scale { scale } else { Scale::maximum(map) };
        let picture = draw_map(map, stage.maps.w, stage.maps.h, colormap, scale)?;
        Ok(Cell::picture(picture, caption(k, map, stage.layer.kind)))
    };
    let mut page = Page { cell: CELL, ..Page::new(names.join(" → "), style.theme) };
    page.subtitle = sizes(stages, filters.len());
    if stages.len() > 1 {
        // The full name does not fit the column.
        let short = |n: &&str| n.replace("batch_normalization_", "batch norm ");
        let columns = names.iter().map(short).cycle();
        page.columns = columns.take(across.min(filters.len()) * stages.len()).collect();
    }
    for filters in filters.chunks(across) {
        let mut row = Row::default();
        for &k in filters {
            for (stage, scale) in stages.iter().zip(&scales) {
                row.cells.push(cell(k, stage, *scale)?);
            }
        }
        page.rows.push(row);
    }
    let bar = |ends, label: &str| ScaleBar { colormap, ends, label: label.into() };
    page.scale_bars = match style.common_scale {
        true => names.iter().zip(&scales).map(|(n, s)| bar(BarEnds::Numbers(*s), n)).collect(),
        false => vec![bar(BarEnds::Maximum("map"), "output")],
    };
    Ok(page)
}

/// Returns the number of the filter, the share of zeros after a ReLU, range and mean.
fn caption(k: usize, map: &[f32], kind: LayerKind) -> String {
    let n = MapStatistics::of(map);
    let number = |v: f32| short(f64::from(v)).replace('-', "−");
    let zeros = match kind {
        LayerKind::Relu => format!(", {:.0} % zero", 100.0 * n.zeros),
        _ => String::new(),
    };
    format!("{k}{zeros}\n{} to {}\nmean {}", number(n.min), number(n.max), number(n.mean))
}

fn sizes(stages: &[Stage], shown: usize) -> String {
    let [channels, ..] = stages.first().map_or([0; 3], |s| s.layer.output);
    let mut text = match shown == channels {
        true => counted(channels, "filter"),
        false => format!("{shown} of {channels} filters"),
    };
    for stage in stages {
        let m = &stage.maps;
        text += &format!("; {}×{}", m.h, m.w);
        if stage.layer.kind == LayerKind::Relu {
            let zeros = m.data.iter().filter(|&&v| v == 0.0).count() as f64;
            text += &format!(", {} zeros", percent(zeros / m.data.len().max(1) as f64));
        }
    }
    text + ". Each square is one cell of the map."
}

/// Draws the mean maps of all classes, one filter per row. The classes of a row share a scale.
pub fn class_means_page(
    layer: &LayerInfo,
    means: &ClassMeans,
    filters: &[usize],
    class_names: &[String],
    style: MapStyle,
) -> Result<Page> {
    let title = format!("{}: mean map of each class", layer.name);
    let mut page = Page { cell: CELL, ..Page::new(title, style.theme) };
    let label = |(name, n): (&String, &usize)| format!("{name} ({n})");
    page.columns = class_names.iter().zip(&means.faces).map(label).collect();
    let m = &means.maps;
    let colormap = colormap_of(&m.data);
    let whole = Scale::percentile99(&m.data);
    for &k in filters {
        let maps: Vec<&[f32]> = (0..m.n).map(|class| m.channel(class, k)).collect();
        let scale = match style.common_scale {
            true => whole,
            false => Scale::maximum(&maps.concat()),
        };
        let strongest = |a: &usize, b: &usize| {
            MapStatistics::of(maps[*a]).mean.total_cmp(&MapStatistics::of(maps[*b]).mean)
        };
        let most = (0..m.n).filter(|&c| means.faces[c] > 0).max_by(strongest);
        let mut header = vec![Line::new(format!("filter {k}"), Tone::Strong)];
        if let Some(class) = most.filter(|_| scale.max > 0.0) {
            header.push(Line::new(format!("largest for {}", class_names[class]), Tone::Muted));
        }
        header.push(Line::new(format!("max {}", short(f64::from(scale.max))), Tone::Muted));
        let cell = |(class, map): (usize, &&[f32])| -> Result<Cell> {
            if means.faces[class] == 0 {
                return Ok(Cell::Text(vec![Line::new("no face", Tone::Muted)]));
            }
            let picture = draw_map(map, m.w, m.h, colormap, scale)?;
            let mean = short(f64::from(MapStatistics::of(map).mean)).replace('-', "−");
            Ok(Cell::picture(picture, format!("mean {mean}")))
        };
        let cells = maps.iter().enumerate().map(cell).collect::<Result<_>>()?;
        page.rows.push(Row { header, cells });
    }
    let ends = match style.common_scale {
        true => BarEnds::Numbers(whole),
        false => BarEnds::Maximum("row"),
    };
    page.scale_bars = vec![ScaleBar { colormap, ends, label: "mean output".into() }];
    page.caption = match style.common_scale {
        true => "One scale for all maps.".into(),
        false => "The maps of a row share one scale, so classes can be compared.".into(),
    };
    Ok(page)
}

/// Draws the kernels of a convolution with one input channel, all on one scale.
pub fn kernels_page(convolution: &Conv2d, theme: Theme) -> Result<Page> {
    let shape = convolution.weight.value.shape().to_vec();
    let (h, w) = (shape[2], shape[3]);
    let weights = convolution.weight.value.to_vec();
    let scale = Scale::maximum(&weights);
    let cell = |(k, kernel): (usize, &[f32])| -> Result<Cell> {
        let picture = draw_map(kernel, w, h, Colormap::BlueRed, scale)?;
        let sum = short(f64::from(kernel.iter().sum::<f32>())).replace('-', "−");
        Ok(Cell::picture(picture, format!("{k}: sum {sum}")))
    };
    let kernels = weights.chunks_exact((shape[1] * h * w).max(1));
    let cells = kernels.enumerate().map(cell).collect::<Result<Vec<_>>>()?;
    let title = format!("The kernels of {}", convolution.name);
    let mut page = Page { cell: 72.0, ..Page::sheet(title, cells, 8, theme) };
    page.subtitle = format!("{} kernels of {h}×{w} weights, all on one scale.", shape[0]);
    let (colormap, ends) = (Colormap::BlueRed, BarEnds::Numbers(scale));
    page.scale_bars = vec![ScaleBar { colormap, ends, label: "weight".into() }];
    page.caption =
        "A filter with a sum near 0 responds to edges and lines, not to brightness.".into();
    Ok(page)
}

/// Stacks drawings vertically.
pub fn stack(scenes: &[Scene], theme: Theme) -> Scene {
    let width = scenes.iter().map(|s| s.size().0).fold(0.0, f32::max);
    let height = scenes.iter().map(|s| s.size().1).sum();
    let mut whole = Scene::new(width, height, theme.palette().ground);
    let mut top = 0.0;
    for scene in scenes {
        whole.insert(scene, 0.0, top);
        top += scene.size().1;
    }
    whole
}
