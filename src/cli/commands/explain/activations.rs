//! `fer activations`: feature maps of a face, mean maps of the classes, kernels of the first layer.

use crate::cli::shared::input::{Reading, model_or_input, theme};
use crate::cli::shared::network_input::{
    labels, list_layers, parse_numbers, pixels, short_origin, spread, training_faces,
};
use crate::cli::shared::output::{keep_inputs, write_scene};
use crate::cli::shared::photos::PhotoArgs;
use crate::cli::shared::progress;
use crate::dataset::Dataset;
use crate::explain::filters::feature_maps::{class_means, map_layers, stages};
use crate::explain::layers::select_filters;
use crate::explain::{Classifier as _, LayerInfo, NetworkClassifier};
use crate::model::LoadedModel;
use crate::nn::Layer;
use crate::render::format::percent;
use crate::render::panel::{Cell, Line, Page, Tone};
use crate::render::write::check_name;
use crate::render::{RgbImage, Scene, Theme};
use crate::report::filters::feature_map_page::{
    MapStyle, Stage, class_means_page, kernels_page, stack, stages_page,
};
use crate::stats::argmax;
use crate::{CLASS_NAMES, Error, Result, SIDE};
use std::path::{Path, PathBuf};

/// Filters per layer that `--layer all` shows without `--filter`.
const FEW: usize = 16;

/// Arguments of `fer activations`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer activations photo.jpg --layer conv2d_1,activation_1")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// A picture of a face
    #[arg(conflicts_with_all = ["data", "index"])]
    picture: Option<PathBuf>,
    /// Layers by name, or `all`; layers of one block are shown side by side. Without this option the layers
    /// are listed
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    layer: Vec<String>,
    /// Numbers of the filters, such as 0-31 or 3,7,10-12 [default: all; the first 16 with --layer all]
    #[arg(long, value_name = "K,…")]
    filter: Option<String>,
    /// Faces to choose from [default: the validation faces of the model; with --mean-per-class its
    /// training faces]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Number of the face in the data, from 0
    #[arg(long, default_value_t = 0, conflicts_with = "mean_per_class")]
    index: usize,
    /// Use one colour scale for all maps of a layer
    #[arg(long)]
    common_scale: bool,
    /// Show the mean map of each class instead of one face
    #[arg(long)]
    mean_per_class: bool,
    /// Largest number of faces to average, spread evenly over the data; 0 = all
    #[arg(long, default_value_t = 3000, requires = "mean_per_class")]
    max_faces: usize,
    /// Show the kernels of the first layer as pictures
    #[arg(long)]
    kernels: bool,
    /// Picture or page to write: .png, .svg or .html; replaces an earlier one
    #[arg(long, value_name = "FILE", default_value = "activations.png")]
    out: PathBuf,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    check_name(&args.out)?;
    let mut inputs: Vec<PathBuf> = args.picture.take().into_iter().collect();
    args.model = model_or_input(args.model.take(), &mut inputs)?;
    if inputs.len() > 1 {
        return Err(Error::Usage("one picture at a time".into()));
    }
    args.picture = inputs.pop();
    let read: Vec<&Path> = args.picture.iter().chain(&args.data).map(PathBuf::as_path).collect();
    keep_inputs([&args.out], &read)?;
    let trained = LoadedModel::read_or_embedded(args.model.as_deref())?;
    let model = trained.classifier()?;
    if args.layer.is_empty() && !args.kernels {
        return list_layers(&model, &|layer| layer.has_map());
    }
    let theme = theme(args.dark);
    let style = MapStyle { common_scale: args.common_scale, theme };
    let layers = map_layers(&model, &args.layer)?;
    let wanted = args.filter.as_deref().map(parse_numbers).transpose()?.unwrap_or_default();
    let filters = |layer: &LayerInfo| {
        let mut filters = select_filters(layer, &wanted)?;
        if wanted.is_empty() && args.layer.iter().any(|n| n == "all") {
            filters.truncate(FEW);
        }
        Ok::<_, Error>(filters)
    };
    layers.iter().try_for_each(|l| filters(l).map(|_| ()))?;
    let mut pages = Vec::new();
    if args.kernels {
        pages.push(first_kernels(&trained, theme)?);
    }
    if args.mean_per_class {
        let faces = spread(training_faces(&trained, args.data.as_deref())?, args.max_faces);
        for layer in &layers {
            let own = filters(layer)?;
            pages.push(mean_page(&model, &trained, layer, &own, &faces, style)?);
        }
    } else if !layers.is_empty() {
        let face = chosen_face(&args, &trained)?;
        let pixels = pixels(&trained, &face);
        pages.push(face_page(&model, (&face, args.index), &pixels, theme)?);
        for group in stages(&model.layers(), &layers) {
            let own = filters(&group[0])?;
            let stage = |layer: LayerInfo| {
                Ok(Stage { maps: model.activations(&layer.name, &pixels)?, layer })
            };
            let group: Vec<Stage> = group.into_iter().map(stage).collect::<Result<_>>()?;
            pages.push(stages_page(&group, &own, style)?);
        }
    }
    if let Some(first) = pages.first_mut() {
        first.subtitle = [trained.title(), std::mem::take(&mut first.subtitle)]
            .iter()
            .filter(|text| !text.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(": ");
    }
    write(&args, &pages, theme)
}

fn chosen_face(args: &Args, trained: &LoadedModel) -> Result<Dataset> {
    if let Some(path) = &args.picture {
        let input = PhotoArgs::default().read(std::slice::from_ref(path), &Reading::default())?;
        input.require_a_face()?;
        return Ok(input.faces.select(&[0]));
    }
    let faces = match (&args.data, &trained.record.source) {
        (None, Some(_)) => trained.validation_faces()?,
        (data, _) => training_faces(trained, data.as_deref())?,
    };
    if args.index >= faces.len() {
        let last = faces.len().saturating_sub(1);
        return Err(Error::Usage(format!("--index {}: the faces are 0 to {last}", args.index)));
    }
    Ok(faces.select(&[args.index]))
}

/// Draws the face with its label and the predicted class.
fn face_page(
    model: &NetworkClassifier<'_>,
    (face, number): (&Dataset, usize),
    pixels: &[f32],
    theme: Theme,
) -> Result<Page> {
    let probabilities = model.probabilities(&model.logits(pixels)?);
    let predicted = argmax(&probabilities);
    let name = |class: usize| model.class_names().get(class).map_or("", String::as_str);
    let label = face.label(0).map(usize::from);
    let picture = RgbImage::from_gray(face.image(0), SIDE, SIDE)?;
    let place = short_origin(face, 0, number);
    let mut page =
        Page::sheet("Feature maps of this face", vec![Cell::picture(picture, place)], 1, theme);
    let (said, probability) = (name(predicted), f64::from(probabilities[predicted]));
    let mut header = vec![match label {
        Some(label) => Line::verdict(said, probability, label == predicted),
        None => Line::new(format!("{said} {}", percent(probability)), Tone::Strong),
    }];
    if let Some(label) = label {
        header.push(Line::new(format!("label {}", CLASS_NAMES[label]), Tone::Muted));
    }
    page.rows[0].header = header;
    Ok(page)
}

fn mean_page(
    model: &NetworkClassifier<'_>,
    trained: &LoadedModel,
    layer: &LayerInfo,
    filters: &[usize],
    faces: &Dataset,
    style: MapStyle,
) -> Result<Page> {
    let bar = progress::bar(faces.len() as u64, "faces");
    bar.set_message(layer.name.clone());
    let pixels = pixels(trained, faces);
    let means = class_means(model, layer, &pixels, &labels(faces), &mut |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    class_means_page(layer, &means, filters, model.class_names(), style)
}

fn first_kernels(trained: &LoadedModel, theme: Theme) -> Result<Page> {
    let layers = trained.network.walk()?;
    let first = layers.iter().find_map(|(layer, _)| match layer {
        Layer::Conv2d(convolution) => Some(convolution),
        _ => None,
    });
    match first {
        Some(convolution) => kernels_page(convolution, theme),
        None => Err(Error::Usage("--kernels: this network has no convolution".into())),
    }
}

fn write(args: &Args, pages: &[Page], theme: Theme) -> Result<()> {
    let scenes: Vec<Scene> = pages.iter().map(Page::scene).collect();
    write_scene(&stack(&scenes, theme), "Filter outputs", &args.out)
}
