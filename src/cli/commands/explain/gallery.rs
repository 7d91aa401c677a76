//! `fer gallery`: every method on every expression, as pages with an index.

use crate::Result;
use crate::cli::commands::explain::saliency::{How, Work, explain_all};
use crate::cli::commands::explain::saliency_set::{Asked, Set, class_maps_of, lifts};
use crate::cli::shared::faces::{FaceArgs, Model};
use crate::cli::shared::input::theme;
use crate::cli::shared::progress;
use crate::console;
use crate::explain::attribution::lime::lime;
use crate::explain::{Attribution, FaceBatch, Method, NetworkClassifier, Target};
use crate::files::{make_folder, write_atomic};
use crate::render::Theme;
use crate::render::panel::Page;
use crate::render::write::PNG_SCALE;
use crate::report::PredictedFace;
use crate::report::face::name;
use crate::report::gallery::{Gallery, Section};
use crate::report::lime::LimePage;
use crate::report::saliency::all_methods_page::{many_faces_page, one_face_page};
use crate::report::saliency::one_method_page::{PageOptions, saliency_page};
use crate::report::saliency::region_page::RegionPage;
use indicatif::ProgressBar;
use std::path::PathBuf;

/// Faces of the whole-set pages.
const SET_FACES: usize = 1_400;

/// Arguments of `fer gallery`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    #[command(flatten)]
    faces: FaceArgs,
    #[command(flatten)]
    how: How,
    /// Folder to write into; made if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Light ink on dark ground
    #[arg(long)]
    dark: bool,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    make_folder(&args.out)?;
    let model = Model::read(args.model.take(), &mut args.faces)?;
    let explained = model.trained.explained()?;
    let names = model.names();
    let chosen = args.faces.choose(&model)?;
    let options = args.how.options(&explained, chosen.mean_face.clone())?;
    let faces = chosen.judge(&explained)?;
    let theme = theme(args.dark);
    let caption = model.caption();
    let look = PageOptions { names: &names, model: &caption, common_scale: false, theme };
    let pages = Method::ALL.len() + faces.len() + 4;
    let mut writer = Writer {
        gallery: Gallery::new(&model.title),
        bar: progress::bar(pages as u64, "pages"),
        folder: args.out.clone(),
    };

    let targets = vec![Target::Predicted; faces.len()];
    let work =
        Work { model: &explained, pixels: &chosen.pixels, targets: &targets, options: &options };
    let mut found: Vec<Vec<Attribution>> = Vec::new();
    for method in Method::ALL {
        writer.bar.set_message(method.title());
        let maps = explain_all(&work, &[method])?.remove(0);
        let page = saliency_page(&faces, &maps, &look)?;
        writer.add(Section::Methods, method.name(), method.title(), method.definition(), &page)?;
        found.push(maps);
    }
    let page = many_faces_page(&faces, &found, &look)?;
    writer.add(Section::Faces, "all", "All methods, all faces", "A face a row.", &page)?;
    for (i, face) in faces.iter().enumerate() {
        let of_face: Vec<&Attribution> = found.iter().map(|m| &m[i]).collect();
        let page = one_face_page(face, &of_face, &look)?;
        let class = face.label.map_or("no label", |c| name(&names, c));
        let title = format!("{class}, {}", face.origin);
        writer.add(Section::Faces, &format!("face-{i}"), &title, "All methods.", &page)?;
    }
    writer.lime(&explained, &faces, &look, &options.lime)?;
    if chosen.all.is_labelled() {
        writer.whole_set(&model, &explained, &chosen.all, &args.how, theme)?;
    }
    writer.finish()
}

/// Writes pages one by one, so that what is done stays if the rest fails.
struct Writer {
    gallery: Gallery,
    bar: ProgressBar,
    folder: PathBuf,
}

impl Writer {
    fn add(
        &mut self,
        section: Section,
        stem: &str,
        title: &str,
        words: &str,
        page: &Page,
    ) -> Result<()> {
        let file = format!("{}.png", stem.replace("++", "pp"));
        write_atomic(self.folder.join(&file), &page.to_png(PNG_SCALE)?)?;
        self.gallery.add(section, &file, title, words);
        self.bar.inc(1);
        Ok(())
    }

    fn lime(
        &mut self,
        model: &NetworkClassifier<'_>,
        faces: &[PredictedFace],
        look: &PageOptions<'_>,
        options: &crate::explain::attribution::lime::LimeOptions,
    ) -> Result<()> {
        self.bar.set_message("LIME's evidence");
        let pixels: Vec<f32> = faces.iter().flat_map(|f| &f.pixels).copied().collect();
        let classes: Vec<usize> = faces.iter().map(|f| f.predicted).collect();
        let found = lime(&FaceBatch::of_classes(model, &pixels, &classes)?, options)?;
        let page = LimePage {
            names: look.names,
            model: look.model,
            segmentation: options.segmentation,
            num_samples: options.num_samples,
            fits: options.fits,
            theme: look.theme,
        };
        let page = page.page(faces, &classes, &found)?;
        let words = "Pieces that speak for the class and against it, and whether to believe them.";
        self.add(Section::Methods, "lime-evidence", "LIME's evidence", words, &page)
    }

    /// Face or not face, and what the faces of a class have in common.
    fn whole_set(
        &mut self,
        model: &Model,
        explained: &NetworkClassifier<'_>,
        all: &crate::dataset::Dataset,
        how: &How,
        theme: Theme,
    ) -> Result<()> {
        self.bar.set_message("whole set");
        let set = Set::choose(all, Some(SET_FACES), model)?;
        let options = how.options(explained, set.mean_face.clone())?;
        let names = model.names();
        let targets = vec![Target::Predicted; set.labels.len()];
        let work =
            Work { model: explained, pixels: &set.pixels, targets: &targets, options: &options };
        let method = Method::Saliency;
        let found = explain_all(&work, &[method])?.remove(0);
        let asked = Asked { model, set: &set, work, method, found: &found };
        let what = asked.what("pred");
        let lifts = lifts(&asked, how.seed)?;
        let mean_face = &set.mean_face;
        let page = RegionPage { lifts: &lifts, names: &names, what: &what, mean_face, theme };
        let words = "How much of the map falls on each part of the face, beside three controls.";
        self.add(Section::Set, "regions", "Face or not face?", words, &page.page()?)?;
        let faces = set.judge(explained)?;
        let data = class_maps_of(&asked, &faces)?;
        let page = data.page(&what, &names, theme)?;
        let words = "Mean maps, correct minus wrong, and faces that drew attention elsewhere.";
        self.add(Section::Set, "class-maps", "What the faces of a class share", words, &page)
    }

    fn finish(self) -> Result<()> {
        self.bar.finish_and_clear();
        let index = self.folder.join("index.html");
        write_atomic(&index, self.gallery.to_html().as_bytes())?;
        console::print(&format!("{}\n", index.display()))
    }
}
