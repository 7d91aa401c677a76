//! `fer gallery`: a page for every method and every expression, with an index.

use crate::cli::commands::explain::saliency::{FaceSet, SetMaps, class_maps_of, lifts};
use crate::cli::shared::attribution::{AttributionTask, MethodOptions, attribute_all};
use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::input::theme;
use crate::cli::shared::progress;
use crate::explain::attribution::lime::lime;
use crate::explain::{Attribution, FaceBatch, Method, NetworkClassifier, Target};
use crate::files::{with_folder, write_atomic};
use crate::render::Theme;
use crate::render::panel::Page;
use crate::render::write::PNG_SCALE;
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::gallery::{Gallery, OVERVIEW};
use crate::report::lime::LimePage;
use crate::report::saliency::all_methods_page::{many_faces_page, one_face_page};
use crate::report::saliency::one_method_page::{PageOptions, saliency_page};
use crate::report::saliency::region_page::RegionPage;
use crate::{Result, console};
use indicatif::ProgressBar;
use std::path::PathBuf;

/// Faces of the pages about the whole data set.
const SET_FACES: usize = 1_400;

/// Titles of the sections.
const METHODS: &str = "By method";
const FACES: &str = "By face";
const SET: &str = "Whole data set";

/// Arguments of `fer gallery`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --index and --per-class it shows the most typical face of each class.\n\n\
                        Example:\n  fer gallery runs/fer-s-1"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    faces: FaceArgs,
    #[command(flatten)]
    options: MethodOptions,
    /// Folder to write, created if missing
    #[arg(long, value_name = "DIR", default_value = "gallery")]
    out: PathBuf,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let folder = args.out.clone();
    with_folder(Some(&folder), || draw(args))
}

fn draw(mut args: Args) -> Result<()> {
    let model = Model::read(args.model.take(), &mut args.faces)?;
    let explained = model.trained.classifier()?;
    let names = model.names();
    let chosen = args.faces.choose_typical(&model)?;
    let options = args.options.options(&explained, chosen.mean_face.clone())?;
    let faces = chosen.classify(&explained)?;
    let theme = theme(args.dark);
    let caption = model.caption();
    let style = PageOptions { names: &names, model: &caption, common_scale: false, theme };
    let pages = Method::ALL.len() + faces.len() + 4;
    let mut writer = Writer {
        gallery: Gallery::new(&model.title),
        bar: progress::bar(pages as u64, "pages"),
        folder: args.out.clone(),
    };

    let targets = vec![Target::Predicted; faces.len()];
    let task = AttributionTask::new(&explained, &chosen.pixels, &targets, &options);
    let mut found: Vec<Vec<Attribution>> = Vec::new();
    for method in Method::ALL {
        writer.bar.set_message(method.title());
        let maps = attribute_all(&task, &[method])?.remove(0);
        let page = saliency_page(&faces, &maps, &style)?;
        writer.add(METHODS, method.name(), method.title(), method.definition(), &page)?;
        found.push(maps);
    }
    let page = many_faces_page(&faces, &found, &style)?;
    writer.add(OVERVIEW, "all", "All methods, all faces", "One row per face.", &page)?;
    for (i, face) in faces.iter().enumerate() {
        let of_face: Vec<&Attribution> = found.iter().map(|m| &m[i]).collect();
        let page = one_face_page(face, &of_face, &style)?;
        let class = face.label.map_or("no label", |c| name(&names, c));
        let title = format!("{class}, {}", face.origin);
        writer.add(FACES, &format!("face-{i}"), &title, "All methods.", &page)?;
    }
    writer.lime(&explained, &faces, &style, &options.lime)?;
    if chosen.all.is_labelled() {
        writer.whole_set(&model, &explained, &chosen.all, &args.options, theme)?;
    }
    writer.finish()
}

/// Writes pages one by one, so that finished pages stay if a later one fails.
struct Writer {
    gallery: Gallery,
    bar: ProgressBar,
    folder: PathBuf,
}

impl Writer {
    fn add(
        &mut self,
        section: &'static str,
        stem: &str,
        title: &str,
        description: &str,
        page: &Page,
    ) -> Result<()> {
        let file = format!("{}.png", stem.replace("++", "pp"));
        write_atomic(self.folder.join(&file), &page.to_png(PNG_SCALE)?)?;
        self.gallery.add(section, &file, title, description);
        self.bar.inc(1);
        Ok(())
    }

    fn lime(
        &mut self,
        model: &NetworkClassifier<'_>,
        faces: &[PredictedFace],
        style: &PageOptions<'_>,
        options: &crate::explain::attribution::lime::LimeOptions,
    ) -> Result<()> {
        self.bar.set_message("LIME's evidence");
        let pixels: Vec<f32> = faces.iter().flat_map(|f| &f.pixels).copied().collect();
        let classes: Vec<usize> = faces.iter().map(|f| f.predicted).collect();
        let found = lime(&FaceBatch::of_classes(model, &pixels, &classes)?, options)?;
        let page = LimePage {
            names: style.names,
            model: style.model,
            segmentation: options.segmentation,
            num_samples: options.num_samples,
            fits: options.fits,
            theme: style.theme,
        };
        let page = page.page(faces, &classes, &found)?;
        let description =
            "Superpixels that speak for and against the class, and whether to believe them.";
        self.add(METHODS, "lime-evidence", "LIME's evidence", description, &page)
    }

    /// Adds the regions and the class maps of the whole data set.
    fn whole_set(
        &mut self,
        model: &Model,
        explained: &NetworkClassifier<'_>,
        all: &crate::dataset::Dataset,
        methods: &MethodOptions,
        theme: Theme,
    ) -> Result<()> {
        self.bar.set_message("whole set");
        let set = FaceSet::choose(all, Some(SET_FACES), model)?;
        let options = methods.options(explained, set.mean_face.clone())?;
        let names = model.names();
        let targets = vec![Target::Predicted; set.labels.len()];
        let task = AttributionTask::new(explained, &set.pixels, &targets, &options);
        let method = Method::DEFAULT;
        let found = attribute_all(&task, &[method])?.remove(0);
        let maps = SetMaps { model, set: &set, task, method, found: &found };
        let title = maps.title("pred");
        let lifts = lifts(&maps, methods.seed)?;
        let mean_face = &set.mean_face;
        let page = RegionPage { lifts: &lifts, names: &names, what: &title, mean_face, theme };
        let description =
            "How much attribution falls on each region of the face, beside three controls.";
        self.add(SET, "regions", "Face or not face?", description, &page.page()?)?;
        let faces = set.classify(explained)?;
        let data = class_maps_of(&maps, &faces)?;
        let page = data.page(&title, &names, theme)?;
        let description =
            "Mean maps, correct minus wrong, and faces whose map lies outside the face.";
        self.add(SET, "class-maps", "What the faces of a class share", description, &page)
    }

    fn finish(self) -> Result<()> {
        self.bar.finish_and_clear();
        let index = self.folder.join("index.html");
        write_atomic(&index, self.gallery.to_html().as_bytes())?;
        console::print(&format!("{}\n", index.display()))
    }
}
